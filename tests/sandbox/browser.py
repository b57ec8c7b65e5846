"""The plainest browser: opens the consent page, and presses its buttons."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import requests

_INPUT = re.compile(r"<input ([^>]*)>")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Browser:
    """Keeps cookies, and follows no redirect: where it leads is what tests look at."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False

    def open(self, **query: str) -> requests.Response:
        """`GET /oauth/authorize`."""
        return self.session.get(
            f"{self.url}/oauth/authorize", params=query, timeout=10, allow_redirects=False
        )

    def press(self, button: str, page: requests.Response, **changed: str) -> requests.Response:
        """Press `allow` or `deny`; form fields may be changed before."""
        data = {**form_of(page), "decision": button, **changed}
        return self.session.post(
            f"{self.url}/oauth/authorize", data=data, timeout=10, allow_redirects=False
        )

    def consent(self, **query: str) -> dict[str, str]:
        """Open the page and press Allow; what comes back in the redirect."""
        page = self.open(**query)
        assert page.status_code == 200, page.text
        return told(self.press("allow", page))


def form_of(page: requests.Response) -> dict[str, str]:
    """The fields of the page's form, as they are filled in at first."""
    inputs = [(text, dict(_ATTRIBUTE.findall(text))) for text in _INPUT.findall(page.text)]
    return {
        one["name"]: unescape(one["value"])
        for text, one in inputs
        if one["type"] != "radio" or "checked" in text
    }


def told(redirect: requests.Response) -> dict[str, str]:
    """The parameters that a redirect brings."""
    assert redirect.status_code == 302, redirect.text
    return dict(parse_qsl(urlsplit(redirect.headers["Location"]).query))
