"""Every page that a person can come to, and the way to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tests.browser.page_parts import press, shows

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from cirqll_sandbox import Sandbox
    from tests.browser.connecting import ConnectServer
    from tests.browser.person import Person
    from tests.browser.site import Site
    from tests.browser.terminal import Terminal

LONG_NAME = "Wilhelmina Maximiliana van Oldenbarnevelt-Schimmelpenninck"
LONG_COMPANY = "Bouwmaterialengroothandel Verzonnen-Voorbeeldenburg Beheer B.V."
LONG_ADDRESS = "wilhelmina.maximiliana.van.oldenbarnevelt@bouwmaterialengroothandel.example"
_BEGIN = "Continue to Cirqll"


@dataclass(frozen=True, slots=True)
class Stage:
    """Somebody, and all that there is to meet."""

    person: Person
    terminal: Terminal
    server: ConnectServer
    company: Sandbox
    planner: Site

    def authorize_url(self, **changes: str) -> str:
        """A program's question, which is a usual one but for the changes."""
        usual = {
            "client_id": "sandbox-client", "redirect_uri": f"{self.planner.origin}/callback",
            "scope": "customer.read.all", "response_type": "code",
        }  # fmt: skip
        return f"{self.terminal.cirqll}/oauth/authorize?{urlencode({**usual, **changes})}"

    def begun(self, **wish: str | int) -> Page:
        """A link that was opened, and whose button was pressed."""
        page = self.person.open(self.server.link(self.planner.origin, **wish))
        press(page, _BEGIN)
        return page

    def login(self, button: str, heading: str) -> Page:
        """The page at the end of a `cirqll login`."""
        with self.terminal.runs("login", "--port", "0") as login:
            page = self.person.open(login.page())
            press(page, button)
            shows(page, heading)
            login.ended()
        return page


def consent(stage: Stage) -> Page:
    return stage.person.open(stage.authorize_url(scope="customer.delete.all user.read.all"))


def consent_of_many_long_names(stage: Stage) -> Page:
    stage.company.add_client("long", name=LONG_COMPANY)
    stage.company.add_account(LONG_NAME, company=LONG_COMPANY, email=LONG_ADDRESS)
    actions = ("read", "create", "update", "delete")
    resources = ("customer", "appointment", "assignment", "contract")
    scopes = (f"{name}.{action}.all" for name in resources for action in actions)
    page = stage.person.open(stage.authorize_url(client_id="long", scope=" ".join(scopes)))
    stage.company.oauth.accounts._added.clear()
    return page


def consent_for_an_unknown_address(stage: Stage) -> Page:
    return stage.person.open(stage.authorize_url(redirect_uri=f"https://{'lang' * 40}.example/"))


def consent_that_was_answered(stage: Stage) -> Page:
    page = consent(stage)
    page.evaluate("document.querySelector('[name=csrf_token]').value = 'another'")
    press(page, "Allow")
    return page


def login_that_worked(stage: Stage) -> Page:
    return stage.login("Allow", "You are signed in")


def login_that_was_denied(stage: Stage) -> Page:
    return stage.login("Deny", "Access was denied")


def login_that_cirqll_refused(stage: Stage) -> Page:
    stage.company.faults.add("behaviour", method="POST", times=1, code_seconds=0.0)
    return stage.login("Allow", "The code is no longer good")


def login_of_somebody_else(stage: Stage) -> Page:
    with stage.terminal.runs("login", "--port", "0") as login:
        callback = login.says("Ctrl-C stops").partition("redirect URL ")[2].split()[0]
        page = stage.person.open(f"{callback}?code=1&state=2")
        shows(page, "This is not the sign-in that was started")
    return page


def link(stage: Stage) -> Page:
    return stage.person.open(stage.server.link(stage.planner.origin))


def link_of_which_half_is_missing(stage: Stage) -> Page:
    return stage.person.open(f"{stage.server.url}/connect")


def link_on_its_way_to_cirqll(stage: Stage) -> Page:
    # Otherwise it is gone before it can be looked at.
    stage.person.context.route("**/oauth/authorize?**", lambda route: route.abort("aborted"))
    page = stage.begun()
    shows(page, "One moment")
    return page


def link_that_worked(stage: Stage) -> Page:
    page = stage.begun(callback_message="done")
    press(page, "Allow")
    shows(page, "The connection is made")
    return page


def link_that_was_denied(stage: Stage) -> Page:
    page = stage.begun()
    press(page, "Deny")
    shows(page, "You did not allow it")
    return page


def link_while_cirqll_is_down(stage: Stage) -> Page:
    stage.company.faults.add("503", path="/oauth/token", times=1)
    page = stage.begun()
    press(page, "Allow")
    shows(page, "Cirqll does not answer")
    return page


def link_that_is_forged(stage: Stage) -> Page:
    page = stage.person.open(f"{stage.server.url}/connect#token={'A' * 43}")
    press(page, _BEGIN)
    shows(page, "This link does not work")
    return page


def link_that_leads_nowhere(stage: Stage) -> Page:
    page = stage.person.open(f"{stage.server.url}/elsewhere")
    shows(page, "There is no such page")
    return page


PAGES: tuple[Callable[[Stage], Page], ...] = (
    consent,
    consent_of_many_long_names,
    consent_for_an_unknown_address,
    consent_that_was_answered,
    login_that_worked,
    login_that_was_denied,
    login_that_cirqll_refused,
    login_of_somebody_else,
    link,
    link_of_which_half_is_missing,
    link_on_its_way_to_cirqll,
    link_that_worked,
    link_that_was_denied,
    link_while_cirqll_is_down,
    link_that_is_forged,
    link_that_leads_nowhere,
)
