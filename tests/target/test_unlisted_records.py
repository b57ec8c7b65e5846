"""Records that the Index leaves out, as it may do with archived ones: a guess."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.target.writing_fixtures import Target

HIDDEN: dict[str, Any] = {"archived_in_index": "hidden"}


def archive(target: Target, record_id: int) -> None:
    """As somebody does it in Cirqll."""
    target.source.customers.update(record_id, archived_at="2026-01-01 00:00:00")


@pytest.mark.parametrize("keys", [("no",), ()])
def test_a_row_is_not_created_again_because_its_record_was_archived(
    target: Target, keys: tuple[str, ...]
) -> None:
    # Given
    target.source.behave(**HIDDEN)
    rows = [{"no": 1, "import_id": 1, "name": "A"}]
    target(rows, keys=keys, match_on={"customer": ("import_id",)})
    (there,) = target.rows()
    archive(target, there["id"])
    # When
    same = target(rows, keys=keys, match_on={"customer": ("import_id",)})
    changed = target([{**rows[0], "name": "B"}], keys=keys, match_on={"customer": ("import_id",)})
    # Then
    assert same.writes == []
    assert changed.writes == [("PATCH", f"customer/{there['id']}", {"name": "B"})]


def test_ids_of_records_that_are_not_listed_are_updated(target: Target) -> None:
    # Given
    target.source.behave(**HIDDEN)
    ids = target.source.customers.insert_many([{"name": "A"}] * 6)
    for one in ids[:5]:
        archive(target, one)
    # When
    written = target([{"id": one, "name": "B"} for one in ids], keys=("id",))
    # Then
    assert written.rejects == []
    assert [one["name"] for one in target.rows()] == ["B"] * 6


def test_after_some_ids_that_nobody_has_the_index_is_believed(target: Target) -> None:
    rows = [{"id": one, "name": "B"} for one in range(1, 51)]

    written = target(rows, keys=("id",))

    assert len(written.rejects) == 50
    assert written.reads < 10


@pytest.mark.parametrize("row", [{"no": 1, "name": "B"}, {"id": 1, "name": "B"}])
def test_a_record_that_is_not_to_be_seen_is_neither_created_again_nor_the_end_of_the_run(
    target: Target, row: dict[str, Any]
) -> None:
    # Given
    target.source.behave(**HIDDEN)
    target([{"no": 1, "name": "A"}])
    (there,) = target.rows()
    archive(target, there["id"])
    target.source.sandbox.faults.add("403", path=f"/customer/{there['id']}$", method="GET")
    # When
    row = {**row, **({"id": there["id"]} if "id" in row else {})}
    written = target([row, {"no": 2, "name": "C"}])
    # Then
    reason = f"Cirqll does not show customer {there['id']} to this user"
    assert written.reasons() == [("refused", reason)]
    assert [one["name"] for one in target.rows()] == ["A", "C"]
