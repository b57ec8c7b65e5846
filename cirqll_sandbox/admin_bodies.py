"""What the handlers of the admin API are, and how they read a body."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.requests import Request

    from cirqll_sandbox.sandbox import Sandbox

Handler = Callable[["Sandbox", "Request", Any], Any]
"""From the sandbox, the request and its JSON to the JSON of the answer.

`KeyError` is answered 404, `ValueError` and `TypeError` 400.
"""


def given(body: Any, name: str) -> Any:
    """What the body must have."""
    if not isinstance(body, dict) or name not in body:
        message = f"The body lacks {name!r}."
        raise ValueError(message)
    return body[name]
