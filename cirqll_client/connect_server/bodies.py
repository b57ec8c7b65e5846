"""Reading what a request brings: never more than is allowed, never for longer than is decent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from starlette.requests import Request

LARGEST_BODY = 65_536
_DISCARDED_AT_MOST = 4 * 1024 * 1024
"""What is too much is still taken in, so that the refusal reaches who is sending it."""
_SECONDS = 20
_MOST_FIELDS = 20


async def body_of(request: Request, *, content_type: str) -> bytes:
    """Read a body. Raises ``HTTPException``: 408, 413, 415."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        async with asyncio.timeout(_SECONDS):
            body = await _read(request)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    if body is None:
        raise HTTPException(413)
    if given != content_type:
        raise HTTPException(415)
    return body


def form_of(body: bytes) -> dict[str, str]:
    """Read the fields of a form, or of a query. Raises ``HTTPException``: 400."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        pairs = None
    fields = dict(pairs or ())
    # Two of a name would let two readers see two things.
    if pairs is None or len(fields) != len(pairs):
        raise HTTPException(400)
    return fields


async def _read(request: Request) -> bytes | None:
    """Give the body; ``None`` if it is too large."""
    body, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= LARGEST_BODY:
            body += chunk
        if size > _DISCARDED_AT_MOST:
            break
    return bytes(body) if size <= LARGEST_BODY else None
