"""A web server for one's own browser: on 127.0.0.1 only, and without a word.

It logs no request, since its line would hold the code of a sign-in.
"""

from __future__ import annotations

import logging
import secrets
import socketserver
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition
from typing import TYPE_CHECKING, Any

from cirqll_client.pages import Page, html, is_early, security_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOOPBACK = "127.0.0.1"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """A page with the status that belongs to it."""

    status: int
    page: Page


NOTHING_HERE = Reply(404, Page("Nothing is here", ("This address has no page.",)))
_TOO_EARLY = Reply(503, Page("Not yet", ("This page is not made in advance.",)))


class LoopbackServer(ThreadingHTTPServer):
    """Answers each GET in a thread of its own; any other method has no effect."""

    daemon_threads = True
    allow_reuse_port = False

    def __init__(self, port: int, reply_to: Callable[[str], Reply]) -> None:
        """Take the port, 0 for a free one; ``reply_to`` is given path and query of a GET."""
        self.reply_to = reply_to
        self._number_open = 0
        self._changed = Condition()
        super().__init__((LOOPBACK, port), _Handler)

    def server_bind(self) -> None:
        """Bind, and ask no DNS for a name of this machine, as http.server does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Stay silent: most often a browser hung up."""
        del request, client_address
        # http.server calls this within the handler of the error.
        logger.debug("A request was not answered.", exc_info=True)  # noqa: LOG014

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count a request until its page is sent."""
        with self._changed:
            self._number_open += 1
        try:
            yield
        finally:
            with self._changed:
                self._number_open -= 1
                self._changed.notify_all()

    def drain(self, *, seconds: float) -> bool:
        """Wait until every page is sent; tell whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._number_open, seconds)


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackServer
    server_version = "cirqll"
    sys_version = ""
    timeout = 10
    """Seconds for a connection on which nothing comes: browsers open some in advance."""

    def do_GET(self) -> None:
        with self.server.counted():
            self._send(
                _TOO_EARLY if is_early(self.headers.get) else self.server.reply_to(self.path)
            )

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what http.server refuses with a page of ours; its own repeats what was sent."""
        del message, explain
        self._send(Reply(code, NOTHING_HERE.page))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401
        """Say nothing."""

    def _send(self, reply: Reply) -> None:
        nonce = secrets.token_urlsafe(16)
        body = html(reply.page, nonce=nonce).encode()
        self.send_response(reply.status)
        for name, value in security_headers(nonce=nonce, is_https=False).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
