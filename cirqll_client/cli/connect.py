"""The commands ``cirqll connect``: links for the consent of somebody else, and their server."""

from __future__ import annotations

import logging
import os
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import click

from cirqll_client.cli.command_settings import CommandSettings, variable, with_settings
from cirqll_client.errors import SettingInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cirqll_client.connect_server.addresses import PublicUrl
    from cirqll_client.connect_server.consents import Consents
    from cirqll_client.connect_server.links import Links
    from cirqll_client.store import Store

DEFAULT_PORT = 8766

_PUBLIC_URL = click.option(
    "--public-url",
    metavar="URL",
    help="Where browsers reach the server, such as https://connect.example.com; "
    "CIRQLL_CONNECT_URL.",
)


@click.group()
def connect() -> None:
    """Let somebody else sign in to Cirqll, by a one-time link.

    \b
    Examples:
      cirqll connect serve --public-url https://connect.example.com
      cirqll connect link --account acme --target-origin https://app.example.com
      cirqll connect links

    Server and commands share a store; set CIRQLL_STORE_URL where they run on several machines.
    """  # noqa: D301 - click's own mark for lines that stay as they are


@connect.command()
@_PUBLIC_URL
@click.option(
    "--host",
    metavar="HOST",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on.",
)
@click.option(
    "--port",
    metavar="PORT",
    default=DEFAULT_PORT,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Port to listen on.",
)
@with_settings
def serve(settings: CommandSettings, *, public_url: str | None, host: str, port: int) -> None:
    """Run the web server that links lead to.

    Needs the OAuth client (CIRQLL_CLIENT_ID, CIRQLL_CLIENT_SECRET), whose redirect URL in Cirqll is
    <public-url>/callback. With CIRQLL_CONNECT_KEY in the environment, at least 32 characters,
    programs make links by POST <public-url>/links. Put a proxy that speaks https before it.
    """
    try:
        from cirqll_client.connect_server import serving  # noqa: PLC0415 - needs the extra
        from cirqll_client.connect_server.app import build_app  # noqa: PLC0415
    except ImportError:
        msg = "The web server is not installed: install tap-cirqll[connect]."
        raise click.ClickException(msg) from None
    from cirqll_client.connect_server.link_calls import KEY_VARIABLE, Key  # noqa: PLC0415

    url, key_text = _public_url(public_url), os.environ.get(KEY_VARIABLE, "").strip()
    key = Key(key_text) if key_text else None
    _log_to_stderr([settings.connection.client_secret, key_text])
    with _links(settings) as (links, store), closing(serving.listen(host, port)) as listening:
        consents = _consents(settings, store, links=links, public_url=url)
        click.echo(f"Listening on {host} port {port}, for browsers that come by {url}.")
        click.echo(
            f"Redirect URL to register in Cirqll (Settings > Marketplace): {url.redirect_uri}"
        )
        way = f"POST {url}/links" if key else f"off: {KEY_VARIABLE} is not set"
        click.echo(f"Links for programs: {way}.")
        app = build_app(consents, links, public_url=url, key=key)
        serving.Server(app).run(sockets=[listening])
    click.echo("Ended.")


@connect.command()
@click.option(
    "--target-origin",
    "target_origins",
    metavar="ORIGIN",
    multiple=True,
    required=True,
    help="Where the person goes at the end, such as https://app.example.com; several are allowed: "
    "the first is taken unless the link ends with &target_origin=ORIGIN.",
)
@click.option(
    "--callback-message",
    metavar="TEXT",
    help="Do not lead to the origin, but give this text to the page that opened the window.",
)
@click.option(
    "--expires-in",
    metavar="DURATION",
    default="5m",
    show_default=True,
    help="How long the link may be opened: 90s, 5m, 2h or 3d; at most 30d.",
)
@click.option(
    "--scopes",
    metavar="SCOPES",
    default="read",
    show_default=True,
    help="What to ask for: read, read-write, or scopes in quotes.",
)
@_PUBLIC_URL
@with_settings
def link(  # noqa: PLR0913 - its options
    settings: CommandSettings,
    *,
    target_origins: tuple[str, ...],
    callback_message: str | None,
    expires_in: str,
    scopes: str,
    public_url: str | None,
) -> None:
    """Make a link that works for one consent.

    Whoever has the link can connect a company to the account: give it to one person only. The link
    is printed to stdout, and nothing else is.

    \b
    Example:
      cirqll connect link --account acme --target-origin https://app.example.com --expires-in 3d
    """  # noqa: D301 - click's own mark for lines that stay as they are
    from cirqll_client.connect_server.link_calls import link_url  # noqa: PLC0415
    from cirqll_client.connect_server.wishes import wish_of  # noqa: PLC0415
    from cirqll_client.moments import iso  # noqa: PLC0415 - help needs none of them

    url = _public_url(public_url)
    wish = wish_of(
        account=settings.connection.account,
        target_origins=target_origins,
        callback_message=callback_message,
        expires_in=expires_in,
        scopes=scopes,
    )
    with _links(settings) as (links, _):
        made = links.make(wish)
    click.echo(link_url(url, made))
    click.echo(
        f"Expires at {iso(made.expires_at)}. To take it back: cirqll connect revoke-link {made.id}",
        err=True,
    )


@connect.command("links")
@with_settings
def list_links(settings: CommandSettings) -> None:
    """List the links that can still be used."""
    from cirqll_client.cli.layout import table  # noqa: PLC0415 - help needs neither
    from cirqll_client.moments import minute  # noqa: PLC0415

    with _links(settings) as (links, _):
        living = links.living()
    if not living:
        click.echo("There is no open link.")
        return
    rows = [
        (one.id, one.account, ", ".join(one.target_origins), one.stage, minute(one.expires_at))
        for one in living
    ]
    click.echo(table(("Id", "Account", "Goes back to", "Stage", "Expires"), rows))


@connect.command("revoke-link")
@click.argument("link_id", metavar="ID")
@with_settings
def revoke_link(settings: CommandSettings, *, link_id: str) -> None:
    """Take a link back.

    `cirqll connect links` shows its id. Whoever is on Cirqll's pages with it cannot finish.
    """
    with _links(settings) as (links, _):
        is_gone = links.remove(link_id)
    if not is_gone:
        msg = "There is no link with this id; `cirqll connect links` lists them."
        raise click.ClickException(msg)
    click.echo("The link works no more.")


for _command in (serve, list_links, revoke_link):
    for _option in _command.params:
        if isinstance(_option, click.Option) and _option.name == "account":
            # These work for all accounts of the store.
            _option.hidden = True


@contextmanager
def _links(settings: CommandSettings) -> Iterator[tuple[Links, Store]]:
    from cirqll_client.connect_server.links import Links  # noqa: PLC0415 - help needs no database
    from cirqll_client.connection import open_store  # noqa: PLC0415
    from cirqll_client.sealing import sealing_of  # noqa: PLC0415

    with closing(open_store(settings.connection)) as store:
        api_url = settings.connection.api_url
        yield Links(store, api_url=api_url, sealing=sealing_of()), store


def _consents(
    settings: CommandSettings, store: Store, *, links: Links, public_url: PublicUrl
) -> Consents:
    from cirqll_client.connect_server.consents import Consents  # noqa: PLC0415 - only the server's
    from cirqll_client.scope_choice import chosen_scopes  # noqa: PLC0415

    return Consents(
        settings.connection,
        settings.sign_in,
        store,
        links=links,
        public_url=public_url,
        offered=lambda scopes: chosen_scopes(settings.connection, settings.sign_in, scopes).scopes,
    )


def _public_url(text: str | None) -> PublicUrl:
    """Give the server's own URL. Raises ``SettingInvalid``."""
    from cirqll_client.connect_server.addresses import public_url_of  # noqa: PLC0415

    given = text or variable("connect_url")
    if given is None:
        msg = (
            "Where browsers reach the server is not known: give --public-url, or set "
            "CIRQLL_CONNECT_URL, such as https://connect.example.com."
        )
        raise SettingInvalid(msg)
    return public_url_of(given)


def _log_to_stderr(secrets: list[str | None]) -> None:
    """Write what happens, without secrets."""
    from cirqll_client.redaction import RedactingFilter, Redaction  # noqa: PLC0415

    handler = logging.StreamHandler()
    handler.addFilter(RedactingFilter(Redaction(secrets)))
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", handlers=[handler]
    )
