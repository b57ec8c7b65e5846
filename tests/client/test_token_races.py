"""One refresh token is sent once, however many processes and threads need the new one."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.connection import connect
from cirqll_client.errors import SignInRequired
from tests.client.signed_in import DAY, Cirqll, Renewers, cirqll, stored_pair

if TYPE_CHECKING:
    from collections.abc import Iterator

PROCESSES = 50
SPENT = (
    "The tokens of the account default were sent to be renewed, and no answer came back ({}). The "
    "refresh token may be spent by that, so it is not sent again. Sign in again with `cirqll "
    "login`."
)


@pytest.fixture
def crm(store_url: str) -> Iterator[Cirqll]:
    """A Cirqll to sign in to, on a store of each kind."""
    with cirqll(store_url) as one:
        yield one


def sentences(outcomes: list[dict[str, Any]]) -> set[str]:
    """The sentences in which all of the processes ended."""
    assert len(outcomes) == PROCESSES
    return {one.get("sentence", one["error"]) for one in outcomes}


def test_fifty_processes_with_an_expired_token_renew_once_and_all_go_on(
    crm: Cirqll, herd: Renewers
) -> None:
    crm.sign_in()
    crm.sandbox.expire_access_tokens()
    assert sentences(herd.run(crm.settings(), count=PROCESSES)) == {""}
    assert [one.outcome for one in crm.refreshes] == ["issued"]
    assert [one.status for one in crm.sandbox.requests] == [200] * PROCESSES


def test_fifty_processes_with_a_token_that_died_unexpectedly_renew_once_and_all_go_on(
    crm: Cirqll, herd: Renewers
) -> None:
    crm.sign_in(ages=(-DAY, 29 * DAY))
    crm.sandbox.expire_access_tokens()
    assert sentences(herd.run(crm.settings(), count=PROCESSES)) == {""}
    assert [one.outcome for one in crm.refreshes] == ["issued"]


def test_fifty_processes_with_one_seed_and_an_empty_store_send_it_once(
    crm: Cirqll, herd: Renewers
) -> None:
    seed = crm.sandbox.grant().refresh_token
    assert sentences(herd.run(crm.settings(refresh_token=seed), count=PROCESSES)) == {""}
    assert [one.outcome for one in crm.refreshes] == ["issued"]


def test_fifty_processes_hear_from_one_request_that_the_token_is_dead(
    crm: Cirqll, herd: Renewers
) -> None:
    crm.sign_in()
    crm.sandbox.expire_refresh_tokens()
    (sentence,) = sentences(herd.run(crm.settings(), count=PROCESSES, lease_seconds=20))
    assert sentence.startswith("Cirqll no longer accepts the refresh token of the account default")
    assert sentence.endswith("Sign in again with `cirqll login`.")
    assert [one.outcome for one in crm.refreshes] == ["invalid_grant"]


def test_fifty_processes_lose_one_answer_and_none_asks_again(crm: Cirqll, herd: Renewers) -> None:
    crm.sign_in()
    crm.sandbox.faults.add("lost-answer", path="/oauth/token")
    outcomes = herd.run(crm.settings(), count=PROCESSES, lease_seconds=20)
    assert sentences(outcomes) == {SPENT.format("the connection broke")}
    assert len(crm.refreshes) == 1


def test_fifty_processes_lose_the_answer_to_a_seed_and_none_asks_again(
    sqlite_url: str, herd: Renewers
) -> None:
    with cirqll(sqlite_url) as crm:
        crm.sandbox.faults.add("lost-answer", path="/oauth/token")
        settings = crm.settings(refresh_token=crm.sandbox.grant().refresh_token)
        outcomes = herd.run(settings, count=PROCESSES, lease_seconds=20)
        assert sentences(outcomes) == {SPENT.format("the connection broke")}
        assert len(crm.refreshes) == 1


def test_processes_whose_access_token_is_good_do_not_wait_for_the_renewal(
    sqlite_url: str, herd: Renewers
) -> None:
    with cirqll(sqlite_url) as crm:
        crm.sign_in(ages=(-16 * DAY, 14 * DAY))
        crm.sandbox.faults.add("slow-start", path="/oauth/token", seconds=2)
        outcomes = herd.run(crm.settings(), count=5)
        quick = [one for one in outcomes if one["seconds"] < 2]
        assert [one["error"] for one in outcomes] == [""] * 5
        assert (len(quick), len(crm.refreshes)) == (4, 1)


def test_threads_that_hear_401_at_once_renew_once_and_lose_no_result(sqlite_url: str) -> None:
    with cirqll(sqlite_url) as crm:
        crm.sign_in(ages=(-DAY, 29 * DAY))
        crm.sandbox.expire_access_tokens()
        connection = connect(crm.settings())
        start = threading.Barrier(8)

        def read(_: int) -> Any:
            start.wait()
            return connection.client.me()["id"]

        with ThreadPoolExecutor(8) as pool:
            assert len(list(pool.map(read, range(8)))) == 8
        connection.close()
        assert [one.outcome for one in crm.refreshes] == ["issued"]


def test_threads_go_on_with_a_good_token_while_one_of_them_renews(sqlite_url: str) -> None:
    with cirqll(sqlite_url) as crm:
        crm.sign_in(ages=(-DAY, 29 * DAY))
        later = [0.0]
        keeper = crm.keeper(clock=lambda: time.monotonic() + later[0])
        keeper.token()
        later[0] = 20 * DAY
        crm.tokens().save("default", stored_pair(crm.sandbox.grant()), crm.origin())
        renewing, go_on = threading.Event(), threading.Event()

        def hold(_request: object) -> None:
            renewing.set()
            assert go_on.wait(10)

        crm.sandbox.before_token_request(hold)
        with ThreadPoolExecutor(1) as pool:
            renewed = pool.submit(keeper.token)
            assert renewing.wait(10)
            began = time.monotonic()
            old = keeper.token()
            assert time.monotonic() - began < 1
            go_on.set()
            assert renewed.result() is not old


def test_fifty_threads_that_find_no_sign_in_left_say_the_same(sqlite_url: str) -> None:
    with cirqll(sqlite_url) as crm:
        crm.sign_in()
        crm.sandbox.expire_refresh_tokens()
        keeper = crm.keeper()

        def fail(_: int) -> str:
            with pytest.raises(SignInRequired) as caught:
                keeper.token()
            return caught.value.sentence

        with ThreadPoolExecutor(PROCESSES) as pool:
            assert len(set(pool.map(fail, range(PROCESSES)))) == 1
        assert len(crm.refreshes) == 1
