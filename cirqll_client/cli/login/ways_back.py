"""The two ways back from Cirqll's page: the browser is caught, or its address is pasted."""

from __future__ import annotations

import io
import sys
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

import click

from cirqll_client.cli.login.loopback_server import Reply
from cirqll_client.cli.login.redirect_url import complaint_about
from cirqll_client.cli.login.sign_in_words import failure_page, success_page
from cirqll_client.errors import CirqllError, SignInFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cirqll_client.cli.login.redirect_catcher import RedirectCatcher
    from cirqll_client.oauth import PendingSignIn
    from cirqll_client.sign_in import SignedIn

    Finish = Callable[[PendingSignIn, str], SignedIn]

_REGISTERED = "must be registered with the client in Cirqll under Settings > Marketplace"


def by_browser(
    pending: PendingSignIn,
    finish: Finish,
    *,
    catcher: RedirectCatcher,
    timeout_seconds: float,
    opener: Callable[[str], bool],
) -> SignedIn:
    """Open a browser, catch it, and show it what came of the sign-in. Raises ``CirqllError``."""
    click.echo("Sign in to Cirqll in your browser. If none opens, open this on this machine:\n")
    click.echo(f"  {pending.authorize_url}\n")
    click.echo(f"The redirect URL {pending.redirect_uri}\n{_REGISTERED}.")
    click.echo(f"Waiting for {_duration(timeout_seconds)}; Ctrl-C stops.")
    # A browser may keep its opener until it is closed.
    Thread(target=_open, args=(opener, pending.authorize_url), daemon=True).start()
    url = catcher.wait(state=pending.state, seconds=timeout_seconds, on_stranger=_tell_of_stranger)
    if url is None:
        raise SignInFailed(_too_late(pending, timeout_seconds), title="Nobody came back in time")
    try:
        signed_in = finish(pending, url)
    except CirqllError as error:
        catcher.show(Reply(400, failure_page(error)))
        raise
    catcher.show(Reply(200, success_page(signed_in)))
    return signed_in


def by_paste(pending: PendingSignIn, finish: Finish) -> SignedIn:
    """Ask for the address that a browser elsewhere came to. Raises ``CirqllError``."""
    click.echo("Open this in a browser, on any machine, and allow the access:\n")
    click.echo(f"  {pending.authorize_url}\n")
    click.echo(f"The redirect URL {pending.redirect_uri}\n{_REGISTERED}.\n")
    click.echo("The browser then goes there. If nothing loads, that is right: copy the whole")
    click.echo("address from its address bar, and paste it here, within ten minutes.\n")
    for pasted in _pasted():
        complaint = complaint_about(pasted, state=pending.state)
        if complaint is None:
            query = pasted.partition("?")[2]
            return finish(pending, f"{pending.redirect_uri.partition('?')[0]}?{query}")
        click.echo(f"{complaint}\n", err=True)
    msg = "No address was pasted, so nothing was signed in. Run the command again when you have it."
    raise SignInFailed(msg, title="No address was pasted")


def _open(opener: Callable[[str], bool], url: str) -> None:
    if not opener(url):
        click.echo(
            "No browser could be opened here. Open the address above in one on this machine, or "
            "stop and use --no-browser.",
            err=True,
        )


def _tell_of_stranger() -> None:
    click.echo(
        "A browser came back from another sign-in, perhaps an old page. Nothing was taken from it; "
        "still waiting for this one.",
        err=True,
    )


def _pasted() -> Iterator[str]:
    """Give the lines of stdin that hold something, up to its end."""
    stdin = sys.stdin
    if stdin is None:
        return
    if isinstance(stdin, io.TextIOWrapper):
        stdin.reconfigure(errors="replace")
    is_typed = stdin.isatty() and sys.stdout.isatty()
    if is_typed:
        # A terminal cuts lines at 4096 characters, which a code may reach; readline's do not end.
        with suppress(ImportError):
            import readline  # noqa: F401, PLC0415
    with suppress(EOFError):
        while line := (f"{input('Address: ')}\n" if is_typed else stdin.readline()):
            if line.strip():
                yield line.strip().strip("'\"<>")


def _too_late(pending: PendingSignIn, seconds: float) -> str:
    return (
        f"No browser came back within {_duration(seconds)}, so nothing was signed in. If Cirqll's "
        f"page showed an error, check the client_id, and that {pending.redirect_uri} is registered "
        "as a redirect URL with the client in Cirqll under Settings > Marketplace. Then run the "
        "command again."
    )


def _duration(seconds: float) -> str:
    number, unit = (seconds / 60, "minute") if seconds % 60 == 0 else (seconds, "second")
    return f"{number:g} {unit}" if number == 1 else f"{number:g} {unit}s"
