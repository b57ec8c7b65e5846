"""Somebody else's consent, from the link to the tokens; and every way in which it is refused."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from tests.client.connect_service import (
    APP,
    Person,
    connect_service,
    leads_to,
    state_of,
    title_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from tests.client.connect_service import Service

OTHER = "https://other.example.com"


@pytest.fixture
def stranger(service: Service) -> Iterator[Person]:
    """Somebody else, with another browser."""
    with Person(service) as somebody:
        yield somebody


def page_data(page: requests.Response) -> dict[str, str]:
    """What the script of a page is told."""
    found = re.search(r"const pageData = (.*);", page.text)
    assert found
    data: dict[str, str] = json.loads(found[1])
    return data


# The whole way


def test_a_consent_leaves_tokens_where_pipelines_look(store_url: str) -> None:
    with connect_service(store_url) as service, Person(service) as person:
        # Given
        assert service.account() is None
        # When
        end = person.consent(service.token())
        # Then
        assert (end.status_code, title_of(end)) == (200, "The connection is made")
        account = service.account()
        assert account is not None
        assert account.pair is not None
        assert account.pair.access_token
        assert account.pair.refresh_token
        assert account.signed_in_as is not None


def test_without_a_message_the_browser_is_led_to_the_origin(
    service: Service, person: Person
) -> None:
    # When
    end = person.consent(service.token())
    # Then
    assert leads_to(end) == APP
    assert f'href="{APP}"' in end.text


def test_with_a_message_the_opener_is_told_and_nobody_is_led_anywhere(
    service: Service, person: Person
) -> None:
    # When
    end = person.consent(service.token(callback_message="done: 17"))
    # Then
    assert page_data(end) == {"message": "done: 17", "origin": APP}
    assert "opener.postMessage(pageData.message, pageData.origin)" in end.text
    assert "Refresh" not in end.headers


def test_a_message_cannot_leave_its_script(service: Service, person: Person) -> None:
    # Given
    message = "</script><script>alert(1)</script><!--\u2028'\"\\"
    # When
    end = person.consent(service.token(callback_message=message))
    # Then
    assert page_data(end)["message"] == message
    assert end.text.count("<script") == end.text.count("</script") == 1
    assert "\u2028" not in end.text
    assert "<!--" not in end.text


def test_a_link_may_choose_among_its_origins(service: Service, person: Person) -> None:
    # Given
    token = service.token(target_origins=[APP, OTHER])
    # When
    end = person.consent(token, target_origin="HTTPS://other.example.com:443")
    # Then
    assert leads_to(end) == OTHER


def test_what_is_asked_for_is_what_the_link_says(service: Service, person: Person) -> None:
    # Given
    token = service.token(scopes="user.read.all customer.read.all")
    # When
    query = dict(parse_qsl(urlsplit(leads_to(person.press(token))).query))
    # Then
    assert query["scope"] == "user.read.all customer.read.all"
    assert query["redirect_uri"] == f"{service.url}/callback"
    assert query["code_challenge_method"] == "S256"


def test_two_links_may_be_on_their_way_in_one_browser(service: Service, person: Person) -> None:
    # Given
    first, second = service.token(), service.token(account="beta")
    first_return = person.decide(person.press(first))
    second_return = person.decide(person.press(second))
    # When
    statuses = [person.get(url).status_code for url in (first_return, second_return)]
    # Then
    assert statuses == [200, 200]
    assert service.account("acme")
    assert service.account("beta")


def test_encrypted_stores_hold_no_verifier_and_no_token(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    monkeypatch.setenv("CIRQLL_STORE_KEY", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    with connect_service(store_url) as service, Person(service) as person:
        token = service.token()
        started = person.press(token)
        kept = everything_in(service)
        # When
        end = person.get(person.decide(started))
        # Then
        assert end.status_code == 200
        account = service.account()
        assert account is not None
        assert account.pair is not None
        assert "fernet:" in kept
        for secret in (token, state_of(started), "code_verifier"):
            assert secret not in kept
        assert all(secret not in everything_in(service) for secret in account.pair.secrets())


def everything_in(service: Service) -> str:
    """All rows of the links and of the accounts."""
    from cirqll_client.store import ACCOUNTS, CONNECT_LINKS  # noqa: PLC0415

    with service.store.transaction() as connection:
        tables = (CONNECT_LINKS, ACCOUNTS)
        return "\n".join(str(row) for one in tables for row in connection.execute(one.select()))


# Links that do not work


def refused(page: requests.Response, status: int, title: str) -> None:
    """It is a page for people, with no way into the account."""
    assert (page.status_code, title_of(page)) == (status, title)
    assert "Refresh" not in page.headers
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "token", ["x" * 43, "'; DROP TABLE connect_links; --", "é\0", "", "\ud800"]
)
def test_a_forged_link_is_refused(service: Service, person: Person, token: str) -> None:
    # Given
    service.token()
    # When
    page = person.post(urlencode({"token": token}, errors="replace"), headers=FORM)
    # Then
    refused(page, 403, "This link does not work")


def test_an_id_that_no_database_takes_is_a_link_that_is_not_known(store_url: str) -> None:
    with connect_service(store_url) as service, Person(service) as person:
        person.press(service.token())
        refused(person.press(link="a\0b"), 403, "This link does not work")


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_a_link_works_once(store_url: str) -> None:
    with connect_service(store_url) as service, Person(service) as person:
        # Given
        token = service.token()
        person.consent(token)
        # When
        page = person.press(token)
        # Then
        refused(page, 410, "This link was used")
        assert service.exchanges == 1


def test_a_link_expires(service: Service, person: Person) -> None:
    # Given
    token = service.token(expires_in="5m")
    service.time.sleep(299)
    assert person.press(token).status_code == 200
    service.time.sleep(1)
    # When
    page = person.press(token)
    # Then
    refused(page, 410, "This link is too old")


def test_who_started_in_time_may_finish_later(service: Service, person: Person) -> None:
    # Given
    token = service.token(expires_in="5m")
    service.time.sleep(299)
    url = person.decide(person.press(token))
    service.time.sleep(899)
    # When
    end = person.get(url)
    # Then
    assert title_of(end) == "The connection is made"


def test_who_takes_too_long_is_refused(service: Service, person: Person) -> None:
    # Given
    token = service.token(expires_in="3d")
    url = person.decide(person.press(token))
    service.time.sleep(900)
    # When
    page = person.get(url)
    # Then
    refused(page, 410, "That took too long")
    assert service.exchanges == 0
    assert service.account() is None


def test_who_took_too_long_may_try_again_while_the_link_lives(
    service: Service, person: Person
) -> None:
    # Given
    url = person.decide(person.press(service.token(expires_in="3d")))
    service.time.sleep(900)
    # When
    started = person.press_again(person.get(url))
    # Then
    assert title_of(person.get(person.decide(started))) == "The connection is made"


@pytest.mark.parametrize(
    "origin",
    [
        OTHER,
        f"{APP}/",
        f"{APP}/path",
        f"{APP}.evil.example",
        f"{APP}@evil.example",
        "https://app.example.com:8443",
        "http://app.example.com",
        "javascript:alert(1)",
        f"{APP}\nhttps://evil.example",
        "//app.example.com",
        "null",
    ],
)
def test_another_origin_than_the_link_allows_is_refused(
    service: Service, person: Person, origin: str
) -> None:
    # When
    page = person.press(service.token(), target_origin=origin)
    # Then
    refused(page, 400, "This link was changed")
    assert "evil" not in page.text


def test_a_link_that_was_taken_back_cannot_be_finished(service: Service, person: Person) -> None:
    # Given
    url = person.decide(person.press(service.token()))
    (link,) = service.links.living()
    # When
    assert service.links.remove(link.id)
    # Then
    refused(person.get(url), 400, "This page is no longer valid")
    assert service.exchanges == 0


# Coming back


def test_a_reloaded_callback_is_refused_and_nothing_is_exchanged_twice(store_url: str) -> None:
    with connect_service(store_url) as service, Person(service) as person:
        # Given
        url = person.decide(person.press(service.token()))
        person.get(url)
        # When
        page = person.get(url)
        # Then
        refused(page, 410, "This page did its work")
        assert service.exchanges == 1


def test_a_reloaded_callback_does_not_lead_into_another_link(
    service: Service, person: Person
) -> None:
    # Given
    url = person.decide(person.press(service.token()))
    person.get(url)
    person.press(service.token(account="beta"))
    # When
    page = person.get(url)
    # Then
    assert 'id="again"' not in page.text


def test_a_state_that_nobody_began_is_refused(service: Service, person: Person) -> None:
    # Given
    person.press(service.token())
    # When
    page = person.get(f"{service.url}/callback?code=abc&state=forged")
    # Then
    refused(page, 400, "This page is no longer valid")
    assert service.exchanges == 0


@pytest.mark.parametrize("query", ["", "code=abc", "state=", "state=%FF&code=a"])
def test_a_callback_without_a_state_is_refused(
    service: Service, person: Person, query: str
) -> None:
    refused(person.get(f"{service.url}/callback?{query}"), 400, "This page is no longer valid")


def test_a_parameter_that_comes_twice_is_refused(service: Service, person: Person) -> None:
    # Given
    url = person.decide(person.press(service.token()))
    # When
    page = person.get(f"{url}&state=another")
    # Then
    assert page.status_code == 400
    assert service.exchanges == 0


def test_another_browser_than_the_one_that_began_is_refused(
    service: Service, person: Person, stranger: Person
) -> None:
    # Given
    url = person.decide(person.press(service.token()))
    # When
    page = stranger.get(url)
    # Then
    refused(page, 403, "You began in another browser")
    assert service.exchanges == 0
    # And the person who began is not locked out
    assert title_of(person.get(url)) == "The connection is made"


def test_a_browser_that_began_with_another_link_is_refused(
    service: Service, person: Person, stranger: Person
) -> None:
    # Given
    url = person.decide(person.press(service.token()))
    stranger.press(service.token(account="beta"))
    # When
    page = stranger.get(url)
    # Then
    refused(page, 403, "You began in another browser")
    assert service.account() is None


def test_a_new_start_ends_the_earlier_one(service: Service, person: Person) -> None:
    # Given
    token = service.token()
    earlier = person.decide(person.press(token))
    later = person.decide(person.press(token))
    # When
    page = person.get(earlier)
    # Then
    refused(page, 400, "This page is no longer valid")
    assert title_of(person.get(later)) == "The connection is made"
    assert service.exchanges == 1


def test_who_denied_by_mistake_may_try_again(store_url: str) -> None:
    with connect_service(store_url) as service, Person(service) as person:
        # Given
        page = person.get(person.decide(person.press(service.token()), "deny"))
        refused(page, 403, "You did not allow it")
        assert service.exchanges == 0
        # When
        end = person.get(person.decide(person.press_again(page)))
        # Then
        assert title_of(end) == "The connection is made"


def test_after_a_denial_only_the_same_browser_may_go_on_without_the_link(
    service: Service, person: Person, stranger: Person
) -> None:
    # Given
    page = person.get(person.decide(person.press(service.token()), "deny"))
    # When
    stolen = stranger.press_again(page)
    # Then
    refused(stolen, 403, "This link does not work")


def test_a_denial_cannot_be_forged_without_the_browser(
    service: Service, person: Person, stranger: Person
) -> None:
    # Given
    started = person.press(service.token())
    denial = f"{service.url}/callback?error=access_denied&state={state_of(started)}"
    # When
    page = stranger.get(denial)
    # Then
    refused(page, 403, "You began in another browser")
    assert title_of(person.get(person.decide(started))) == "The connection is made"


def test_who_comes_back_to_the_page_without_the_link_may_go_on(
    service: Service, person: Person
) -> None:
    # Given
    person.press(service.token())
    # When
    page = person.get(f"{service.url}/connect")
    # Then
    link_id = re.search(r'name="link" value="(\w*)"', page.text)
    assert link_id
    end = person.get(person.decide(person.post({"link": link_id[1]})))
    assert title_of(end) == "The connection is made"


def test_an_error_of_cirqll_is_told_without_its_words(
    service: Service, person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    started = person.press(service.token())
    query = urlencode(
        {"error": "invalid_scope", "error_description": "bad\nword", "state": state_of(started)}
    )
    # When
    page = person.get(f"{service.url}/callback?{query}")
    # Then
    refused(page, 502, "Cirqll did not accept the question")
    assert "word" not in page.text
    assert any("bad word" in message for message in caplog.messages)


def test_another_company_is_refused_and_the_tokens_stay(service: Service, person: Person) -> None:
    # Given
    person.consent(service.token())
    before = service.account()
    other = service.sandbox.add_account("Iris de Boer", company="Tweede B.V.")
    # When
    url = person.decide(person.press(service.token()), user=str(other.user_id))
    page = person.get(url)
    # Then
    refused(page, 403, "This is another company")
    assert service.account() == before
    assert before is not None
    assert before.signed_in_as is not None
    assert before.signed_in_as not in page.text


def test_the_right_company_may_follow_on_the_wrong_one(service: Service, person: Person) -> None:
    # Given
    person.consent(service.token())
    other = service.sandbox.add_account("Iris de Boer", company="Tweede B.V.")
    url = person.decide(person.press(service.token()), user=str(other.user_id))
    # When
    end = person.get(person.decide(person.press_again(person.get(url))))
    # Then
    assert title_of(end) == "The connection is made"


def test_a_code_that_cirqll_does_not_take_may_be_tried_again(
    service: Service, person: Person
) -> None:
    # Given
    url = person.decide(person.press(service.token()))
    service.sandbox.revoke_everything()
    # When
    page = person.get(url)
    # Then
    refused(page, 400, "Cirqll did not complete it")
    end = person.get(person.decide(person.press_again(page)))
    assert title_of(end) == "The connection is made"


def test_where_cirqll_is_down_the_link_still_works(service: Service, person: Person) -> None:
    # Given
    url = person.decide(person.press(service.token()))
    service.sandbox.faults.add("503", path="/oauth/token")
    # When
    page = person.get(url)
    # Then
    refused(page, 502, "Cirqll does not answer")
    service.sandbox.faults.clear()
    end = person.get(person.decide(person.press_again(page)))
    assert title_of(end) == "The connection is made"


def test_a_link_that_cannot_be_marked_does_not_make_the_page_untrue(
    service: Service, person: Person
) -> None:
    # Given
    with service.store.transaction() as connection:
        connection.exec_driver_sql(
            "create trigger full before update on connect_links when new.stage = 'used' "
            "begin select raise(abort, 'disk full'); end"
        )
    # When
    page = person.consent(service.token())
    # Then
    assert service.account()
    assert (page.status_code, title_of(page)) == (200, "The connection is made")


def test_a_wrong_secret_of_the_client_is_told_to_the_operator_only(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "another-secret-of-the-client"
    with connect_service(sqlite_url, client_secret=secret) as service, Person(service) as person:
        # When
        page = person.consent(service.token())
        # Then
        refused(page, 500, "Something is not set up right")
        assert "client" not in page.text.lower()
        assert any("client_secret" in message for message in caplog.messages)
        assert secret not in caplog.text


def test_scopes_that_were_not_granted_are_told_to_the_operator(
    service: Service, person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    service.sandbox.behaviour = replace(
        service.sandbox.behaviour,
        withheld_scopes=("customer.read.all",),
        scope_told_in_token=True,
    )
    # When
    end = person.consent(service.token(scopes="user.read.all customer.read.all"))
    # Then
    assert end.status_code == 200
    assert "The account acme was not granted: customer.read.all" in caplog.messages
