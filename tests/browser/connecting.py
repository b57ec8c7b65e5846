"""`cirqll connect serve` as a process, the links that lead to it, and pages that embed them."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import requests

from tests.browser.terminal import awaited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.browser.person import Person
    from tests.browser.site import Site
    from tests.browser.terminal import Terminal

_KEY = "a-key-of-the-operator-that-nobody-guesses"
_EMBEDDING = """
<h1>Voorbeeld Planner</h1>
<button>Connect Cirqll</button>
<script>
const link = {link}, heard = [];
let popup;
document.querySelector('button').onclick = () => {{
  popup = open(link, 'cirqll', 'width=480,height=720');
}};
addEventListener('message', event => heard.push(
  {{message: event.data, origin: event.origin, isFromPopup: event.source === popup}}));
</script>"""


@dataclass(slots=True)
class ConnectServer:
    """A running server, and the terminal of who operates it."""

    url: str
    terminal: Terminal
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def new_account(self) -> str:
        """A name that no other test has."""
        return f"account-{next(self._numbers)}"

    def link(self, target_origin: str | list[str], **wish: Any) -> str:
        """A new link, as a program gets it."""
        body = {"account": self.new_account(), "target_origin": target_origin, **wish}
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                f"{self.url}/links",
                json=body,
                headers={"Authorization": f"Bearer {_KEY}"},
                timeout=10,
            )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["url"])


@contextmanager
def connect_server(terminal: Terminal) -> Iterator[ConnectServer]:
    """Serve on a free port while the context lasts."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with terminal.runs(
        "connect", "serve", "--port", str(port), "--public-url", url, CIRQLL_CONNECT_KEY=_KEY
    ) as serving:
        serving.says("Links for programs")
        awaited(lambda: _answer_of(port), lambda: "the server does not answer")
        yield ConnectServer(url, terminal)


def _answer_of(port: int) -> str:
    """Something as soon as somebody listens there, which is a little after it was said."""
    with socket.socket() as opened:
        return "" if opened.connect_ex(("127.0.0.1", port)) else "yes"


def embed(person: Person, own: Site, link: str) -> Page:
    """Open a page that has a button for the link."""
    own.pages["/settings"] = _EMBEDDING.format(link=json.dumps(link))
    return person.open(f"{own.origin}/settings")


def popup_of(page: Page) -> Page:
    """Press the button of a page that embeds a link."""
    with page.expect_popup() as opened:
        page.get_by_role("button").click()
    popup = opened.value
    popup.wait_for_load_state()
    return popup


def heard(page: Page) -> list[dict[str, Any]]:
    """The messages that reached a page that embeds a link."""
    messages: list[dict[str, Any]] = page.evaluate("heard")
    return messages


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port
