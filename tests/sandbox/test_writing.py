"""Create, Update and Delete keep the documented rules and touch `updated_at`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox
    from tests.sandbox.conftest import Client

NOON = datetime(2025, 7, 1, 12, 0, 0, 900_000, tzinfo=UTC)


@pytest.fixture(autouse=True)
def stopped(sandbox: Sandbox) -> None:
    """The clock stands still at noon."""
    sandbox.clock.set(NOON, running=False)


def test_a_create_answers_the_bare_row_with_its_id_and_times(api: Client, sandbox: Sandbox) -> None:
    answer = api.send("POST", "/api/customer", json={"name": "Bakkerij 🥖", "coc_number": "1"})

    assert answer.status_code == 201
    assert answer.json() == sandbox.rows("customer").get(1)
    assert answer.json()["created_at"] == answer.json()["updated_at"] == "2025-07-01 12:00:00"


def test_an_update_changes_what_is_sent_and_touches_the_row(api: Client, sandbox: Sandbox) -> None:
    before = sandbox.rows("customer").insert(name="a", phone="1")
    sandbox.clock.move(60)

    answer = api.send("PATCH", "/api/customer/1", json={"name": "b", "id": 9, "created_at": None})

    assert answer.status_code == 200
    assert answer.json() == {**before, "name": "b", "updated_at": "2025-07-01 12:01:00"}


def test_an_update_that_changes_nothing_may_leave_the_row_untouched(
    api: Client, sandbox: Sandbox
) -> None:
    sandbox.rows("customer").insert(name="a", updated_at="2020-01-01 00:00:00")
    sandbox.behaviour = replace(sandbox.behaviour, touch_unchanged=False)
    assert (
        api.send("PATCH", "/api/customer/1", json={"name": "a"}).json()["updated_at"][:4] == "2020"
    )
    assert (
        api.send("PATCH", "/api/customer/1", json={"name": "b"}).json()["updated_at"][:4] == "2025"
    )


def test_a_deleted_row_is_no_longer_there(api: Client, sandbox: Sandbox) -> None:
    sandbox.rows("customer").insert(name="a")
    answer = api.send("DELETE", "/api/customer/1")
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.get("/api/customer/1").status_code == 404
    assert api.send("DELETE", "/api/customer/1").status_code == 404


@pytest.mark.parametrize(
    ("resource", "body", "field"),
    [
        ("customer", {}, "name"),
        ("customer", {"name": ""}, "name"),
        ("customer", {"name": "x" * 256}, "name"),
        ("customer", {"name": 5}, "name"),
        ("customer", {"name": "a", "email": "nonsense"}, "email"),
        ("customer", {"name": "a", "user_id": 99}, "user_id"),
        ("customer", {"name": "a", "import_id": -1}, "import_id"),
        ("customer", {"name": "a", "description": "x" * 65536}, "description"),
        ("customer", {"name": "a", "field_values": [{"field_id": 99}]}, "field_values"),
        ("chance", {"name": "a", "price": -0.01}, "price"),
        ("chance", {"name": "a", "percentage": 101}, "percentage"),
        ("chance", {"name": "a", "percentage": 1.5}, "percentage"),
        ("chance", {"name": "a", "archived_at": "soon"}, "archived_at"),
        ("field", {"name": "a", "type": "text", "required": "maybe"}, "required"),
    ],
)
def test_what_is_not_valid_is_refused_by_field_and_not_stored(
    api: Client, sandbox: Sandbox, resource: str, body: dict[str, Any], field: str
) -> None:
    answer = api.send("POST", f"/api/{resource}", json=body)

    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]
    assert answer.json()["message"] in answer.json()["errors"][field]
    assert len(sandbox.rows(resource)) == 0


def test_a_body_that_is_no_json_object_is_refused(api: Client) -> None:
    assert api.send("POST", "/api/customer", data="{").status_code == 400
    assert api.send("POST", "/api/customer", json=[]).status_code == 400


def test_times_with_a_zone_are_stored_in_the_zone_of_the_api(api: Client, sandbox: Sandbox) -> None:
    sandbox.behaviour = replace(sandbox.behaviour, timezone="Europe/Amsterdam")
    body = {"name": "a", "deadline": "2025-07-01T10:00:00Z", "completed_at": "2025-07-01"}
    row = api.send("POST", "/api/task", json=body).json()
    assert (row["deadline"], row["completed_at"]) == ("2025-07-01 12:00:00", "2025-07-01 00:00:00")


def test_numbers_and_truths_are_accepted_in_any_of_their_spellings(api: Client) -> None:
    chance = {
        "name": "a",
        "price": "12.50",
        "percentage": "30",
        "archived_at": "0000-00-00 00:00:00",
    }
    text = api.send("POST", "/api/chance", json=chance).text
    assert '"price":12.50,' in text
    assert '"percentage":30,' in text
    for required in (True, "1"):
        field = {"name": "a", "type": "text", "required": required}
        assert api.send("POST", "/api/field", json=field).json()["required"] is True


@pytest.mark.parametrize(("mode", "status", "kept"), [
    ("ignore", 201, False), ("refuse", 422, False), ("store", 201, True),
])  # fmt: skip
def test_a_field_that_is_no_column_is_ignored_refused_or_stored(
    api: Client, sandbox: Sandbox, mode: Any, status: int, *, kept: bool
) -> None:
    sandbox.behaviour = replace(sandbox.behaviour, unknown_write_field=mode)
    answer = api.send("POST", "/api/customer", json={"name": "a", "shoe_size": 43})
    assert answer.status_code == status
    assert ("shoe_size" in answer.json()) is kept


def test_custom_values_are_set_and_replaced(api: Client, sandbox: Sandbox) -> None:
    sandbox.rows("field").insert(name="Branche", type="text", model="customer")
    for value in ("brood", "banket"):
        body = {"name": "a", "field_values": [{"field_id": 1, "value": value}]}
        method, path = ("POST", "") if value == "brood" else ("PATCH", "/1")
        assert api.send(method, f"/api/customer{path}", json=body).ok

    values = api.get("/api/customer/1", with_="field_values").json()["field_values"]["data"]
    assert values == [{"id": 1, "field_id": 1, "value": "banket"}]


def test_a_password_can_be_written_but_not_read(api: Client, sandbox: Sandbox) -> None:
    body = {"name": "a", "email": "a@example.nl", "password": "not-a-secret"}
    assert "password" not in api.send("POST", "/api/user", json=body).json()
    assert "not-a-secret" not in str(sandbox.rows("user").all())


def test_answers_may_come_in_a_data_wrapper_with_other_statuses(
    api: Client, sandbox: Sandbox
) -> None:
    sandbox.behaviour = replace(
        sandbox.behaviour, wrap_single=True, create_status=200, delete_status=200
    )
    answer = api.send("POST", "/api/customer", json={"name": "a"})
    assert (answer.status_code, answer.json()["data"]["name"]) == (200, "a")
    assert api.get("/api/customer/1").json()["data"]["id"] == 1
    assert api.send("DELETE", "/api/customer/1").status_code == 200
