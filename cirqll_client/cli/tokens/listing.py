"""What ``cirqll tokens list`` and ``show`` tell. Nothing is sent, and no secret is told."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import click
import sqlalchemy as sql

from cirqll_client.cli.layout import pairs, table
from cirqll_client.cli.token_settings import note_setting_in_force
from cirqll_client.cli.tokens.account_facts import AccountFacts
from cirqll_client.connection import open_store, token_store
from cirqll_client.errors import SettingInvalid, SignInRequired
from cirqll_client.sealing import sealing_of
from cirqll_client.settings import ConnectionSettings
from cirqll_client.store import ACCOUNTS
from cirqll_client.token_life import nobody_signed_in
from cirqll_client.token_store import TokenStore

if TYPE_CHECKING:
    from cirqll_client.sealing import Sealing
    from cirqll_client.store import Store

_HEAD = ("Account", "Signed in as", "State", "Sign-in ends", "Scopes")
_NO_TOKENS = '{"access_token": null, "refresh_token": null}'


class _Tolerant:
    """Opens what it can. What it cannot is shown without tokens, and hides no other account."""

    def __init__(self, sealing: Sealing) -> None:
        """Open with this."""
        self._sealing = sealing

    def seal(self, text: str) -> str:
        """Give what may be written."""
        return self._sealing.seal(text)

    def open(self, sealed: str) -> str:
        """Give the text, or one without tokens."""
        try:
            return self._sealing.open(sealed)
        except SettingInvalid:
            return _NO_TOKENS


def print_list(store_url: str | None, *, as_json: bool) -> None:
    """Print every account of the store, whatever its API is."""
    with closing(open_store(ConnectionSettings(store_url=store_url))) as store:
        found = all_accounts(store)
    if as_json:
        click.echo(json.dumps([one.as_json() for one in found], indent=2))
    elif found:
        click.echo(_listed(found))
    else:
        click.echo("The store holds no account: sign in with `cirqll login`.")


def print_account(settings: ConnectionSettings, *, as_json: bool) -> None:
    """Print one account. Raises ``SignInRequired`` if there is none of that name."""
    with closing(open_store(settings)) as store:
        tokens = token_store(settings, store)
        stored = tokens.read(settings.account)
        if stored is None:
            raise SignInRequired(nobody_signed_in(settings.account))
        facts = AccountFacts(settings.api_url, stored, tokens.now())
        click.echo(json.dumps(facts.as_json(), indent=2) if as_json else pairs(facts.pairs()))
        note_setting_in_force(settings, tokens)


def all_accounts(store: Store, *, api_url: str | None = None) -> list[AccountFacts]:
    """Give the accounts of the store, or those of one API; also what cannot be decrypted."""
    sealing = _Tolerant(sealing_of())
    found = []
    for url in _api_urls(store):
        if api_url in {None, url}:
            tokens = TokenStore(store, api_url=url, sealing=sealing)
            now = tokens.now()
            found += [AccountFacts(url, stored, now) for stored in tokens.accounts()]
    return found


def _api_urls(store: Store) -> list[str]:
    with store.transaction() as connection:
        urls = connection.execute(sql.select(ACCOUNTS.c.api_url).distinct()).scalars()
        return sorted(urls)


def _listed(found: list[AccountFacts]) -> str:
    """Make a table; the API stands in it only if there are several."""
    if len({one.api_url for one in found}) == 1:
        return table(_HEAD, [one.row() for one in found])
    return table(("API", *_HEAD), [[one.api_url, *one.row()] for one in found])
