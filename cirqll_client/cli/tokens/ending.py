"""What ``cirqll tokens revoke`` and ``cirqll logout`` do to the accounts of a store."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from cirqll_client.cli.layout import printable
from cirqll_client.cli.token_settings import setting_in_force
from cirqll_client.cli.tokens.account_facts import AccountFacts
from cirqll_client.cli.tokens.listing import all_accounts
from cirqll_client.cli.tokens.revocation import (
    IN_CIRQLL,
    Done,
    being_renewed,
    revoke_at,
    spend,
)
from cirqll_client.connection import open_store, token_store
from cirqll_client.errors import CirqllError, SignInRequired, Unavailable
from cirqll_client.moments import day, minute
from cirqll_client.redaction import Redaction
from cirqll_client.token_owner import is_accepted

if TYPE_CHECKING:
    from cirqll_client.cli.command_settings import CommandSettings
    from cirqll_client.settings import ConnectionSettings
    from cirqll_client.token_life import StoredAccount
    from cirqll_client.token_store import TokenStore


def revoke(settings: CommandSettings) -> None:
    """Make the tokens of an account worthless, and remove it.

    Raises ``SignInRequired``, ``SettingInvalid``, ``Unavailable`` where the tokens may be good yet.
    """
    connection = settings.connection
    with closing(open_store(connection)) as store:
        tokens = token_store(connection, store)
        stored = tokens.read(connection.account)
        if stored is None:
            msg = (
                f"The store holds no account {connection.account} of {connection.api_url}, so "
                "nothing was revoked: `cirqll tokens list` names those it holds."
            )
            raise SignInRequired(msg)
        _refuse_while_renewing(stored, tokens, connection)
        click.echo(printable(_revoked(stored, tokens, settings)))
        click.echo(
            f"The account {stored.account} is no longer in the store. To end all that the client "
            f"may do, {IN_CIRQLL}."
        )
        _note_setting(connection, tokens)


def log_out(settings: CommandSettings, *, here_only: bool) -> None:
    """Remove an account from the store; it is no failure if there is none.

    Raises ``SettingInvalid``, ``Unavailable`` where its tokens could not be revoked.
    """
    with closing(open_store(settings.connection)) as store:
        tokens = token_store(settings.connection, store)
        click.echo(_logged_out(settings.connection.account, tokens, settings, here_only=here_only))
        _note_setting(settings.connection, tokens)


def log_out_all(settings: CommandSettings, *, here_only: bool) -> None:
    """Remove every account of the API; one that fails stops no other.

    Raises ``click.ClickException`` at the end if one failed.
    """
    connection, failed = settings.connection, 0
    with closing(open_store(connection)) as store:
        tokens = token_store(connection, store)
        names = [one.stored.account for one in all_accounts(store, api_url=connection.api_url)]
        for name in names:
            try:
                click.echo(_logged_out(name, tokens, settings, here_only=here_only))
            except CirqllError as error:
                click.echo(printable(error.sentence), err=True)
                failed += 1
        if not names:
            click.echo(f"Nobody is signed in to {connection.api_url}.")
        _note_setting(connection, tokens)
    if failed:
        msg = f"{failed} of {len(names)} accounts could not be signed out."
        raise click.ClickException(msg)


def _refuse_while_renewing(
    stored: StoredAccount, tokens: TokenStore, settings: ConnectionSettings
) -> None:
    if AccountFacts(settings.api_url, stored, tokens.now()).state == "renewing":
        raise Unavailable(being_renewed(stored.account))


def _revoked(stored: StoredAccount, tokens: TokenStore, settings: CommandSettings) -> str:
    """Make a pair worthless, see whether it is, remove it, and tell what was done.

    It stays in the store where nothing is certain.
    """
    connection = settings.connection
    if stored.pair is None:
        tokens.forget(stored.account)
        return f"The account {stored.account} had no tokens to revoke."
    done = _made_worthless(stored, tokens, settings)
    access_token = stored.pair.access_token
    is_taken = is_accepted(access_token, connection) if access_token else None
    is_over = done.is_certain or is_taken is False
    if is_over:
        _forget(stored, tokens)
    if is_taken or not is_over:
        msg = f"{done.sentence} {_left_over(stored, done, is_taken=is_taken)}"
        raise SignInRequired(msg)
    return f"{done.sentence} {_seen(stored, is_taken=is_taken)}".strip()


def _forget(stored: StoredAccount, tokens: TokenStore) -> None:
    """Remove an account with the tokens that were read. Raises ``Unavailable`` for newer ones."""
    known = stored.pair.secrets() if stored.pair else []
    present = tokens.read(stored.account)
    if present and present.pair and present.pair.secrets() != known:
        msg = (
            f"The account {stored.account} got new tokens while its old ones were revoked. The "
            "new ones are still good and in the store: run again to revoke them, too."
        )
        raise Unavailable(msg)
    tokens.forget(stored.account)


def _made_worthless(stored: StoredAccount, tokens: TokenStore, settings: CommandSettings) -> Done:
    connection, revoke_url = settings.connection, settings.sign_in.revoke_url
    secrets = (connection.client_secret, connection.refresh_token, connection.access_token)
    redact = Redaction(secrets)
    if not revoke_url:
        return spend(stored, tokens, connection, redact=redact)
    revoke_at(revoke_url, stored, connection, redact=redact)
    return Done(f"Revoked the tokens of the account {stored.account}.")


def _seen(stored: StoredAccount, *, is_taken: bool | None) -> str:
    """Tell what Cirqll said when it was shown the access token afterwards."""
    if is_taken is False:
        return "Cirqll was asked, and takes the access token no longer."
    if stored.pair is None or stored.pair.access_token is None:
        return ""
    return f"Whether Cirqll still takes the access token could not be asked{_until(stored)}."


def _left_over(stored: StoredAccount, done: Done, *, is_taken: bool | None) -> str:
    """Tell what may be good yet, and what to do."""
    asked = (
        f"Cirqll was asked, and still takes the access token{_until(stored)}"
        if is_taken
        else "Nobody can tell whether the tokens are good yet"
    )
    kept = "no longer" if done.is_certain else "still"
    return f"{asked}. The account is {kept} in the store. To end everything now, {IN_CIRQLL}."


def _until(stored: StoredAccount) -> str:
    expires_at = stored.pair.expires_at if stored.pair else None
    return f"; it expires {minute(expires_at)}" if expires_at else ""


def _logged_out(
    account: str, tokens: TokenStore, settings: CommandSettings, *, here_only: bool
) -> str:
    """Remove an account, and tell what becomes of its tokens."""
    if here_only:
        # Whether it can be decrypted does not matter: that is how to be rid of it.
        is_gone = tokens.forget(account)
        return _REMOVED.format(account) if is_gone else _NOT_SIGNED_IN.format(account)
    stored = tokens.read(account)
    if stored is None:
        return _NOT_SIGNED_IN.format(account)
    if settings.sign_in.revoke_url and stored.pair is not None:
        own = replace(settings, connection=replace(settings.connection, account=account))
        return f"{_revoked(stored, tokens, own)} {_REMOVED.format(account)}"
    tokens.forget(account)
    facts = AccountFacts(settings.connection.api_url, stored, tokens.now())
    return f"{_REMOVED.format(account)}{_still_good(facts)}"


_NOT_SIGNED_IN = "Nobody is signed in for the account {}; there is nothing to remove."
_REMOVED = "Removed the account {} from the store."


def _still_good(facts: AccountFacts) -> str:
    """Tell until when Cirqll takes the tokens that were removed; nothing if it does not."""
    pair = facts.stored.pair
    if pair is None:
        return ""
    ends_at = pair.expires_at
    if facts.state != "refused":
        ends_at = pair.refresh_expires_at or ends_at
    if ends_at is not None and ends_at <= facts.now:
        return ""
    about = f" (about {day(ends_at)})" if ends_at else ""
    return (
        f" Its tokens stay valid at Cirqll until they expire{about}. To end them now, {IN_CIRQLL}. "
        "Another time, `cirqll tokens revoke` ends them and removes them in one go."
    )


def _note_setting(settings: ConnectionSettings, tokens: TokenStore) -> None:
    """Say that the settings sign in all the same."""
    name = setting_in_force(settings, tokens)
    if name:
        click.echo(f"Note: the setting {name} is still set, and goes on to be used.", err=True)
