"""Cirqll's page that asks for consent, as the sandbox shows it, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from tests.browser.page_parts import press, shows
from tests.browser.site import site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cirqll_sandbox import Sandbox
    from tests.browser.person import Person
    from tests.browser.site import Site


@pytest.fixture
def program() -> Iterator[Site]:
    """A program that asks for consent, and waits for its answer."""
    with site() as waiting:
        yield waiting


@pytest.fixture
def question(cirqll: str, program: Site) -> Question:
    """A usual question."""
    return Question(cirqll, program)


class Question:
    """The URL that a program sends a browser to."""

    def __init__(self, cirqll: str, program: Site) -> None:
        self._cirqll = cirqll
        self._usual = {
            "client_id": "sandbox-client", "redirect_uri": f"{program.origin}/callback",
            "scope": "customer.read.all user.read.all", "response_type": "code", "state": "a-state",
        }  # fmt: skip

    def url(self, **changes: str) -> str:
        """The same with changes."""
        return f"{self._cirqll}/oauth/authorize?{urlencode({**self._usual, **changes})}"


def test_allowing_leads_back_to_the_program_with_a_code(
    person: Person, question: Question, program: Site
) -> None:
    page = person.open(question.url())
    press(page, "Allow")
    page.wait_for_url(f"{program.origin}/**")
    assert program.told["state"] == "a-state"
    assert program.told["code"]


def test_everything_can_be_done_without_a_mouse(
    person: Person, question: Question, program: Site, sandbox: Sandbox
) -> None:
    noor = sandbox.add_account("Noor Zandwijker", company="Verzonnen Zaken B.V.")
    page = person.open(question.url())
    for key in ("Tab", "ArrowDown", "Tab", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url(f"{program.origin}/**")
    code = sandbox.oauth._codes.find(program.told["code"])
    assert code
    assert code.grant.user_id == noor.user_id


def test_denying_leads_back_with_no_code(person: Person, question: Question, program: Site) -> None:
    page = person.open(question.url())
    press(page, "Deny")
    page.wait_for_url(f"{program.origin}/**")
    assert program.told["error"] == "access_denied"
    assert "code" not in program.told


def test_who_denied_can_go_back_and_allow(
    person: Person, question: Question, program: Site
) -> None:
    page = person.open(question.url())
    press(page, "Deny")
    page.wait_for_url(f"{program.origin}/**")
    page.go_back()
    press(page, "Allow")
    page.wait_for_url(f"{program.origin}/**code=**")


def test_two_tabs_do_not_disturb_each_other(
    person: Person, question: Question, program: Site
) -> None:
    first, second = person.open(question.url(state="1")), person.open(question.url(state="2"))
    for page in (first, second):
        press(page, "Allow")
        page.wait_for_url(f"{program.origin}/**")
    assert [("code" in visit, visit[-1]) for visit in program.visits] == [(True, "1"), (True, "2")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"client_id": "nobody"}, "its client_id is not known"),
        ({"redirect_uri": "https://elsewhere.example/"}, "https://elsewhere.example/"),
        ({"redirect_uri": "javascript:alert(1)"}, "javascript:alert(1)"),
    ],
)
def test_who_is_not_registered_gets_nobody_back(
    change: dict[str, str], words: str, person: Person, question: Question, program: Site
) -> None:
    page = person.open(question.url(**change))
    assert words in shows(page, "You cannot sign in here")
    assert page.locator("a, button, form").count() == 0
    assert program.visits == []


def test_the_session_is_out_of_reach_of_scripts_and_other_sites(
    person: Person, question: Question
) -> None:
    page = person.open(question.url())
    (cookie,) = person.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/oauth")
    assert page.evaluate("document.cookie") == ""


def test_no_other_site_can_show_the_question_in_a_frame(
    person: Person, question: Question, program: Site
) -> None:
    program.pages["/trap"] = f'<iframe src="{question.url()}"></iframe>'
    page = person.open(f"{program.origin}/trap")
    page.wait_for_load_state("networkidle")
    assert page.frames[1].get_by_role("button").count() == 0
    assert "frame-ancestors" in person.troubles[0]
    person.expected = "frame-ancestors"
