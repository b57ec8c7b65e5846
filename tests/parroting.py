"""A Cirqll that has a record, or none, and repeats whatever it is sent, in words and headers."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROW: dict[str, Any] = {
    "no": "kanarie-sleutel",
    "name": "Kanarie & Zonen",
    "email": "kanarie@example.com",
    "phone": "+31 6 55503141",
    "import_id": "4290173355",
    "user": {"email": "baas-kanarie@example.com"},
    "field_values": [{"field_id": 3, "value": "kanarie van achteren"}],
    "unknown_column": {"kanarie": "kanarie"},
}
"""Its values are canaries."""


@dataclass
class Parrot:
    """A Cirqll that repeats what it was sent, in words, in headers and where a header should be."""

    url: str = ""
    read_status: int = 200
    write_status: int = 201
    has_record: bool = False
    """One is there, with other values."""
    has_twin: bool = False
    """Another one has the same keys."""
    answer: bytes | None = None
    """To all that is written, in place of words."""
    may_answer: threading.Event = field(default_factory=threading.Event)
    was_written_to: threading.Event = field(default_factory=threading.Event)
    requests: list[str] = field(default_factory=list)

    def page(self, path: str) -> bytes:
        """Answer an Index: users are all that any filter finds, unless there is a record."""
        there = {"id": 7, **ROW, "import_id": 4290173355, "name": "Kanarie (oud)"}
        rows = [there, {**there, "id": 8}][: self.has_record + self.has_twin]
        if path.startswith("/api/user"):
            rows = [{"id": 3, "email": ROW["user"]["email"], "name": "Kanarie"}]
        page = {"data": rows, "limit": 1000, "total": len(rows), "offset": 0}
        return json.dumps(page).encode()


@contextmanager
def parroting(parrot: Parrot) -> Iterator[Parrot]:
    """Serve while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            is_me = self.path.endswith("/me")
            if is_me or parrot.read_status != 200:
                self._say(404 if is_me else parrot.read_status, None)
            else:
                self._say(200, parrot.page(self.path))

        def do_POST(self) -> None:
            parrot.was_written_to.set()
            parrot.may_answer.wait(20)
            self._say(parrot.write_status, parrot.answer)

        do_PATCH = do_DELETE = do_POST  # noqa: N815 - the names that http.server asks for

        def _say(self, status: int, body: bytes | None) -> None:
            parrot.requests.append(f"{self.command} {self.path}")
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            echo = f"{self.headers['Authorization']} sent {sent} to {self.path}, kanarie 55503141."
            said = json.dumps({"message": echo, "errors": {echo: [echo]}})
            content = said.encode() if body is None else body
            self.send_response(status, echo)
            for name in ("X-Echo", "Location", "WWW-Authenticate", "Set-Cookie", "Retry-After"):
                self.send_header(name, echo)
            self.send_header("Content-Length", str(len(content)))
            self.flush_headers()
            no_header = f"{echo.replace(':', ' ')}\r\n: {echo}\r\n\r\n"
            self.wfile.write(no_header.encode() + content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    parrot.may_answer.set()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        parrot.url = f"http://127.0.0.1:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield parrot
        listening.shutdown()
    thread.join()
