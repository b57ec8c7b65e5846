"""Consents that a person is being asked for: each has a CSRF token of one browser session."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_sandbox.oauth_authorize import AuthorizeRequest

_MOST = 1000


class Consents:
    """The questions that are open; used by one thread at a time, under the sandbox's lock."""

    def __init__(self, random_text: Callable[[int], str] = secrets.token_hex) -> None:
        self._random_text = random_text
        self._open: dict[str, tuple[str, AuthorizeRequest]] = {}

    def session(self) -> str:
        """The id of a new browser session."""
        return self._random_text(20)

    def ask(self, request: AuthorizeRequest, *, session: str) -> str:
        """Open a question; its CSRF token."""
        csrf_token = self._random_text(20)
        self._open[csrf_token] = (session, request)
        for oldest in list(self._open)[:-_MOST]:
            del self._open[oldest]
        return csrf_token

    def take(self, csrf_token: str, *, session: str) -> AuthorizeRequest | None:
        """The question that is being decided, once, and only in the session that was asked."""
        asked_in, request = self._open.get(csrf_token, ("", None))
        if request is None or not secrets.compare_digest(asked_in.encode(), session.encode()):
            return None
        del self._open[csrf_token]
        return request
