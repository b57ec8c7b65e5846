"""Running the application on uvicorn: quiet, and with a graceful end."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import uvicorn

from cirqll_client.errors import SettingInvalid

if TYPE_CHECKING:
    from types import FrameType

    from starlette.types import ASGIApp

_GRACE_SECONDS = 90
"""How long the end waits for people whose tokens are just being fetched."""
_MOST_CONNECTIONS = 500


class Server(uvicorn.Server):
    """Ends at SIGINT or SIGTERM when what is under way is answered; the second time at once."""

    def __init__(self, app: ASGIApp) -> None:
        """Log nothing by itself: uvicorn's lines would hold queries."""
        super().__init__(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=_MOST_CONNECTIONS,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End, without raising the signal again as uvicorn does."""
        del sig, frame
        self.force_exit = self.should_exit
        self.should_exit = True


def listen(host: str, port: int) -> socket.socket:
    """Take connections from now on. Raises ``SettingInvalid`` where that is not possible."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(_MOST_CONNECTIONS)
    except (OSError, UnicodeError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or "no such host"
        msg = (
            f"The server cannot listen on {host} port {port} ({reason}): give another --port or "
            "--host."
        )
        raise SettingInvalid(msg) from None
    return listening
