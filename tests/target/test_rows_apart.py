"""Rows that must not be taken for one another, and those that must be."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import pytest

from tests.target.target_runs import record, schema, state

if TYPE_CHECKING:
    from tests.tap.conftest import Source
    from tests.target.target_runs import TargetRuns
    from tests.target.writing_fixtures import Record, Target

BY_EMAIL: dict[str, Any] = {"match_on": {"customer": ("email",)}}
WHEN = "2026-05-01T10:00:00Z"
SHARED = [
    {"no": "K1", "name": "Een", "email": "samen@example.com"},
    {"no": "K2", "name": "Twee", "email": "samen@example.com"},
]


def names(target: Target) -> list[str]:
    return sorted(row["name"] for row in target.rows())


@pytest.mark.parametrize("batch", [1, 2])
def test_a_record_is_one_row_of_a_source_the_other_is_refused(batch: int, target: Target) -> None:
    # Given
    first = target(SHARED, batch=batch, **BY_EMAIL)
    # Then
    assert names(target) == ["Een"]
    assert [(one["kind"], one["key"]) for one in first.rejects] == [("ambiguous", {"no": "K2"})]
    # When
    again = target(SHARED, batch=batch, **BY_EMAIL)
    # Then
    assert again.writes == []
    assert [one["key"] for one in again.rejects] == [{"no": "K2"}]


def test_a_row_that_has_a_new_key_takes_over_once_the_record_is_released(target: Target) -> None:
    # Given
    target(SHARED[:1], **BY_EMAIL)
    ((_, reason),) = target(SHARED[1:], **BY_EMAIL).reasons()
    record_id = target.rows()[0]["id"]
    assert f"`cirqll ledger release customer {record_id}`" in reason
    # When
    target.release("customers", record_id)
    written = target(SHARED[1:], **BY_EMAIL)
    # Then
    assert written.writes == [("PATCH", f"customer/{record_id}", {"name": "Twee"})]


def test_two_sources_share_a_record_and_the_last_one_takes_it_away(target: Target) -> None:
    # Given
    row = {"no": "1", "name": "Een", "email": "samen@example.com"}
    deletion = {"no": "1", "_sdc_deleted_at": WHEN}
    settings: dict[str, Any] = {**BY_EMAIL, "on_delete": "delete", "max_deletions": 1}
    for source in ("shop", "till"):
        target([row], source=source, **settings)
    # When
    first = target([deletion], source="shop", **settings)
    # Then
    assert (first.writes, first.counts["customers"]["left"]) == ([], 1)
    # When
    target([deletion], source="till", **settings)
    # Then
    assert target.rows() == []


def test_a_deletion_that_comes_twice_does_not_hold_the_record(target: Target) -> None:
    # Given
    settings: dict[str, Any] = {**BY_EMAIL, "on_delete": "delete", "max_deletions": 1}
    for number, source in enumerate(("shop", "till")):
        target(SHARED[number : number + 1], source=source, **settings)
    for _ in range(2):
        assert (
            target([{**SHARED[0], "_sdc_deleted_at": WHEN}], source="shop", **settings).writes == []
        )
    # When
    target([{**SHARED[1], "_sdc_deleted_at": WHEN}], source="till", **settings)
    # Then
    assert target.rows() == []


def test_a_record_lives_while_one_of_its_rows_does(target: Target) -> None:
    # Given
    target(SHARED[:1])
    deletion = {"id": target.rows()[0]["id"], "_sdc_deleted_at": WHEN}
    # When
    target([{**SHARED[0], "name": "Nog"}, deletion], on_delete="delete", max_deletions=1)
    # Then
    assert names(target) == ["Nog"]


@pytest.mark.parametrize("order", [1, -1])
def test_a_row_whose_key_was_renamed_in_one_batch_keeps_its_record(
    order: int, target: Target
) -> None:
    # Given
    settings: dict[str, Any] = {**BY_EMAIL, "on_delete": "delete", "max_deletions": 1}
    target(SHARED[:1], **settings)
    there = target.rows()[0]["id"]
    # When
    target([SHARED[1], {"no": "K1", "_sdc_deleted_at": WHEN}][::order], **settings)
    # Then
    assert [row["id"] for row in target.rows()] == [there]
    assert target(SHARED[1:], **settings).writes == []


@pytest.mark.parametrize(
    ("row", "is_refused"),
    [
        ({"no": None, "name": "Zonder"}, True),
        ({"name": "Zonder"}, True),
        ({"no": None, "name": "Zonder", "email": "zonder@example.com"}, False),
    ],
)
def test_a_row_without_its_key_is_refused_unless_something_else_tells_it_apart(
    row: Record, target: Target, *, is_refused: bool
) -> None:
    written = target([row], **BY_EMAIL)

    assert [kind for kind, _ in written.reasons()] == (["invalid"] if is_refused else [])
    assert names(target) == ([] if is_refused else ["Zonder"])


def test_rows_that_nothing_tells_apart_are_warned_of(target: Target) -> None:
    told = [one for one in target([{"name": "Een"}], keys=()).log if "becomes one more" in one]
    again = [one for one in target([{"no": "1", "name": "Een"}]).log if "becomes one more" in one]

    assert (len(told), again) == (1, [])


def test_a_row_with_id_and_key_is_known_by_its_key_from_then_on(target: Target) -> None:
    # Given
    there = target.source.customers.insert(name="Een")["id"]
    target([{"no": "K1", "id": there, "name": "Een", "updated_at": None}])
    # When
    written = target([{"no": "K1", "name": "Twee"}])
    # Then
    assert written.writes == [("PATCH", f"customer/{there}", {"name": "Twee"})]


def test_letters_with_marks_are_the_same_however_they_are_composed(target: Target) -> None:
    # Given
    target.source.customers.insert(name="Café")
    row = {"name": unicodedata.normalize("NFD", "Café"), "phone": "1"}
    # When
    written = target([row], keys=(), match_on={"customer": ("name",)})
    # Then
    assert [(method, body) for method, _, body in written.writes] == [("PATCH", {"phone": "1"})]


@pytest.mark.parametrize("keys", [("no",), ()])
def test_records_that_are_gone_all_at_once_stop_the_run(
    keys: tuple[str, ...], target: Target
) -> None:
    # Given
    rows = [{"no": str(one), "name": f"Klant {one}"} for one in range(6)]
    target(rows, keys=keys)
    for row in target.rows():
        target.source.customers.delete(row["id"])
    # When
    written = target(rows, keys=keys, may_fail=True)
    # Then
    assert written.sentence.startswith(
        "Of 6 customers that earlier runs wrote, 6 are not in Cirqll"
    )
    assert (written.writes, written.states) == ([], [])


def test_records_that_were_deleted_on_both_sides_are_no_surprise(target: Target) -> None:
    # Given
    target([{"no": str(one), "name": f"Klant {one}"} for one in range(6)])
    for row in target.rows():
        target.source.customers.delete(row["id"])
    deletions = [{"no": str(one), "_sdc_deleted_at": WHEN} for one in range(6)]
    # When
    written = target(deletions, on_delete="delete", max_deletions=1)
    # Then
    assert written.counts["customers"]["unchanged"] == 6


def test_a_few_records_that_are_gone_are_created_again(target: Target) -> None:
    rows = [{"no": str(one), "name": f"Klant {one}"} for one in range(6)]
    target(rows)
    target.source.customers.delete(target.rows()[0]["id"])

    assert [method for method, *_ in target(rows).writes] == ["POST"]


def test_an_archived_record_whose_row_lives_again_is_no_more_archived(target: Target) -> None:
    # Given
    settings: dict[str, Any] = {"on_delete": "archive", "max_deletions": 1}
    row = {"no": "K1", "name": "Een"}
    target([row], **settings)
    target([{**row, "_sdc_deleted_at": WHEN}], **settings)
    there = target.rows()[0]
    assert there["archived_at"] is not None
    # When
    written = target([row], **settings)
    # Then
    assert written.writes == [("PATCH", f"customer/{there['id']}", {"archived_at": None})]
    assert target([row], **settings).writes == []


def test_what_a_person_archived_stays_archived(target: Target) -> None:
    target([{"no": "K1", "name": "Een"}])
    there = target.rows()[0]["id"]
    target.source.customers.update(there, archived_at="2026-01-01 00:00:00")

    assert target([{"no": "K1", "name": "Een"}], on_delete="archive").writes == []


def test_an_unchanged_value_beyond_the_limits_refuses_no_row(target: Target) -> None:
    # Given
    there = target.source.sandbox.rows("chance").insert(name="Kans", percentage=160)["id"]
    row = {"id": there, "name": "Kans", "percentage": 160, "updated_at": None}
    # Then
    assert target([row], stream="chances", keys=("id",)).rejects == []
    changed = target([{**row, "percentage": 170}], stream="chances", keys=("id",))
    assert [(one["kind"], one["field"]) for one in changed.rejects] == [("invalid", "percentage")]


def test_a_parent_that_cannot_be_asked_for_is_said_so(target: Target) -> None:
    row = {"no": "1", "last_name": "Vos", "customer": {"name": 'De "Kroon"'}}

    ((kind, reason),) = target([row], stream="contacts").reasons()

    assert kind == "invalid"
    assert reason.startswith("the customer cannot be looked up by name: ")


def test_an_unknown_parent_of_a_stream_that_does_not_come_refuses_its_row_only(
    run_target: TargetRuns, source: Source
) -> None:
    rows = [
        record("contacts", no="1", last_name="Vos", customer={"import_id": 7}),
        record("contacts", no="2", last_name="Mus"),
    ]

    run = run_target(schema("contacts", "last_name", keys=("no",)), *rows, state(seen=1))

    assert (run.code, run.states) == (3, [{"seen": 1}])
    assert [row["last_name"] for row in source.sandbox.rows("contact").all()] == ["Mus"]
