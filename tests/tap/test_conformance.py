"""Records as they are handed out: whatever comes, each value fits its column and none is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cirqll_client.connection import timestamps_in
from cirqll_client.kinds import Kind, kind_of
from cirqll_client.resources import RESOURCES
from cirqll_client.responses import Unreadable
from tap_cirqll.conformance import RecordReader
from tap_cirqll.messages import record_lines
from tap_cirqll.shape import Shape
from tests.tap.loader_rules import complaints
from tests.tap.odd_json import nested, values, words
from tests.tap.sameness import entry_of, is_kept, is_same

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "integer"},
        "updated_at": {"type": ["string", "null"], "format": "date-time"},
        "sent_at": {"type": ["string", "null"], "format": "date-time"},
        "price": {"type": ["number", "null"]},
        "percentage": {"type": ["integer", "null"]},
        "required": {"type": ["boolean", "null"]},
        "from": {"type": ["string", "null"]},
        "name": {"type": ["string", "null"]},
        "address": {"type": ["object", "null"]},
        "tags": {"type": ["array", "null"]},
        "_nonconforming": {"type": ["object", "null"]},
        "_undocumented": {"type": ["object", "null"]},
    },
}
COLUMNS = {name: kind_of(schema) for name, schema in SCHEMA["properties"].items() if name[0] != "_"}
SHAPE = Shape(
    columns=COLUMNS,
    hidden=frozenset({"password", "deselected"}),
    keeps_undocumented=True,
    keeps_nonconforming=True,
)
CUSTOMER, SETTING = (
    next(one for one in RESOURCES if one.name == name) for name in ("customer", "setting")
)
AMSTERDAM = timestamps_in("Europe/Amsterdam")
GOOD = {
    "id": 7,
    "updated_at": "2026-07-01 12:00:00",
    "sent_at": None,
    "price": 12.5,
    "percentage": 30,
    "required": True,
    "from": "me",
    "name": "Bakkerij 😀",
    "address": {"city": "Zwolle", "lines": [1.10, {"b": None}]},
    "tags": ["a"],
}

names = st.one_of(
    st.sampled_from([*COLUMNS, *COLUMNS, "password", "deselected", "_undocumented", "custom"]),
    st.sampled_from(["_nonconforming", "", 'a"b', "c\\d", "\0", "\ud800", "_sdc_batched_at"]),
    words,
).map(json.dumps)


@st.composite
def records(draw: st.DrawFn) -> str:
    """A record: good fields, then any; the same name may come again."""
    kept = draw(st.sets(st.sampled_from(sorted(GOOD)))) | {"id"}
    pairs = [(json.dumps(name), json.dumps(GOOD[name])) for name in GOOD if name in kept]
    pairs += draw(st.lists(st.tuples(names, values), max_size=4))
    pairs.append(('"id"', str(draw(st.integers(1, 2**32)))))
    return "{" + ",".join(f"{name}:{value}" for name, value in pairs) + "}"


pages = st.lists(records(), max_size=4).map(lambda some: f"[{','.join(some)}]".encode())


def reader(shape: Shape = SHAPE) -> RecordReader:
    return RecordReader(CUSTOMER, shape, timestamps=AMSTERDAM)


def parsed(text: bytes | str) -> Any:
    return json.loads(text, parse_float=Decimal)


def emitted(rows: list[Any]) -> list[dict[str, Any]]:
    lines = record_lines("customers", rows).splitlines()
    return [parsed(line)["record"] for line in lines]


def is_in_record(record: dict[str, Any], name: str, came: Any) -> bool:
    if name not in COLUMNS:
        return is_kept(entry_of(record["_undocumented"], name), came)
    out = record[name]
    if out is None and came is not None:
        return is_kept(record["_nonconforming"][name], came)
    if COLUMNS[name] is Kind.TIME and came is not None:
        return bool(out == AMSTERDAM.utc_text(came))
    if COLUMNS[name] is Kind.BOOLEAN and came is not None:
        return bool(out == came)
    return is_same(out, came)


@given(st.lists(pages, min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_the_fast_and_the_plain_way_give_the_same_records(some_pages: list[bytes]) -> None:
    fast, plain = reader(), reader()

    for page in some_pages:
        quick, slow = fast(page), plain.plain(page)

        assert is_same(emitted(quick.rows), emitted(slow.rows))
        assert (quick.ids, quick.times) == (slow.ids, slow.times)
    assert fast.findings == plain.findings


@given(st.lists(pages, min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_every_record_fits_its_schema_and_the_loader(some_pages: list[bytes]) -> None:
    read = reader()

    for page in some_pages:
        for record in emitted(read(page).rows):
            assert complaints(record, SCHEMA) == []
            jsonschema.validate(record, SCHEMA)


@given(pages)
@settings(max_examples=100, deadline=None)
def test_nothing_that_came_is_lost(page: bytes) -> None:
    came = parsed(page)

    out = emitted(reader()(page).rows)

    for record, original in zip(out, came, strict=True):
        for name, value in original.items():
            assert name in SHAPE.hidden or is_in_record(record, name, value), name


ODD = [
    *("null", "true", "false", "0", "1", "2", "-0", "6.0", "6.5", "1e3", '"6"', '"true"', '""'),
    *(str(2**63 - 1), str(2**63), str(-(2**63)), str(-(2**63) - 1), "1e18", "1e19", "9" * 30),
    *("1.10", "12345678901234567.890", "1e400", "1e-400", "1e99999", "1e-99999", "0." + "1" * 999),
    *("[]", "{}", "[1e99999]", '{"a":1e-99999}', '{"a":{"b":[1.10]}}', '["1e99999"]'),
    *(nested(20), nested(51), nested(100), r'"\u0000"', r'["\ud800"]', r'{"\u0000":1}', '"😀"'),
    *('"0000-00-00 00:00:00"', '"2024-02-30 00:00:00"', '"2026-07-01 12:00:00"', '"2026-07-01"'),
]


@pytest.mark.parametrize("name", [*COLUMNS, "custom", "_undocumented", "_nonconforming"])
def test_any_odd_value_in_any_field_is_fitted_or_kept(name: str) -> None:
    for value in ODD:
        page = f'[{{"id":1,"{name}":{value}}},{{"{name}":{value},"id":1}}]'.encode()
        kept = dict(parsed(page)[1])

        quick, slow = (emitted(way(page).rows) for way in (reader(), reader().plain))

        assert is_same(quick, slow), value
        assert complaints(quick[1], SCHEMA) == [], value
        assert is_in_record(quick[1], name, kept[name]), value


def page_of(*records: dict[str, Any]) -> bytes:
    return json.dumps(records).encode()


def is_fast(rows: list[Any]) -> bool:
    return bool(rows) and all(isinstance(row, msgspec.Struct) for row in rows)


def test_a_page_without_odd_values_stays_on_the_fast_way() -> None:
    page = page_of(GOOD, {**GOOD, "custom": [1], "price": None}, {"id": 8})

    rows = reader()(page).rows

    assert is_fast(rows)
    assert emitted(rows)[2] == {"id": 8}


def test_one_odd_record_does_not_slow_its_neighbours_down() -> None:
    page = page_of(GOOD, {**GOOD, "percentage": "30 %"}, GOOD)

    rows = reader()(page).rows

    assert [isinstance(row, msgspec.Struct) for row in rows] == [True, False, True]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("price", "12,50"),
        ("updated_at", "0000-00-00 00:00:00"),
        ("required", 7),
        ("address", "Dam 1"),
        ("tags", {"a": 1}),
    ],
)
def test_odd_values_that_c_does_not_see_are_null_and_kept(name: str, value: object) -> None:
    read = reader()

    rows = read(page_of({**GOOD, name: value}))

    assert is_fast(rows.rows)
    assert emitted(rows.rows)[0][name] is None
    assert emitted(rows.rows)[0]["_nonconforming"] == {name: value}
    assert read.findings.nonconforming == {name: 1}


def test_zero_and_one_are_booleans_and_say_so() -> None:
    rows = reader()(page_of({**GOOD, "required": 0}, {**GOOD, "required": 1})).rows

    assert [record["required"] for record in emitted(rows)] == [False, True]


def test_a_field_that_first_comes_on_page_seven_is_kept_from_there_on() -> None:
    read = reader()
    early = [emitted(read(page_of(GOOD)).rows) for _ in range(6)]

    late = [emitted(read(page_of(GOOD, {**GOOD, "loyalty": n})).rows) for n in ("gold", 1.50)]

    assert all("_undocumented" not in record for page in early for record in page)
    assert [page[1]["_undocumented"] for page in late] == [{"loyalty": "gold"}, {"loyalty": 1.5}]
    assert all("_undocumented" not in page[0] for page in late)
    assert read.findings.undocumented == {"loyalty"}


def test_a_map_of_thousands_of_names_is_kept_too() -> None:
    page = page_of({"id": 1, **{f"key-{n}": n for n in range(3000)}})

    record = emitted(reader()(page).rows)[0]

    assert len(record["_undocumented"]) == 3000


def test_hidden_fields_never_come_out_not_even_odd_ones() -> None:
    secret = {"password": "canary-in-a-record", "deselected": ["canary-in-a-record"]}
    pages = [page_of({**GOOD, **secret}), page_of({**GOOD, **secret, "percentage": "odd"})]

    for page in pages:
        lines = record_lines("users", reader()(page).rows)

        assert b"canary" not in lines


def test_undocumented_fields_are_left_out_if_they_are_not_wanted() -> None:
    read = reader(replace(SHAPE, keeps_undocumented=False))

    rows = read(page_of({**GOOD, "custom": 1}, {**GOOD, "custom": 1, "percentage": "odd"})).rows

    assert all("_undocumented" not in record for record in emitted(rows))
    assert read.findings.undocumented == set()


def test_values_that_do_not_fit_are_null_if_their_column_is_deselected() -> None:
    read = reader(replace(SHAPE, keeps_nonconforming=False))

    rows = read(page_of({**GOOD, "price": "odd"}, {**GOOD, "percentage": "odd"})).rows

    assert [emitted(rows)[0]["price"], emitted(rows)[1]["percentage"]] == [None, None]
    assert all("_nonconforming" not in record for record in emitted(rows))


@pytest.mark.parametrize(
    "text",
    [
        r"\ud83d",
        r"\ude00",
        r"\ud83d\ud83d\ude00",
        r"\ud83d\ude00\ude00",
        r"\\ud83d\ude00",
        r"\\\\ud83d\ude00",
        r"\u0000",
        r"\\\u0000",
    ],
)
def test_what_is_no_text_is_found_wherever_it_stands(text: str) -> None:
    for value in (f'"{text}"', f'["{text}"]', f'{{"{text}":1}}'):
        page = f'[{{"id":1,"name":{value},"tags":{value},"custom":{value}}}]'.encode()

        record = emitted(reader()(page).rows)[0]

        assert complaints(record, SCHEMA) == []
        assert is_in_record(record, "tags", parsed(value))
        assert is_in_record(record, "custom", parsed(value))


def test_escapes_that_are_text_stay_on_the_fast_way() -> None:
    text = "\\u0000 \\ud83d 😀 \\ude00"

    rows = reader()(page_of({"id": 1, "name": text, "address": {text: text}})).rows

    assert is_fast(rows)
    assert emitted(rows) == [{"id": 1, "name": text, "address": {text: text}}]


@pytest.mark.parametrize("body", [b"[1]", b'[{"id":1},null]', b'[{"id":1}', b"[[]]"])
def test_what_is_no_list_of_objects_cannot_be_read(body: bytes) -> None:
    with pytest.raises(Unreadable):
        reader()(body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'[{"key":"vat","value":21}]', [{"key": "vat", "value": 21}]),
        (b'[{"vat":21,"days":30}]', [{"key": "vat", "value": 21}, {"key": "days", "value": 30}]),
        (b'[{"id":3,"key":"vat","value":21}]', [{"key": "vat", "value": 21}]),
    ],
)
def test_settings_come_as_rows_or_as_one_object(body: bytes, expected: list[Any]) -> None:
    columns = {"id": Kind.INTEGER, "key": Kind.STRING, "value": Kind.INTEGER}
    shape = replace(SHAPE, columns=columns)
    read = RecordReader(SETTING, shape, timestamps=AMSTERDAM)

    records = emitted(read(body).rows)

    ids = [record.pop("id") for record in records]
    assert records == expected
    assert all(type(one) is int for one in ids)
    assert len(set(ids)) == len(ids)
