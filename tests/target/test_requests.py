"""How many requests it takes: one for each page of rows, and one for each change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.target.writing_fixtures import Record, Target

MATCHED: dict[str, Any] = {"match_on": {"customer": ("import_id",)}, "keys": ()}
LEARNING = 2
"""Reads that a smaller page than was asked for costs, once in a run."""
CREATES_PER_RUN = 1
"""Reads before the first create of a run: which id is the newest."""


def numbered(number: int) -> list[Record]:
    return [{"name": f"Klant {one}", "import_id": one} for one in range(1, number + 1)]


@pytest.mark.parametrize(("maximum", "batch"), [(1000, 1000), (100, 1000), (100, 100)])
def test_ten_thousand_unchanged_rows_with_ids_cost_a_read_for_each_page(
    target: Target, maximum: int, batch: int
) -> None:
    target.source.behave(page_maximum=maximum)
    rows = numbered(10_000)
    ids = target.source.customers.insert_many(rows)
    given = [{"id": record_id, **row} for record_id, row in zip(ids, rows, strict=True)]
    target(given[:1], keys=("id",))

    written = target(given, keys=("id",), batch=batch)

    assert written.counts["customers"]["unchanged"] == 10_000
    assert written.writes == []
    assert written.reads == 10_000 // maximum


@pytest.mark.parametrize("maximum", [1000, 100])
def test_unchanged_rows_that_are_matched_cost_a_read_for_each_page(
    target: Target, maximum: int
) -> None:
    target.source.behave(page_maximum=maximum)
    rows = numbered(10_000)
    target.source.customers.insert_many(rows)
    target(rows[:1], **MATCHED)

    written = target(rows, **MATCHED)

    assert written.counts["customers"]["unchanged"] == 10_000
    assert written.writes == []
    assert written.reads <= 10_000 // maximum + (LEARNING if maximum < 1000 else 0)


@pytest.mark.parametrize("maximum", [1000, 100])
def test_unchanged_rows_whose_key_the_ledger_knows_cost_a_read_for_each_page(
    target: Target, maximum: int
) -> None:
    target.source.behave(page_maximum=maximum)
    rows = [{"no": f"K{one}", **row} for one, row in enumerate(numbered(500))]
    first = target(rows)

    second = target(rows)

    assert len(first.writes) == 500
    assert second.writes == []
    assert second.reads == -(-500 // maximum)


def test_a_given_token_is_asked_once_whose_it_is(target: Target) -> None:
    asked = [
        [one.path for one in target([{"no": "K1", "name": "A"}]).requests].count("/api/auth/me")
        for _ in range(3)
    ]

    assert asked == [1, 0, 0]


def test_a_changed_row_costs_one_write_of_what_changed(target: Target) -> None:
    rows = numbered(1_000)
    ids = target.source.customers.insert_many(rows)
    rows[499] |= {"name": "Anders", "phone": "06"}
    target([], **MATCHED)

    written = target(rows, **MATCHED)

    change = {"name": "Anders", "phone": "06"}
    assert written.writes == [("PATCH", f"customer/{ids[499]}", change)]
    assert written.reads <= 2


def test_a_new_row_with_a_match_key_costs_one_write(target: Target) -> None:
    target.source.customers.insert_many(numbered(999))

    written = target(numbered(1_000), **MATCHED)

    assert written.writes == [("POST", "customer", {"name": "Klant 1000", "import_id": 1000})]
    assert written.reads <= 2 + CREATES_PER_RUN


def test_only_what_is_compared_is_asked_for(target: Target) -> None:
    target.source.customers.insert_many(numbered(3))

    written = target(numbered(3), **MATCHED)

    (query,) = [one.query for one in written.requests if one.path == "/api/customer"][:1]
    assert query["show"] == ["id,import_id,name,updated_at"]
