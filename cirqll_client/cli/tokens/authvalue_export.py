"""What ``cirqll tokens export`` does: the one command that gives secrets away, when told to."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from cirqll_client.cli.tokens.account_facts import AccountFacts
from cirqll_client.cli.tokens.private_file import write_private
from cirqll_client.connection import open_store, token_store
from cirqll_client.errors import SignInRequired, Unavailable
from cirqll_client.token_life import nobody_signed_in
from cirqll_client.tokens import to_authvalue

if TYPE_CHECKING:
    from pathlib import Path

    from cirqll_client.settings import ConnectionSettings


def export(settings: ConnectionSettings, *, output: Path | None, may_overwrite: bool) -> None:
    """Give the tokens of an account to a file, or to stdout.

    Raises ``SignInRequired``, ``SettingInvalid``, ``Unavailable``.
    """
    facts = _facts(settings)
    text = to_authvalue(facts.stored.pair)
    if output is None:
        click.echo(text)
    else:
        write_private(output, f"{text}\n", may_overwrite=may_overwrite)
        click.echo(f"Wrote the AuthValue of the account {settings.account} to {output}.", err=True)
    for note in _notes(facts):
        click.echo(note, err=True)


def _facts(settings: ConnectionSettings) -> AccountFacts:
    with closing(open_store(settings)) as store:
        tokens = token_store(settings, store)
        stored = tokens.read(settings.account)
        if stored is None:
            raise SignInRequired(nobody_signed_in(settings.account))
        facts = AccountFacts(settings.api_url, stored, tokens.now())
    if facts.state == "renewing":
        msg = (
            f"The tokens of the account {settings.account} are being renewed at this moment, which "
            "makes the present ones worthless. Nothing was exported: run again in a minute."
        )
        raise Unavailable(msg)
    return facts


def _notes(facts: AccountFacts) -> list[str]:
    """Tell what the new holder and this one must know."""
    pair, account = facts.stored.pair, facts.stored.account
    if pair is None:
        return [f"The account {account} has no tokens, so an empty AuthValue was exported."]
    if facts.state in {"lost", "refused"}:
        return [f"Note: the refresh token of the account {account}: {facts.words}."]
    if pair.refresh_token is None:
        return [f"Note: the account {account} has no refresh token: {facts.words}."]
    if pair.is_reusable:
        return ["Note: two programs hold these tokens now; this service lets both renew them."]
    return [_CAREFUL]


_CAREFUL = (
    "Careful: two programs hold the same refresh token now, and it is good for one use. The one "
    "that renews first locks the other out. To move the account, remove it here with `cirqll "
    "logout --local`."
)
