"""Rows that name their parents by keys of their own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.target.writing_fixtures import Rows, Target

PARENT: dict[str, Any] = {"no": "K7", "name": "Bakkerij"}


@pytest.mark.parametrize(
    "named",
    [
        {"customer": {"import_id": 7}},
        {"customer": '{"import_id": 7}'},
        {"customer__import_id": 7},
        {"customer__import_id": "7"},
        {"customer": {"import_id": 7, "name": "Bakkerij"}},
    ],
)
def test_a_parent_is_found_by_a_field_that_cirqll_knows(
    target: Target, named: dict[str, Any]
) -> None:
    there = target.source.customers.insert(name="Bakkerij", import_id=7)
    target.source.customers.insert(name="Slagerij", import_id=8)

    written = target([{"last_name": "Jansen", **named}], stream="contacts", keys=())

    body = {"last_name": "Jansen", "customer_id": there["id"]}
    assert written.writes == [("POST", "contact", body)]


@pytest.mark.parametrize("order", [("customers", "contacts"), ("contacts", "customers")])
@pytest.mark.parametrize("batch", [1, 1000])
def test_a_parent_is_found_by_its_key_wherever_it_comes_in_the_run(
    target: Target, order: tuple[str, ...], batch: int
) -> None:
    parts = {
        "customers": Rows([{"no": "K1", "name": "A"}, PARENT]),
        "contacts": Rows([{"last_name": "Jansen", "customer": {"no": "K7"}}], "contacts", ()),
    }

    written = target.take(*(parts[name] for name in order), batch=batch)

    (contact,) = target.rows("contacts")
    parent = target.source.customers.get(contact["customer_id"])
    assert parent["name"] == "Bakkerij"
    assert written.rejects == []


def test_a_parent_is_found_that_an_earlier_run_created(target: Target) -> None:
    target([PARENT])

    written = target(
        [{"last_name": "Jansen", "customer": {"no": "K7"}}], stream="contacts", keys=()
    )

    assert [body["customer_id"] for _, _, body in written.writes] == [target.rows()[0]["id"]]


def test_a_parent_that_never_comes_is_a_reject_and_the_others_are_written(target: Target) -> None:
    rows: Any = [
        {"last_name": "Jansen", "customer": {"no": "K8"}},
        {"last_name": "Pietersen", "customer": {"import_id": 8}},
        {"last_name": "Klaassen"},
    ]

    written = target(rows, stream="contacts", keys=())

    assert sorted(written.reasons()) == [
        ("invalid", "there is no customer with the import_id that the row names"),
        ("invalid", "there is no customer with the no that the row names"),
    ]
    assert {one["field"] for one in written.rejects} == {"customer_id"}
    assert [one["last_name"] for one in target.rows("contacts")] == ["Klaassen"]


def test_the_state_waits_for_rows_that_wait_for_their_parents(target: Target) -> None:
    orphan = {"last_name": "Jansen", "customer": {"no": "K9"}}

    written = target.take(
        Rows([{"last_name": "Klaassen"}], "contacts", ()),
        Rows([orphan], "contacts", ()),
        Rows([PARENT]),
        batch=1,
    )

    assert written.states == [{"rows": 1}, {"rows": 3}]


def test_an_ambiguous_parent_is_a_reject(target: Target) -> None:
    target.source.customers.insert_many([{"name": "A", "import_id": 7}] * 2)

    written = target(
        [{"last_name": "Jansen", "customer": {"import_id": 7}}], stream="contacts", keys=()
    )

    assert written.reasons() == [("ambiguous", "2 customers have the import_id that the row names")]
    assert written.writes == []


def test_the_parents_of_a_batch_are_asked_for_at_once(target: Target) -> None:
    numbers = range(1, 501)
    target.source.customers.insert_many([{"name": "A", "import_id": one} for one in numbers])
    rows = [{"no": one, "last_name": "A", "customer": {"import_id": one}} for one in numbers]
    target(rows, stream="contacts")

    written = target(rows, stream="contacts")

    assert written.writes == []
    assert written.reads == 2


def test_a_new_parent_moves_the_child(target: Target) -> None:
    target([PARENT, {"no": "K8", "name": "Slagerij"}])
    child = {"no": "C1", "last_name": "Jansen"}
    target([{**child, "customer": {"no": "K7"}}], stream="contacts")

    written = target([{**child, "customer": {"no": "K8"}}], stream="contacts")

    (contact,) = target.rows("contacts")
    new = next(one["id"] for one in target.rows() if one["name"] == "Slagerij")
    assert written.writes == [("PATCH", f"contact/{contact['id']}", {"customer_id": new})]


def test_an_id_of_the_parent_counts_more_than_its_key(target: Target) -> None:
    one, other = target.source.customers.insert_many([{"name": "A"}, {"name": "B", "import_id": 7}])
    row = {"last_name": "Jansen", "customer_id": one, "customer": {"import_id": 7}}

    written = target([row], stream="contacts", keys=())

    assert [body["customer_id"] for _, _, body in written.writes] == [one]
    assert other != one


def test_a_record_may_name_a_parent_of_its_own_run_two_levels_up(target: Target) -> None:
    written = target.take(
        Rows([{"no": "T1", "name": "Todo", "task": {"no": "A1"}}], "todos"),
        Rows([{"no": "A1", "name": "Taak", "customer": {"no": "K7"}}], "tasks"),
        Rows([PARENT]),
    )

    assert written.rejects == []
    assert target.rows("todos")[0]["task_id"] == target.rows("tasks")[0]["id"]
    assert target.rows("tasks")[0]["customer_id"] == target.rows()[0]["id"]


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_a_row_that_waits_for_its_parent_does_not_overwrite_a_later_one(
    target: Target, batch: int
) -> None:
    target([PARENT])
    rows = [
        {"no": "C1", "last_name": "Old", "phone": "06", "customer": {"no": "K9"}},
        {"no": "C1", "last_name": "New", "customer": {"no": "K7"}},
    ]

    target.take(Rows(rows, "contacts"), Rows([{"no": "K9", "name": "Late"}]), batch=batch)

    (contact,) = target.rows("contacts")
    assert (contact["last_name"], contact["phone"]) == ("New", "06")
    assert target.source.customers.get(contact["customer_id"])["name"] == "Bakkerij"
