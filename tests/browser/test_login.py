"""`cirqll login` as a person meets it: a command in a terminal and pages in a browser."""

from __future__ import annotations

import re
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Error, expect

from tests.browser.connecting import free_port
from tests.browser.page_parts import press, shows

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox
    from tests.browser.person import Person
    from tests.browser.terminal import Terminal

SUCCESS = "You are signed in"


def redirect_uri(authorize_url: str) -> str:
    """Where the browser is to come back to."""
    return dict(parse_qsl(urlsplit(authorize_url).query))["redirect_uri"]


def sign_in(terminal: Terminal, person: Person) -> None:
    """Sign in as the first user."""
    with terminal.runs("login", "--port", "0") as login:
        press(person.open(login.page()), "Allow")
        assert login.ended().code == 0


def test_who_allows_is_signed_in(terminal: Terminal, person: Person) -> None:
    with terminal.runs("login", "--port", "0") as login:
        page = person.open(login.page())
        press(page, "Allow")
        assert "Sandbox B.V." in shows(page, SUCCESS)
        ended = login.ended()
    assert (ended.code, ended.errors) == (0, "")
    assert "Signed in as Sandbox of Sandbox B.V." in ended.output
    assert "User     Sandbox <sandbox@example.nl>" in terminal.ended("whoami").output


def test_the_code_does_not_stay_in_the_address_bar(terminal: Terminal, person: Person) -> None:
    with terminal.runs("login", "--port", "0") as login:
        page = person.open(login.page())
        with page.expect_request("**/callback?*") as sent:
            press(page, "Allow")
        shows(page, SUCCESS)
        expect(page).to_have_url(sent.value.url.partition("?")[0])
    assert "code=" in sent.value.url


def test_who_denies_is_told_so_in_both_places(terminal: Terminal, person: Person) -> None:
    with terminal.runs("login", "--port", "0") as login:
        page = person.open(login.page())
        press(page, "Deny")
        told = shows(page, "Access was denied")
        ended = login.ended()
    assert ended.code == 1
    assert "Access was denied on Cirqll's page" in ended.errors
    assert "Access was denied on Cirqll's page" in told
    expect(page).to_have_url(re.compile(r"/callback$"))
    assert "cirqll login" in terminal.signed_in()


def test_somebody_elses_page_does_not_end_the_sign_in(terminal: Terminal, person: Person) -> None:
    with terminal.runs("login", "--port", "0") as login:
        question = person.open(login.page())
        catcher = f"{redirect_uri(login.page())}?code=stolen&state=forged"
        stranger = person.open(catcher)
        shows(stranger, "This is not the sign-in that was started")
        login.says("A browser came back from another sign-in")
        press(question, "Allow")
        shows(question, SUCCESS)
        assert login.ended().code == 0


def test_a_code_that_came_too_late_is_explained(
    terminal: Terminal, person: Person, sandbox: Sandbox
) -> None:
    sandbox.before_token_request(lambda _: sandbox.clock.move(601))
    with terminal.runs("login", "--port", "0") as login:
        page = person.open(login.page())
        press(page, "Allow")
        told = shows(page, "The code is no longer good")
        ended = login.ended()
    assert ended.code == 1
    assert ended.errors.removeprefix("Error: ").strip() in told


def test_another_company_does_not_take_the_place_of_the_first(
    terminal: Terminal, person: Person, sandbox: Sandbox
) -> None:
    sandbox.add_account("Noor Zandwijker", company="Verzonnen Zaken B.V.")
    sign_in(terminal, person)
    with terminal.runs("login", "--port", "0") as login:
        page = person.open(login.page())
        page.get_by_label("Noor Zandwijker").check()
        press(page, "Allow")
        assert "Verzonnen Zaken B.V." in shows(page, "This is another company")
        assert "--replace" in login.ended().errors
    assert terminal.signed_in() == "Sandbox of Sandbox B.V."


def test_who_comes_back_twice_while_the_tokens_are_fetched_sees_the_end_twice(
    terminal: Terminal, person: Person, sandbox: Sandbox
) -> None:
    came_twice = Event()
    sandbox.before_token_request(lambda _: came_twice.wait(5))
    with terminal.runs("login", "--port", "0") as login:
        page, again = person.open(login.page()), person.context.new_page()
        page.get_by_role("button", name="Allow").focus()
        with page.expect_request("**/callback?*") as sent:
            page.keyboard.press("Enter")
        with again.expect_request("**/callback?*"):
            again.evaluate("url => { location.href = url; }", sent.value.url)
        again.wait_for_timeout(200)
        came_twice.set()
        for one in (page, again):
            shows(one, SUCCESS)
        assert login.ended().code == 0
    assert len(sandbox.token_requests) == 1


def test_reloading_the_finished_page_does_no_harm(terminal: Terminal, person: Person) -> None:
    with terminal.runs("login", "--port", "0") as login:
        page = person.open(login.page())
        press(page, "Allow")
        shows(page, SUCCESS)
        assert login.ended().code == 0
    with pytest.raises(Error, match="ERR_CONNECTION_REFUSED"):
        page.reload()
    assert terminal.signed_in() == "Sandbox of Sandbox B.V."


@pytest.mark.parametrize("mistake", ["client", "redirect URL"])
def test_who_cannot_come_back_finds_the_reason_in_both_places(
    mistake: str, terminal: Terminal, person: Person, sandbox: Sandbox
) -> None:
    sandbox.behaviour = replace(sandbox.behaviour, loopback_redirects="registered")
    environment = {"CIRQLL_CLIENT_ID": "nobody"} if mistake == "client" else {}
    with terminal.runs("login", "--port", "0", "--timeout", "0.5", **environment) as login:
        shows(person.open(login.page()), "You cannot sign in here")
        ended = login.ended()
    assert ended.code == 1
    assert "No browser came back within 0.5 seconds" in ended.errors
    assert "check the client_id" in ended.errors


def test_who_comes_back_too_late_has_not_signed_in(terminal: Terminal, person: Person) -> None:
    with terminal.runs("login", "--port", "0", "--timeout", "0.5") as login:
        page = person.open(login.page())
        assert login.ended().code == 1
    person.expected = "ERR_CONNECTION_REFUSED"
    with page.expect_event("requestfailed"):
        press(page, "Allow")
    assert "cirqll login" in terminal.signed_in()


def test_a_browser_elsewhere_brings_its_address_by_hand(terminal: Terminal, person: Person) -> None:
    person.expected = "ERR_CONNECTION_REFUSED"
    with terminal.runs("login", "--no-browser", "--port", str(free_port())) as login:
        page = person.open(login.shown_url())
        with page.expect_request("**/callback?*") as sent:
            press(page, "Allow")
        login.writes(sent.value.url)
        assert "Signed in as Sandbox" in login.ended().output
    assert terminal.signed_in() == "Sandbox of Sandbox B.V."
