"""Answers with their security headers: pages for people, JSON for programs."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, JSONResponse

from cirqll_client.pages import Page, html, security_headers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from cirqll_client.connect_server.addresses import PublicUrl


class Answers:
    """Writes answers for one public URL."""

    def __init__(self, public_url: PublicUrl) -> None:
        """Write for browsers that come by this URL."""
        self._is_https = public_url.is_https

    def page(
        self, page: Page, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Show a page to a person."""
        nonce = secrets.token_urlsafe(16)
        safe = security_headers(nonce=nonce, is_https=self._is_https)
        return HTMLResponse(html(page, nonce=nonce), status, {**safe, **(headers or {})})

    def page_that_leads_on(self, page: Page, url: str) -> Response:
        """Show a page that the browser leaves at once.

        No redirect: Chromium holds the ``form-action`` of the page with the form against all the
        redirects that follow it, and both Cirqll's form and ours end here.
        """
        return self.page(page, headers={"Refresh": f"0; url={url}"})

    def json(
        self, status: int, value: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Response:
        """Answer a program."""
        safe = security_headers(nonce="", is_https=self._is_https)
        safe["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        return JSONResponse(dict(value), status, {**safe, **(headers or {})})
