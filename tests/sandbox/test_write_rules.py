"""Create, Update and Delete, read once more against the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cirqll_sandbox.resources import ENDPOINTS, RESOURCES

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox
    from tests.sandbox.conftest import Client

WRITES = {"create": "POST", "update": "PATCH", "delete": "DELETE"}


def path(resource: str, action: str) -> str:
    """Where an action is asked for."""
    return f"/api/{resource}" if action in {"index", "create"} else f"/api/{resource}/1"


@pytest.mark.parametrize("action", WRITES)
@pytest.mark.parametrize("resource", [name for name in ENDPOINTS if name != "setting"])
def test_each_write_needs_its_own_scope(
    sandbox: Sandbox, api: Client, resource: str, action: str
) -> None:
    sandbox.rows(resource).insert()
    before = sandbox.rows(resource).all()
    others = [f"{resource}.{other}.all" for other in ("read", *WRITES) if other != action]
    token = sandbox.tokens.grant("narrow-not-a-secret", scopes=others)

    answer = api.send(
        WRITES[action],
        path(resource, action),
        json={},
        headers={"Authorization": f"Bearer {token}"},
    )

    assert (answer.status_code, list(answer.json())) == (403, ["message"])
    assert sandbox.rows(resource).all() == before


def test_a_setting_can_be_listed_and_changed_and_nothing_else(
    sandbox: Sandbox, api: Client
) -> None:
    sandbox.rows("setting").insert(key="a", value="b")
    assert api.rows("/api/setting")[0]["value"] == "b"
    assert api.send("PATCH", "/api/setting/1", json={"value": "c"}).json()["value"] == "c"
    for method, where in [("GET", "/1"), ("POST", ""), ("DELETE", "/1"), ("PUT", "/1")]:
        assert api.send(method, f"/api/setting{where}", json={}).status_code == 405
    assert len(sandbox.rows("setting")) == 1


READ_ONLY = {"id": 77, "created_at": "2000-01-01 00:00:00", "updated_at": "2000-01-01 00:00:00"}


@pytest.mark.parametrize(("method", "where"), [("POST", ""), ("PATCH", "/1")])
def test_read_only_fields_in_a_body_change_nothing(
    sandbox: Sandbox, api: Client, method: str, where: str
) -> None:
    if where:
        sandbox.rows("contract").insert(name="a", price=5)
    needed = {"name": "a", "price": 5, "start_date": "2025-01-01"}
    body = {**needed, **READ_ONLY, "calculated_price": 99}

    row = api.send(method, f"/api/contract{where}", json=body).json()

    assert (row["id"], row["calculated_price"]) == (1, 5)
    assert row["created_at"][:4] != "2000" != row["updated_at"][:4]


@pytest.mark.parametrize(
    ("resource", "fields"),
    [
        ("contract", {"price": -5, "start_date": "2025-01-01 00:00:00"}),
        ("assignment", {"price": -0.01}),
        ("chance", {"price": 0, "percentage": 0}),
        ("chance", {"percentage": 100, "import_id": 2**32}),
        ("customer", {"name": "x" * 255, "description": "x" * 65_535, "import_id": 0}),
    ],
)
def test_what_lies_within_the_documented_bounds_is_stored(
    api: Client, resource: str, fields: dict[str, Any]
) -> None:
    answer = api.send("POST", f"/api/{resource}", json={"name": "a", **fields})
    assert answer.status_code == 201
    assert answer.json().items() >= fields.items()


@pytest.mark.parametrize(
    ("resource", "fields"),
    [
        ("chance", {"percentage": -1}), ("customer", {"import_id": 2**32 + 1}),
        ("contract", {"price": 1, "start_date": "2025-01-01", "price_type": 2**31}),
        ("contract", {"price": 1, "start_date": "2025-01-01", "chance_id": 9}),
        ("chance", {"customer_id": True}), ("chance", {"customer_id": "x"}),
    ],
)  # fmt: skip
def test_what_lies_beyond_them_is_refused_by_its_field(
    api: Client, resource: str, fields: dict[str, Any]
) -> None:
    answer = api.send("POST", f"/api/{resource}", json={"name": "a", **fields})
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [list(fields)[-1]]


@pytest.mark.parametrize("id_", [1, "1"], ids=["number", "text"])
def test_a_parent_may_be_named_by_a_number_or_its_text(
    sandbox: Sandbox, api: Client, id_: Any
) -> None:
    sandbox.rows("customer").insert(name="a")
    row = api.send("POST", "/api/chance", json={"name": "b", "customer_id": id_}).json()
    assert row["customer_id"] == 1
    assert isinstance(row["customer_id"], int)


def test_every_reference_must_exist(sandbox: Sandbox, api: Client) -> None:
    for name in ENDPOINTS:
        sandbox.rows(name).insert(name="a")
        for field in RESOURCES[name].fields:
            if field.kind == "reference":
                answer = api.send("PATCH", f"/api/{name}/1", json={field.name: 99})
                assert list(answer.json()["errors"]) == [field.name]


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_does_not_have_is_refused(
    sandbox: Sandbox, api: Client, constant: str
) -> None:
    body = f'{{"name": "a", "price": {constant}}}'
    assert api.send("POST", "/api/chance", data=body).status_code == 400
    assert len(sandbox.rows("chance")) == 0


def test_a_view_that_is_refused_is_refused_before_anything_is_written(
    sandbox: Sandbox, api: Client
) -> None:
    for parameter in ("show", "with", "count"):
        answer = api.send("POST", f"/api/customer?{parameter}=nonsense", json={"name": "a"})
        assert answer.status_code == 400
    assert len(sandbox.rows("customer")) == 0


def test_the_answer_of_a_write_can_be_limited_as_any_other(api: Client) -> None:
    answer = api.send("POST", "/api/customer?show=name", json={"name": "a", "phone": "1"})
    assert answer.json() == {"id": 1, "name": "a"}
