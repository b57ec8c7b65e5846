"""Putting an answer on the wire, whole or damaged."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import Scope, Send

    from cirqll_sandbox.answers import Answer

_DRIPS = 20


@dataclass(frozen=True, slots=True)
class Damage:
    """What happens to an answer on its way."""

    seconds_before: float = 0
    dripping_seconds: float = 0
    cut_before: bool = False
    cut_in_body: bool = False
    truncated: bool = False
    empty: bool = False

    @property
    def loses_something(self) -> bool:
        """Whether less than the whole answer arrives."""
        return self.cut_before or self.cut_in_body or self.truncated or self.empty


async def deliver(answer: Answer, damage: Damage, scope: Scope, send: Send) -> None:
    """Send the answer as far as the damage lets it through."""
    if damage.seconds_before:
        await asyncio.sleep(damage.seconds_before)
    if damage.cut_before:
        await _cut(scope)
        return
    body = _damaged(answer.body.encode(), damage)
    await send(_start(answer, len(body)))
    if damage.cut_in_body:
        await send(_part(body[: len(body) // 2], more=True))
        await _cut(scope)
        return
    if damage.dripping_seconds:
        await _drip(body, damage.dripping_seconds, send)
        return
    await send(_part(body))


async def cut_early(seconds: float, scope: Scope) -> None:
    """Cut the connection of what is carried out only after so many seconds; 0 cuts nothing."""
    if seconds:
        await _cut(scope)
        await asyncio.sleep(seconds)


def _damaged(body: bytes, damage: Damage) -> bytes:
    if damage.empty:
        return b""
    return body[: len(body) // 2] if damage.truncated else body


def _start(answer: Answer, length: int) -> dict[str, Any]:
    headers = {"Content-Type": answer.content_type, **answer.headers}
    if answer.status != 204:  # noqa: PLR2004 - no content, no length
        headers["Content-Length"] = str(length)
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": answer.status, "headers": encoded}


def _part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def _drip(body: bytes, seconds: float, send: Send) -> None:
    size = max(1, -(-len(body) // _DRIPS))
    for start in range(0, len(body), size):
        await asyncio.sleep(seconds / _DRIPS)
        await send(_part(body[start : start + size], more=True))
    await send(_part(b""))


async def _cut(scope: Scope) -> None:
    """Close the connection, after what was sent has had the time to leave."""
    await asyncio.sleep(0.01)
    scope["state"]["transport"].abort()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
