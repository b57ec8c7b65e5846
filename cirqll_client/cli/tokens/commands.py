"""The commands ``cirqll tokens …``: what there is, and what a person can do with it by hand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from cirqll_client.cli.command_settings import sentences_for_errors, variable, with_settings

if TYPE_CHECKING:
    from cirqll_client.cli.command_settings import CommandSettings

# ruff: noqa: D301 - \b is click's mark for a paragraph that is not to be wrapped
# ruff: noqa: PLC0415 - what does the work is imported when it is asked for, so that help stays quick

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, with names that stay.")


@click.group()
def tokens() -> None:
    """Look after the tokens in the store.

    Nothing needs to be done by hand as a rule: the tap renews the tokens in time. No command but
    export shows a token.
    """


@tokens.command("list")
@_AS_JSON
@sentences_for_errors
def list_(*, as_json: bool) -> None:
    """List the accounts of the store.

    All of them, whatever their API. Nobody is asked.

    \b
    Example:
      cirqll tokens list --json |
        jq -r '.[] | select(.state | IN("good", "due", "renewing") | not) | .account'

    \b
    The state in JSON is one of:
      good        usable
      due         renewed at the next use
      renewing    another program is at it
      postponed   the last try failed, and another one follows
      lost        sent to be renewed, no answer came: it may be spent
      refused     Cirqll does not accept the refresh token any more
      ended       expired, and nothing renews it
      no_tokens   nobody has signed in yet
      unreadable  encrypted with another key than CIRQLL_STORE_KEY
    """
    from cirqll_client.cli.tokens import listing

    listing.print_list(variable("store_url"), as_json=as_json)


@tokens.command()
@_AS_JSON
@with_settings
def show(settings: CommandSettings, *, as_json: bool) -> None:
    """Show one account in full, without its tokens.

    Nobody is asked. A fingerprint tells whether two machines hold the same token, and nothing else.

    \b
    Example:
      cirqll tokens show --account bakery
    """
    from cirqll_client.cli.tokens import listing

    listing.print_account(settings.connection, as_json=as_json)


@tokens.command()
@click.option(
    "--all", "is_all", is_flag=True, help="Every account of the API; exit code 1 if one fails."
)
@click.option(
    "--even-if-spent",
    is_flag=True,
    help="Send once more a refresh token whose answer was lost.",
)
@with_settings
def refresh(settings: CommandSettings, *, is_all: bool, even_if_spent: bool) -> None:
    """Renew tokens now, due or not.

    A refresh token is good for one use. If the answer to it was lost (the network broke, the
    program was killed), nobody here knows whether Cirqll has used it up, so it is not sent again by
    itself. --even-if-spent sends it once more. That is right if you have reason to think that
    Cirqll never got it, or if nobody can sign in just now: if it is spent, Cirqll refuses it, and
    you must sign in as before. It is wrong for a service that ends the whole sign-in when a spent
    token comes twice: there it may end tokens that another program still uses.

    \b
    Example:
      cirqll tokens refresh --all
    """
    from cirqll_client.cli.tokens import renewal

    renew = renewal.renew_all if is_all else renewal.renew_one
    renew(settings.connection, even_if_spent=even_if_spent)


@tokens.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["authvalue"]),
    default="authvalue",
    show_default=True,
    help="AccessToken, RefreshToken, Expires and RefreshExpires as JSON.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write a file that only you can read.",
)
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
@click.option("--show-secrets", is_flag=True, help="Print the tokens to stdout.")
@with_settings
def export(
    settings: CommandSettings, *, form: str, output: Path | None, force: bool, show_secrets: bool
) -> None:
    """Print the tokens of an account as an AuthValue.

    It is for another program. Say where to: --output, or --show-secrets for stdout. From then on
    two programs hold the same refresh token, which is good for one use: the one that renews first
    locks the other out. An account without tokens gives {}.

    \b
    Examples:
      cirqll tokens export --output bakery.json --account bakery
      cirqll tokens export --show-secrets | ssh host cirqll tokens import
    """
    from cirqll_client.cli.tokens import authvalue_export

    del form  # there is one so far
    if (output is None) is not show_secrets:
        msg = "Say where the tokens go: --output FILE, or --show-secrets to print them to stdout."
        raise click.UsageError(msg)
    authvalue_export.export(settings.connection, output=output, may_overwrite=force)


@tokens.command("import")
@click.option(
    "--input",
    "source",
    type=click.File("rb"),
    default="-",
    metavar="FILE",
    help="Read this file instead of stdin.",
)
@click.option("--offline", is_flag=True, help="Do not ask Cirqll whose tokens they are.")
@click.option(
    "--replace",
    is_flag=True,
    help="Take the place of the tokens that are there, even those of another company.",
)
@with_settings
def import_(settings: CommandSettings, *, source: BinaryIO, offline: bool, replace: bool) -> None:
    """Take over the tokens of an AuthValue from stdin or a file.

    It is JSON with AccessToken, RefreshToken, Expires and RefreshExpires, or a string that holds
    such JSON; {} keeps what the store has, or prepares an account that gets its tokens otherwise.
    Cirqll is asked whose tokens they are. To renew them takes the settings client_id and
    client_secret of the client that they were made with.

    \b
    Example:
      cirqll tokens import --account bakery < bakery.json
    """
    from cirqll_client.cli.tokens import authvalue_import

    if source.isatty():
        msg = "Give the AuthValue on stdin or by --input FILE, so that it is not seen here."
        raise click.UsageError(msg)
    given = source.read()
    authvalue_import.take_over(settings.connection, given, offline=offline, replace=replace)


@tokens.command()
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is nobody to ask.")
@with_settings
def revoke(settings: CommandSettings, *, yes: bool) -> None:
    """Make the tokens of an account worthless.

    The account leaves the store, too. Where the setting revoke_url is set, the tokens are revoked
    there. Cirqll's documentation names no such URL: there they are renewed once, which most likely
    makes the old ones worthless, and the new ones are thrown away. Cirqll is then asked whether it
    still takes the old access token. To end all that the client may do, remove it in Cirqll under
    Settings > Marketplace.

    \b
    Example:
      cirqll tokens revoke --account bakery --yes
    """
    from cirqll_client.cli.tokens import ending

    if not yes:
        _confirm(settings.connection.account)
    ending.revoke(settings)


def _confirm(account: str) -> None:
    if not sys.stdin.isatty():
        msg = "Revoking cannot be undone: say --yes where nobody can be asked."
        raise click.UsageError(msg)
    question = f"Make the tokens of the account {account} worthless? Somebody must then sign in."
    click.confirm(question, abort=True, err=True)
