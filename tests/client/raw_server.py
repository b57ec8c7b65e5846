"""A server that sends the bytes it is told to, for answers that no proper server gives."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    Reply = bytes | Callable[[socket.socket], object]


@dataclass(slots=True)
class RawServer:
    """What it was sent, and where it listens."""

    url: str
    replies: list[Reply]
    received: list[bytes] = field(default_factory=list)
    connections: int = 0


def answer(status: int, body: bytes | str, *headers: str) -> bytes:
    """A whole HTTP answer."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


PAGE = answer(200, '{"data": [{"id": 1}], "limit": 100, "total": 1, "offset": 0}')


@contextmanager
def serving(*replies: Reply, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Give these replies in turn, the last one for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        scheme = "https" if tls else "http"
        server = RawServer(f"{scheme}://127.0.0.1:{port}", list(replies))
        thread = threading.Thread(target=_serve, args=(server, listening, tls), daemon=True)
        thread.start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def _serve(server: RawServer, listening: socket.socket, tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        server.connections += 1
        threading.Thread(target=_talk, args=(server, connection, tls), daemon=True).start()


def _talk(server: RawServer, connection: socket.socket, tls: ssl.SSLContext | None) -> None:
    with suppress(OSError), connection:
        if tls:
            connection = tls.wrap_socket(connection, server_side=True)
        with connection:
            while request := _request(connection):
                server.received.append(request)
                reply = server.replies.pop(0) if len(server.replies) > 1 else server.replies[0]
                if callable(reply):
                    reply(connection)
                    return
                connection.sendall(reply)


def _request(connection: socket.socket) -> bytes:
    """A whole request, or nothing where it ends too soon."""
    received = b""
    while not _is_whole(received):
        piece = connection.recv(65536)
        if not piece:
            return b""
        received += piece
    return received


def _is_whole(received: bytes) -> bool:
    head, end, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(end) and len(body) >= int(length[1] if length else 0)
