"""Custom fields in records: each value in its column, or kept, whatever form it comes in."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cirqll_client.connection import timestamps_in
from cirqll_client.custom_fields import column_key
from cirqll_client.field_definitions import FieldDefinition
from cirqll_client.kinds import Kind
from cirqll_client.learned_columns import LearnedColumn
from cirqll_client.resources import RESOURCES
from cirqll_client.responses import decimal_of
from tap_cirqll.conformance import RecordReader
from tap_cirqll.messages import record_lines
from tap_cirqll.shape import MOST_COLUMNS, CustomShape, Shape
from tests.tap.odd_json import values, words
from tests.tap.sameness import is_kept, is_same

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cirqll_client.learned_columns import Columns

CUSTOMER = next(one for one in RESOURCES if one.name == "customer")
AMSTERDAM = timestamps_in("Europe/Amsterdam")
LABELS = {31: "Laag", 32: "Hoog", 33: "31"}
KINDS = {
    1: Kind.STRING,
    2: Kind.NUMBER,
    3: Kind.BOOLEAN,
    4: Kind.DATE,
    5: Kind.TIME,
    6: Kind.STRING,
    7: Kind.ARRAY,
    8: Kind.JSON,
}
CHOICES = {6, 7}
HIDDEN, DEFINED_ONLY, UNDEFINED = 9, 10, 11
COLUMNS = {n: LearnedColumn(column_key(n), f"cf_veld_{n}", kind) for n, kind in KINDS.items()}
DEFINITIONS = {
    n: FieldDefinition(n, f"Veld {n}", "customer", KINDS.get(n), LABELS if n in CHOICES else {})
    for n in (*KINDS, HIDDEN, DEFINED_ONLY)
}
SHAPE = Shape(
    columns={
        "id": Kind.INTEGER,
        "name": Kind.STRING,
        "percentage": Kind.INTEGER,
        "price": Kind.NUMBER,
    },
    hidden=frozenset(),
    keeps_undocumented=True,
    keeps_nonconforming=True,
    custom=CustomShape(columns=COLUMNS, hidden=frozenset({HIDDEN}), takes_new=False),
)
ARRAY = replace(SHAPE, custom=CustomShape(is_array=True))
LEARNING = replace(
    SHAPE, learns=True, custom=CustomShape(columns=COLUMNS, hidden=frozenset({HIDDEN}))
)


class Account:
    """An account whose custom fields are known."""

    def __init__(self, definitions: Mapping[int, FieldDefinition], rest: Any = None) -> None:
        """Begin without any column of its own."""
        self.known = definitions
        self.rest = rest
        self.sought: set[int] = set()
        self.asked: list[tuple[int, int]] = []
        self.cut = 0
        self.columns: Columns = {}

    def definitions(self, fields: Collection[int]) -> Mapping[int, FieldDefinition]:
        self.sought |= set(fields)
        return self.known

    def learn(self, kinds: Mapping[int, Kind], *, names: Mapping[int, str]) -> Columns:
        assert kinds.keys() <= names.keys()
        for number, kind in kinds.items():
            key = column_key(number)
            self.columns.setdefault(key, LearnedColumn(key, f"cf_new_{number}", kind))
        return self.columns

    def whole(self, record_id: int, *, at_least: int) -> Any:
        self.asked.append((record_id, at_least))
        return self.rest

    def incomplete(self) -> None:
        self.cut += 1


def reader(shape: Shape = SHAPE, account: Account | None = None) -> RecordReader:
    account = account or Account(DEFINITIONS)
    return RecordReader(CUSTOMER, shape, timestamps=AMSTERDAM, custom=account)


def parsed(text: bytes | str) -> Any:
    return json.loads(text, parse_float=decimal_of)


def emitted(rows: list[Any]) -> list[dict[str, Any]]:
    lines = record_lines("customers", rows).splitlines()
    return [parsed(line)["record"] for line in lines]


def page_of(*some: Any, **others: Any) -> bytes:
    """Records with these as their custom fields."""
    return json.dumps(
        [{"id": n, "name": "Klant", "field_values": one, **others} for n, one in enumerate(some, 1)]
    ).encode()


def listed(pairs: Mapping[int, Any]) -> list[dict[str, Any]]:
    return [{"id": 90 + n, "field_id": n, "value": value} for n, value in pairs.items()]


def forms_of(pairs: Mapping[int, Any]) -> list[Any]:
    """The same values as a page, as a list and as a map."""
    entries = listed(pairs)
    page = {"data": entries, "limit": 50, "total": len(entries), "offset": 0}
    return [page, entries, {str(n): value for n, value in pairs.items()}]


fields = st.sampled_from([*KINDS, HIDDEN, DEFINED_ONLY, UNDEFINED, 12])
likely = st.sampled_from(
    [
        *("Laag", "31", 31, 32.0, "12.50", 12.5, "1", "0", True, "", None, "007", "nee", 5),
        *("2026-01-31", "2026-01-31 00:00:00", "2026-07-01 12:00:00"),
        *(["Laag", 32], "[31, 32]", [], {}),
    ]
).map(json.dumps)
beyond = st.sampled_from(["1e99999999999999999999", "-1E-99999999999999999999"])
"""Numbers that are too large for any type; most readers of JSON give up on them."""
anything = likely | values | beyond
entries = st.tuples(fields, anything).map(
    lambda pair: f'{{"id": 1, "field_id": {pair[0]}, "value": {pair[1]}}}'
)
odd_entries = st.sampled_from(
    [
        '{"field_id": null, "value": 1}',
        "7",
        '{"field_id": "3", "value": true}',
        '{"field_id": 1}',
        '{"value": 1}',
    ]
)
lists = st.lists(entries | odd_entries, max_size=5).map(lambda some: f"[{','.join(some)}]")
maps = st.dictionaries(fields.map(str) | words, anything, max_size=4).map(
    lambda some: "{" + ",".join(f"{json.dumps(k)}:{v}" for k, v in some.items()) + "}"
)
totals = st.sampled_from(["2", '"2"', '"120"', "null", '"many"', "2.0", "1e99999999999999999999"])
came = st.one_of(
    lists,
    st.tuples(lists | maps, totals).map(
        lambda both: f'{{"data": {both[0]}, "limit": 50, "total": {both[1]}}}'
    ),
    maps,
    values,
)
records = st.tuples(st.integers(1, 999), st.none() | came, st.booleans()).map(
    lambda one: (
        f'{{"id": {one[0]}, "name": "Klant"'
        + (f', "field_values": {one[1]}' if one[1] is not None else "")
        + (', "percentage": "odd", "extra": 1}' if one[2] else "}")
    )
)
pages = st.lists(records, max_size=4).map(lambda some: f"[{','.join(some)}]".encode())
shapes = st.sampled_from(
    [
        SHAPE,
        ARRAY,
        LEARNING,
        replace(SHAPE, keeps_undocumented=False),
        replace(LEARNING, keeps_nonconforming=False),
        replace(ARRAY, apart=frozenset({"field_values"})),
    ]
)


@given(st.lists(pages, min_size=1, max_size=3), shapes)
@settings(max_examples=300, deadline=None)
def test_the_fast_and_the_plain_way_give_the_same_records(
    some_pages: list[bytes], shape: Shape
) -> None:
    fast, plain = reader(shape), reader(shape)

    for page in some_pages:
        quick, slow = fast(page), plain.plain(page)

        assert is_same(emitted(quick.rows), emitted(slow.rows))
        assert is_same(
            [one.value for one in fast.take_apart()], [one.value for one in plain.take_apart()]
        )
    assert fast.findings == plain.findings
    assert fast.shape == plain.shape


def is_in(record: dict[str, Any], number: int, value: Any) -> bool:
    """Tell whether the value is found where it belongs, as it came or as it says."""
    kept = record.get("_nonconforming", {})
    if number in KINDS:
        name = COLUMNS[number].name
        cell = record[name]
        if cell is None:
            return value is None or is_kept(kept.get(name), value)
        return is_same(cell, value) or is_said(cell, value, KINDS[number])
    others = record.get("_undocumented", {}).get("field_values", [])
    found = [one["value"] for one in others if one["field_id"] == number]
    return any(is_kept(one, value) for one in found)


def is_said(cell: Any, value: Any, kind: Kind) -> bool:
    """Tell whether a cell says what came, in another way that has no room for doubt."""
    if isinstance(cell, list):
        inner = parsed(value) if isinstance(value, str) and value[:1] == "[" else value
        came = inner if isinstance(inner, list) else [inner]
        return len(cell) == len(came) and all(map(is_label, cell, came))
    if kind is Kind.BOOLEAN:
        return (cell, value) in {(True, 1), (True, "1"), (True, "true"), (False, 0), (False, "0")}
    if kind is Kind.NUMBER:
        return bool(str(cell) == value)
    if kind is Kind.DATE:
        return bool(value[:10] == cell and value[10:] == " 00:00:00")
    if kind is Kind.TIME:
        return bool(AMSTERDAM.utc_text(value) == cell)
    single = value[0] if isinstance(value, list) and len(value) == 1 else value
    return is_label(cell, single) or (isinstance(value, str) and is_said([cell], value, kind))


def is_label(cell: Any, value: Any) -> bool:
    try:
        return is_same(cell, value) or LABELS[int(value)] == cell
    except (TypeError, ValueError, KeyError):
        return False


@given(st.lists(st.dictionaries(fields, likely, max_size=6), min_size=1, max_size=3))
@settings(max_examples=300, deadline=None)
def test_every_value_is_in_its_column_or_kept_in_any_form(some: list[dict[int, str]]) -> None:
    records = [{number: json.loads(text) for number, text in one.items()} for one in some]

    for form in range(3):
        page = page_of(*[forms_of(one)[form] for one in records])
        out = emitted(reader()(page).rows)

        for record, pairs in zip(out, records, strict=True):
            for number, value in pairs.items():
                dropped = number in {HIDDEN, DEFINED_ONLY}
                assert dropped or is_in(record, number, value), (form, number, value)


@given(pairs=st.dictionaries(fields, likely, max_size=6), is_array=st.booleans())
@settings(max_examples=150, deadline=None)
def test_the_three_forms_say_the_same(pairs: dict[int, str], *, is_array: bool) -> None:
    came = {number: json.loads(text) for number, text in pairs.items()}
    page = page_of(*forms_of(came))

    out = emitted(reader(ARRAY if is_array else SHAPE)(page).rows)

    for record in out:
        del record["id"]
        others = record.get("_undocumented", {}).get("field_values", [])
        for entry in [*others, *record.get("field_values", [])]:
            entry.pop("id", None)
        others.sort(key=lambda entry: entry["field_id"])
    assert is_same(out[0], out[1])
    assert is_same(out[0], out[2])


@pytest.mark.parametrize(
    ("number", "value", "cell"),
    [
        (2, "12.50", Decimal("12.50")),
        (2, "-3", -3),
        (3, "1", True),
        (3, "false", False),
        (4, "2026-01-31 00:00:00", "2026-01-31"),
        (5, "2026-07-01 12:00:00", "2026-07-01T10:00:00Z"),
        (6, 31, "Laag"),
        (6, "32", "Hoog"),
        (6, "33", "31"),
        (6, "31", "31"),
        (6, [32], "Hoog"),
        (6, "Anders", "Anders"),
        (7, [31, "Hoog"], ["Laag", "Hoog"]),
        (7, "[31,32]", ["Laag", "Hoog"]),
        (7, 32, ["Hoog"]),
        (7, "Anders", ["Anders"]),
    ],
)
def test_a_value_is_converted_where_that_says_the_same(number: int, value: Any, cell: Any) -> None:
    for way in (reader(), reader().plain):
        record = emitted(way(page_of(listed({number: value}))).rows)[0]

        assert is_same(record[COLUMNS[number].name], cell)
        assert "_nonconforming" not in record


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (1, 12),
        (2, "12,50"),
        (2, "007"),
        (2, ""),
        (3, "ja"),
        (3, 2),
        (4, "2026-01-31 10:00:00"),
        (4, "0000-00-00"),
        (5, "gisteren"),
        (6, 99),
        (6, [31, 32]),
    ],
)
def test_a_value_that_does_not_fit_is_kept_as_it_came(number: int, value: Any) -> None:
    for way in (reader(), reader().plain):
        record = emitted(way(page_of(listed({number: value}))).rows)[0]

        assert record[COLUMNS[number].name] is None
        assert is_same(record["_nonconforming"], {COLUMNS[number].name: value})


def test_a_record_without_a_value_says_so_if_anything_was_said_of_its_values() -> None:
    page = b'[{"id":1,"field_values":[]},{"id":2,"field_values":null},{"id":3}]'

    none, null, unsaid = emitted(reader()(page).rows)

    cleared = {one.name: None for one in COLUMNS.values()}
    assert none == {"id": 1, **cleared}
    assert null == {"id": 2, **cleared}
    assert unsaid == {"id": 3}


@pytest.mark.parametrize("value", ["red", 7, {"data": "red"}, {"colour": "red"}, ["red"]])
def test_what_is_none_of_the_three_is_kept_as_it_came(value: Any) -> None:
    for shape in (SHAPE, ARRAY):
        record = emitted(reader(shape)(page_of(value)).rows)[0]

        assert record["_nonconforming"] == {"field_values": value}


def test_an_odd_entry_takes_nothing_from_its_neighbours() -> None:
    value = [*listed({1: "goed"}), {"value": "los"}]

    record = emitted(reader()(page_of(value)).rows)[0]

    assert record["cf_veld_1"] == "goed"
    assert record["_nonconforming"] == {"field_values": value}


def test_two_values_of_one_field_are_both_kept() -> None:
    twice = [*listed({1: "a"}), *listed({1: "b"})]
    same = [*listed({1: "a"}), *listed({1: "a"}), *listed({1: None})]

    both, one = emitted(reader()(page_of(twice, same)).rows)

    assert both["cf_veld_1"] is None
    assert both["_nonconforming"] == {"cf_veld_1": ["a", "b"]}
    assert one["cf_veld_1"] == "a"
    assert "_nonconforming" not in one


def test_values_of_fields_without_definition_are_kept_with_all_they_say() -> None:
    entry = {"id": 5, "field_id": UNDEFINED, "value": [1.50], "created_at": "2026-07-01 12:00:00"}

    read = reader()
    kept = emitted(read(page_of([entry], extra=1)).rows)[0]
    elsewhere = emitted(reader(replace(SHAPE, keeps_undocumented=False))(page_of([entry])).rows)[0]

    assert kept["_undocumented"] == {"extra": 1, "field_values": [entry]}
    assert read.findings.undocumented == {"extra", "field_values[11]"}
    assert elsewhere["_nonconforming"] == {"field_values": [entry]}


def test_values_of_both_sorts_that_do_not_fit_are_kept_together() -> None:
    page = page_of(listed({2: "veel"}), price="duur")

    for way in (reader(), reader().plain):
        record = emitted(way(page).rows)[0]

        assert record["_nonconforming"] == {"price": "duur", "cf_veld_2": "veel"}


def test_numbers_that_no_database_takes_are_kept_as_texts() -> None:
    page = b'[{"id":1,"field_values":[{"field_id":3,"value":1e99999}]}]'

    for way in (reader(ARRAY), reader(ARRAY).plain):
        record = emitted(way(page).rows)[0]

        assert record["field_values"] == [{"field_id": 3, "value": "1E+99999"}]


@pytest.mark.parametrize("number", ["1e99999999999999999999", "-1E-99999999999999999999"])
@pytest.mark.parametrize(
    "form",
    [
        '{"data":[{"field_id":2,"value":%s}],"total":1}',
        '[{"field_id":2,"value":%s}]',
        '{"2":%s}',
        '{"data":{"2":%s},"total":1}',
    ],
)
def test_a_number_beyond_all_bounds_is_kept_and_stops_nothing(form: str, number: str) -> None:
    page = f'[{{"id":1,"field_values":{form % number}}}]'.encode()

    for way in (reader(), reader().plain):
        record = emitted(way(page).rows)[0]

        assert record["cf_veld_2"] is None
        assert record["_nonconforming"] == {"cf_veld_2": number}


def test_a_value_that_was_left_out_is_null() -> None:
    page = page_of([{"field_id": 1}, *listed({2: 7})])

    for way in (reader(), reader().plain):
        record = emitted(way(page).rows)[0]

        assert (record["cf_veld_1"], record["cf_veld_2"]) == (None, 7)
        assert "_nonconforming" not in record
    for way in (reader(ARRAY), reader(ARRAY).plain):
        first, _ = emitted(way(page).rows)[0]["field_values"]

        assert first == {"field_id": 1, "value": None}


def test_usual_records_stay_on_the_fast_way() -> None:
    page = page_of(*forms_of({1: "a", 2: 1.5, 6: "Hoog"}))

    for shape in (SHAPE, ARRAY):
        rows = reader(shape)(page).rows

        assert all(isinstance(row, msgspec.Struct) for row in rows)


def test_an_array_is_sorted_by_field_and_keeps_what_else_is_said() -> None:
    value: list[dict[str, Any]] = [
        {"id": 2, "field_id": "5", "value": "b", "note": {"x": 1.50}},
        {"id": 1, "field_id": 3, "value": None},
    ]

    text, number = emitted(
        reader(ARRAY)(page_of(value, [{**value[0], "field_id": 5}, value[1]])).rows
    )

    expected = [value[1], {**value[0], "field_id": 5}]
    assert text["field_values"] == expected
    assert number["field_values"] == expected


def test_a_field_gets_its_column_with_its_first_value() -> None:
    account = Account({**DEFINITIONS, 20: FieldDefinition(20, "Kleur", "customer", Kind.STRING)})
    read = reader(LEARNING, account)

    before = emitted(read(page_of(listed({1: "a"}))).rows)[0]
    after = emitted(read(page_of(listed({1: "b"}), listed({20: "rood"}))).rows)

    assert "cf_new_20" not in before
    assert [one["cf_new_20"] for one in after] == [None, "rood"]
    assert read.shape.custom is not None
    assert read.shape.custom.called[20] == "Kleur"


@pytest.mark.parametrize(
    ("seen", "labels", "kind"),
    [
        ([None, 3], {}, Kind.NUMBER),
        (["2026-01-31"], {}, Kind.DATE),
        ([31, "Hoog"], LABELS, Kind.STRING),
        ([["Laag"], 32], LABELS, Kind.ARRAY),
        ([True, "a"], {}, Kind.JSON),
        ([None], {}, None),
    ],
)
def test_the_values_tell_the_kind_where_the_definition_does_not(
    seen: list[Any], labels: dict[int, str], kind: Kind | None
) -> None:
    account = Account({20: FieldDefinition(20, "Kleur", "customer", None, labels)})
    page = page_of(*[listed({20: value}) for value in seen])

    out = emitted(reader(LEARNING, account)(page).rows)

    assert [one.kind for one in account.columns.values()] == ([kind] if kind else [])
    assert all("_undocumented" not in one for one in out)


def test_beyond_the_most_columns_values_are_kept_without() -> None:
    many = {n: FieldDefinition(n, f"V{n}", "customer", Kind.STRING) for n in range(1, 400)}
    read = reader(LEARNING, Account(many))

    record = emitted(read(page_of({str(n): "x" for n in many})).rows)[0]

    room = MOST_COLUMNS - len(SHAPE.columns)
    assert len([name for name in record if name.startswith("cf_")]) == room
    assert len(record["_undocumented"]["field_values"]) == 398 - room


def test_without_room_for_a_column_no_page_is_read_twice() -> None:
    many = {n: FieldDefinition(n, f"V{n}", "customer", Kind.STRING) for n in range(1, 400)}
    read = reader(LEARNING, Account(many))
    read(page_of({str(n): "x" for n in many}))
    full = read.shape

    read(page_of({str(n): "y" for n in many}))

    assert read.shape is full


@pytest.mark.parametrize("total", [60, "60", "many"], ids=repr)
def test_a_total_in_any_form_tells_that_some_lack(total: Any) -> None:
    account = Account(DEFINITIONS)

    for content in (listed({1: "a"}), {"1": "a"}, None):
        reader(SHAPE, account)(page_of({"data": content, "limit": 50, "total": total}))

    assert len(account.asked) == account.cut == 3


def cut(pairs: Mapping[int, Any], total: int) -> dict[str, Any]:
    return {"data": listed(pairs), "limit": 50, "total": total}


def test_the_rest_of_a_record_is_fetched_and_put_into_its_columns() -> None:
    account = Account(DEFINITIONS, rest=listed({1: "a", 2: 7}))

    for shape in (SHAPE, ARRAY):
        record = emitted(reader(shape, account)(page_of(cut({1: "a"}, total=2))).rows)[0]

        assert 7 in {record.get("cf_veld_2"), *(e["value"] for e in record.get("field_values", []))}
    assert account.asked == [(1, 2)] * 2
    assert account.cut == 0


def test_a_record_that_cannot_be_had_whole_says_nothing_of_the_rest_and_is_told() -> None:
    account = Account(DEFINITIONS)
    apart = replace(SHAPE, apart=frozenset({"field_values"}))

    for way in (reader(apart, account), reader(apart, account).plain):
        record = emitted(way(page_of(cut({1: "a"}, total=60))).rows)[0]

        assert record == {"id": 1, "name": "Klant", "cf_veld_1": "a"}
    assert account.cut == 2


@pytest.mark.parametrize("form", [1, 2])
def test_fifty_values_without_a_total_may_not_be_all(form: int) -> None:
    account = Account(DEFINITIONS)

    reader(SHAPE, account)(page_of(forms_of(dict.fromkeys(range(1, 51), "x"))[form]))
    reader(SHAPE, account)(page_of(forms_of(dict.fromkeys(range(1, 50), "x"))[form]))

    assert account.asked == [(1, 50)]


def test_others_are_given_all_values_as_well() -> None:
    whole = listed({1: "a", 2: 7})
    read = reader(replace(SHAPE, apart=frozenset({"field_values"})), Account({}, rest=whole))

    read(page_of(cut({1: "a"}, total=2), listed({1: "b"})))

    assert [one.value for one in read.take_apart()] == [whole, listed({1: "b"})]
