"""One line for each request: method, path and status; never a query, which may hold a code."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)


class RequestLog:
    """Writes the lines, around an application."""

    def __init__(self, app: ASGIApp, *, paths: frozenset[str]) -> None:
        """Name only these paths: a mailer that spoils a link may put its token into another."""
        self._app = app
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and write its line."""
        is_answered = False

        async def noting(message: Message) -> None:
            nonlocal is_answered
            if message["type"] == "http.response.start":
                is_answered = True
                self._note(scope, message["status"])
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            # Starlette raises again what it has answered.
            if not is_answered:
                log_mistake(error)
                raise

    def _note(self, scope: Scope, status: int) -> None:
        path = scope["path"] if scope["path"] in self._paths else "(another path)"
        method = scope["method"] if scope["method"].isalpha() else "?"
        logger.info("%s %s %d", method[:10], path, status)


def log_mistake(error: Exception) -> None:
    """Write where it happened, without the words of the error, which may hold anything."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].name}, line {frames[-1].lineno}" if frames else "?"
    logger.error("A mistake of this program: %s in %s", type(error).__name__, place)
