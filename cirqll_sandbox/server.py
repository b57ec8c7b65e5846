"""Running the application on uvicorn, with a quick start and a quick end."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

_KEEP_ALIVE_SECONDS = 75


class PortInUseError(Exception):
    """The address cannot be listened on."""


class _CuttableProtocol(H11Protocol):
    """Hands each request the transport, so that a fault can cut the connection."""

    def connection_made(self, transport: Any) -> None:
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


class Server(uvicorn.Server):
    """uvicorn without its ticks of a tenth of a second; what is under way at the end is cut."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app, http=_CuttableProtocol, ws="none", lifespan="off", log_config=None,
                log_level="critical", access_log=False, server_header=False, date_header=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            )
        )  # fmt: skip
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """End, from any thread."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ended.set)

    def handle_exit(self, sig: int, frame: Any) -> None:  # noqa: ARG002 - uvicorn's signature
        """End at Ctrl-C or SIGTERM, without raising the signal again."""
        self.stop()

    async def main_loop(self) -> None:
        """Wait for the end."""
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.ready.set()
        if not self.should_exit:
            await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the listening sockets and every connection."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in list(self.server_state.tasks):
            task.cancel()
        await asyncio.sleep(0)
        for listening in sockets or []:
            listening.close()


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. `PortInUseError` when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only a socket that is known to be TCP gets TCP_NODELAY from asyncio.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise PortInUseError(error.strerror) from error
    return listening


def url_of(listening: socket.socket) -> str:
    """The address that a client uses."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def in_thread(app: ASGIApp, listening: socket.socket) -> Iterator[str]:
    """Serve in a thread while the context lasts."""
    server = Server(app)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    server.ready.wait()
    try:
        yield url_of(listening)
    finally:
        server.stop()
        thread.join()
