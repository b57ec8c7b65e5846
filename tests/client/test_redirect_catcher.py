"""The listener that catches the browser, over HTTP on loopback."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import requests

from cirqll_client.cli.login.loopback_server import Reply
from cirqll_client.cli.login.redirect_catcher import RedirectCatcher
from cirqll_client.cli.login.redirect_url import CatchPlace
from cirqll_client.errors import SettingInvalid
from cirqll_client.pages import Page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

STATE = "the-state-of-this-sign-in"
CODE = "a-code-that-nobody-may-see"
DONE = Reply(200, Page("Done", ("It is done.",)))


@dataclass
class Listening:
    """A catcher that waits, and browsers that come to it."""

    catcher: RedirectCatcher
    threads: ThreadPoolExecutor
    strangers: list[bool] = field(default_factory=list)

    def wait(self, seconds: float = 10) -> Future[str | None]:
        return self.threads.submit(
            self.catcher.wait,
            state=STATE,
            seconds=seconds,
            on_stranger=lambda: self.strangers.append(True),
        )

    def url(self, state: str = STATE) -> str:
        return f"{self.catcher.redirect_uri}?code={CODE}&state={state}"

    def visit(
        self, url: str | None = None, method: str = "GET", **headers: str
    ) -> Future[requests.Response]:
        return self.threads.submit(_visit, url or self.url(), method, headers)


def _visit(url: str, method: str, headers: dict[str, str]) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, headers=headers, timeout=10)


@pytest.fixture
def listening() -> Iterator[Listening]:
    with ThreadPoolExecutor() as threads, RedirectCatcher(CatchPlace(0)) as catcher:
        yield Listening(catcher, threads)


def test_who_brings_the_state_is_caught_and_gets_the_page_of_the_outcome(
    listening: Listening,
) -> None:
    # Given
    waiting = listening.wait()
    visit = listening.visit()
    # When
    url = waiting.result()
    assert not visit.done()
    listening.catcher.show(DONE)
    # Then
    assert url is not None
    assert url.endswith(f"/callback?code={CODE}&state={STATE}")
    assert (visit.result().status_code, "It is done." in visit.result().text) == (200, True)


def test_a_visit_before_the_wait_is_kept(listening: Listening) -> None:
    # Given
    visit = listening.visit()
    # When
    assert listening.wait().result()
    listening.catcher.show(DONE)
    # Then
    assert visit.result().status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        f"?code={CODE}",
        "?state=",
        "?state=another",
        f"?state={STATE}x",
        "?%ff=%00&state=%ff",
    ],
)
def test_another_state_changes_nothing(listening: Listening, query: str) -> None:
    # Given
    waiting = listening.wait()
    # When
    visits = [listening.visit(f"{listening.catcher.redirect_uri}{query}") for _ in range(3)]
    # Then
    assert {visit.result().status_code for visit in visits} == {400}
    assert not waiting.done()
    assert listening.strangers == [True]
    # And
    last = listening.visit()
    assert waiting.result()
    listening.catcher.show(DONE)
    assert last.result().status_code == 200


@pytest.mark.parametrize("path", ["/favicon.ico", "/", "/callback/", "/other", "/callback%2f"])
def test_other_paths_have_no_page_and_no_effect(listening: Listening, path: str) -> None:
    # Given
    waiting = listening.wait(seconds=0.3)
    root = listening.catcher.redirect_uri.removesuffix("/callback")
    # When
    page = listening.visit(f"{root}{path}?code={CODE}&state={STATE}").result()
    # Then
    assert page.status_code == 404
    assert listening.strangers == []
    assert waiting.result() is None


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "DELETE"])
def test_only_get_has_an_effect(listening: Listening, method: str) -> None:
    # Given
    waiting = listening.wait(seconds=0.3)
    # When
    answer = listening.visit(method=method).result()
    # Then
    assert answer.status_code == 501
    assert CODE not in answer.text
    assert waiting.result() is None


@pytest.mark.parametrize(
    ("name", "purpose"),
    [("Sec-Purpose", "prefetch;prerender"), ("Purpose", "prefetch"), ("X-Moz", "Prefetch")],
)
def test_a_browser_that_only_prepares_is_sent_away(
    listening: Listening, name: str, purpose: str
) -> None:
    # Given
    waiting = listening.wait(seconds=0.3)
    # When
    answer = listening.visit(**{name: purpose}).result()
    # Then
    assert (answer.status_code, answer.headers["Cache-Control"]) == (503, "no-store")
    assert waiting.result() is None


def test_who_comes_again_gets_the_same_page(listening: Listening) -> None:
    # Given
    waiting = listening.wait()
    visits = [listening.visit() for _ in range(3)]
    assert waiting.result()
    # When
    listening.catcher.show(DONE)
    later = listening.visit()
    # Then
    assert {visit.result().status_code for visit in (*visits, later)} == {200}


def test_the_end_waits_until_every_browser_has_its_page(listening: Listening) -> None:
    # Given
    waiting = listening.wait()
    visits = [listening.visit() for _ in range(4)]
    assert waiting.result()
    # When
    listening.catcher.show(DONE)
    # Then
    assert listening.catcher._server.drain(seconds=0)
    assert {visit.result().status_code for visit in visits} == {200}


def test_a_browser_is_told_if_the_sign_in_breaks_off() -> None:
    # Given
    with ThreadPoolExecutor() as threads:
        with RedirectCatcher(CatchPlace(0)) as catcher:
            listening = Listening(catcher, threads)
            waiting = listening.wait()
            visit = listening.visit()
            waiting.result()
            # When: the block ends without an outcome
        # Then
        assert "<h1>The sign-in was stopped</h1>" in visit.result().text


def test_the_port_is_free_again_at_the_end() -> None:
    # Given
    with RedirectCatcher(CatchPlace(0)) as first:
        port = int(first.redirect_uri.split(":")[2].split("/")[0])
    # When
    with RedirectCatcher(CatchPlace(port)) as second:
        # Then
        assert second.redirect_uri == first.redirect_uri


def test_a_browser_that_hangs_up_or_says_nothing_holds_nobody_up(
    listening: Listening, capfd: pytest.CaptureFixture[str]
) -> None:
    # Given connections opened in advance, one of them cut, one that sends no HTTP
    port = int(listening.catcher.redirect_uri.split(":")[2].split("/")[0])
    waiting = listening.wait()
    with (
        socket.create_connection(("127.0.0.1", port)),
        socket.create_connection(("127.0.0.1", port)) as cut,
        socket.create_connection(("127.0.0.1", port)) as odd,
    ):
        cut.sendall(f"GET /callback?code={CODE}&state=no HTTP/1.1\r\nX: ".encode())
        cut.close()
        odd.sendall(f"{CODE}\r\n\r\n".encode())
        assert CODE.encode() not in odd.recv(65536)
        visit = listening.visit()
        assert waiting.result()
        # When
        began = time.monotonic()
        listening.catcher.show(DONE)
        # Then
        assert visit.result().status_code == 200
        assert time.monotonic() - began < 2
    assert capfd.readouterr() == ("", "")


def test_pages_carry_their_headers_and_the_listener_says_nothing(
    listening: Listening, capfd: pytest.CaptureFixture[str]
) -> None:
    # Given
    waiting = listening.wait()
    visits = [listening.visit(), listening.visit(listening.url("no"))]
    visits.append(listening.visit(listening.catcher.redirect_uri.replace("callback", "x")))
    waiting.result()
    # When
    listening.catcher.show(DONE)
    # Then
    for page in (visit.result() for visit in visits):
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "Python" not in page.headers["Server"]
        assert CODE not in page.text
    nonces = {visit.result().headers["Content-Security-Policy"] for visit in visits}
    assert len(nonces) == 3
    assert capfd.readouterr() == ("", "")


def test_a_port_that_is_in_use_is_refused() -> None:
    # Given
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        # When
        with pytest.raises(SettingInvalid) as caught:
            RedirectCatcher(CatchPlace(port))
    # Then
    assert f"Port {port} of this machine is in use" in caught.value.sentence
    assert "--port" in caught.value.sentence


def test_its_repr_shows_neither_state_nor_code(listening: Listening) -> None:
    # Given
    waiting = listening.wait()
    visit = listening.visit()
    waiting.result()
    # Then
    shown = repr(listening.catcher) + repr(listening.catcher._visits)
    assert STATE not in shown
    assert CODE not in shown
    listening.catcher.show(DONE)
    visit.result()
