"""Which record a row means, and what the mode lets be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.target.writing_fixtures import Target

BY_IMPORT_ID: dict[str, Any] = {"match_on": {"customer": ("import_id",)}, "keys": ()}
BY_BOTH: dict[str, Any] = {"match_on": {"customer": ("import_id", "email")}, "keys": ()}


@pytest.mark.parametrize(
    ("mode", "methods", "count"),
    [
        ("upsert", ["PATCH", "POST"], {"created": 1, "updated": 1}),
        ("update", ["PATCH"], {"left": 1, "updated": 1}),
        ("create", ["POST"], {"created": 1, "left": 1}),
    ],
)
def test_a_mode_does_what_it_says(
    target: Target, mode: str, methods: list[str], count: dict[str, int]
) -> None:
    target.source.customers.insert(name="A", import_id=1)
    rows = [{"import_id": 1, "name": "B"}, {"import_id": 2, "name": "C"}]

    written = target(rows, write_mode=mode, **BY_IMPORT_ID)

    assert sorted(method for method, *_ in written.writes) == methods
    assert {deed: written.counts["customers"][deed] for deed in count} == count
    assert written.rejects == []


def test_two_live_records_for_one_key_are_a_reject_that_names_both(target: Target) -> None:
    first, second = target.source.customers.insert_many([{"name": "A", "import_id": 1}] * 2)

    written = target([{"import_id": 1, "name": "B"}], **BY_IMPORT_ID)

    assert written.reasons() == [
        ("ambiguous", f"customers {first} and {second} have the same import_id as the row")
    ]
    assert written.writes == []


def test_fields_are_tried_in_their_order(target: Target) -> None:
    by_number, by_email = target.source.customers.insert_many(
        [{"name": "A", "import_id": 1}, {"name": "B", "email": "b@example.com"}]
    )
    rows = [
        {"import_id": 1, "email": "new@example.com"},
        {"import_id": 2, "email": "B@Example.com"},
    ]

    written = target(rows, **BY_BOTH)

    assert sorted(written.writes, key=str) == [
        ("PATCH", f"customer/{by_number}", {"email": "new@example.com"}),
        ("PATCH", f"customer/{by_email}", {"email": "B@Example.com", "import_id": 2}),
    ]


def test_a_weaker_key_does_not_overrule_a_stronger_one(target: Target) -> None:
    there = target.source.customers.insert(name="A", import_id=1, email="a@example.com")

    written = target([{"import_id": 2, "email": "a@example.com", "name": "B"}], **BY_BOTH)

    assert written.reasons() == [
        (
            "ambiguous",
            f"customer {there['id']} has the same email as the row, but another import_id",
        )
    ]
    assert written.writes == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ('De "Leeuw"', "how a filter holds a double quote or a backslash is not documented"),
        ("a\nb", "it holds a line break or another control character"),
    ],
)
def test_a_key_that_no_filter_can_say_is_reported_and_never_mismatched(
    target: Target, value: str, reason: str
) -> None:
    target.source.customers.insert(name="De Leeuw")

    written = target([{"name": value}], keys=(), match_on={"customer": ("name",)})

    assert written.reasons() == [("invalid", f"it cannot be looked up by name: {reason}")]
    assert written.writes == []


def test_two_rows_for_one_record_in_a_batch_are_one_write_in_which_the_later_wins(
    target: Target,
) -> None:
    there = target.source.customers.insert(name="A", import_id=1)
    rows = [
        {"import_id": 1, "name": "B", "phone": "06"},
        {"import_id": 2, "name": "New", "website": "https://example.com"},
        {"import_id": 1, "name": "C"},
        {"import_id": 2, "name": "Newer"},
    ]

    written = target(rows, **BY_IMPORT_ID)

    assert sorted(written.writes, key=str) == [
        ("PATCH", f"customer/{there['id']}", {"name": "C", "phone": "06"}),
        (
            "POST",
            "customer",
            {"import_id": 2, "name": "Newer", "website": "https://example.com"},
        ),
    ]


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_rows_for_one_record_leave_the_same_record_however_they_are_batched(
    target: Target, batch: int
) -> None:
    rows: Any = [
        {"no": "K1", "name": "A", "phone": "06"},
        {"no": "K1", "name": "B"},
        {"no": "K1", "name": "C", "phone": None},
    ]

    target(rows, batch=batch)

    assert [(one["name"], one["phone"]) for one in target.rows()] == [("C", None)]


def test_a_row_by_id_and_one_by_key_for_the_same_record_are_one_write(target: Target) -> None:
    there = target.source.customers.insert(name="A", import_id=1)
    rows: Any = [{"id": there["id"], "name": "B"}, {"import_id": 1, "phone": "06"}]

    written = target(rows, **BY_IMPORT_ID)

    assert written.writes == [("PATCH", f"customer/{there['id']}", {"name": "B", "phone": "06"})]


def test_a_row_with_an_id_that_is_not_there_is_no_create(target: Target) -> None:
    written = target([{"id": 77, "name": "A"}], keys=("id",))

    assert written.reasons() == [("invalid", "there is no customer with the id 77 in Cirqll")]
    assert written.writes == []


def test_the_ledger_finds_what_it_created_after_the_match_key_changed_in_cirqll(
    target: Target,
) -> None:
    row = {"no": "K1", "import_id": 1, "name": "A"}
    target([row], match_on={"customer": ("import_id",)})
    (there,) = target.rows()
    target.source.sandbox.clock.move(5)
    target.source.customers.update(there["id"], import_id=99)

    written = target([row], match_on={"customer": ("import_id",)})

    assert written.writes == [("PATCH", f"customer/{there['id']}", {"import_id": 1})]


def test_a_record_that_was_deleted_in_cirqll_is_created_anew(target: Target) -> None:
    row = {"no": "K1", "name": "A"}
    target([row])
    target.source.customers.delete(target.rows()[0]["id"])

    written = target([row])

    assert [method for method, *_ in written.writes] == ["POST"]
    assert len(target.rows()) == 1


def test_settings_are_updated_and_never_created(target: Target) -> None:
    there = target.source.sandbox.rows("setting").insert(key="currency", value="EUR")
    rows = [{"key": "currency", "value": "USD"}, {"key": "language", "value": "nl"}]

    written = target(rows, stream="settings", keys=(), match_on={"setting": ("key",)})

    assert written.writes == [("PATCH", f"setting/{there['id']}", {"value": "USD"})]
    assert written.reasons() == [("invalid", "the API cannot create settings")]


def test_the_same_key_of_two_sources_is_two_records(target: Target) -> None:
    for source in ("erp", "shop"):
        target([{"no": "1", "name": source}], source=source)

    assert sorted(one["name"] for one in target.rows()) == ["erp", "shop"]


def test_two_new_rows_that_share_only_the_weaker_key_are_not_made_one(target: Target) -> None:
    rows = [
        {"import_id": 1, "email": "info@example.com", "name": "A"},
        {"import_id": 2, "email": "Info@Example.com", "name": "B"},
    ]

    written = target(rows, **BY_BOTH)

    assert [(one["kind"], one["field"], one["position"]) for one in written.rejects] == [
        ("ambiguous", "import_id", 2)
    ]
    assert [one["name"] for one in target.rows()] == ["A"]
