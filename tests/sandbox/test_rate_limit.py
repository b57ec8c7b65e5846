"""The rate limit is a fixed window from the first request, told in headers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cirqll_sandbox import Behaviour
from cirqll_sandbox.rate_limit import RateLimit

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox
    from tests.sandbox.conftest import Client


class Seconds:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def limit(seconds: Seconds) -> RateLimit:
    return RateLimit(seconds)


def test_the_window_starts_at_the_first_request_and_ends_a_minute_later(
    limit: RateLimit, seconds: Seconds
) -> None:
    two = Behaviour(rate_limit=2)
    seen = []
    for moment in (1000, 1059, 1059.5, 1060, 1119.9, 1119.95):
        seconds.now = moment
        verdict = limit.hit("token", two)
        assert verdict
        seen.append((verdict.allowed, verdict.remaining, verdict.seconds_until_reset))
    assert seen == [
        (True, 1, 60), (True, 0, 1), (False, 0, 1), (True, 1, 60), (True, 0, 1), (False, 0, 1),
    ]  # fmt: skip


def test_everyone_shares_a_budget_or_each_token_has_its_own(limit: RateLimit) -> None:
    shared = Behaviour(rate_limit=1)
    assert [v.allowed for t in "ab" if (v := limit.hit(t, shared))] == [True, False]
    own = replace(shared, rate_limit_per="token")
    assert [v.allowed for t in "ab" if (v := limit.hit(t, own))] == [True, True]


def test_other_programs_eat_now_and_all_the_time(limit: RateLimit, seconds: Seconds) -> None:
    limit.eat(3, Behaviour(rate_limit=10))
    greedy = Behaviour(rate_limit=10, foreign_requests_per_second=0.5)
    remaining = []
    for moment in (1000, 1004, 1010, 1063):
        seconds.now = moment
        verdict = limit.hit("", greedy)
        assert verdict
        remaining.append(verdict.remaining)
    assert remaining == [6, 3, 0, 9]


def test_every_answer_tells_the_budget_and_a_refusal_how_long_to_wait(
    sandbox: Sandbox, api: Client
) -> None:
    sandbox.behaviour = replace(sandbox.behaviour, rate_limit=3)
    answers = [
        api.get(path) for path in ("/api/customer", "/api/nonsense", "/api/user/1", "/api/user")
    ]

    told = [
        (a.status_code, a.headers["X-RateLimit-Limit"], a.headers["X-RateLimit-Remaining"])
        for a in answers
    ]
    assert told == [(200, "3", "2"), (404, "3", "1"), (404, "3", "0"), (429, "3", "0")]
    assert answers[-1].json() == {"message": "Too Many Requests"}
    assert 59 <= int(answers[-1].headers["Retry-After"]) <= 60


def test_the_wait_the_headers_and_the_limit_told_can_be_changed(
    sandbox: Sandbox, api: Client
) -> None:
    sandbox.behaviour = replace(
        sandbox.behaviour, rate_limit=1, retry_after=False, rate_limit_told=120
    )
    api.get("/api/user")
    refused = api.get("/api/user")
    assert refused.status_code == 429
    assert "Retry-After" not in refused.headers
    assert refused.headers["X-RateLimit-Limit"] == "120"


def test_the_admin_api_counts_for_nothing(sandbox: Sandbox, api: Client) -> None:
    sandbox.behaviour = replace(sandbox.behaviour, rate_limit=1)
    for _ in range(5):
        assert api.get("/_sandbox/").status_code == 200
    assert api.get("/api/user").status_code == 200
    assert len(sandbox.requests) == 1


def test_requests_are_recorded_and_counted_in_any_window(sandbox: Sandbox, api: Client) -> None:
    sandbox.behaviour = replace(sandbox.behaviour, rate_limit=2)
    for _ in range(3):
        api.get("/api/customer", limit=5, **{"show[]": ["a", "id"]})

    assert [record.status for record in sandbox.requests] == [400, 400, 429]
    record = sandbox.requests[0]
    assert (record.method, record.path) == ("GET", "/api/customer")
    assert record.query == {"limit": ["5"], "show[]": ["a", "id"]}
    assert record.token == sandbox.access_token
    assert sandbox.access_token not in repr(record)
    assert sandbox.most_in_any_window() == 3
    assert sandbox.most_in_any_window(seconds=0.000_000_1) == 1
    sandbox.forget_requests()
    assert sandbox.requests == ()
