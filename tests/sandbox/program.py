"""A program that signs in, with nothing clever in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests

from tests.sandbox.browser import Browser

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox

REDIRECT_URI = "http://127.0.0.1:51234/callback"
SCOPE = "customer.read.all user.read.all"


@dataclass(slots=True)
class Program:
    """Knows the client of the sandbox; every field that it sends can be changed, or left out."""

    sandbox: Sandbox
    url: str
    browser: Browser = field(init=False)

    def __post_init__(self) -> None:
        self.browser = Browser(self.url)

    def query(self, **changes: str | None) -> dict[str, str]:
        """The query of an authorize request."""
        usual = {
            "client_id": self.sandbox.client.id, "redirect_uri": REDIRECT_URI, "scope": SCOPE,
            "response_type": "code", "state": "a-state",
        }  # fmt: skip
        return _changed(usual, changes)

    def open(self, **changes: str | None) -> requests.Response:
        """The consent page."""
        return self.browser.open(**self.query(**changes))

    def code(self, **changes: str | None) -> str:
        """A code, from somebody who allows what is asked."""
        return self.browser.consent(**self.query(**changes))["code"]

    def exchange(self, code: str, **changes: str | None) -> requests.Response:
        """A code for tokens."""
        return self.post(
            {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI},
            changes,
        )

    def refresh(self, refresh_token: str, **changes: str | None) -> requests.Response:
        """A refresh token for tokens."""
        return self.post({"grant_type": "refresh_token", "refresh_token": refresh_token}, changes)

    def post(
        self, fields: dict[str, str], changes: dict[str, str | None] | None = None, **options: Any
    ) -> requests.Response:
        """`POST /oauth/token` with a form and the client's credentials."""
        client = self.sandbox.client
        named = {"client_id": client.id, "client_secret": client.secret, **fields}
        return self.send("POST", "/oauth/token", data=_changed(named, changes or {}), **options)

    def me(self, access_token: str) -> requests.Response:
        """Whom the API takes the bearer of the token for."""
        return self.get("/api/auth/me", access_token)

    def get(self, path: str, access_token: str) -> requests.Response:
        """Read from the API."""
        return self.send("GET", path, headers={"Authorization": f"Bearer {access_token}"})

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """A request on a connection of its own."""
        with requests.Session() as session:
            session.trust_env = False
            options.setdefault("timeout", 10)
            return session.request(method, self.url + path, allow_redirects=False, **options)


def _changed(usual: dict[str, str], changes: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}
