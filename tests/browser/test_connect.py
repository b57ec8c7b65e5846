"""A consent by a connect link, with the page that embeds it on another origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.connecting import embed, heard, popup_of
from tests.browser.page_parts import press, shows
from tests.browser.person import Person
from tests.browser.site import site
from tests.browser.terminal import awaited

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from cirqll_sandbox import Sandbox
    from tests.browser.connecting import ConnectServer
    from tests.browser.site import Site

QUESTION = "Sandbox client asks for access"
BEGIN = "Continue to Cirqll"
DONE = "The connection is made"
SANDBOX = "Sandbox of Sandbox B.V."


def consent(page: Page) -> None:
    """Go through the pages from the link's to the end."""
    press(page, BEGIN)
    press(page, "Allow")


# With a message to the page that opened the window.


def test_the_embedding_page_is_told_and_the_window_closes(
    server: ConnectServer, person: Person, planner: Site
) -> None:
    account, message = server.new_account(), 'done: {"crm": "Cirqll", "é": "</script>"}'
    link = server.link(planner.origin, account=account, callback_message=message)
    page = embed(person, planner, link)
    popup = popup_of(page)
    press(popup, BEGIN)
    with popup.expect_event("close"):
        press(popup, "Allow")
    assert heard(page) == [{"message": message, "origin": server.url, "isFromPopup": True}]
    assert server.terminal.signed_in(account) == SANDBOX


def test_a_page_of_another_origin_hears_nothing(
    server: ConnectServer, person: Person, planner: Site
) -> None:
    link = server.link(planner.origin, callback_message="done")
    with site("localhost") as thief:
        page, bystander = embed(person, thief, link), embed(person, planner, link)
        popup = popup_of(page)
        press(popup, BEGIN)
        with popup.expect_event("close"):
            press(popup, "Allow")
        page.wait_for_timeout(100)
        assert (heard(page), heard(bystander)) == ([], [])


def test_where_the_embedding_page_is_gone_the_person_can_go_on(
    server: ConnectServer, person: Person, planner: Site
) -> None:
    link = server.link(planner.origin, callback_message="done")
    page = embed(person, planner, link)
    popup = popup_of(page)
    press(popup, BEGIN)
    page.close()
    press(popup, "Allow")
    assert "could not be told" in shows(popup, DONE)
    popup.get_by_role("link", name="Go on to localhost").click()
    popup.wait_for_url(f"{planner.origin}/")


def test_the_message_reaches_nobody_where_there_is_no_opener(
    server: ConnectServer, person: Person, planner: Site
) -> None:
    page = person.open(server.link(planner.origin, callback_message="done"))
    consent(page)
    assert "could not be told" in shows(page, DONE)


# Without a message.


def test_without_a_message_the_browser_goes_to_the_origin(
    server: ConnectServer, person: Person, planner: Site
) -> None:
    account = server.new_account()
    page = person.open(server.link(planner.origin, account=account))
    consent(page)
    page.wait_for_url(f"{planner.origin}/")
    assert planner.visits == ["/"]
    assert server.terminal.signed_in(account) == SANDBOX


def test_a_link_of_several_origins_leads_to_the_one_that_it_names(
    server: ConnectServer, person: Person, planner: Site
) -> None:
    link = server.link(["https://app.voorbeeld.example", planner.origin])
    page = person.open(f"{link}&target_origin={planner.origin}")
    consent(page)
    page.wait_for_url(f"{planner.origin}/")


def test_an_origin_that_the_link_does_not_allow_leads_nowhere(
    server: ConnectServer, person: Person, planner: Site
) -> None:
    link = server.link("https://app.voorbeeld.example")
    page = person.open(f"{link}&target_origin={planner.origin}")
    press(page, BEGIN)
    shows(page, "This link was changed")
    assert planner.visits == []


# What else a person does.


def test_who_denies_can_try_again(server: ConnectServer, person: Person, planner: Site) -> None:
    account = server.new_account()
    page = person.open(server.link(planner.origin, account=account))
    press(page, BEGIN)
    press(page, "Deny")
    assert "nothing was connected" in shows(page, "You did not allow it")
    assert "cirqll login" in server.terminal.signed_in(account)
    press(page, "Try again")
    press(page, "Allow")
    page.wait_for_url(f"{planner.origin}/")
    assert server.terminal.signed_in(account) == SANDBOX


def test_where_cirqll_fails_the_same_link_works_later(
    server: ConnectServer, person: Person, planner: Site, company: Sandbox
) -> None:
    company.faults.add("503", path="/oauth/token", times=1)
    page = person.open(server.link(planner.origin))
    consent(page)
    shows(page, "Cirqll does not answer")
    press(page, "Try again")
    press(page, "Allow")
    page.wait_for_url(f"{planner.origin}/")


def test_the_back_button_leads_back_to_a_beginning_that_works(
    server: ConnectServer, person: Person, planner: Site
) -> None:
    page = person.open(server.link(planner.origin))
    press(page, BEGIN)
    shows(page, QUESTION)
    page.go_back()
    shows(page, "Connect Cirqll")
    consent(page)
    page.wait_for_url(f"{planner.origin}/")


def test_a_double_click_begins_once(
    server: ConnectServer, person: Person, planner: Site, company: Sandbox
) -> None:
    company.forget_requests()
    page = person.open(server.link(planner.origin))
    page.get_by_role("button", name=BEGIN).dblclick()
    press(page, "Allow")
    page.wait_for_url(f"{planner.origin}/")
    assert [one.outcome for one in company.authorize_requests] == ["asked", "allowed"]
    assert [one.outcome for one in company.token_requests] == ["issued"]


def test_who_presses_again_while_nothing_happens_yet_begins_once(
    server: ConnectServer, person: Person, planner: Site, company: Sandbox
) -> None:
    company.faults.add("slow-start", path="/oauth/scopes", times=1, seconds=0.5)
    page = person.open(server.link(planner.origin))
    posts: list[str] = []
    page.on("request", lambda one: posts.append(one.url) if one.method == "POST" else None)
    place = page.get_by_role("button", name=BEGIN).bounding_box()
    assert place
    for _ in range(3):
        page.mouse.click(place["x"] + 5, place["y"] + 5)
        page.wait_for_timeout(100)
    shows(page, QUESTION)
    assert posts == [f"{server.url}/connect"]


def test_after_a_reload_the_link_can_be_opened_again(
    server: ConnectServer, person: Person, planner: Site
) -> None:
    link = server.link(planner.origin)
    page = person.open(link)
    page.reload()
    page.goto(link)
    consent(page)
    page.wait_for_url(f"{planner.origin}/")


def test_reloading_the_last_page_does_nothing_a_second_time(
    server: ConnectServer, person: Person, planner: Site, company: Sandbox
) -> None:
    page = person.open(server.link(planner.origin, callback_message="done"))
    consent(page)
    shows(page, DONE)
    company.forget_requests()
    page.reload()
    page.wait_for_load_state()
    assert company.token_requests == ()


def test_two_links_in_two_tabs_do_not_disturb_each_other(
    server: ConnectServer, person: Person, planner: Site
) -> None:
    accounts = [server.new_account(), server.new_account()]
    pages = [person.open(server.link(planner.origin, account=one)) for one in accounts]
    for page in pages:
        press(page, BEGIN)
    for page in pages:
        press(page, "Allow")
        page.wait_for_url(f"{planner.origin}/")
    assert [server.terminal.signed_in(one) for one in accounts] == [SANDBOX, SANDBOX]


def test_somebody_elses_browser_cannot_finish_what_was_begun(
    server: ConnectServer, person: Person, planner: Site, browser: Browser
) -> None:
    account = server.new_account()
    page = person.open(server.link(planner.origin, account=account))
    press(page, BEGIN)
    shows(page, QUESTION)
    callback = f"{server.url}/callback?code=theirs&state={state_of(page)}"
    other = Person.at(browser)
    shows(other.open(callback), "You began in another browser")
    other.context.close()
    assert other.troubles == []
    press(page, "Allow")
    page.wait_for_url(f"{planner.origin}/")


# Links that do not work.


def test_a_used_link_says_so(server: ConnectServer, person: Person, planner: Site) -> None:
    link = server.link(planner.origin)
    page = person.open(link)
    consent(page)
    page.wait_for_url(f"{planner.origin}/")
    again = person.open(link)
    press(again, BEGIN)
    shows(again, "This link was used")


def test_an_expired_link_says_so(server: ConnectServer, person: Person, planner: Site) -> None:
    page = person.open(server.link(planner.origin, expires_in=1))
    page.wait_for_timeout(1000)
    press(page, BEGIN)
    shows(page, "This link is too old")


def test_a_forged_link_says_so(server: ConnectServer, person: Person, planner: Site) -> None:
    link = server.link(planner.origin)
    page = person.open(f"{link[:-4]}AAAA")
    press(page, BEGIN)
    shows(page, "This link does not work")


def test_half_a_link_says_so_at_once(server: ConnectServer, person: Person) -> None:
    page = person.open(f"{server.url}/connect")
    assert "Not the whole link arrived" in shows(page, "Connect Cirqll")
    expect(page.get_by_role("button")).to_have_count(0)


def test_without_javascript_the_page_says_what_it_needs(
    server: ConnectServer, planner: Site, browser: Browser
) -> None:
    person = Person.at(browser, java_script_enabled=False)
    page = person.open(server.link(planner.origin))
    assert "This page needs JavaScript" in shows(page, "Connect Cirqll")
    expect(page.get_by_role("button")).to_have_count(0)
    person.context.close()


# What is kept from others.


def test_the_token_leaves_the_address_bar_and_the_history(
    server: ConnectServer, person: Person, planner: Site
) -> None:
    link = server.link(planner.origin)
    asked: list[str] = []
    person.context.on("request", lambda request: asked.append(request.url))
    page = person.open(link)
    assert page.url == f"{server.url}/connect"
    page.goto(planner.origin)
    page.go_back()
    assert page.url == f"{server.url}/connect"
    token = link.partition("token=")[2]
    assert token
    assert token not in " ".join(asked)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    server: ConnectServer, person: Person, planner: Site
) -> None:
    page = person.open(server.link(planner.origin))
    assert person.context.cookies() == []
    press(page, BEGIN)
    shows(page, QUESTION)
    (cookie,) = person.context.cookies(server.url + "/callback")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert cookie["name"] == "cirqll-connect"


def test_no_other_site_can_show_the_link_in_a_frame(
    server: ConnectServer, person: Person, planner: Site
) -> None:
    planner.pages["/trap"] = f'<iframe src="{server.link(planner.origin)}"></iframe>'
    page = person.open(f"{planner.origin}/trap")
    awaited(lambda: "".join(person.troubles), lambda: "the browser showed the frame")
    assert page.frames[1].get_by_role("button").count() == 0
    person.expected = "frame-ancestors"


def test_no_other_site_can_begin_for_the_person(
    server: ConnectServer, person: Person, planner: Site
) -> None:
    token = server.link(planner.origin).partition("token=")[2]
    planner.pages["/trap"] = (
        f'<form method="post" action="{server.url}/connect">'
        f'<input name="token" value="{token}"><button>Win a prize</button></form>'
    )
    page = person.open(f"{planner.origin}/trap")
    press(page, "Win a prize")
    shows(page, "Please open the link itself")


def state_of(consent_page: Page) -> str:
    return consent_page.url.partition("state=")[2].partition("&")[0]


def test_the_way_back_in_a_tab_leads_on_with_the_link_of_that_tab(
    server: ConnectServer, person: Person, planner: Site
) -> None:
    accounts = [server.new_account(), server.new_account()]
    pages = [person.open(server.link(planner.origin, account=one)) for one in accounts]
    for page in pages:
        press(page, BEGIN)
        shows(page, QUESTION)
    first = pages[0]
    first.go_back()
    consent(first)
    first.wait_for_url(f"{planner.origin}/")
    assert server.terminal.signed_in(accounts[0]) == SANDBOX
    assert "cirqll login" in server.terminal.signed_in(accounts[1])


def test_reloading_the_beginning_loses_nothing(
    server: ConnectServer, person: Person, planner: Site
) -> None:
    page = person.open(server.link(planner.origin))
    page.reload()
    consent(page)
    page.wait_for_url(f"{planner.origin}/")
