"""A sandbox that hears other questions than were asked: for ways to misunderstand a filter."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from cirqll_sandbox.app import build_app
from cirqll_sandbox.server import in_thread, listen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cirqll_sandbox import Sandbox


@contextmanager
def meddled(sandbox: Sandbox, mishear: Callable[[str], str]) -> Iterator[str]:
    """Serve the sandbox with every filter misheard; the URL is given."""
    app = build_app(sandbox)

    async def meddling(scope: Any, receive: Any, send: Any) -> None:
        parameters = dict(parse_qsl(scope["query_string"].decode()))
        if "filter" in parameters:
            parameters["filter"] = mishear(parameters["filter"])
        await app({**scope, "query_string": urlencode(parameters).encode()}, receive, send)

    with in_thread(meddling, listen("127.0.0.1", 0)) as url:
        yield url
