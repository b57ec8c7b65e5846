"""What became of a write cannot be told from its answer, or from the lack of one."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import requests

from cirqll_sandbox import Sandbox
from cirqll_sandbox.faults import Faults, UnknownFaultError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Client
    from tests.sandbox.program import Program

CUT = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
NEW = {"name": "new"}


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Whether it becomes true in time."""
    end = time.monotonic() + seconds
    while not (true := condition()) and time.monotonic() < end:
        time.sleep(0.005)
    return true


def test_a_slow_commit_cuts_the_connection_long_before_the_write(
    sandbox: Sandbox, api: Client
) -> None:
    sandbox.faults.add("slow-commit", method="POST", path="^/api/customer$", seconds=1)
    started = time.monotonic()

    with pytest.raises(CUT):
        api.send("POST", "/api/customer", json=NEW)

    assert api.ids("/api/customer") == []
    assert within(5, lambda: len(sandbox.rows("customer")) == 1)
    assert time.monotonic() - started >= 1
    assert within(5, lambda: sandbox.requests[0].faults == ("slow-commit",))
    assert sandbox.requests[0].status is None
    assert api.send("POST", "/api/contact", json={"last_name": "a"}).status_code == 201


def test_a_slow_commit_takes_a_second_unless_it_is_told_otherwise(
    sandbox: Sandbox, api: Client
) -> None:
    sandbox.faults.add("slow-commit")
    started = time.monotonic()
    with pytest.raises(CUT):
        api.send("POST", "/api/customer", json=NEW)
    assert within(5, lambda: len(sandbox.rows("customer")) == 1)
    assert time.monotonic() - started >= 1


def test_a_slow_commit_is_counted_when_it_arrives(sandbox: Sandbox, api: Client) -> None:
    sandbox.behaviour = replace(sandbox.behaviour, rate_limit=10)
    sandbox.faults.add("slow-commit", times=1, seconds=5)
    with pytest.raises(CUT):
        api.send("POST", "/api/customer", json=NEW)
    assert api.get("/api/user").headers["X-RateLimit-Remaining"] == "8"


def test_what_a_stopped_sandbox_had_not_carried_out_is_never_carried_out() -> None:
    sandbox = Sandbox(size=0)
    sandbox.faults.add("slow-commit", seconds=0.1)
    headers = {"Authorization": f"Bearer {sandbox.access_token}"}
    with sandbox.running() as url, suppress(*CUT):
        requests.post(f"{url}/api/customer", json=NEW, headers=headers, timeout=5)
    time.sleep(0.15)
    assert len(sandbox.rows("customer")) == 0


@pytest.mark.parametrize(
    ("kind", "status", "content"),
    [
        ("500-after-commit", 500, "json"), ("503-after-commit", 503, "json"),
        ("502-after-commit", 502, "html"), ("504-after-commit", 504, "html"),
    ],
)  # fmt: skip
def test_an_error_may_come_after_the_write(
    sandbox: Sandbox, api: Client, kind: str, status: int, content: str
) -> None:
    sandbox.faults.add(kind, method="POST", times=1)
    answer = api.send("POST", "/api/customer", json=NEW)
    assert answer.status_code == status
    assert content in answer.headers["Content-Type"]
    assert [row["name"] for row in sandbox.rows("customer").all()] == ["new"]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_an_update_or_delete_is_done_before_the_error_too(
    sandbox: Sandbox, api: Client, method: str
) -> None:
    sandbox.rows("customer").insert(name="old")
    sandbox.faults.add("500-after-commit", method=method, path="/customer/1$")
    assert api.send(method, "/api/customer/1", json=NEW).status_code == 500
    assert [row["name"] for row in sandbox.rows("customer").all()] == (
        ["new"] if method == "PATCH" else []
    )


def test_a_write_that_is_refused_is_refused_in_its_own_words(sandbox: Sandbox, api: Client) -> None:
    sandbox.faults.add("500-after-commit")
    assert api.send("POST", "/api/customer", json={}).status_code == 422
    assert api.send("PATCH", "/api/customer/9", json={}).status_code == 404


def test_a_late_answer_is_about_a_write_that_was_done_at_once(
    sandbox: Sandbox, api: Client
) -> None:
    sandbox.faults.add("slow", method="POST", seconds=5)
    with pytest.raises(requests.ReadTimeout):
        api.session.post(f"{api.url}/api/customer", json=NEW, timeout=0.1)
    assert len(sandbox.rows("customer")) == 1


def test_a_token_may_be_spent_though_an_error_comes(sandbox: Sandbox, program: Program) -> None:
    token = sandbox.grant().refresh_token
    sandbox.faults.add("500-after-commit", times=1, path="/oauth/token")
    assert program.refresh(token).status_code == 500
    assert program.refresh(token).json()["error"] == "invalid_grant"


def test_a_token_may_be_spent_long_after_the_connection_is_cut(
    sandbox: Sandbox, program: Program
) -> None:
    token = sandbox.grant().refresh_token
    sandbox.faults.add("slow-commit", times=1, path="/oauth/token", seconds=0.2)
    with pytest.raises(CUT):
        program.refresh(token)
    assert [record.status for record in sandbox.token_requests] == [None]
    assert within(5, lambda: sandbox.token_requests[0].outcome == "issued")


def test_only_an_error_can_come_after_a_commit() -> None:
    for kind in ("200-after-commit", "after-commit", "500-after-commit-html"):
        with pytest.raises(UnknownFaultError):
            Faults(seed=1).add(kind)
