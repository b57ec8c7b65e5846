"""A Cirqll that repeats all that it is sent wherever an answer has room for words."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = '{"data": [{"id": 1, "name": "A"}], "limit": 100, "total": 1, "offset": 0}'
LONGEST_REASON = 200


@dataclass(slots=True)
class EchoServer:
    """How it answers, and the URL."""

    new_tokens: dict[str, str]
    """What a refresh gives."""
    token_answer: str = "granted"
    api_answer: int = 200
    """To whoever comes with the new access token; all others are answered 401."""
    on_token_request: Callable[[], object] = lambda: None
    url: str = ""
    refreshes: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: a status, a body, and whether it breaks off before its end."""

    status: int
    body: str
    is_cut: bool = False


def token_answers(echo: str, new_tokens: dict[str, str]) -> dict[str, Said]:
    """Give the answers of the token URL by name; each repeats what came."""
    granted = {**new_tokens, "token_type": "Bearer", "expires_in": 3600}

    def refused(error: str, description: str = echo) -> str:
        return json.dumps({"error": error, "error_description": description, "message": echo})

    return {
        "granted": Said(200, json.dumps({**granted, "echo": echo})),
        "granted without a lifetime": Said(200, json.dumps({**new_tokens, "echo": echo})),
        "dead": Said(400, refused("invalid_grant")),
        "dead, in words that are cut": Said(
            400, refused("invalid_grant", "x" * (LONGEST_REASON - 20) + echo)
        ),
        "an error in place of a word": Said(400, json.dumps({"error": echo})),
        "not this client": Said(401, refused("invalid_client")),
        "too many": Said(429, refused("slow_down")),
        "broken": Said(500, refused("server_error")),
        "a web page": Said(200, f"<html>{echo} {json.dumps(granted)}</html>"),
        "moved": Said(302, echo),
        "missing": Said(404, refused("not_found")),
        "cut": Said(200, json.dumps(granted)[:-3], is_cut=True),
        "no tokens": Said(200, json.dumps({"access_token": "", "message": echo})),
        "half of the tokens": Said(200, json.dumps({"refresh_token": new_tokens["refresh_token"]})),
    }


@contextmanager
def echoing(server: EchoServer) -> Iterator[EchoServer]:
    """Serve while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            token = server.new_tokens["access_token"]
            is_known = self.headers.get("Authorization") == f"Bearer {token}"
            status = server.api_answer if is_known else 401
            echo = f"You sent {self.headers.get('Authorization')}."
            body = PAGE if status == 200 else json.dumps({"message": echo, "errors": {echo: echo}})
            self._say(Said(status, body), echo)

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            server.refreshes.append(dict(parse_qsl(sent)))
            server.on_token_request()
            echo = f"You sent {' '.join(server.refreshes[-1].values())} as {sent}."
            self._say(token_answers(echo, server.new_tokens)[server.token_answer], echo)

        def _say(self, said: Said, echo: str) -> None:
            content = said.body.encode()
            words = " ".join(echo.split())
            self.send_response(said.status, words)
            for name in ("X-Echo", "Location", "WWW-Authenticate", "Set-Cookie", "Retry-After"):
                self.send_header(name, words)
            self.send_header("Content-Length", str(len(content) + 99 * said.is_cut))
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = said.is_cut

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server.url = f"http://127.0.0.1:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        listening.shutdown()
    thread.join()
