"""Rows out of records: what may be written, fitted; what identifies them; what is left out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.kinds import Kind, kind_of
from cirqll_client.resources import RESOURCES, Resource, resource_of_stream
from cirqll_client.timestamps import Timestamps
from tap_cirqll.conformance import RecordReader
from tap_cirqll.messages import record_lines
from tap_cirqll.shape import Shape
from target_cirqll.row_reader import READ_ONLY, SETTING_OFF, UNKNOWN, RowReader
from target_cirqll.rows import Parent, Row, RowRefused
from target_cirqll.values import canonical
from tests.tap.odd_json import values

AMSTERDAM = Timestamps(ZoneInfo("Europe/Amsterdam"))
TOO_EARLY = datetime.min.replace(tzinfo=timezone(timedelta(hours=9)))


def resource(name: str) -> Resource:
    found = resource_of_stream(name)
    assert found
    return found


def reader(
    name: str = "contracts", *key_properties: str, custom_fields: bool = False, keeps: bool = False
) -> RowReader:
    return RowReader(
        resource(name),
        key_properties=key_properties,
        timestamps=AMSTERDAM,
        write_custom_fields=custom_fields,
        keeps_record=keeps,
    )


def row_of(record: dict[str, Any], name: str = "contracts", *key_properties: str) -> Row:
    return reader(name, *key_properties).read(record, 1)


def refusal_of(record: dict[str, Any], name: str = "contracts", **choices: bool) -> tuple[Any, ...]:
    with pytest.raises(RowRefused) as refused:
        reader(name, **choices).read(record, 1)
    reject = refused.value.reject
    return reject.kind, reject.field, reject.reason


def test_a_record_becomes_a_row_as_the_api_writes_it() -> None:
    record = {"id": "7", "name": "Oven", "price": 12.5, "start_date": "2025-01-01T00:00:00Z"}

    row = reader(keeps=True).read(record, 42)

    assert row == Row(
        position=42,
        resource=resource("contract"),
        id=7,
        key={},
        fields={"name": "Oven", "price": Decimal("12.5"), "start_date": "2025-01-01 01:00:00"},
        custom_fields={},
        parents={},
        record=record,
    )


def test_the_record_is_kept_only_if_rejects_show_it() -> None:
    assert row_of({"id": 7}).record is None


@pytest.mark.parametrize("record", [{}, {"id": None}, {"id": ""}])
def test_a_row_without_an_id_has_none(record: dict[str, Any]) -> None:
    assert row_of(record).id is None


@pytest.mark.parametrize("value", ["K-1", 0, 2**33, 7.5, True, [7]])
def test_an_id_that_is_none_is_refused(value: Any) -> None:
    assert refusal_of({"id": value})[:2] == ("invalid", "id")


def test_the_first_field_that_does_not_fit_is_named_with_a_sentence_without_its_value() -> None:
    refusal = refusal_of({"name": "Oven", "price": "cheap", "start_date": "soon"})

    assert refusal[:2] == ("invalid", "price")
    assert refusal[2] == (
        "The value of price cannot be sent to Cirqll: it is no number. Correct it where the row "
        "comes from, then run again."
    )


def test_fields_that_cannot_be_written_are_left_out_with_the_reason() -> None:
    read = reader("contracts", "customer_no")
    record = {
        "id": 7,
        "customer_no": "K-1",
        "created_at": "2024-05-18",
        "calculated_price": 5,
        "colour": "red",
        "field_values": [],
        "updated_at": None,
        "customer": None,
        "customer__import_id": None,
        "_sdc_batched_at": "now",
        "_undocumented": {"colour": "red"},
        "_nonconforming__price": None,
    }

    row = read.read(record, 1)

    assert row.fields == {}
    assert read.left_out == {
        "created_at": READ_ONLY,
        "calculated_price": READ_ONLY,
        "colour": UNKNOWN,
        "field_values": SETTING_OFF,
    }


def test_custom_fields_of_a_resource_that_has_none_are_an_unknown_field() -> None:
    read = reader("users", custom_fields=True)

    row = read.read({"name": "Jo", "field_values": {"3": "x"}}, 1)

    assert (row.custom_fields, read.left_out) == ({}, {"field_values": UNKNOWN})


@pytest.mark.parametrize(
    "lost", [{"price": "cheap"}, '{"price": "cheap"}', {"price": "cheap", "gone": 1}]
)
def test_a_null_for_what_the_tap_could_not_hand_out_does_not_overwrite_it(lost: Any) -> None:
    row = row_of({"name": None, "price": None, "_nonconforming": lost})

    assert row.fields == {"name": None}


def test_a_corrected_value_is_written_though_the_tap_could_not_hand_it_out() -> None:
    row = row_of({"price": 9, "_nonconforming": {"price": "cheap"}})

    assert row.fields == {"price": 9}


@pytest.mark.parametrize(
    ("record", "key"),
    [
        ({"customer_no": "K-1", "line": Decimal(2)}, {"customer_no": "K-1", "line": 2}),
        ({"customer_no": "K-1", "line": None}, {}),
        ({"customer_no": "K-1"}, {}),
    ],
)
def test_the_key_is_all_key_properties_or_nothing(
    record: dict[str, Any], key: dict[str, Any]
) -> None:
    assert row_of(record, "customers", "customer_no", "line").key == key


def test_a_key_with_the_id_in_it_is_no_key_of_the_source() -> None:
    row = row_of({"id": 1, "tenant": 3}, "customers", "id", "tenant")

    assert (row.id, row.key, row.lacks_key) == (1, {}, False)


def test_a_key_that_is_a_field_too_is_both() -> None:
    row = row_of({"import_id": "99"}, "customers", "import_id")

    assert row.key == {"import_id": "99"}
    assert row.fields == {"import_id": 99}


@pytest.mark.parametrize(
    "updated_at",
    ["2025-07-01T12:00:00Z", "2025-07-01 14:00:00", datetime(2025, 7, 1, 12, tzinfo=UTC)],
)
def test_the_time_that_a_row_is_based_on_is_a_moment(updated_at: Any) -> None:
    assert row_of({"updated_at": updated_at}).based_on == datetime(2025, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("updated_at", [None, "", "soon", 5, "0000-00-00 00:00:00", [1], TOO_EARLY])
def test_a_row_may_be_based_on_no_time_at_all(updated_at: Any) -> None:
    assert row_of({"updated_at": updated_at}).based_on is None


def test_a_deleted_row_needs_no_valid_field() -> None:
    row = row_of(
        {
            "id": 7,
            "name": "Oven",
            "price": "cheap",
            "customer": "K-1",
            "_sdc_deleted_at": "2025-07-01T12:00:00Z",
        }
    )

    assert row.deleted_at == "2025-07-01 14:00:00"
    assert (row.id, row.fields, row.parents) == (7, {"name": "Oven"}, {})


@pytest.mark.parametrize("deleted_at", [None, "", "0000-00-00 00:00:00"])
def test_a_row_is_not_deleted_at_no_time(deleted_at: Any) -> None:
    assert row_of({"_sdc_deleted_at": deleted_at}).deleted_at is None


def test_a_time_of_deletion_that_is_none_is_refused() -> None:
    assert refusal_of({"_sdc_deleted_at": "yes"})[:2] == ("invalid", "_sdc_deleted_at")


@pytest.mark.parametrize(
    "record",
    [
        {"customer": {"import_id": 7}},
        {"customer": '{"import_id": 7}'},
        {"customer__import_id": 7},
        {"customer": None, "customer__import_id": 7, "customer__name": None},
        {"customer__import_id": 8, "customer": {"import_id": 7}},
        {"customer": {"import_id": 7, "name": " ", "id": None}, "customer_id": None},
    ],
)
def test_a_parent_is_named_by_a_key_of_its_own(record: dict[str, Any]) -> None:
    row = row_of(record)

    assert row.parents == {"customer_id": Parent(resource("customer"), {"import_id": 7})}
    assert "customer_id" not in row.fields


def test_a_parent_named_by_id_is_a_field() -> None:
    row = row_of({"customer": {"id": "5", "address": {"city": "Zwolle"}}, "contact__id": 6})

    assert (row.fields, row.parents) == ({"customer_id": 5, "contact_id": 6}, {})


def test_an_id_goes_before_any_other_name() -> None:
    row = row_of({"customer_id": 5, "customer": {"import_id": 7}, "contact_id": 6, "contact": "?"})

    assert (row.fields, row.parents) == ({"customer_id": 5, "contact_id": 6}, {})


@pytest.mark.parametrize("customer", [None, {}, "", "{}", {"import_id": None}])
def test_a_reference_that_says_nothing_names_no_parent(customer: Any) -> None:
    row = row_of({"customer": customer, "customer_id": None})

    assert (row.fields, row.parents) == ({"customer_id": None}, {})


@pytest.mark.parametrize(
    "customer", ["K-1", 7, ["K-1"], "[7]", {"import_id": [7]}, {"id": "K-1"}, {"id": 0}]
)
def test_a_reference_that_names_no_record_is_refused(customer: Any) -> None:
    assert refusal_of({"customer": customer})[:2] == ("invalid", "customer")


def test_each_relation_of_a_todo_is_a_parent() -> None:
    record = {"task": {"import_id": 1}, "user": {"email": "jo@example.test"}, "company": {"a": 1}}

    parents = row_of(record, "todos").parents

    assert {name: one.resource.name for name, one in parents.items()} == {
        "task_id": "task",
        "user_id": "user",
    }


def test_custom_fields_are_read_if_they_may_be_written() -> None:
    read = reader(custom_fields=True)

    row = read.read({"field_values": {"3": "red"}}, 1)

    assert (row.custom_fields, read.left_out) == ({3: "red"}, {})


def test_custom_fields_that_nobody_understands_are_refused() -> None:
    refusal = refusal_of({"field_values": "red"}, custom_fields=True)

    assert refusal[:2] == ("invalid", "field_values")


live_records = st.sampled_from(RESOURCES).flatmap(
    lambda one: st.tuples(
        st.just(one),
        st.dictionaries(st.sampled_from(sorted(one.schema["properties"])), values, max_size=6),
        st.integers(1, 2**32),
    )
)


@given(live_records)
def test_what_the_tap_hands_out_changes_nothing(
    drawn: tuple[Resource, dict[str, str], int],
) -> None:
    one, texts, record_id = drawn
    pairs = [f'"{name}":{text}' for name, text in texts.items() if name != "id"]
    page = "[{" + ",".join([f'"id":{record_id}', *pairs]) + "}]"
    kinds = {name: kind_of(of) for name, of in one.schema["properties"].items()}
    (live,) = parsed(page)

    (emitted,) = emitted_by_tap(one, kinds, page)
    schema = one.schema["properties"]
    unlimited = {name: kinds[name] for name in live if not schema[name].get("readOnly")}
    read = reader(one.stream)
    row = read_within_limits(read, emitted, schema)
    if row is None:
        return

    assert row.id == record_id
    assert set(row.fields) <= set(unlimited)
    for name, value in row.fields.items():
        same = canonical(live[name], kinds[name], AMSTERDAM)
        assert canonical(value, kinds[name], AMSTERDAM) == same


def read_within_limits(
    read: RowReader, record: dict[str, Any], schema: dict[str, Any]
) -> Row | None:
    """Read a row; ``None`` for a value that only the limits of its field refuse."""
    try:
        return read.read(record, 1)
    except RowRefused as refused:
        if not {"maxLength", "minimum", "maximum"} & schema[refused.reject.field or ""].keys():
            raise
        return None


def parsed(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Decimal)


def emitted_by_tap(one: Resource, kinds: dict[str, Kind], page: str) -> list[dict[str, Any]]:
    shape = Shape(
        columns=kinds, hidden=frozenset(), keeps_undocumented=True, keeps_nonconforming=True
    )
    named = replace(one, key_without_id=None)
    rows = RecordReader(named, shape, timestamps=AMSTERDAM)(page.encode()).rows
    lines = record_lines(one.stream, rows).splitlines()
    return [parsed(line)["record"] for line in lines]
