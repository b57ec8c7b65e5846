"""What ``cirqll tokens refresh`` does: renew now, because a person says so."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from cirqll_client.cli.layout import printable
from cirqll_client.cli.tokens.account_facts import AccountFacts
from cirqll_client.cli.tokens.listing import all_accounts
from cirqll_client.connection import open_store, token_keeper, token_store
from cirqll_client.errors import CirqllError, SignInRequired
from cirqll_client.moments import day, minute
from cirqll_client.redaction import Redaction
from cirqll_client.token_life import StoredAccount, remedy
from cirqll_client.token_owner import hasty

if TYPE_CHECKING:
    from cirqll_client.settings import ConnectionSettings
    from cirqll_client.store import Store
    from cirqll_client.tokens import TokenPair


def renew_one(settings: ConnectionSettings, *, even_if_spent: bool) -> None:
    """Renew an account. Raises ``SignInRequired``, ``SettingInvalid``, ``Unavailable``."""
    with closing(open_store(settings)) as store:
        click.echo(_renewed(settings, store, even_if_spent=even_if_spent))


def renew_all(settings: ConnectionSettings, *, even_if_spent: bool) -> None:
    """Renew every account of the API that has a refresh token; one that fails stops no other.

    Raises ``click.ClickException`` at the end if one failed.
    """
    with closing(open_store(settings)) as store:
        found = all_accounts(store, api_url=settings.api_url)
        is_done = partial(_is_done, settings=settings, store=store, even_if_spent=even_if_spent)
        failed = [one for one in found if not is_done(one)]
    if not found:
        click.echo(f"The store holds no account of {settings.api_url}.")
    if failed:
        msg = f"{len(failed)} of {len(found)} accounts could not be renewed."
        raise click.ClickException(msg)


def _is_done(
    facts: AccountFacts, *, settings: ConnectionSettings, store: Store, even_if_spent: bool
) -> bool:
    """Renew an account of many, and say how that went; false if it failed."""
    stored = facts.stored
    has_nothing = stored.pair is None or stored.pair.refresh_token is None
    if has_nothing and facts.state not in {"unreadable", "lost", "refused"}:
        click.echo(f"The account {stored.account} has no refresh token; passed over.")
        return True
    # The refresh token of the settings is one account's: the others must not be given it.
    own = replace(settings, account=stored.account, refresh_token=None)
    try:
        click.echo(_renewed(own, store, even_if_spent=even_if_spent))
    except CirqllError as error:
        click.echo(printable(error.sentence), err=True)
        return False
    return True


def _renewed(settings: ConnectionSettings, store: Store, *, even_if_spent: bool) -> str:
    tokens = token_store(settings, store)
    before = tokens.read(settings.account) or StoredAccount(settings.account, version=0)
    facts = AccountFacts(settings.api_url, before, tokens.now())
    if before.pair and not before.pair.refresh_token and not settings.refresh_token:
        raise SignInRequired(_not_renewable(facts))
    if facts.state == "renewing":
        click.echo("Another program is renewing these tokens; waiting for it.", err=True)
    redact = Redaction([settings.client_secret, settings.refresh_token, settings.access_token])
    keeper = token_keeper(hasty(settings), store, redact=redact)
    try:
        pair = keeper.renew_now(even_if_spent=even_if_spent)
    except SignInRequired as error:
        after = replace(facts, stored=tokens.read(settings.account) or before, now=tokens.now())
        if after.state != "lost" or even_if_spent:
            raise
        msg = f"{error.sentence} {_last_resort(settings.account)}"
        raise SignInRequired(msg) from None
    return f"Renewed the tokens of the account {settings.account}{_until(pair)}."


def _until(pair: TokenPair) -> str:
    good = f": the access token is good until {minute(pair.expires_at)}" if pair.expires_at else ""
    if pair.refresh_expires_at is None:
        return good
    return f"{good}, and the sign-in ends about {day(pair.refresh_expires_at)}"


def _not_renewable(facts: AccountFacts) -> str:
    return (
        f"The account {facts.stored.account} has an access token and no refresh token, so there is "
        f"nothing to renew it with ({facts.words}): run `{remedy(facts.stored.account)}`."
    )


def _last_resort(account: str) -> str:
    option = "" if account == "default" else f" --account {account}"
    return (
        f"`cirqll tokens refresh{option} --even-if-spent` sends it once more all the same: its "
        "help says when that is right."
    )
