"""Wherever a renewal is killed, the store is whole and no refresh token is sent twice."""

from __future__ import annotations

import os
import random
import signal
import time
from typing import TYPE_CHECKING

import pytest

from cirqll_client.connection import connect
from cirqll_client.errors import SignInRequired
from tests.client.renewer import KILL_POINTS
from tests.client.signed_in import Cirqll, Renewers, cirqll, stored_pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cirqll_sandbox.grants import Pair

LEASE_SECONDS = 0.3
SPENT = (
    "The tokens of the account default were sent to be renewed, and no answer came back (the "
    "program that sent it ended first). The refresh token may be spent by that, so it is not sent "
    "again. Sign in again with `cirqll login`."
)
POINTS = (*KILL_POINTS, "while the server reads", "while the server answers")
GOES_ON = {"before the mark", "after it"}


@pytest.fixture
def crm(sqlite_url: str) -> Iterator[Cirqll]:
    with cirqll(sqlite_url, latency_seconds=0.01) as one:
        yield one


@pytest.fixture
def crm_on_postgresql(new_postgres_url: Callable[[], str]) -> Iterator[Cirqll]:
    with cirqll(new_postgres_url(), latency_seconds=0.01) as one:
        yield one


def kill(pid: int) -> None:
    """Kill a process that another one has started and not waited for: the id is still its own."""
    os.kill(pid, signal.SIGKILL)


def killed_at(point: str, crm: Cirqll, herd: Renewers) -> None:
    """Kill one process that renews."""
    pids: list[int] = []

    def at_the_request(_request: object) -> None:
        while not pids:
            time.sleep(0.001)
        if point == "while the server reads":
            kill(pids[0])

    end = crm.sandbox.before_token_request(at_the_request)
    if point == "while the server answers":
        crm.sandbox.faults.add("slow", path="/oauth/token", seconds=0.5, times=1)
    before = len(crm.refreshes)
    pids += herd.start(crm.settings(), lease_seconds=LEASE_SECONDS, kill_at=point)
    if point == "while the server answers":
        while len(crm.refreshes) == before or crm.refreshes[-1].outcome is None:
            time.sleep(0.005)
        kill(pids[0])
    assert herd.outcomes() == []
    end()


def killed_after(seconds: float, crm: Cirqll, herd: Renewers) -> None:
    """Kill one process that renews at that time; one that is through waits for it."""
    (pid,) = herd.start(crm.settings(), lease_seconds=LEASE_SECONDS, stays=True)
    time.sleep(seconds)
    kill(pid)
    herd.outcomes()


def goes_on_after(crm: Cirqll, old: Pair) -> bool:
    """Tell whether those who come after the killed one go on; whatever must hold is checked."""
    crm.close_stores()
    stored = crm.stored()
    assert stored.pair
    is_old = stored.pair.access_token == old.access_token
    assert is_old is (stored.pair.refresh_token == old.refresh_token)
    goes_on = stored.mark.state == "ready"
    for _ in range(2):
        keeper = crm.keeper(lease_seconds=LEASE_SECONDS)
        if goes_on:
            keeper.token()
        else:
            with pytest.raises(SignInRequired) as caught:
                keeper.token()
            assert caught.value.sentence == SPENT
    assert set(crm.times_sent().values()) <= {1}
    return goes_on


def assert_usable_after_a_sign_in(crm: Cirqll) -> None:
    """A new sign-in mends whatever happened."""
    crm.tokens().save("default", stored_pair(crm.sandbox.grant()), crm.origin())
    connection = connect(crm.settings())
    assert connection.client.me()
    connection.close()
    assert set(crm.times_sent().values()) <= {1}


@pytest.mark.parametrize("point", POINTS)
def test_after_a_kill_at_each_step_others_go_on_or_are_told_why_not(
    crm: Cirqll, herd: Renewers, point: str
) -> None:
    old = crm.sign_in()
    killed_at(point, crm, herd)
    assert goes_on_after(crm, old) is (point in GOES_ON)
    assert crm.times_it_saw(old.refresh_token) == (point != "after the mark")
    assert_usable_after_a_sign_in(crm)


@pytest.mark.parametrize("point", ["after the mark", "in the save", "after it"])
def test_on_postgresql_it_is_the_same(
    crm_on_postgresql: Cirqll, herd: Renewers, point: str
) -> None:
    old = crm_on_postgresql.sign_in()
    killed_at(point, crm_on_postgresql, herd)
    assert goes_on_after(crm_on_postgresql, old) is (point in GOES_ON)
    assert_usable_after_a_sign_in(crm_on_postgresql)


def test_a_seed_whose_sender_is_killed_is_not_sent_again(crm: Cirqll, herd: Renewers) -> None:
    seed = crm.sandbox.grant().refresh_token
    settings = crm.settings(refresh_token=seed)
    herd.run(settings, lease_seconds=LEASE_SECONDS, kill_at="before the save")
    (told,) = herd.run(settings, lease_seconds=LEASE_SECONDS)
    assert told["sentence"] == SPENT
    assert crm.times_it_saw(seed) == 1


def test_processes_that_wait_for_a_killed_one_are_told_when_its_time_is_up(
    crm: Cirqll, herd: Renewers
) -> None:
    crm.sign_in()
    herd.run(crm.settings(), lease_seconds=2, kill_at="before the save")
    outcomes = herd.run(crm.settings(), lease_seconds=2, count=5)
    assert {one["sentence"] for one in outcomes} == {SPENT}
    assert all(0.5 < one["seconds"] < 10 for one in outcomes)


def random_kills(crm: Cirqll, herd: Renewers, *, number: int, seed: int) -> int:
    """Kill so often at random times; how many of them were in the middle of a renewal."""
    dice, in_the_middle = random.Random(seed), 0  # noqa: S311 - no secret
    for _ in range(number):
        old = crm.sign_in()
        killed_after(dice.uniform(0.02, 0.12), crm, herd)
        in_the_middle += not goes_on_after(crm, old)
    assert_usable_after_a_sign_in(crm)
    return in_the_middle


def test_after_a_kill_at_any_time_others_go_on_or_are_told_why_not(
    crm: Cirqll, herd: Renewers
) -> None:
    random_kills(crm, herd, number=6, seed=time.time_ns())


@pytest.mark.soak
def test_after_hundreds_of_kills_nothing_is_lost_but_what_was_on_its_way(
    crm: Cirqll, herd: Renewers
) -> None:
    assert 20 < random_kills(crm, herd, number=300, seed=1) < 280


@pytest.mark.soak
def test_after_many_kills_on_postgresql_it_is_the_same(
    crm_on_postgresql: Cirqll, herd: Renewers
) -> None:
    assert 5 < random_kills(crm_on_postgresql, herd, number=100, seed=2) < 95


@pytest.mark.soak
@pytest.mark.parametrize("round_", range(20))
def test_each_step_many_times(crm: Cirqll, herd: Renewers, round_: int) -> None:
    for point in POINTS:
        old = crm.sign_in()
        killed_at(point, crm, herd)
        assert goes_on_after(crm, old) is (point in GOES_ON), round_
