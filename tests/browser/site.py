"""Somebody else's web site: an origin of its own on loopback."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = '<!doctype html><html lang="en"><link rel="icon" href="data:,">'


@dataclass(slots=True)
class Site:
    """Serves its pages, and keeps the URLs that were asked for."""

    origin: str
    pages: dict[str, str] = field(default_factory=dict)
    """The HTML below the head, by path; any other path has a page that says so."""
    visits: list[str] = field(default_factory=list)

    @property
    def told(self) -> dict[str, str]:
        """The parameters of the last visit."""
        return dict(parse_qsl(urlsplit(self.visits[-1]).query))


@contextmanager
def site(host: str = "127.0.0.1") -> Iterator[Site]:
    """Open a site on a free port while the context lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.site = opened = Site(f"http://{host}:{server.server_port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield opened
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site: Site = self.server.site  # type: ignore[attr-defined]
        path = urlsplit(self.path).path
        if path != "/favicon.ico":
            site.visits.append(self.path)
        page = (_HEAD + site.pages.get(path, "<h1>Elsewhere</h1>")).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Say nothing on the terminal."""
