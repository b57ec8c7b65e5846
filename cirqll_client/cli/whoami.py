"""The command ``cirqll whoami``: whose data the token reads, and how long it lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cirqll_client.cli.command_settings import with_settings

if TYPE_CHECKING:
    from cirqll_client.cli.command_settings import CommandSettings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with names that stay.")
@with_settings
def whoami(settings: CommandSettings, *, as_json: bool) -> None:
    """Ask Cirqll who is signed in.

    It shows the user and the company, what the token may do, and when it is renewed and ends.
    Tokens that are due are renewed by that. Where the setting access_token is set, and no
    refresh_token, the answer is about that token.

    \b
    Example:
      cirqll whoami --account bakery
    """  # noqa: D301 - click's mark for a paragraph that is not to be wrapped
    from cirqll_client.cli import signed_in_user  # noqa: PLC0415 - help stays quick

    signed_in_user.print_user(settings.connection, as_json=as_json)
