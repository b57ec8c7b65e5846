"""The catcher of the browser that comes back from Cirqll to this machine.

Pages are served in threads; the sign-in goes on in the thread that waits. A browser that came back
waits for its page until ``show`` tells what came of it, so a page never promises what is not so.
"""

from __future__ import annotations

import errno
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, Queue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from cirqll_client.cli.login.loopback_server import LOOPBACK, NOTHING_HERE, LoopbackServer, Reply
from cirqll_client.cli.login.redirect_url import CatchPlace, is_answer_to
from cirqll_client.errors import SettingInvalid
from cirqll_client.pages import Page

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_SLICE_SECONDS = 0.5
"""On Windows a wait is not interrupted by Ctrl-C before it ends."""
_LAST_PAGE_SECONDS = 3.0
"""How long the end waits for browsers that are being given the last page."""


@dataclass(slots=True)
class _Visits:
    """What the threads of the server share with the one that waits."""

    path: str
    state: str = field(default="", repr=False)
    on_stranger: Callable[[], None] = lambda: None
    caught: Queue[str] = field(default_factory=Queue, repr=False)
    outcome: Future[Reply] = field(default_factory=Future)
    lock: Lock = field(default_factory=Lock)
    has_caught: bool = False
    has_met_stranger: bool = False

    def reply_to(self, target: str) -> Reply:
        """Answer a request; who brings the state first is caught, and waits for the outcome."""
        if urlsplit(target).path != self.path:
            return NOTHING_HERE
        is_ours = is_answer_to(target, state=self.state)
        with self.lock:
            is_first = is_ours and not self.has_caught
            is_first_stranger = not is_ours and not self.has_met_stranger
            self.has_caught |= is_ours
            self.has_met_stranger |= not is_ours
        if is_first:
            self.caught.put(target)
        if is_first_stranger:
            self.on_stranger()
        return self.outcome.result() if is_ours else _STRANGER


class RedirectCatcher:
    """Listens on 127.0.0.1, from its making to the end of the ``with`` block."""

    def __init__(self, place: CatchPlace) -> None:
        """Take the port. Raises ``SettingInvalid`` if it cannot be had."""
        self._visits = _Visits(place.path)
        self._thread: Thread | None = None
        try:
            self._server = LoopbackServer(place.port, self._visits.reply_to)
        except OSError as error:
            sentence = _port_sentence(place.port, error)
        else:
            port = self._server.server_address[1]
            self.redirect_uri = place.redirect_uri or f"http://{LOOPBACK}:{port}{place.path}"
            return
        raise SettingInvalid(sentence)

    def __enter__(self) -> Self:
        """Serve only from ``wait`` on; who comes earlier is kept waiting."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give a last page to whoever still waits, and free the port."""
        if not self._visits.outcome.done():
            self.show(_STOPPED)
        if self._thread:
            self._server.shutdown()
        self._server.server_close()

    def wait(
        self, *, state: str, seconds: float, on_stranger: Callable[[], None] = lambda: None
    ) -> str | None:
        """Give the URL with which the browser came back; ``None`` if it did not in time.

        Whoever comes with another state gets a page that says so and changes nothing;
        ``on_stranger`` is called, from another thread, for the first of them.
        """
        self._visits.state, self._visits.on_stranger = state, on_stranger
        thread = Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        self._thread = thread
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                target = self._visits.caught.get(timeout=min(left, _SLICE_SECONDS))
            except Empty:
                continue
            return f"http://{LOOPBACK}{self._visits.path}?{urlsplit(target).query}"
        return None

    def show(self, reply: Reply) -> None:
        """Give this page to every browser that came or comes back; wait until they have it."""
        self._visits.outcome.set_result(reply)
        self._server.drain(seconds=_LAST_PAGE_SECONDS)


def _port_sentence(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} of this machine is in use, so the browser could not be caught there: "
            "perhaps another `cirqll login` still waits. Stop it, or choose another port with "
            "--port; the redirect URL with that port must be registered with the client in Cirqll "
            "under Settings > Marketplace."
        )
    return (
        f"This command may not listen on port {port} of this machine ({error.strerror}). Choose "
        "another with --port, or sign in with --no-browser."
    )


_STRANGER = Reply(
    400,
    Page(
        "This is not the sign-in that was started",
        (
            "The page may be an old one, or somebody else's. Nothing was taken from it.",
            "The terminal still waits: open the newest address that it shows.",
        ),
        tone="bad",
    ),
)
_STOPPED = Reply(
    503,
    Page(
        "The sign-in was stopped",
        ("Nothing was changed. Start it again in the terminal.",),
        tone="bad",
    ),
)
