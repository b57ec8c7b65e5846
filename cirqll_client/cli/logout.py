"""The command ``cirqll logout``: an account leaves the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cirqll_client.cli.command_settings import with_settings

if TYPE_CHECKING:
    from cirqll_client.cli.command_settings import CommandSettings


@click.command()
@click.option(
    "--all", "is_all", is_flag=True, help="Every account of the API that --api-url names."
)
@click.option(
    "--local",
    "here_only",
    is_flag=True,
    help="Ask nobody, and leave the tokens valid: for an account that moved elsewhere, or that "
    "cannot be decrypted any more.",
)
@with_settings
def logout(settings: CommandSettings, *, is_all: bool, here_only: bool) -> None:
    """Remove an account and its tokens from the store.

    Where the setting revoke_url is set, the tokens are revoked there first. Cirqll's documentation
    names no such URL: its tokens stay valid until they expire. `cirqll tokens revoke` ends them.

    \b
    Example:
      cirqll logout --account bakery
    """  # noqa: D301 - click's mark for a paragraph that is not to be wrapped
    from cirqll_client.cli.tokens import ending  # noqa: PLC0415 - help stays quick

    log_out = ending.log_out_all if is_all else ending.log_out
    log_out(settings, here_only=here_only)
