"""Every way in which the sandbox can be another server than the documentation tells of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_sandbox import Behaviour, Sandbox

if TYPE_CHECKING:
    from tests.sandbox.conftest import Client

MOMENT = 'updated_at:gte:"2025-01-02 00:00:00"'
OTHERS = ("/api/customer", "/api/contact")


@pytest.fixture
def api(sandbox: Sandbox, api: Client) -> Client:
    """Three customers and three contacts, whose order by id is not that by time."""
    for table, name in (("customer", "name"), ("contact", "last_name")):
        for day in (3, 1, 2):
            sandbox.rows(table).insert(**{name: "x"}, updated_at=f"2025-01-0{day} 00:00:00")
    return api


def behave(sandbox: Sandbox, **options: Any) -> None:
    sandbox.behaviour = replace(sandbox.behaviour, **options)


@pytest.mark.parametrize(
    ("mode", "rows", "limit"),
    [("cap", 2, 2), ("cap_silently", 2, 500), ("refuse", None, None), ("obey", 3, 500)],
)
def test_the_page_maximum(
    sandbox: Sandbox, api: Client, mode: Any, rows: int | None, limit: int | None
) -> None:
    behave(sandbox, page_maximum=2, page_maximum_mode=mode)
    answer = api.get("/api/customer", limit=500)
    assert answer.status_code == (422 if rows is None else 200)
    assert rows is None or (len(answer.json()["data"]), answer.json()["limit"]) == (rows, limit)


@pytest.mark.parametrize(
    ("options", "key", "told"),
    [
        ({"limit_echo": "wrong"}, "limit", 9), ({"limit_echo": "missing"}, "limit", None),
        ({"total_echo": "lying"}, "total", 2), ({"total_echo": "missing"}, "total", None),
    ],
)  # fmt: skip
def test_the_envelope(sandbox: Sandbox, api: Client, options: Any, key: str, told: Any) -> None:
    behave(sandbox, **options)
    assert api.get("/api/customer", limit=2).json().get(key) == told


@pytest.mark.parametrize(("strictness", "rows"), [("refuse", None), ("ignore", 3)])
@pytest.mark.parametrize("name", ["updated_at", "customer.updated_at"])
def test_a_filter_that_is_refused_or_ignored_for_one_field(
    sandbox: Sandbox, api: Client, strictness: Any, rows: int | None, name: str
) -> None:
    behave(sandbox, unfilterable_fields=(name,), unknown_filter_field=strictness)
    answer = api.get("/api/customer", filter=MOMENT)
    assert answer.status_code == (400 if rows is None else 200)
    assert rows is None or len(answer.json()["data"]) == rows
    assert api.ids("/api/customer", filter="id:gt:1") == [2, 3]
    if name != "updated_at":
        assert api.ids("/api/contact", filter=MOMENT) == [1, 3]


@pytest.mark.parametrize(("strictness", "ids"), [("refuse", None), ("ignore", [1, 2, 3])])
@pytest.mark.parametrize("name", ["updated_at", "customer.updated_at"])
def test_an_order_that_is_refused_or_ignored_for_one_field(
    sandbox: Sandbox, api: Client, strictness: Any, ids: list[int] | None, name: str
) -> None:
    behave(sandbox, unorderable_fields=(name,), unknown_order_field=strictness)
    answer = api.get("/api/customer", order_by="updated_at,id")
    assert answer.status_code == (400 if ids is None else 200)
    assert ids is None or [row["id"] for row in answer.json()["data"]] == ids
    assert api.ids("/api/customer", order_by="id:desc") == [3, 2, 1]
    if name != "updated_at":
        assert api.ids("/api/contact", order_by="updated_at,id") == [2, 3, 1]


@pytest.mark.parametrize(
    ("fault", "customers"),
    [
        ("ignore-filter", [1, 2, 3]), ("refuse-filter", 400),
        ("ignore-order", [1, 3]), ("refuse-order", 400),
        ("404", 404), ("500", 500), ("502-html", 502), ("html-200", 200),
    ],
)  # fmt: skip
def test_what_is_wrong_with_one_resource_only(
    sandbox: Sandbox, api: Client, fault: str, customers: Any
) -> None:
    sandbox.faults.add(fault, path="^/api/customer$")
    answer, sound = (api.get(path, filter=MOMENT, order_by="updated_at") for path in OTHERS)
    if isinstance(customers, int):
        assert answer.status_code == customers
    else:
        assert sorted(row["id"] for row in answer.json()["data"]) == customers
    if "html" in fault:
        assert answer.text.startswith("<!DOCTYPE html>")
    assert [row["id"] for row in sound.json()["data"]] == [3, 1]


def test_an_error_that_is_asked_for_has_the_words_of_its_status(
    sandbox: Sandbox, api: Client
) -> None:
    sandbox.faults.add("404", times=1)
    assert api.get("/api/customer").json() == {"message": "Not Found"}


def test_quotes_that_count_as_part_of_the_value(sandbox: Sandbox, api: Client) -> None:
    behave(sandbox, quotes="literal")
    assert api.ids("/api/customer", filter=MOMENT) != [1, 3]
    assert api.ids("/api/customer", filter=MOMENT.replace('"', "")) == [1, 3]


def test_a_show_with_data_around_it(sandbox: Sandbox, api: Client) -> None:
    behave(sandbox, wrap_single=True)
    assert api.get("/api/customer/1").json()["data"]["id"] == 1


def test_times_in_another_zone(sandbox: Sandbox) -> None:
    behave(sandbox, timezone="Europe/Amsterdam")
    now = sandbox.clock.now().replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
    assert str(sandbox.rows("customer").insert()["updated_at"]) > now


@pytest.mark.parametrize(
    ("options", "header", "told"),
    [
        ({"date_header": False}, "Date", None),
        ({"rate_headers": False}, "X-RateLimit-Limit", None),
        ({"rate_limit_told": 120}, "X-RateLimit-Limit", "120"), ({}, "X-RateLimit-Limit", "60"),
    ],
)  # fmt: skip
def test_headers(sandbox: Sandbox, api: Client, options: Any, header: str, told: Any) -> None:
    behave(sandbox, rate_limit=60, **options)
    assert api.get("/api/customer").headers.get(header) == told


def test_fields_that_never_come_and_fields_that_nobody_told_of(
    sandbox: Sandbox, api: Client
) -> None:
    behave(sandbox, hidden_fields=("phone", "contact.email"))
    sandbox.add_undocumented_fields()
    customer, contact = (api.rows(path)[0] for path in OTHERS)
    assert ("phone" in customer, "email" in customer, "is_vip" in customer) == (False, True, True)
    assert ("phone" in contact, "email" in contact) == (False, False)


def test_scopes_that_lack_for_one_resource() -> None:
    sandbox = Sandbox(size=0, behaviour=Behaviour(rate_limit=0), scopes=["contact.read.all"])
    with sandbox.running() as url:
        from tests.sandbox.conftest import _client  # noqa: PLC0415 - the plain client of this URL

        client = _client(url, sandbox)
        with client.session:
            assert [client.get(path).status_code for path in OTHERS] == [403, 200]
