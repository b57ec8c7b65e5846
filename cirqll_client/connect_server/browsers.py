"""The cookie by which a browser is known again: who comes back must be who began."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from cirqll_client.connect_server.link_life import START_SECONDS

if TYPE_CHECKING:
    from starlette.requests import Request

    from cirqll_client.connect_server.addresses import PublicUrl

_VALUE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class Browsers:
    """Gives each browser a value that nobody can guess, for as long as a start lives."""

    def __init__(self, public_url: PublicUrl) -> None:
        """``__Host-`` keeps other hosts of the same domain from setting the cookie."""
        self._own_origin = public_url.origin
        self._name = "__Host-cirqll-connect" if public_url.is_https else "cirqll-connect"
        self._flags = "; Secure" if public_url.is_https else ""

    def known(self, request: Request) -> str | None:
        """Give the value that this browser has."""
        value = request.cookies.get(self._name, "")
        return value if _VALUE.fullmatch(value) else None

    def made_known(self, request: Request) -> tuple[str, str]:
        """Give the value of this browser, and the header that makes it last.

        A browser that is known keeps its value: a person may begin with two links side by side.
        """
        value = self.known(request) or secrets.token_urlsafe(32)
        cookie = (
            f"{self._name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={START_SECONDS:.0f}"
        )
        return value, cookie + self._flags

    def is_foreign(self, request: Request) -> bool:
        """Tell whether the page of somebody else sends this form, where the browser says so.

        Our pages send no referrer, so their ``Origin`` is ``null``.
        """
        site = request.headers.get("sec-fetch-site", "same-origin")
        origin = request.headers.get("origin", "null")
        return site != "same-origin" or origin not in {"null", self._own_origin}
