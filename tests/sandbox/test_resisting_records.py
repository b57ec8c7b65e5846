"""Records that cannot be written, be seen, or be deleted as simply as others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox
    from tests.sandbox.conftest import Client

LONG_AGO = "2020-01-01 00:00:00"


def behave(sandbox: Sandbox, **options: Any) -> None:
    """Change some options."""
    sandbox.behaviour = replace(sandbox.behaviour, **options)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_record_may_be_read_but_not_written(sandbox: Sandbox, api: Client, method: str) -> None:
    sandbox.rows("customer").insert_many([{"name": "a"}, {"name": "b"}])
    before = sandbox.rows("customer").all()
    behave(sandbox, forbidden_rows={"customer": (2,), "contact": (1,)})

    refused = api.send(method, "/api/customer/2", json={"name": ""})

    assert (refused.status_code, refused.json()) == (
        403, {"message": "This action is unauthorized."}
    )  # fmt: skip
    assert api.get("/api/customer/2").json() == before[1]
    assert api.send(method, "/api/customer/1", json={"name": "c"}).ok


@pytest.mark.parametrize("field", ["import_id", "name"])
def test_a_value_may_be_taken(sandbox: Sandbox, api: Client, field: str) -> None:
    sandbox.rows("customer").insert_many([{"name": "Één", "import_id": 7}, {"name": "b"}])
    behave(sandbox, unique_fields={"customer": (field,)})
    twin = {"name": "een ", "import_id": "7"}

    for method, path in [("POST", ""), ("PATCH", "/2")]:
        answer = api.send(method, f"/api/customer{path}", json=twin)
        assert answer.status_code == 422
        sentence = f"The {field.replace('_', ' ')} has already been taken."
        assert answer.json() == {"message": sentence, "errors": {field: [sentence]}}
    assert api.send("PATCH", "/api/customer/1", json=twin).status_code == 200
    assert len(sandbox.rows("customer")) == 2


def test_null_is_never_taken_nor_is_the_value_of_another_resource(
    sandbox: Sandbox, api: Client
) -> None:
    sandbox.rows("contact").insert(last_name="a", import_id=7)
    behave(sandbox, unique_fields={"customer": ("import_id",)})
    for import_id in (None, None, 7):
        body = {"name": "a", "import_id": import_id}
        assert api.send("POST", "/api/customer", json=body).status_code == 201
    assert api.send("DELETE", "/api/customer/3").ok
    assert api.send("POST", "/api/customer", json=body).status_code == 201


@pytest.fixture
def archived(sandbox: Sandbox) -> None:
    """Three chances, the second of which is archived; they changed in the order 3, 2, 1."""
    rows = [
        {"name": "a", "archived_at": LONG_AGO if number == 1 else None,
         "updated_at": f"2025-01-0{3 - number} 00:00:00"}
        for number in range(3)
    ]  # fmt: skip
    sandbox.rows("chance").insert_many(rows)


@pytest.mark.usefixtures("archived")
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [1, 3]),
        ({"order_by": "id"}, [1, 3]),
        ({"order_by": "updated_at,id"}, [3, 1]),
        ({"filter": "id:gt:1"}, [3]),
        ({"filter": "id:in:1;2;3"}, [1, 3]),
        ({"filter": 'updated_at:gt:"2000-01-01 00:00:00"', "order_by": "updated_at,id"}, [3, 1]),
        ({"filter": "archived_at:gt:2000-01-01"}, [2]),
        ({"filter": "(id:gt:0,or,(id:gt:0,and,archived_at:gt:2000-01-01))"}, [1, 2, 3]),
    ],
)
def test_an_index_may_hide_archived_records_unless_it_is_asked_for_them(
    sandbox: Sandbox, api: Client, asked: dict[str, str], expected: list[int]
) -> None:
    behave(sandbox, archived_in_index="hidden")
    assert api.ids("/api/chance", **asked) == expected
    assert api.get("/api/chance", **asked).json()["total"] == len(expected)
    assert api.get("/api/chance/2").json()["id"] == 2


@pytest.mark.usefixtures("archived")
def test_an_index_shows_archived_records_by_default(sandbox: Sandbox, api: Client) -> None:
    assert api.ids("/api/chance") == [1, 2, 3]
    behave(sandbox, archived_in_index="hidden")
    sandbox.rows("note").insert(description="a")
    assert api.ids("/api/note") == [1]


@pytest.fixture
def family(sandbox: Sandbox) -> None:
    """A customer, with a contract and a contact, and one without any."""
    sandbox.rows("customer").insert_many([{"name": "a"}, {"name": "b"}])
    for name in ("contract", "contact"):
        sandbox.rows(name).insert(name="c", customer_id=1, updated_at=LONG_AGO)


@pytest.mark.usefixtures("family")
@pytest.mark.parametrize(("mode", "left"), [("keep", 1), ("null", None)])
def test_who_points_to_a_deleted_record_points_on_or_to_nothing(
    sandbox: Sandbox, api: Client, mode: Any, left: int | None
) -> None:
    behave(sandbox, on_delete_of_parent=mode)
    assert api.send("DELETE", "/api/customer/1").status_code == 204
    for name in ("contract", "contact"):
        (row,) = sandbox.rows(name).all()
        assert (row["customer_id"], row["updated_at"]) == (left, LONG_AGO)
    assert api.get("/api/contract/1", with_="customer").json()["customer"] is None


@pytest.mark.usefixtures("family")
@pytest.mark.parametrize(("status", "word"), [(500, "Server Error"), (409, "still in use")])
def test_a_record_to_which_others_point_may_not_be_deleted(
    sandbox: Sandbox, api: Client, status: Any, word: str
) -> None:
    behave(sandbox, on_delete_of_parent="refuse", delete_refusal_status=status)
    refused = api.send("DELETE", "/api/customer/1")
    assert refused.status_code == status
    assert word in refused.json()["message"]
    assert api.send("DELETE", "/api/customer/2").status_code == 204
    for name in ("contract", "contact", "customer"):
        assert api.send("DELETE", f"/api/{name}/1").status_code == 204


def asked(length: int) -> str:
    """A path and query of so many characters."""
    start = "/api/customer?limit=1&filter=id:in:1"
    return start + ";1" * ((length - len(start)) // 2) + "1" * ((length - len(start)) % 2)


@pytest.mark.parametrize("status", [414, 400])
def test_a_url_that_is_too_long_is_refused_with_a_page_and_costs_nothing(
    sandbox: Sandbox, api: Client, status: Any
) -> None:
    behave(sandbox, rate_limit=60, url_maximum=200, url_refusal_status=status)
    longest, too_long = api.get(asked(200)), api.get(asked(201))

    assert longest.status_code == 200
    assert (too_long.status_code, too_long.headers["Content-Type"][:9]) == (status, "text/html")
    assert "X-RateLimit-Remaining" not in too_long.headers
    assert api.get("/api/user").headers["X-RateLimit-Remaining"] == "58"
    assert [record.status for record in sandbox.requests] == [200, status, 200]


def test_the_longest_url_is_what_nginx_takes_unless_there_is_no_limit(
    sandbox: Sandbox, api: Client
) -> None:
    assert [api.get(asked(length)).status_code for length in (8170, 8171)] == [200, 414]
    behave(sandbox, url_maximum=None)
    assert api.get(asked(60_000)).status_code == 200


OPTIONS = pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"forbidden_rows": {"customer": [1]}}, 403),
        ({"unique_fields": {"customer": ["import_id"]}}, 422),
        ({"url_maximum": 5}, 414),
    ],
)


def status_of_a_write(sandbox: Sandbox, api: Client) -> int:
    """What an Update is answered whose import_id is taken."""
    sandbox.rows("customer").insert_many([{"name": "a"}, {"name": "b", "import_id": 1}])
    return api.send("PATCH", "/api/customer/1", json={"import_id": 1}).status_code


@OPTIONS
def test_the_admin_api_can_ask_for_it(
    sandbox: Sandbox, api: Client, options: dict[str, Any], expected: int
) -> None:
    told = api.send("PATCH", "/_sandbox/behaviour", json=options).json()
    assert told.items() >= options.items()
    assert status_of_a_write(sandbox, api) == expected


@OPTIONS
def test_a_fault_can_ask_for_it(
    sandbox: Sandbox, api: Client, options: dict[str, Any], expected: int
) -> None:
    fault = {"kind": "behaviour", "times": 1, "method": "PATCH", **options}
    assert api.send("POST", "/_sandbox/faults", json=fault).status_code == 200
    assert status_of_a_write(sandbox, api) == expected
    assert api.send("PATCH", "/api/customer/1", json={"import_id": 1}).status_code == 200


@pytest.mark.parametrize(
    "options",
    [
        {"forbidden_rows": {"customers": [1]}}, {"forbidden_rows": {"customer": ["1"]}},
        {"unique_fields": {"customer": "import_id"}}, {"unique_fields": ["import_id"]},
        {"url_refusal_status": 200}, {"text_comparison": "nonsense"}, {"price_places": "2"},
    ],
)  # fmt: skip
def test_a_value_that_an_option_cannot_take_is_refused(
    api: Client, options: dict[str, Any]
) -> None:
    assert api.send("PATCH", "/_sandbox/behaviour", json=options).status_code == 400
