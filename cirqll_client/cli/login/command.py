"""The command ``cirqll login``: a person signs in, and the tokens are kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cirqll_client.cli.command_settings import with_settings
from cirqll_client.cli.login.redirect_url import DEFAULT_PORT, own_redirect_uri

if TYPE_CHECKING:
    from cirqll_client.cli.command_settings import CommandSettings

_LONGEST_WAIT_SECONDS = 86_400
_HELP = f"""\
Sign in to Cirqll in a browser, and keep the tokens for the runs.

It takes an OAuth client, made in Cirqll under Settings > Marketplace. Give its id and secret as
CIRQLL_CLIENT_ID and CIRQLL_CLIENT_SECRET, in the environment or in the file .env. This redirect URL
must be registered with it, or the one that you give as CIRQLL_REDIRECT_URI:

\b
  {own_redirect_uri()}

\b
Examples:
  cirqll login
  cirqll login --no-browser              # the browser is on another machine
  cirqll login --scopes read-write --account acme
  cirqll login --catalog catalogs/sales-report.json
"""


@click.command(help=_HELP)
@click.option(
    "--scopes",
    metavar="SCOPES",
    help="What to ask for: read (everything that can be read; the default), read-write, or scopes "
    "in quotes, such as 'customer.read.all user.read.all'.",
)
@click.option(
    "--catalog",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Ask only for what the selected streams of this Singer catalog need.",
)
@click.option(
    "--no-browser",
    is_flag=True,
    help="Open no browser: paste the address that one elsewhere came to.",
)
@click.option(
    "--port",
    metavar="PORT",
    type=click.IntRange(0, 65535),
    help=f"Where this machine catches the browser: {DEFAULT_PORT} if not set; 0 takes a free one, "
    "if Cirqll accepts any.",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.FloatRange(0, _LONGEST_WAIT_SECONDS, min_open=True),
    default=300,
    show_default=True,
    help="How long to wait for the browser.",
)
@click.option(
    "--replace",
    is_flag=True,
    help="Let another company take the place of the one that the account belongs to.",
)
@with_settings
def login(  # noqa: PLR0913 - its options
    settings: CommandSettings,
    *,
    scopes: str | None,
    catalog: Path | None,
    no_browser: bool,
    port: int | None,
    timeout: float,
    replace: bool,
) -> None:
    """Check the options and sign in."""
    from cirqll_client.cli.login import signing_in  # noqa: PLC0415 - help stays quick

    if scopes is not None and catalog is not None:
        msg = "--scopes and --catalog both say what to ask for: give one of them."
        raise click.UsageError(msg)
    if no_browser and port == 0:
        msg = "With --no-browser nothing listens, so there is no free port to take: name the port."
        raise click.UsageError(msg)
    signing_in.run(
        settings,
        signing_in.Choices(
            scopes="read" if scopes is None else scopes,
            catalog=catalog,
            is_by_paste=no_browser,
            port=port,
            timeout_seconds=timeout,
            may_change_company=replace,
        ),
    )
