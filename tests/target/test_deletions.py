"""Rows that were deleted at their source, and the guard against too many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_cirqll.deletions import TooManyDeletions

if TYPE_CHECKING:
    from tests.target.writing_fixtures import Record, Target

WHEN = "2026-05-01T10:00:00Z"
ALL: dict[str, Any] = {"max_deletions": 1, "keys": ("id",)}


def gone(record_id: int, **values: Any) -> Record:
    return {"id": record_id, "_sdc_deleted_at": WHEN, **values}


def filled(target: Target, number: int) -> list[int]:
    rows = [{"name": f"Klant {one}"} for one in range(number)]
    ids: list[int] = target.source.customers.insert_many(rows)
    return ids


def test_a_deletion_is_left_alone_unless_the_setting_says_otherwise(target: Target) -> None:
    (there,) = filled(target, 1)

    written = target([gone(there)], **ALL)

    assert written.writes == []
    assert written.counts["customers"]["left"] == 1
    assert written.rejects == []


def test_deleting_deletes(target: Target) -> None:
    first, second = filled(target, 2)

    written = target([gone(first)], on_delete="delete", **ALL)

    assert written.writes == [("DELETE", f"customer/{first}", None)]
    assert [one["id"] for one in target.rows()] == [second]


def test_archiving_says_when_and_touches_nothing_else(target: Target) -> None:
    (there,) = filled(target, 1)

    written = target([gone(there, name="Anders")], on_delete="archive", **ALL)

    change = {"archived_at": "2026-05-01 10:00:00"}
    assert written.writes == [("PATCH", f"customer/{there}", change)]
    assert written.counts["customers"]["archived"] == 1


def test_a_row_is_deleted_by_the_key_that_created_it(target: Target) -> None:
    target([{"no": "K1", "name": "A"}, {"no": "K2", "name": "B"}])
    deleted = {"no": "K1", "_sdc_deleted_at": WHEN}

    written = target([deleted], on_delete="delete", max_deletions=1)
    again = target([deleted], on_delete="delete", max_deletions=1)

    assert [method for method, *_ in written.writes] == ["DELETE"]
    assert again.writes == []
    assert [one["name"] for one in target.rows()] == ["B"]


@pytest.mark.parametrize("on_delete", ["delete", "archive"])
def test_a_second_run_of_deletions_does_nothing(target: Target, on_delete: str) -> None:
    ids = filled(target, 3)
    rows = [gone(one) for one in ids]
    first = target(rows, on_delete=on_delete, **ALL)

    second = target(rows, on_delete=on_delete, **ALL)

    assert len(first.writes) == 3
    assert second.writes == []
    assert second.rejects == []


def test_what_was_archived_before_keeps_its_date(target: Target) -> None:
    there = target.source.customers.insert(name="A", archived_at="2020-01-01 00:00:00")

    written = target([gone(there["id"])], on_delete="archive", **ALL)

    assert written.writes == []


def test_what_cannot_be_archived_is_a_reject(target: Target) -> None:
    there = target.source.sandbox.rows("note").insert(description="A")

    written = target([gone(there["id"])], stream="notes", on_delete="archive", **ALL)

    assert written.reasons() == [("invalid", "notes cannot be archived, as on_delete says")]


def test_settings_cannot_be_deleted(target: Target) -> None:
    there = target.source.sandbox.rows("setting").insert(key="a", value="b")

    written = target([gone(there["id"])], stream="settings", on_delete="delete", **ALL)

    assert written.reasons() == [("invalid", "the API cannot delete settings")]
    assert written.writes == []


def test_the_guard_stops_before_anything_of_the_batch_is_deleted(target: Target) -> None:
    ids = filled(target, 20)
    rows = [gone(one) for one in ids[:3]]

    written = target(rows, keys=("id",), on_delete="delete", may_fail=True)

    assert isinstance(written.error, TooManyDeletions)
    assert written.sentence == (
        "The run would delete or archive 3 of 20 customers, more than max_deletions allows "
        "(10.0%), so it stopped before. If that is meant, raise max_deletions (1 allows all) and "
        "run again."
    )
    assert written.writes == []
    assert written.states == []


@pytest.mark.parametrize("on_delete", ["delete", "archive"])
def test_the_guard_counts_over_the_batches_of_a_run(target: Target, on_delete: str) -> None:
    ids = filled(target, 20)
    rows = [gone(one) for one in ids[:3]]

    written = target(rows, keys=("id",), on_delete=on_delete, batch=1, state_every=1, may_fail=True)

    assert isinstance(written.error, TooManyDeletions)
    assert len(written.writes) == 2
    assert written.states == [{"rows": 1}, {"rows": 2}]


def test_the_guard_lets_through_what_is_allowed(target: Target) -> None:
    ids = filled(target, 20)

    written = target([gone(one) for one in ids[:2]], keys=("id",), on_delete="delete")

    assert len(written.writes) == 2


def test_a_row_that_is_deleted_and_lives_again_in_one_batch_lives(target: Target) -> None:
    (there,) = filled(target, 1)
    rows = [gone(there), {"id": there, "name": "Back"}]

    written = target(rows, on_delete="delete", **ALL)

    assert written.writes == [("PATCH", f"customer/{there}", {"name": "Back"})]


def test_a_row_that_lives_and_is_deleted_in_one_batch_is_deleted(target: Target) -> None:
    (there,) = filled(target, 1)

    written = target([{"id": there, "name": "B"}, gone(there)], on_delete="delete", **ALL)

    assert written.writes == [("DELETE", f"customer/{there}", None)]


def test_a_new_row_that_is_deleted_at_once_is_never_created(target: Target) -> None:
    rows = [{"no": "K1", "name": "A"}, {"no": "K1", "name": "A", "_sdc_deleted_at": WHEN}]

    written = target(rows, on_delete="delete", max_deletions=1)

    assert written.writes == []


def test_a_key_that_comes_back_after_its_deletion_is_a_new_record(target: Target) -> None:
    row = {"no": "K1", "name": "A"}
    target([row])
    target([{**row, "_sdc_deleted_at": WHEN}], on_delete="delete", max_deletions=1)

    written = target([row])

    assert [method for method, *_ in written.writes] == ["POST"]
    assert len(target.rows()) == 1


def test_a_deletion_needs_nothing_else_of_its_row(target: Target) -> None:
    (there,) = filled(target, 1)
    row = gone(there, import_id="no number", user={"no": "nobody"})

    written = target([row], on_delete="delete", **ALL)

    assert written.rejects == []
    assert target.rows() == []


def test_an_archived_record_that_lives_again_is_updated_as_the_row_says(target: Target) -> None:
    (there,) = filled(target, 1)
    target([gone(there)], on_delete="archive", **ALL)

    written = target([{"id": there, "archived_at": None}], on_delete="archive", **ALL)

    assert written.writes == [("PATCH", f"customer/{there}", {"archived_at": None})]


@pytest.mark.parametrize("total_echo", ["missing", "lying"])
@pytest.mark.parametrize("on_delete", ["delete", "archive"])
def test_where_nobody_tells_how_many_there_are_nothing_is_deleted_but_on_demand(
    target: Target, total_echo: str, on_delete: str
) -> None:
    # Given
    ids = filled(target, 3)
    target.source.behave(total_echo=total_echo)
    options: dict[str, Any] = {"on_delete": on_delete, "keys": ("id",)}
    # When
    guarded = target([gone(ids[0])], max_deletions=0.99, may_fail=True, **options)
    meant = target([gone(ids[0])], max_deletions=1, **options)
    # Then
    assert isinstance(guarded.error, TooManyDeletions)
    assert "Cirqll does not tell how many customers there are" in guarded.sentence
    assert "Set max_deletions to 1" in guarded.sentence
    assert (guarded.writes, guarded.states) == ([], [])
    assert len(meant.writes) == 1
