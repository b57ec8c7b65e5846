"""Never more than the limit in any window, over all processes, and no wait that is not needed."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cirqll_client.rate_budget import RateBudget
from cirqll_client.responses import RateLimit
from cirqll_client.store import Store
from cirqll_sandbox import Behaviour, Sandbox
from tests.client.fake_time import FakeTime

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 5
WINDOW = 60.0
ROUNDING = WINDOW / 1000 + 0.002
NOTHING_TOLD = RateLimit()


@dataclass(slots=True)
class Server:
    """Counts as Laravel does: a window begins with its first request."""

    time: FakeTime
    limit: int = LIMIT
    arrivals: list[float] = field(default_factory=list)
    begin: float = 0.0
    used: int = 0

    def arrive(self) -> RateLimit | None:
        """Count a request of ours; what the headers tell, `None` for a refusal."""
        self.arrivals.append(self.time.now)
        self.count(0)
        if self.used >= self.limit:
            return None
        self.count(1)
        return RateLimit(self.limit, self.limit - self.used)

    def count(self, requests: int) -> None:
        """Count requests, whoever sent them."""
        if self.time.now >= self.begin + WINDOW:
            self.begin, self.used = self.time.now, 0
        self.used = min(self.limit, self.used + requests)

    def most_in_a_window(self) -> int:
        """The largest number that arrived less than a window from each other."""
        times = sorted(self.arrivals)
        return max(
            (sum(0 <= t - first < WINDOW - 1e-6 for t in times) for first in times), default=0
        )


@dataclass(frozen=True, slots=True)
class Request:
    """How one request goes."""

    process: int
    pause: float
    latency: float
    arrives: float
    """At which part of its latency."""
    dies: bool = False
    foreign: int = 0
    tells: bool = True
    retry_after: int | None = 10


AT_THE_END = Request(0, pause=0, latency=40, arrives=1, tells=False)
AT_THE_BEGINNING = Request(1, pause=0, latency=40, arrives=0, tells=False)

requests = st.builds(
    Request,
    process=st.integers(0, 2),
    pause=st.just(0.0) | st.floats(0, 5) | st.floats(0, 90),
    latency=st.floats(0, 60),
    arrives=st.floats(0, 1),
    dies=st.integers(0, 9).map(lambda n: n == 0),
    foreign=st.integers(0, 12).map(lambda n: max(0, n - 8)),
    tells=st.booleans(),
    retry_after=st.sampled_from([None, 0, 1, 30, 60]),
)


def play(script: list[Request], time: FakeTime, server: Server) -> None:
    """Let several processes send requests that overlap; each take may have to wait."""
    store = Store("sqlite://", clock=time)
    budgets = [
        RateBudget(store, client="one", limit=LIMIT, sleep=time.sleep) for _process in range(3)
    ]

    def send(request: Request) -> None:
        time.pass_until(time.now + request.pause)
        server.count(request.foreign)
        permit = budgets[request.process].take()
        told: list[RateLimit | None] = []
        arrival = time.now + request.arrives * request.latency
        time.at(arrival, lambda: told.append(server.arrive()))
        if not request.dies:
            answered = time.now + request.latency
            time.at(answered, lambda: answer(request, permit, told[0]))

    def answer(request: Request, permit: int, told: RateLimit | None) -> None:
        budget = budgets[request.process]
        budget.settle(permit, told if told and request.tells else NOTHING_TOLD)
        if told is None:
            budget.block(request.retry_after or 1)

    for request in script:
        send(request)
    time.run_out()
    store.close()


@settings(max_examples=60, deadline=None)
@given(script=st.lists(requests, max_size=40))
@example(script=[Request(0, pause=0, latency=0, arrives=0, tells=False)] * 12)
@example(script=[*[AT_THE_END] * 5, *[AT_THE_BEGINNING] * 5])
def test_the_server_never_counts_more_than_the_limit_in_any_window(script: list[Request]) -> None:
    time = FakeTime()
    server = Server(time)
    play(script, time, server)
    assert server.most_in_a_window() <= LIMIT


@settings(max_examples=40, deadline=None)
@given(latencies=st.lists(st.floats(0, 20), min_size=1, max_size=40), arrives=st.floats(0, 1))
def test_no_wait_is_longer_than_the_law_needs(latencies: list[float], arrives: float) -> None:
    time = FakeTime()
    server = Server(time)
    begin = time.now
    store = Store("sqlite://", clock=time)
    budget = RateBudget(store, client="one", limit=LIMIT, sleep=time.sleep)
    for latency in latencies:
        permit = budget.take()
        time.pass_until(time.now + arrives * latency)
        told = server.arrive()
        assert told, "a 429 of our own making"
        time.pass_until(time.now + (1 - arrives) * latency)
        budget.settle(permit, told)
    store.close()
    windows = (len(latencies) - 1) // LIMIT
    assert time.now - begin <= windows * (WINDOW + ROUNDING) + sum(latencies) + 0.001


@pytest.fixture
def time_() -> FakeTime:
    return FakeTime()


@pytest.fixture
def store(time_: FakeTime) -> Iterator[Store]:
    store = Store("sqlite://", clock=time_)
    yield store
    store.close()


def spend(budget: RateBudget, requests: int, told: RateLimit = NOTHING_TOLD) -> None:
    for _ in range(requests):
        budget.settle(budget.take(), told)


def test_a_burst_is_used_at_once_and_the_wait_behind_it_is_announced_once(
    store: Store, time_: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="cirqll_client")
    waited: list[float] = []
    budget = RateBudget(store, client="one", sleep=time_.sleep, on_wait=waited.append)
    spend(budget, 60)
    assert not time_.naps
    spend(budget, 60)
    assert sum(waited) == pytest.approx(60, abs=ROUNDING)
    assert caplog.messages == ["The budget of requests is used up; waiting 60 s."]


def test_a_process_that_died_in_a_request_gives_its_permit_back_in_time(
    store: Store, time_: FakeTime
) -> None:
    budget = RateBudget(store, client="one", limit=1, longest_request_seconds=20, sleep=time_.sleep)
    budget.take()
    budget.take()
    assert sum(time_.naps) == pytest.approx(20 + WINDOW)


def test_a_request_that_took_longer_than_any_should_still_counts_after_its_answer(
    store: Store, time_: FakeTime
) -> None:
    budget = RateBudget(store, client="one", limit=1, longest_request_seconds=1, sleep=time_.sleep)
    permit = budget.take()
    time_.pass_until(time_.now + 500)
    budget.settle(permit, NOTHING_TOLD)
    budget.take()
    assert sum(time_.naps) == pytest.approx(WINDOW, abs=ROUNDING)


def test_the_limit_that_the_server_tells_is_followed(
    store: Store, time_: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="cirqll_client")
    budget = RateBudget(store, client="one", sleep=time_.sleep)
    spend(budget, 1, RateLimit(120, 119))
    assert caplog.messages == ["Cirqll allows 120 requests a minute; the budget follows."]
    spend(RateBudget(store, client="one", sleep=time_.sleep), 119)
    assert not time_.naps
    spend(budget, 1, RateLimit(3, 2))
    assert time_.naps


def test_a_limit_that_the_user_set_holds_whatever_the_server_and_other_processes_say(
    store: Store, time_: FakeTime
) -> None:
    mine = RateBudget(store, client="one", limit=3, sleep=time_.sleep)
    others = RateBudget(store, client="one", sleep=time_.sleep)
    spend(mine, 2, RateLimit(120, 119))
    spend(others, 1, RateLimit(120, 117))
    assert not time_.naps
    spend(mine, 1)
    assert time_.naps


def test_what_other_programs_use_is_left_to_them(store: Store, time_: FakeTime) -> None:
    budget = RateBudget(store, client="one", sleep=time_.sleep)
    spend(budget, 1, RateLimit(60, 19))
    spend(budget, 19)
    assert not time_.naps
    spend(budget, 1)
    assert time_.naps


def test_a_window_that_begins_anew_frees_what_others_used(store: Store, time_: FakeTime) -> None:
    budget = RateBudget(store, client="one", sleep=time_.sleep)
    spend(budget, 1, RateLimit(60, 1))
    spend(budget, 1, RateLimit(60, 59))
    spend(budget, 58)
    assert not time_.naps


def test_an_answer_that_takes_long_does_not_take_our_own_for_others(
    store: Store, time_: FakeTime
) -> None:
    budget = RateBudget(store, client="one", limit=5, sleep=time_.sleep)
    spend(budget, 4)
    time_.pass_until(time_.now + 59)
    permit = budget.take()
    time_.pass_until(time_.now + 6)
    budget.settle(permit, RateLimit(5, 0))
    spend(budget, 4)
    assert not time_.naps


def test_a_block_holds_every_process_back_for_as_long_as_the_server_said(
    store: Store, time_: FakeTime
) -> None:
    one = RateBudget(store, client="one", sleep=time_.sleep)
    other = RateBudget(store, client="one", sleep=time_.sleep)
    one.block(7)
    other.take()
    assert sum(time_.naps) == pytest.approx(7)


def test_a_clock_that_was_set_back_holds_nothing_up_for_longer_than_a_window(
    store: Store, time_: FakeTime
) -> None:
    budget = RateBudget(store, client="one", limit=2, sleep=time_.sleep)
    spend(budget, 1)
    budget.block(30)
    time_.now -= 86_400
    budget = RateBudget(store, client="one", limit=1, sleep=time_.sleep)
    budget.take()
    assert sum(time_.naps) <= 3600 + WINDOW


def test_clients_of_other_accounts_have_budgets_of_their_own(store: Store, time_: FakeTime) -> None:
    for client in ("one", "two"):
        spend(RateBudget(store, client=client, limit=1, sleep=time_.sleep), 1)
    assert not time_.naps


def test_threads_share_one_budget(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    budget = RateBudget(store, client="one", limit=20, window_seconds=1)
    taken: list[float] = []

    def work() -> None:
        for _ in range(10):
            permit = budget.take()
            taken.append(time.monotonic())
            budget.settle(permit, NOTHING_TOLD)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    taken.sort()
    assert all(later - first >= 0.99 for first, later in zip(taken, taken[20:], strict=False))
    assert taken[-1] - taken[0] < 1.5


def run_processes(sandbox: Sandbox, url: str, folder: Path, **options: object) -> float:
    """Let four processes send 20 requests each; the seconds from the first to the last."""
    with ExitStack() as stack:
        for number in range(4):
            given = {
                "api_url": url, "token": sandbox.access_token, "threads": 1, "requests": 20,
                "window_seconds": 2, "ready": str(folder / f"ready-{number}"),
                "go": str(folder / "go"), **options,
            }  # fmt: skip
            spender = Path(__file__).with_name("spender.py")
            command = [sys.executable, str(spender), json.dumps(given)]
            process = stack.enter_context(subprocess.Popen(command))
            stack.callback(process.kill)
            stack.callback(process.wait, 60)
        while len(list(folder.glob("ready-*"))) < 4:
            time.sleep(0.01)
        (folder / "go").touch()
    moments = [request.time for request in sandbox.requests]
    return max(moments) - min(moments)


def test_four_processes_use_the_whole_budget_and_no_more(store_url: str, tmp_path: Path) -> None:
    sandbox = Sandbox(size=0, behaviour=Behaviour(rate_limit=20, rate_window_seconds=2))
    with sandbox.running() as url:
        seconds = run_processes(sandbox, url, tmp_path, store_url=store_url)
    assert sandbox.most_in_any_window(2) <= 20
    assert [request.status for request in sandbox.requests] == [200] * 80
    assert seconds < 3 * 2 * 1.1


def test_processes_recover_from_other_programs_that_eat_the_budget(
    sqlite_url: str, tmp_path: Path
) -> None:
    behaviour = Behaviour(rate_limit=20, rate_window_seconds=2)
    sandbox = Sandbox(size=0, behaviour=behaviour)
    with sandbox.running() as url:
        sandbox.before_request(
            lambda _request: sandbox.foreign_requests(5) if len(sandbox.requests) == 5 else None
        )
        seconds = run_processes(sandbox, url, tmp_path, store_url=sqlite_url)
    statuses = [request.status for request in sandbox.requests]
    assert statuses.count(200) == 80
    assert statuses.count(429) <= 4
    assert seconds < 5 * 2
