"""What ``cirqll tokens import`` does: take over an AuthValue, without mixing up whose it is."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from cirqll_client.cli.layout import printable
from cirqll_client.connection import open_store, token_store
from cirqll_client.errors import CirqllError, SettingInvalid, SignInRequired
from cirqll_client.moments import minute
from cirqll_client.token_life import remedy
from cirqll_client.token_owner import owner_of
from cirqll_client.token_store import Origin
from cirqll_client.tokens import from_authvalue

if TYPE_CHECKING:
    from cirqll_client.identity import Identity
    from cirqll_client.settings import ConnectionSettings
    from cirqll_client.token_life import StoredAccount
    from cirqll_client.token_store import TokenStore
    from cirqll_client.tokens import TokenPair


def take_over(settings: ConnectionSettings, given: bytes, *, offline: bool, replace: bool) -> None:
    """Put the tokens of an AuthValue into the store, or leave everything as it is.

    Raises ``SettingInvalid``, ``SignInRequired``.
    """
    with closing(open_store(settings)) as store:
        tokens = token_store(settings, store)
        before = tokens.read(settings.account)
        pair = from_authvalue(given.decode("utf-8-sig", errors="replace"), now=tokens.now())
        if pair is None:
            _await_tokens(settings, tokens, before)
        elif before and before.pair and before.pair.secrets() == pair.secrets():
            click.echo(f"The account {settings.account} has these tokens already; nothing to do.")
        else:
            held = before if before and not replace else None
            _refuse_because(_why_spent(pair, held, tokens))
            identity = None if offline else _owner(pair, settings)
            _refuse_because(_why_not_theirs(identity, held))
            company_id = identity.company_id if identity else None
            # Where Cirqll does not tell the company, the one that was told before stays.
            company_id = company_id or (held.company_id if held else None)
            _save(pair, identity, settings, tokens, company_id=company_id)


def _await_tokens(
    settings: ConnectionSettings, tokens: TokenStore, before: StoredAccount | None
) -> None:
    """Do what ``{}`` says: get tokens by yourself."""
    account = settings.account
    if before is not None and before.pair is not None:
        click.echo(f"The AuthValue is empty: the account {account} keeps the tokens it has.")
        return
    if before is None:
        tokens.save(account, None, Origin())
    click.echo(
        f"The AuthValue is empty: the account {account} is there, and has no tokens yet. "
        f"`{remedy(account)}` or the setting refresh_token brings them."
    )


def _owner(pair: TokenPair, settings: ConnectionSettings) -> Identity | None:
    """Ask whose tokens these are; they may be good also where that is not told.

    Raises ``SettingInvalid``, and ``SignInRequired`` where they are certainly worth nothing.
    """
    if pair.access_token is None:
        return None
    try:
        return owner_of(pair.access_token, settings)
    except SettingInvalid:
        raise
    except SignInRequired:
        if pair.refresh_token is None:
            raise SignInRequired(_WORTHLESS) from None
        sentence = "Cirqll does not accept the access token; it must be renewed first."
    except CirqllError as error:
        sentence = error.sentence
    click.echo(f"Whose tokens these are could not be found out: {sentence}", err=True)
    return None


_WORTHLESS = (
    "Cirqll does not accept this access token, and the AuthValue holds no refresh token to renew "
    "it with. Nothing was imported: get a new AuthValue."
)


def _refuse_because(why: str | None) -> None:
    """Leave everything as it is, if there is a reason. Raises ``SettingInvalid``."""
    if why:
        msg = (
            f"{why} Nothing was changed: give another --account, or --replace if these are to take "
            "the place."
        )
        raise SettingInvalid(msg)


def _why_spent(pair: TokenPair, held: StoredAccount | None, tokens: TokenStore) -> str | None:
    """Tell why the tokens must not take the place of newer ones."""
    if held is None or held.pair is None or pair.refresh_token is None:
        return None
    if not tokens.has_seen(held.account, pair.refresh_token):
        return None
    return (
        f"The account {held.account} had this refresh token before, so it is most likely spent, "
        "and what the account has now is newer."
    )


def _why_not_theirs(identity: Identity | None, held: StoredAccount | None) -> str | None:
    """Tell why the tokens must not take the place of somebody else's."""
    if held is None:
        return None
    who = held.signed_in_as or "somebody"
    if identity is None:
        if held.pair is None:
            return None
        return f"The account {held.account} has tokens of {who}, and nobody knows whose these are."
    if None in {identity.company_id, held.company_id} or identity.company_id == held.company_id:
        return None
    return (
        f"The account {held.account} belongs to {who}, and these tokens to {identity}, who is of "
        "another company: their data would be mixed."
    )


def _save(
    pair: TokenPair,
    identity: Identity | None,
    settings: ConnectionSettings,
    tokens: TokenStore,
    *,
    company_id: str | None,
) -> None:
    account = settings.account
    origin = Origin(
        client_id=settings.client_id,
        token_url=settings.token_url,
        signed_in_as=str(identity) if identity else None,
        company_id=company_id,
    )
    tokens.save(account, pair, origin)
    whose = f" of {printable(str(identity))}" if identity else ""
    until = f"; the access token is good until {minute(pair.expires_at)}" if pair.expires_at else ""
    click.echo(f"Imported the tokens{whose} into the account {account}{until}.")
    if pair.refresh_token is None:
        click.echo(
            "Note: there is no refresh token, so they end with the access token: then run "
            f"`{remedy(account)}`.",
            err=True,
        )
    elif settings.client_id is None:
        click.echo(
            "Note: they cannot be renewed until the settings client_id and client_secret are set "
            "to the OAuth client that they were made with.",
            err=True,
        )
