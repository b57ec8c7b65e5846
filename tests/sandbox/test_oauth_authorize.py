"""The authorize request: what leads to the consent page, and where its answer goes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from cirqll_sandbox.clients import Client
from tests.sandbox.browser import Browser, told
from tests.sandbox.program import REDIRECT_URI, SCOPE

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox
    from cirqll_sandbox.behaviour import LoopbackRedirects
    from tests.sandbox.program import Program

ELSEWHERE = "https://connect.voorbeeld.example/back?account=7"


def test_allow_brings_a_code_and_the_state_to_the_redirect_uri(program: Program) -> None:
    answer = program.browser.press("allow", program.open(state="a b&c"))
    assert answer.headers["Location"].startswith(f"{REDIRECT_URI}?code=")
    assert told(answer).keys() == {"code", "state"}
    assert told(answer)["state"] == "a b&c"


def test_deny_brings_access_denied_and_the_state(program: Program) -> None:
    answer = told(program.browser.press("deny", program.open()))
    assert (answer["error"], answer["state"]) == ("access_denied", "a-state")
    assert "denied" in answer["error_description"]


def test_without_a_state_none_comes_back(program: Program) -> None:
    page = program.open(state=None)
    assert told(program.browser.press("allow", page)).keys() == {"code"}


def test_the_query_of_the_redirect_uri_stays(sandbox: Sandbox, program: Program) -> None:
    sandbox.add_client("connect", redirect_uris=[ELSEWHERE])
    page = program.open(client_id="connect", redirect_uri=ELSEWHERE)
    location = program.browser.press("allow", page).headers["Location"]
    assert location.startswith(f"{ELSEWHERE}&code=")


def test_the_redirect_uri_may_be_left_out_where_there_is_only_one(
    sandbox: Sandbox, program: Program
) -> None:
    sandbox.add_client("connect", redirect_uris=[ELSEWHERE])
    assert program.open(client_id="connect", redirect_uri=None).status_code == 200
    assert program.open(redirect_uri=None).status_code == 400


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"client_id": "nobody"}, "client_id is not known"),
        ({"client_id": None}, "client_id is not known"),
        ({"redirect_uri": "https://evil.example/callback"}, "not registered for it: https://evil"),
        ({"redirect_uri": "http://127.0.0.1:80/other"}, "not registered"),
        ({"redirect_uri": "https://127.0.0.1/callback"}, "not registered"),
        ({"redirect_uri": "http://127.0.0.1.evil.example/callback"}, "not registered"),
        ({"redirect_uri": "http://[broken/callback"}, "not registered"),
        ({"redirect_uri": "http://127.0.0.1/callback#part"}, "not registered"),
    ],
)
def test_with_no_safe_way_back_the_browser_is_sent_nowhere(
    program: Program, change: dict[str, str | None], words: str
) -> None:
    page = program.open(**change)
    assert (page.status_code, page.headers.get("Location")) == (400, None)
    assert "html" in page.headers["Content-Type"]
    assert words in page.text


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "customer.read.all nonsense"}, "invalid_scope"),
        ({"scope": "*"}, "invalid_scope"),
        ({"code_challenge": "too-short"}, "invalid_request"),
        ({"code_challenge": "a" * 43, "code_challenge_method": "MD5"}, "invalid_request"),
    ],
)
def test_other_mistakes_are_told_to_the_client(
    program: Program, change: dict[str, str | None], error: str
) -> None:
    answer = told(program.open(**change))
    assert (answer["error"], answer["state"]) == (error, "a-state")
    assert answer["error_description"]


@pytest.mark.parametrize(
    ("mode", "accepted"),
    [
        ("any_port", ["http://127.0.0.1:1/callback"]),
        ("any", ["http://127.0.0.1:1/callback", "http://localhost:2/own/path"]),
        ("registered", []),
    ],
)
def test_a_redirect_uri_on_loopback_may_have_any_port_or_path_or_neither(
    mode: LoopbackRedirects, accepted: list[str]
) -> None:
    client = Client("id", "secret", ("http://127.0.0.1/callback", "http://localhost/x"), "name")
    tried = ["http://127.0.0.1:1/callback", "http://localhost:2/own/path", "http://other.example/"]
    assert client.accepts("http://127.0.0.1/callback", mode)
    assert [uri for uri in tried if client.accepts(uri, mode)] == accepted


def test_a_client_without_loopback_gets_no_loopback() -> None:
    client = Client("id", "secret", (ELSEWHERE,), "name")
    assert not client.accepts("http://127.0.0.1/callback", "any")
    assert client.accepts(ELSEWHERE, "any")
    assert "secret" not in repr(client).replace("client_secret", "")


def test_further_parameters_are_welcome_and_can_be_seen_later(
    sandbox: Sandbox, program: Program
) -> None:
    program.code(locale="nb", organisation_number="999888777")
    asked, decided = sandbox.authorize_requests
    assert (asked.method, asked.outcome, asked.status) == ("GET", "asked", 200)
    assert asked.parameters["locale"] == "nb"
    assert asked.parameters["organisation_number"] == "999888777"
    assert "a-state" not in repr(asked)
    assert (decided.method, decided.outcome, decided.status) == ("POST", "allowed", 302)


def test_the_redirect_can_tell_the_scopes_that_were_given(
    sandbox: Sandbox, program: Program
) -> None:
    sandbox.behaviour = replace(
        sandbox.behaviour, scope_told_in_redirect=True, withheld_scopes=("user.read.all",)
    )
    assert program.browser.consent(**program.query())["scope"] == "customer.read.all"


@pytest.mark.parametrize("forged", [{"csrf_token": "guessed"}, {"csrf_token": ""}])
def test_a_decision_needs_the_csrf_token_of_the_page(
    program: Program, forged: dict[str, str]
) -> None:
    answer = program.browser.press("allow", program.open(), **forged)
    assert (answer.status_code, answer.headers.get("Location")) == (403, None)
    assert "no longer valid" in answer.text


def test_a_decision_counts_only_in_the_browser_that_was_asked(program: Program) -> None:
    page = program.open()
    stranger = Browser(program.url)
    with stranger.session:
        assert stranger.press("allow", page).status_code == 403
        stranger.open(**program.query())
        assert stranger.press("allow", page).status_code == 403
    assert program.browser.press("allow", page).status_code == 302


def test_a_page_is_answered_once(program: Program) -> None:
    page = program.open()
    statuses = [program.browser.press("allow", page).status_code for _ in range(2)]
    assert statuses == [302, 403]


def test_two_pages_in_one_browser_are_told_apart(program: Program) -> None:
    pages = [program.open(state=state) for state in ("first", "second")]
    states = [told(program.browser.press("allow", page))["state"] for page in pages]
    assert states == ["first", "second"]


def test_codes_come_to_the_address_that_was_asked_for(program: Program) -> None:
    page = program.open(redirect_uri="http://localhost:8123/oauth/callback", scope=SCOPE)
    location = urlsplit(program.browser.press("allow", page).headers["Location"])
    assert (location.netloc, location.path) == ("localhost:8123", "/oauth/callback")
