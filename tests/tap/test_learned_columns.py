"""Fields that nobody documented get columns that never change, whatever comes later."""

from __future__ import annotations

import json
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cirqll_client.connection import timestamps_in
from cirqll_client.kinds import NONCONFORMING, UNDOCUMENTED, Kind, schema_of
from cirqll_client.learned_columns import LearnedColumns
from cirqll_client.naming import namer
from cirqll_client.resources import RESOURCES
from cirqll_client.responses import decimal_of
from cirqll_client.store import Store
from tap_cirqll.conformance import LONGEST_FIELD, RecordReader
from tap_cirqll.messages import record_lines
from tap_cirqll.shape import MOST_COLUMNS, Shape
from tests.tap.loader_rules import complaints
from tests.tap.odd_json import values, words
from tests.tap.sameness import entry_of, is_kept, is_same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cirqll_client.learned_columns import Columns

CUSTOMER = next(one for one in RESOURCES if one.name == "customer")
AMSTERDAM = timestamps_in("Europe/Amsterdam")
DOCUMENTED = {"id": Kind.INTEGER, "updated_at": Kind.TIME, "name": Kind.STRING}
SHAPE = Shape(
    columns=DOCUMENTED,
    hidden=frozenset({"password"}),
    keeps_undocumented=True,
    keeps_nonconforming=True,
    learns=True,
)
ODD_NAMES = (
    *("_nonconforming", "_undocumented", "_sdc_batched_at", "cf_branche", "Name", "NAME", "id "),
    *(
        "",
        " ",
        "\0",
        "\ud800",
        'a"b',
        "a\\b",
        "a\nb",
        "Größe!",
        "größe!",
        "grosse",
        "from",
        "class",
    ),
    *("x" * 63, "x" * 64, "X" * 64, "x" * 300, "loyalty", "Loyalty", "deals_count", "漢字"),
)

names = st.one_of(
    st.sampled_from(["loyalty", "Loyalty", "branch_id", "since"]),
    st.sampled_from(["password", "name", *ODD_NAMES]),
    words,
)
usual = st.sampled_from(
    ["null", "null", "true", "7", "1.50", '"gold"', '"2026-01-31"', '"2026-07-01 12:00:00"', "[7]"]
)


@st.composite
def records(draw: st.DrawFn) -> str:
    """A record with fields of any name and any value, which may come twice."""
    pairs = draw(st.lists(st.tuples(names, usual | values), max_size=6))
    texts = [f"{json.dumps(name)}:{value}" for name, value in pairs]
    return "{" + ",".join([*texts, f'"id":{draw(st.integers(1, 2**32))}']) + "}"


pages = st.lists(records(), max_size=4).map(lambda some: f"[{','.join(some)}]".encode())
accounts = map(str, count())


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    """A store that is shared by examples; each has an account of its own."""
    with closing(Store("sqlite://")) as one:
        yield one


class Account:
    """An account whose columns are learned, by one reader after the other."""

    def __init__(self, store: Store) -> None:
        self._learned = LearnedColumns(store, account=next(accounts))

    @property
    def columns(self) -> Columns:
        return self._learned.of("customers")

    def reader(self, shape: Shape = SHAPE) -> RecordReader:
        """A reader of a run that begins now."""
        return RecordReader(
            CUSTOMER,
            shape.with_columns(self.columns.values()),
            timestamps=AMSTERDAM,
            learn=lambda kinds: self._learned.add("customers", kinds, name_of=namer(DOCUMENTED)),
        )


def parsed(text: bytes | str) -> Any:
    return json.loads(text, parse_float=decimal_of)


def emitted(rows: list[Any]) -> list[dict[str, Any]]:
    lines = record_lines("customers", rows).splitlines()
    return [parsed(line)["record"] for line in lines]


def page_of(*some: dict[str, Any]) -> bytes:
    return json.dumps(some).encode()


def schema_for(shape: Shape) -> dict[str, Any]:
    properties = {shape.column(field): schema_of(kind) for field, kind in shape.columns.items()}
    own = {NONCONFORMING: {"type": ["object", "null"]}, UNDOCUMENTED: {"type": ["object", "null"]}}
    return {"type": "object", "properties": properties | own, "additionalProperties": False}


def is_found(record: dict[str, Any], shape: Shape, field: str, came: Any) -> bool:
    """Tell whether a value is in the one place where it has to be."""
    kind = shape.columns.get(field)
    if kind is None:
        kept = record.get(UNDOCUMENTED, {})
        return came is None or is_kept(entry_of(kept, field), came)
    out = record.get(shape.column(field))
    if came is None:
        return out is None
    if out is None:
        return is_kept(record[NONCONFORMING][shape.column(field)], came)
    if kind is Kind.TIME:
        return bool(out == AMSTERDAM.utc_text(came))
    return bool(out == came) if kind is Kind.BOOLEAN else is_same(out, came)


@given(st.lists(pages, min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_the_fast_and_the_plain_way_learn_the_same(store: Store, some_pages: list[bytes]) -> None:
    one, another = Account(store), Account(store)
    fast, plain = one.reader(), another.reader()

    for page in some_pages:
        quick, slow = fast(page), plain.plain(page)

        assert one.columns == another.columns
        assert is_same(emitted(quick.rows), emitted(slow.rows))
        assert (quick.ids, quick.times) == (slow.ids, slow.times)
    assert fast.shape == plain.shape
    assert fast.findings == plain.findings


@given(st.lists(st.lists(pages, min_size=1, max_size=3), min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_every_value_is_found_in_a_column_that_never_changes(
    store: Store, runs: list[list[bytes]]
) -> None:
    account = Account(store)
    known: Columns = {}

    for run in runs:
        read = account.reader()
        for page in run:
            out, shape = emitted(read(page).rows), read.shape

            assert known.items() <= account.columns.items()
            known = account.columns
            for record, came in zip(out, parsed(page), strict=True):
                assert complaints(record, schema_for(shape)) == []
                jsonschema.validate(record, schema_for(shape))
                for field, value in came.items():
                    assert field == "password" or is_found(record, shape, field, value), field


@given(st.lists(pages, min_size=1, max_size=4), st.integers(0, 10))
@settings(max_examples=50, deadline=None)
def test_two_readers_that_read_in_turn_give_the_same_columns(
    store: Store, some_pages: list[bytes], seed: int
) -> None:
    """As two processes with one store, neither of which sees what the other learns."""
    account = Account(store)
    readers = account.reader(), account.reader()

    for number, page in enumerate(some_pages):
        read = readers[(seed >> number) % 2]
        for record, came in zip(emitted(read(page).rows), parsed(page), strict=True):
            assert all(
                field == "password" or is_found(record, read.shape, field, value)
                for field, value in came.items()
            )

    for read in readers:
        learned = read.shape.columns.keys() - DOCUMENTED.keys()
        assert {(f, read.shape.column(f), read.shape.columns[f]) for f in learned} <= {
            (one.field, one.name, one.kind) for one in account.columns.values()
        }


def test_a_field_has_a_column_from_the_page_that_brings_it(store: Store) -> None:
    read = Account(store).reader()

    early = emitted(read(page_of({"id": 1, "loyalty": None})).rows)
    late = emitted(read(page_of({"id": 2}, {"id": 3, "loyalty": 7})).rows)

    assert early == [{"id": 1}]
    assert late == [{"id": 2}, {"id": 3, "loyalty": 7}]
    assert read.shape.columns["loyalty"] is Kind.NUMBER
    assert read.findings.new_columns == {"loyalty": Kind.NUMBER}
    assert read.findings.undocumented == set()


def test_all_values_of_the_page_are_asked_before_a_column_is_given(store: Store) -> None:
    read = Account(store).reader()

    rows = read(page_of({"id": 1, "size": 7}, {"id": 2, "size": "L"}, {"id": 3})).rows

    assert emitted(rows) == [{"id": 1, "size": 7}, {"id": 2, "size": "L"}, {"id": 3}]
    assert read.shape.columns["size"] is Kind.JSON
    assert read.findings.nonconforming == {}


def test_what_comes_later_and_does_not_fit_is_kept_under_the_name_of_the_column(
    store: Store,
) -> None:
    read = Account(store).reader()
    read(page_of({"id": 1, "Grootte!": 7, "since": "2026-01-31"}))

    (record,) = emitted(read(page_of({"id": 2, "Grootte!": "L", "since": "now"})).rows)

    assert record["grootte"] is None
    assert record["since"] is None
    assert record[NONCONFORMING] == {"grootte": "L", "since": "now"}
    assert read.findings.nonconforming == {"grootte": 1, "since": 1}


def test_pages_with_learned_columns_stay_on_the_fast_way(store: Store) -> None:
    """Also the page that brings them, and fields that were null so far or have another name."""
    read = Account(store).reader()
    fields = {"loyalty": 1.5, "tags": ["a"], "Grootte!": "L", "since": "2026-01-31", "vip": True}
    before = page_of({"id": 1, **dict.fromkeys(fields)}, {"id": 2})

    for page in (before, page_of({"id": 1, **fields}, {"id": 2}), before):
        rows = read(page).rows

        assert all(isinstance(row, msgspec.Struct) for row in rows)


def test_fields_beyond_the_most_columns_are_kept_in_one(store: Store) -> None:
    account = Account(store)
    fields = {f"field_{n}": n for n in range(MOST_COLUMNS + 50)}

    for way in ("__call__", "plain"):
        read = account.reader()
        for page in (page_of({"id": 1, **fields}), page_of({"id": 2, "last": 1, **fields})):
            (record,) = emitted(getattr(read, way)(page).rows)

            columns = set(account.columns)
            assert len(read.shape.columns) + len(read.shape.hidden) == MOST_COLUMNS
            assert record.keys() & fields.keys() == columns
            assert record[UNDOCUMENTED].keys() - {"last"} == fields.keys() - columns
        assert record[UNDOCUMENTED]["last"] == 1


@pytest.mark.parametrize("field", ["x" * (LONGEST_FIELD + 1), "\0", "\ud800"])
def test_what_is_no_name_gets_no_column(store: Store, field: str) -> None:
    account = Account(store)

    (record,) = emitted(account.reader()(page_of({"id": 1, field: "gold"})).rows)

    assert entry_of(record[UNDOCUMENTED], field) == "gold"
    assert account.columns == {}


@pytest.mark.parametrize(
    "field", [one for one in ODD_NAMES if len(one) <= 64 and one.isprintable()]
)
def test_a_field_of_any_other_name_has_a_column(store: Store, field: str) -> None:
    account = Account(store)
    page = page_of({"id": 1, "name": "A", field: "gold"})

    quick, slow = (
        emitted(getattr(account.reader(), way)(page).rows) for way in ("__call__", "plain")
    )

    column = account.columns[field].name
    assert quick == slow == [{"id": 1, "name": "A", column: "gold"}]


def test_a_name_that_a_catalog_gives_to_another_field_is_not_used_twice(store: Store) -> None:
    """Given a store and a catalog that know nothing of each other."""
    account = Account(store)
    account.reader()(page_of({"id": 1, "grosse": 1}))
    of_catalog = Shape(
        columns=DOCUMENTED | {"Größe!": Kind.STRING},
        hidden=frozenset(),
        keeps_undocumented=True,
        keeps_nonconforming=True,
        names={"Größe!": "grosse"},
        learns=True,
    )

    read = account.reader(of_catalog)
    (record,) = emitted(read(page_of({"id": 1, "Größe!": "L", "grosse": 2})).rows)

    assert record == {"id": 1, "grosse": "L", UNDOCUMENTED: {"grosse": 2}}
    assert read.findings.new_columns == {}


def test_settings_that_come_as_one_object_are_no_fields(store: Store) -> None:
    setting = next(one for one in RESOURCES if one.name == "setting")
    learned = LearnedColumns(store, account=next(accounts))
    shape = Shape(
        columns={"id": Kind.INTEGER, "key": Kind.STRING, "value": Kind.JSON},
        hidden=frozenset(),
        keeps_undocumented=True,
        keeps_nonconforming=True,
        learns=True,
    )
    read = RecordReader(
        setting,
        shape,
        timestamps=AMSTERDAM,
        learn=lambda kinds: learned.add("settings", kinds, name_of=namer(shape.columns)),
    )

    rows = emitted(read(b'[{"vat":21,"days":30}]').rows)
    more = emitted(read(b'[{"key":"vat","value":21,"group":"money"}]').rows)

    assert [row["key"] for row in rows] == ["vat", "days"]
    assert more[0]["group"] == "money"
    assert set(learned.of("settings")) == {"group"}
