"""A sandbox may keep a copy of every record that it handed out."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import requests

from cirqll_sandbox import Behaviour, Sandbox, SpelledNumber

if TYPE_CHECKING:
    from tests.sandbox.conftest import Client


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(size=0, behaviour=Behaviour(rate_limit=0), keeps_served=True)


def test_each_version_that_was_handed_out_is_kept_once_and_in_order(
    sandbox: Sandbox, api: Client
) -> None:
    table = sandbox.rows("customer")
    table.insert(name="a", updated_at="2025-01-01 00:00:00")
    api.get("/api/customer")
    api.get("/api/customer/1")
    table.update(1, name="never seen")
    table.update(1, name="b", updated_at="2025-01-02 00:00:00")
    api.get("/api/customer/1")

    served = sandbox.served("customer")

    assert [(one.id, one.updated_at, one.record["name"]) for one in served] == [
        (1, "2025-01-01 00:00:00", "a"),
        (1, "2025-01-02 00:00:00", "b"),
    ]
    assert sandbox.served("user") == []


def test_a_copy_holds_what_went_over_the_wire(sandbox: Sandbox, api: Client) -> None:
    exact = SpelledNumber("12345678901234567.10")
    sandbox.rows("field").insert(name="Branche", type="text", model="customer")
    sandbox.rows("customer").insert(name="a", odd=exact, large=2**70)
    sandbox.rows("field_value").insert(
        field_id=1, value=SpelledNumber("1e400"), owner_type="customer", owner_id=1
    )
    sandbox.behaviour = replace(sandbox.behaviour, hidden_fields=("phone",))
    api.get("/api/customer", with_="field_values")

    (one,) = sandbox.served("customer")

    assert (one.record["odd"].text, one.record["large"]) == ("12345678901234567.10", 2**70)
    assert one.record["field_values"]["data"][0]["value"].text == "1e400"
    assert "phone" not in one.record


@pytest.mark.parametrize("fault", ["cut-before", "cut-middle", "truncated", "empty", "html-200"])
def test_what_did_not_arrive_whole_was_not_handed_out(
    sandbox: Sandbox, api: Client, fault: str
) -> None:
    sandbox.rows("customer").insert(name="a")
    sandbox.faults.add(fault, times=1)
    with contextlib.suppress(requests.RequestException):
        api.get("/api/customer")
    assert sandbox.served("customer") == []
    api.get("/api/customer")
    assert len(sandbox.served("customer")) == 1


def test_the_signed_in_user_is_kept_too(sandbox: Sandbox, api: Client) -> None:
    for _ in range(2):
        api.get("/api/auth/me")
    (me,) = sandbox.served("me")
    assert me.record == api.get("/api/auth/me").json()


def test_what_a_write_answers_is_no_reading(sandbox: Sandbox, api: Client) -> None:
    api.send("POST", "/api/customer", json={"name": "a"})
    api.send("PATCH", "/api/customer/1", json={"name": "b"})
    assert sandbox.served("customer") == []


def test_a_reset_forgets_the_copies(sandbox: Sandbox, api: Client) -> None:
    sandbox.rows("customer").insert(name="a")
    api.get("/api/customer")
    sandbox.reset()
    assert sandbox.served("customer") == []


def test_copies_are_kept_on_request_only() -> None:
    with pytest.raises(RuntimeError, match="keeps_served=True"):
        Sandbox(size=0).served("customer")


def test_keeping_many_copies_costs_little(sandbox: Sandbox, api: Client) -> None:
    sandbox.rows("customer").insert_many([{"name": f"Klant {n}"} for n in range(20_000)])
    begun = time.process_time()
    for offset in range(0, 20_000, 1000):
        api.get("/api/customer", limit=1000, offset=offset)
    assert len({one.id for one in sandbox.served("customer")}) == 20_000
    assert time.process_time() - begun < 5
