"""What happens where the record was changed in Cirqll after the row was made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.target.writing_fixtures import Record, Target

BY_ID: dict[str, Any] = {"keys": ("id",)}


def read_row(target: Target) -> Record:
    """A row as it was read, with a change; then somebody changes its record."""
    there = target.source.customers.insert(name="A", phone="06")
    row = {"id": there["id"], "name": "B", "updated_at": target.source.sandbox.clock.now()}
    target.source.sandbox.clock.move(60)
    target.source.customers.update(there["id"], phone="07")
    return {**row, "updated_at": row["updated_at"].isoformat()}


def test_the_warehouse_wins_by_default(target: Target) -> None:
    row = read_row(target)

    written = target([row], **BY_ID)

    assert written.writes == [("PATCH", f"customer/{row['id']}", {"name": "B"})]


def test_the_crm_may_win(target: Target) -> None:
    row = read_row(target)

    written = target([row], conflict="crm_wins", **BY_ID)

    assert written.writes == []
    assert written.rejects == []
    assert written.counts["customers"]["left_by_reason"] == {
        "changed in Cirqll since, and conflict is crm_wins": 1
    }


def test_a_conflict_may_be_reported(target: Target) -> None:
    row = read_row(target)

    written = target([row], conflict="report", **BY_ID)

    reason = f"the customer {row['id']} was changed in Cirqll since"
    assert written.writes == []
    assert written.reasons() == [("conflict", reason)]


@pytest.mark.parametrize("conflict", ["crm_wins", "report"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Amsterdam"])
def test_no_change_in_cirqll_is_no_conflict(target: Target, conflict: str, zone: str) -> None:
    target.source.behave(timezone=zone)
    there = target.source.customers.insert(name="A")
    row = {"id": there["id"], "name": "B", "updated_at": "2026-06-01T12:00:00Z"}

    written = target([row], conflict=conflict, settings={"api_timezone": zone}, **BY_ID)

    assert [body for *_, body in written.writes] == [{"name": "B"}]


@pytest.mark.parametrize("conflict", ["crm_wins", "report"])
def test_own_writes_are_no_conflict(target: Target, conflict: str) -> None:
    there = target.source.customers.insert(name="A")
    row = {"id": there["id"], "name": "B", "updated_at": "2026-06-01T12:00:00Z"}
    target.source.sandbox.clock.move(60)
    target([row], conflict=conflict, **BY_ID)

    written = target([{**row, "name": "C"}], conflict=conflict, **BY_ID)

    assert [body for *_, body in written.writes] == [{"name": "C"}]


@pytest.mark.parametrize("conflict", ["crm_wins", "report"])
def test_a_row_that_changes_nothing_is_no_conflict(target: Target, conflict: str) -> None:
    row = {**read_row(target), "name": "A"}

    written = target([row], conflict=conflict, **BY_ID)

    assert written.counts["customers"]["unchanged"] == 1
    assert written.rejects == []


@pytest.mark.parametrize("conflict", ["crm_wins", "report"])
def test_a_row_that_does_not_say_when_it_was_made_wins(target: Target, conflict: str) -> None:
    row = {**read_row(target), "updated_at": None}

    written = target([row], conflict=conflict, **BY_ID)

    assert [body for *_, body in written.writes] == [{"name": "B"}]


@pytest.mark.parametrize("deed", ["archive", "delete"])
def test_a_deletion_of_what_changed_since_is_a_conflict_too(target: Target, deed: str) -> None:
    row = {**read_row(target), "_sdc_deleted_at": "2026-06-01T12:00:30Z"}

    written = target([row], conflict="report", on_delete=deed, max_deletions=1, **BY_ID)

    assert written.writes == []
    assert [kind for kind, _ in written.reasons()] == ["conflict"]
