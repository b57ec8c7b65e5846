"""What ``cirqll whoami`` tells: Cirqll's answer, next to what is known of the token."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from cirqll_client.cli import scope_words
from cirqll_client.cli.layout import pairs
from cirqll_client.connection import connect, open_store, token_store
from cirqll_client.identity import identity_of
from cirqll_client.moments import day, iso_or_none, minute
from cirqll_client.token_owner import hasty
from cirqll_client.tokens import TokenPair, jwt_claims, pair_from_access_token

if TYPE_CHECKING:
    from cirqll_client.settings import ConnectionSettings


def print_user(settings: ConnectionSettings, *, as_json: bool) -> None:
    """Ask Cirqll who is signed in, and print it. Raises any ``CirqllError``."""
    with closing(connect(hasty(settings))) as connection:
        record = connection.client.me()
    identity, pair = identity_of(record), _pair(settings)
    email = str(record.get("email") or "") or None
    if as_json:
        facts = {
            "user": identity.name,
            "email": email,
            "company": identity.company,
            "company_id": identity.company_id,
            **_token_facts(settings, pair),
        }
        click.echo(json.dumps(facts, indent=2))
        return
    is_named_otherwise = email is not None and email != identity.name
    user = f"{identity.name} <{email}>" if is_named_otherwise else identity.name
    rows = [("User", user), ("Company", _company(identity.company, identity.company_id))]
    click.echo(pairs([*rows, *_token_rows(settings, pair)]))


def _pair(settings: ConnectionSettings) -> TokenPair:
    """Give the pair that was just used, as the store has it now."""
    if settings.fixed_token:
        return _fixed(settings.fixed_token)
    with closing(open_store(settings)) as store:
        stored = token_store(settings, store).read(settings.account)
    return (stored.pair if stored else None) or TokenPair(None, None, obtained_at=0.0)


def _fixed(access_token: str) -> TokenPair:
    """Read what a token says of itself; nobody knows how old it is."""
    claims = jwt_claims(access_token)
    scopes = pair_from_access_token(access_token, now=0.0).scopes
    try:
        expires_at = float(claims["exp"])
    except (KeyError, TypeError, ValueError):
        expires_at = None
    return TokenPair(access_token, None, obtained_at=0.0, expires_at=expires_at, scopes=scopes)


def _company(name: str | None, key: str | None) -> str:
    if name is None:
        return key or "not known"
    return f"{name} ({key})" if key else name


def _token_rows(settings: ConnectionSettings, pair: TokenPair) -> list[tuple[str, str]]:
    source = ", by the setting access_token" if settings.fixed_token else ""
    good = "until it is refused" if pair.expires_at is None else f"until {minute(pair.expires_at)}"
    renewed = f", renewed from {minute(pair.refresh_due_at)}" if pair.refresh_token else ""
    return [
        ("Account", f"{settings.account}{source}"),
        ("API", settings.api_url),
        ("Scopes", scope_words.in_full(pair.scopes)),
        ("Token", f"good {good}{renewed}"),
        ("Sign-in", _end(pair)),
    ]


def _end(pair: TokenPair) -> str:
    if pair.refresh_token is None:
        return "ends with the token: nothing renews it"
    if pair.refresh_expires_at is None:
        return "no end is known"
    return f"ends about {day(pair.refresh_expires_at)}"


def _token_facts(settings: ConnectionSettings, pair: TokenPair) -> dict[str, Any]:
    """Give stable names; times are UTC, and what is not known is null."""
    return {
        "account": settings.account,
        "api_url": settings.api_url,
        "token_from": "setting" if settings.fixed_token else "store",
        "scopes": None if pair.scopes is None else sorted(pair.scopes),
        "expires_at": iso_or_none(pair.expires_at),
        "renewed_from": iso_or_none(pair.refresh_due_at if pair.refresh_token else None),
        "sign_in_ends_at": iso_or_none(pair.refresh_expires_at),
    }
