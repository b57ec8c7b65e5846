"""What every part of the web application does with a request that goes wrong."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from cirqll_sandbox.sandbox import Sandbox


class Endpoint(ABC):
    """Answers requests to the sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request from arrival to delivery; a mistake of the sandbox itself is made known."""
        try:
            await self._serve(scope, receive, send)
        except ClientDisconnect:
            return  # who asked is gone before the question was heard
        except Exception as error:
            self._sandbox.failed(error)
            raise

    @abstractmethod
    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None: ...
