"""What can go wrong at the token URL, and what has happened by then."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cirqll_sandbox import Sandbox
    from tests.sandbox.program import Program

TOKEN = "^/oauth/token$"
CUT = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


@pytest.mark.parametrize(
    ("kind", "status", "content"),
    [
        ("429", 429, "json"), ("429-without-retry-after", 429, "json"), ("500", 500, "json"),
        ("503", 503, "json"), ("500-html", 500, "html"), ("502-html", 502, "html"),
        ("html-200", 200, "html"), ("login-redirect", 302, "html"),
    ],
)  # fmt: skip
def test_an_answer_can_be_replaced_and_nothing_has_happened(
    sandbox: Sandbox, program: Program, kind: str, status: int, content: str
) -> None:
    pair = sandbox.grant()
    sandbox.faults.add(kind, path=TOKEN, times=1)

    answer = program.refresh(pair.refresh_token)

    assert (answer.status_code, content in answer.headers["Content-Type"]) == (status, True)
    assert ("Retry-After" in answer.headers) is (kind == "429")
    assert sandbox.token_requests[0].outcome == "not_carried_out"
    assert sandbox.token_requests[0].faults == (kind,)
    assert program.me(pair.access_token).status_code == 200
    assert program.refresh(pair.refresh_token).status_code == 200


def test_retry_after_can_be_set(sandbox: Sandbox, program: Program) -> None:
    sandbox.faults.add("429", path=TOKEN, seconds=7)
    assert program.refresh("any").headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    ("kind", "carried_out"), [("cut-before", False), ("lost-answer", True), ("cut-middle", True)]
)
def test_a_cut_connection_leaves_the_refresh_undone_or_done(
    sandbox: Sandbox, program: Program, kind: str, *, carried_out: bool
) -> None:
    pair = sandbox.grant()
    sandbox.faults.add(kind, path=TOKEN, times=1)

    with pytest.raises(CUT):
        program.refresh(pair.refresh_token)

    record = sandbox.token_requests[0]
    assert record.outcome == ("issued" if carried_out else "not_carried_out")
    assert (record.status is None) is (kind != "cut-middle")
    assert program.me(pair.access_token).status_code == (401 if carried_out else 200)
    assert program.refresh(pair.refresh_token).ok is not carried_out


def test_a_lost_answer_kills_a_code_too(sandbox: Sandbox, program: Program) -> None:
    code = program.code()
    sandbox.faults.add("lost-answer", path=TOKEN, times=1)
    with pytest.raises(CUT):
        program.exchange(code)
    assert program.exchange(code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("kind", ["truncated", "empty"])
def test_a_body_can_be_half_or_empty_after_the_refresh(
    sandbox: Sandbox, program: Program, kind: str
) -> None:
    pair = sandbox.grant()
    sandbox.faults.add(kind, path=TOKEN, times=1)
    answer = program.refresh(pair.refresh_token)
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert program.refresh(pair.refresh_token).status_code == 400


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        ("no-refresh-token", "refresh_token"), ("no-access-token", "access_token"),
        ("no-expires-in", "expires_in"),
    ],
)  # fmt: skip
def test_an_answer_can_lack_a_field(
    sandbox: Sandbox, program: Program, kind: str, missing: str
) -> None:
    sandbox.faults.add(kind, path=TOKEN, times=1)
    answer = program.refresh(sandbox.grant().refresh_token)
    usual = {"token_type", "expires_in", "access_token", "refresh_token"}
    assert answer.json().keys() == usual - {missing}


@pytest.mark.parametrize(("kind", "done_while_waiting"), [("slow-start", False), ("slow", True)])
def test_an_answer_can_be_slow_before_or_after_the_refresh(
    sandbox: Sandbox, program: Program, kind: str, *, done_while_waiting: bool
) -> None:
    pair = sandbox.grant()
    sandbox.faults.add(kind, path=TOKEN, seconds=0.8)
    with pytest.raises(requests.ReadTimeout):
        program.send(
            "POST", "/oauth/token", timeout=0.1,
            data={
                "grant_type": "refresh_token", "refresh_token": pair.refresh_token,
                "client_id": sandbox.client.id, "client_secret": sandbox.client.secret,
            },
        )  # fmt: skip
    assert program.me(pair.access_token).ok is not done_while_waiting
    wait_for_outcomes(sandbox, 1)
    assert program.me(pair.access_token).status_code == 401


def test_a_slow_start_holds_up_nobody_else(sandbox: Sandbox, program: Program) -> None:
    sandbox.faults.add("slow-start", path="^/api/user$", seconds=0.5)
    started = time.monotonic()
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(program.get, "/api/user", sandbox.access_token)
        assert program.me(sandbox.access_token).status_code == 200
        assert not slow.done()
    assert slow.result().status_code == 200
    assert time.monotonic() - started >= 0.5


def test_other_behaviour_can_happen_to_one_request(sandbox: Sandbox, program: Program) -> None:
    pair = sandbox.grant()
    sandbox.faults.add("behaviour", path=TOKEN, times=1, refresh_rotates=False)
    assert program.refresh(pair.refresh_token).json()["refresh_token"] == pair.refresh_token
    assert program.refresh(pair.refresh_token).json()["refresh_token"] != pair.refresh_token


def test_the_consent_page_can_fail_as_well(sandbox: Sandbox, program: Program) -> None:
    sandbox.faults.add("503", path="^/oauth/authorize$", times=1)
    assert program.open().status_code == 503
    assert sandbox.authorize_requests[0].outcome == "not_carried_out"
    assert program.open().status_code == 200


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Twenty threads."""
    with ThreadPoolExecutor(max_workers=20) as threads:
        yield threads


def test_of_twenty_that_refresh_at_once_exactly_one_succeeds(
    sandbox: Sandbox, program: Program, pool: ThreadPoolExecutor
) -> None:
    pair = sandbox.grant()
    answers = list(pool.map(program.refresh, [pair.refresh_token] * 20))

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 19
    (winner,) = (answer.json() for answer in answers if answer.ok)
    assert program.me(winner["access_token"]).status_code == 200
    assert [record.outcome for record in sandbox.token_requests].count("issued") == 1
    assert len({record.credential for record in sandbox.token_requests}) == 1


def test_of_twenty_that_bring_one_code_exactly_one_gets_tokens(
    program: Program, pool: ThreadPoolExecutor
) -> None:
    answers = pool.map(program.exchange, [program.code()] * 20)
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 19


def test_python_and_http_refresh_the_same_token_only_once(
    sandbox: Sandbox, program: Program, pool: ThreadPoolExecutor
) -> None:
    for _ in range(10):
        token = sandbox.grant().refresh_token
        here = pool.submit(sandbox.refresh_as_another_program, token)
        there = pool.submit(program.refresh, token)
        assert there.result().ok is (here.exception() is not None)


def wait_for_outcomes(sandbox: Sandbox, number: int) -> None:
    """Until this many token requests have been answered."""
    deadline = time.monotonic() + 5
    while sum(record.outcome is not None for record in sandbox.token_requests) < number:
        assert time.monotonic() < deadline
        time.sleep(0.01)
