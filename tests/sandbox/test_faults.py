"""Faults happen on request: the ones asked for, as often as asked for."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import requests

from cirqll_sandbox.faults import FAULT_KINDS, Faults, UnknownFaultError

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox
    from tests.sandbox.conftest import Client

CUT = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


@pytest.fixture(autouse=True)
def rows(sandbox: Sandbox) -> None:
    """Twenty customers."""
    sandbox.rows("customer").insert_many([{"name": f"K{n}"} for n in range(20)])


@pytest.mark.parametrize(
    ("kind", "status", "content"),
    [
        ("429", 429, "json"), ("429-without-retry-after", 429, "json"), ("500", 500, "json"),
        ("503", 503, "json"), ("502-html", 502, "html"), ("504-html", 504, "html"),
        ("html-200", 200, "html"), ("login-redirect", 302, "html"), ("refuse-filter", 400, "json"),
        ("refuse-order", 400, "json"), ("refuse-show", 400, "json"),
    ],
)  # fmt: skip
def test_an_answer_is_replaced_once_and_then_all_is_well(
    sandbox: Sandbox, api: Client, kind: str, status: int, content: str
) -> None:
    sandbox.faults.add(kind, times=1)
    asked = {"filter": "id:gt:0", "order_by": "id", "show": "name"}

    answer = api.get("/api/customer", **asked)

    assert answer.status_code == status
    assert content in answer.headers["Content-Type"]
    assert ("Retry-After" in answer.headers) is (kind == "429")
    assert api.get("/api/customer", **asked).status_code == 200
    assert [record.faults for record in sandbox.requests] == [(kind,), ()]


@pytest.mark.parametrize(("kind", "committed"), [("cut-before", False), ("lost-answer", True)])
def test_a_cut_connection_leaves_the_write_undone_or_done(
    sandbox: Sandbox, api: Client, kind: str, *, committed: bool
) -> None:
    sandbox.faults.add(kind, method="POST")
    with pytest.raises(CUT):
        api.send("POST", "/api/customer", json={"name": "new"})
    assert (len(sandbox.rows("customer")) == 21) is committed
    assert sandbox.requests[-1].status is None


def test_a_body_can_be_cut_truncated_or_empty(sandbox: Sandbox, api: Client) -> None:
    whole = api.get("/api/customer").text

    sandbox.faults.add("cut-middle", times=1)
    with pytest.raises(CUT):
        api.get("/api/customer")
    sandbox.faults.add("truncated", times=1)
    half = api.get("/api/customer")
    sandbox.faults.add("empty", times=1)
    empty = api.get("/api/customer")

    assert whole.startswith(half.text)
    assert int(half.headers["Content-Length"]) == len(whole) // 2
    assert (empty.status_code, empty.text) == (200, "")


def test_an_answer_can_be_slow_before_its_headers_or_in_its_body(
    sandbox: Sandbox, api: Client
) -> None:
    sandbox.faults.add("slow", times=1, seconds=0.15)
    sandbox.faults.add("drip", at=2, seconds=0.15)
    for headers_wait in (True, False):
        started = time.monotonic()
        answer = api.send("GET", "/api/customer", stream=True)
        waited = time.monotonic() - started
        assert len(answer.json()["data"]) == 20
        assert time.monotonic() - started >= 0.15
        assert (waited >= 0.15) is headers_wait


def test_a_redirect_leads_to_a_login_page_that_answers_200(sandbox: Sandbox, api: Client) -> None:
    sandbox.faults.add("login-redirect", times=1)
    answer = api.send("GET", "/api/customer", allow_redirects=True)
    assert (answer.status_code, answer.url) == (200, f"{api.url}/login")
    assert "html" in answer.headers["Content-Type"]


@pytest.mark.parametrize(
    ("kind", "parameters", "told"),
    [
        ("no-date", {}, ("Date", None)),
        ("date-off", {"date_offset_seconds": -86400}, ("Date", "Sun, 31 Dec 2023 00:00:00 GMT")),
        ("no-rate-headers", {}, ("X-RateLimit-Limit", None)),
        ("other-rate-limit", {}, ("X-RateLimit-Limit", "120")),
        ("behaviour", {"rate_limit": 7}, ("X-RateLimit-Limit", "7")),
    ],
)
def test_headers_can_be_missing_or_wrong(
    sandbox: Sandbox, api: Client, kind: str, parameters: dict[str, Any], told: tuple[str, str]
) -> None:
    header, expected = told
    sandbox.clock.set(sandbox.clock.now().replace(2024, 1, 1, 0, 0, 0, 0), running=False)
    sandbox.behaviour = replace(sandbox.behaviour, rate_limit=60)
    sandbox.faults.add(kind, **parameters)
    assert api.get("/api/customer").headers.get(header) == expected


def test_a_fault_can_be_about_one_resource_only(sandbox: Sandbox, api: Client) -> None:
    sandbox.rows("contact").insert_many([{}, {}])
    sandbox.faults.add("ignore-filter", path="^/api/customer$")
    assert len(api.ids("/api/customer", filter="id:gt:1")) == 20
    assert api.ids("/api/contact", filter="id:gt:1") == [2]


def test_a_fault_can_happen_at_certain_requests_only() -> None:
    faults = Faults(seed=1)
    fault = faults.add(503, at=[2, 4], path="/customer", method="GET")
    calls = [
        ("GET", "/customer"),
        ("POST", "/customer"),
        ("GET", "/user"),
        *[("GET", "/customer")] * 4,
    ]
    assert [bool(faults.drawn(*call)) for call in calls] == [0, 0, 0, 1, 0, 1, 0]
    assert faults.happened(fault) == 2


def test_a_fault_can_last_from_a_certain_request_on() -> None:
    faults = Faults(seed=1)
    faults.add("403", since=2, times=3, path="^/api/customer(/|$)", method="GET")
    calls = [
        ("GET", "/api/customer"),
        ("GET", "/api/contact"),
        ("PATCH", "/api/customer/1"),
        *[("GET", "/api/customer"), ("GET", "/api/customer/1")] * 2,
    ]
    assert [bool(faults.drawn(*call)) for call in calls] == [0, 0, 0, 1, 1, 1, 0]


@pytest.mark.parametrize(("parameters", "total"), [({}, 21), ({"total_off_by": -2}, 18)])
def test_one_answer_can_tell_a_total_that_is_off(
    sandbox: Sandbox, api: Client, parameters: dict[str, Any], total: int
) -> None:
    sandbox.faults.add("total-off", at=2, path="^/api/customer$", **parameters)
    told = [api.get("/api/customer", limit=1).json()["total"] for _ in range(3)]
    assert told == [20, total, 20]


@pytest.mark.parametrize(("path", "index", "show"), [("/", 200, 404), ("", 404, 404)])
def test_a_resource_can_be_answered_404_whatever_it_holds(
    sandbox: Sandbox, api: Client, path: str, index: int, show: int
) -> None:
    sandbox.faults.add("404", path=f"^/api/customer{path}")
    statuses = [api.get(f"/api/{one}").status_code for one in ("customer", "customer/1", "user")]
    assert statuses == [index, show, 200]


def test_a_fault_can_happen_by_chance_and_the_same_seed_gives_the_same_luck() -> None:
    def run(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add("500", probability=0.3)
        return [bool(faults.drawn("GET", "/")) for _ in range(500)]

    assert 100 < sum(run(1)) < 200
    assert run(1) == run(1) != run(2)


def test_rows_change_while_they_are_read(sandbox: Sandbox, api: Client) -> None:
    sandbox.clock.move(60)
    before = sandbox.rows("customer").all()
    sandbox.faults.add("edit-rows", times=1, rows=5)
    api.get("/api/customer")
    changed = [
        new for old, new in zip(before, sandbox.rows("customer").all(), strict=True) if old != new
    ]
    assert len(changed) == 5
    assert {row["updated_at"] for row in changed} != {before[0]["updated_at"]}

    sandbox.behaviour = replace(sandbox.behaviour, edits_per_second=1000)
    time.sleep(0.02)
    version = sandbox.database.version
    api.get("/api/user")
    assert sandbox.database.version > version


def test_tests_can_change_rows_before_a_request_is_answered(sandbox: Sandbox, api: Client) -> None:
    remove = sandbox.before_request(
        lambda request: sandbox.rows("customer").delete(int(request.query["offset"][0]) + 1)
    )
    assert api.ids("/api/customer", limit=2, offset=0) == [2, 3]
    remove()
    assert api.ids("/api/customer", limit=2, offset=0) == [2, 3]


def test_other_programs_eat_from_the_budget_at_a_request(sandbox: Sandbox, api: Client) -> None:
    sandbox.behaviour = replace(sandbox.behaviour, rate_limit=10)
    sandbox.faults.add("foreign", requests=4, at=2)
    left = [api.get("/api/user").headers["X-RateLimit-Remaining"] for _ in range(3)]
    assert left == ["9", "4", "3"]


@pytest.mark.parametrize(
    ("kind", "parameters"), [("nonsense", {}), ("503", {"seconds": 1}), ("behaviour", {"x": 1})]
)
def test_a_fault_that_does_not_exist_is_refused_in_words(
    kind: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"There is no|has no parameter"):
        Faults(seed=1).add(kind, **parameters)
    assert issubclass(UnknownFaultError, ValueError)


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_every_kind_in_the_list_can_be_added(kind: str) -> None:
    assert Faults(seed=1).add(kind).kind == kind
