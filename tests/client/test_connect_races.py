"""Several at once: of all who try, one gets through, and nobody is locked out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
import requests

from cirqll_client.connect_server.link_life import Reason, Refused, Start
from tests.client.connect_service import Person, connect_service, state_of, title_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.client.connect_service import Service


def at_once(number: int, act: Callable[[int], requests.Response]) -> list[requests.Response]:
    """Let as many do the same in the same moment."""
    barrier = Barrier(number)

    def acting(which: int) -> requests.Response:
        barrier.wait()
        return act(which)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(acting, range(number)))


def test_of_ten_starts_at_once_one_can_be_finished(store_url: str) -> None:
    with connect_service(store_url) as service:
        # Given
        token = service.token()
        people = [Person(service) for _ in range(10)]
        # When
        started = at_once(10, lambda which: people[which].press(token))
        # Then
        assert {one.status_code for one in started} == {200}
        assert len({state_of(one) for one in started}) == 10
        ends = [person.get(person.decide(one)) for person, one in zip(people, started, strict=True)]
        assert sorted(end.status_code for end in ends) == [200, *[400] * 9]
        assert service.exchanges == 1
        for person in people:
            person.session.close()


def test_of_callbacks_at_once_one_exchanges(store_url: str) -> None:
    with connect_service(store_url) as service, Person(service) as person:
        # Given
        url = person.decide(person.press(service.token()))
        cookie = {"Cookie": f"cirqll-connect={person.session.cookies['cirqll-connect']}"}
        # When
        ends = at_once(
            6, lambda _: requests.get(url, headers=cookie, timeout=20, allow_redirects=False)
        )
        # Then
        assert sorted(end.status_code for end in ends) == [200, *[410] * 5]
        assert service.exchanges == 1
        assert {title_of(end) for end in ends} == {
            "The connection is made",
            "This page did its work",
        }


def test_nobody_starts_while_the_tokens_are_fetched(sqlite_url: str) -> None:
    with connect_service(sqlite_url) as service, Person(service) as person:
        # Given
        token = service.token()
        url = person.decide(person.press(token))
        meanwhile: list[requests.Response] = []

        def press_again(_: object) -> None:
            with Person(service) as somebody:
                meanwhile.append(somebody.press(token))

        stop = service.sandbox.before_token_request(press_again)
        # When
        end = person.get(url)
        stop()
        # Then
        assert title_of(end) == "The connection is made"
        assert [(one.status_code, title_of(one)) for one in meanwhile] == [(409, "One moment")]


def test_a_server_that_died_while_finishing_locks_nobody_out(sqlite_url: str) -> None:
    with connect_service(sqlite_url) as service, Person(service) as person:
        # Given
        token = service.token(expires_in="3d")
        started = person.press(token)
        service.links.claim(state_of(started), seconds=70)
        assert person.press(token).status_code == 409
        service.time.sleep(70)
        # When
        end = person.consent(token)
        # Then
        assert title_of(end) == "The connection is made"


def test_a_late_end_of_an_old_start_does_not_touch_a_newer_one(sqlite_url: str) -> None:
    with connect_service(sqlite_url) as service, Person(service) as person:
        # Given
        token = service.token(expires_in="3d")
        old = state_of(person.press(token))
        service.links.claim(old, seconds=70)
        service.time.sleep(70)
        newer = person.press(token)
        # When
        service.links.release(old)
        # Then
        assert title_of(person.get(person.decide(newer))) == "The connection is made"


def test_a_link_that_expires_while_it_is_finished_is_finished(sqlite_url: str) -> None:
    with connect_service(sqlite_url) as service, Person(service) as person:
        # Given
        url = person.decide(person.press(service.token()))
        stop = service.sandbox.before_token_request(lambda _: service.time.sleep(3600))
        # When
        end = person.get(url)
        stop()
        # Then
        assert title_of(end) == "The connection is made"
        assert used(service)


def used(service: Service) -> bool:
    """Whether no link can be used any more."""
    return service.links.living() == []


def test_a_start_is_claimed_once(store_url: str) -> None:
    with connect_service(store_url) as service, Person(service) as person:
        # Given
        state = state_of(person.press(service.token()))
        service.links.claim(state, seconds=70)
        # When
        with pytest.raises(Refused) as caught:
            service.links.claim(state, seconds=70)
        # Then
        assert caught.value.reason is Reason.USED_STATE


def test_what_was_used_meanwhile_is_not_started(store_url: str) -> None:
    with connect_service(store_url) as service, Person(service) as person:
        # Given
        token = service.token()
        link = service.links.startable(token=token)
        person.consent(token)
        start = Start(redirect_uri="", scopes=(), target_origin="", code_verifier=None)
        # When
        with pytest.raises(Refused) as caught:
            service.links.start(link, start, state="late", browser="late")
        # Then
        assert caught.value.reason is Reason.USED_LINK
