"""Any history of an account: ten runs in a row would be green, and every value is found."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cirqll_client.connection import timestamps_in
from cirqll_sandbox import SpelledNumber
from tap_cirqll.tap import TapCirqll
from tests.tap.catalog_edits import choose
from tests.tap.loader_rules import complaints
from tests.tap.sameness import entry_of, is_kept, is_same
from tests.tap.taps_in_process import signals_as_before

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tap.conftest import Source

    Message = dict[str, Any]
    Row = dict[str, Any]

UTC = timestamps_in("UTC")
stores = count()

scalars = st.sampled_from(
    [
        *(None, None, True, False, 0, 1, 7, -1, 2**63, 6.5, SpelledNumber("6.0")),
        *(SpelledNumber("12345678901234567.890"), SpelledNumber("1e400"), "", "gold", "7", "true"),
        *("2026-01-31", "2026-02-30", "2026-07-01 12:00:00", "0000-00-00 00:00:00", "half \ud83d"),
    ]
)
values = scalars | st.sampled_from([[], [1, "a"], {}, {"tier": "gold"}, {"a": {"b": [None, 1.5]}}])
names = st.sampled_from(
    [
        *("loyalty", "loyalty", "loyalty", "Loyalty", "branch_id", "since", "Grootte!", "grootte"),
        *(
            "grootte ",
            "_nonconforming",
            "_undocumented",
            "_sdc_deleted_at",
            "cf_x",
            "",
            'a"b',
            "from",
        ),
        *("x" * 64, "X" * 64, "x" * 201),
    ]
)
rows = st.dictionaries(names, values, max_size=4)
OWN = {"_nonconforming", "_undocumented"}
CATALOGS = ("first", "earlier", "now", "files")
runs = st.lists(
    st.tuples(
        st.lists(rows, min_size=1, max_size=5),
        st.sampled_from(CATALOGS),
        st.sampled_from(["kept", "kept", "kept", "lost with a catalog in hand"]),
    ),
    min_size=1,
    max_size=4,
)


class Account:
    """An account in a sandbox, and the runs of somebody who reads it."""

    def __init__(self, source: Source, folder: Path) -> None:
        self._source = source
        self._folder = folder
        self._lose_store()
        self._catalogs: list[Message] = []
        self._source.sandbox.reset()

    def run(self, some: list[Row], *, catalog: str, store: str) -> list[Message]:
        """Add rows and read all there are, with a catalog of some earlier moment."""
        self._source.sandbox.rows("note").insert_many(some)
        in_hand = self._catalog(catalog)
        if store != "kept" and catalog == "now":
            self._lose_store()
        return _messages(self._config, in_hand)

    @property
    def rows(self) -> list[Row]:
        """The rows as they are served."""
        rows: list[Row] = self._source.sandbox.rows("note").all()
        return rows

    def _catalog(self, which: str) -> Message:
        if which == "files":
            return choose(_discovered({"store_url": "sqlite://"}), "notes")
        if which == "now" or not self._catalogs:
            self._catalogs.append(choose(_discovered(self._config), "notes"))
        return self._catalogs[0] if which == "first" else self._catalogs[-1]

    def _lose_store(self) -> None:
        url = f"sqlite:///{self._folder / f'{next(stores)}.sqlite'}"
        self._config = {**self._source.settings, "store_url": url}


def _messages(config: Message, catalog: Message | None) -> list[Message]:
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with redirect_stdout(out), signals_as_before():
        TapCirqll(config=config, catalog=json.loads(json.dumps(catalog))).sync_all()
    lines = out.buffer.getvalue().splitlines()
    found = [json.loads(line, parse_float=Decimal) for line in lines]
    return [message for message in found if message.get("stream") == "notes"]


def _discovered(config: Message) -> Message:
    with signals_as_before():
        tap = TapCirqll(config=config, setup_mapper=False)
        catalog: Message = json.loads(tap.run_discovery())
    return catalog


def is_found(record: Row, properties: Message, field: str, came: Any) -> bool:
    """Tell whether a value is in its column, or kept beside it, or with those without column."""
    name = {of.get("title", n): n for n, of in properties.items() if n not in OWN}.get(field)
    if came is None:
        return name is None or record.get(name) is None
    if name is None:
        return is_kept(entry_of(record["_undocumented"], field), came)
    out = record[name]
    if out is None:
        return is_kept(record["_nonconforming"][name], came)
    if properties[name].get("format") == "date-time":
        return bool(out == UTC.utc_text(came))
    if "boolean" in properties[name]["type"] and len(properties[name]["type"]) == len("bn"):
        return bool(out == came)
    return is_same(out, came)


def as_json(value: Any) -> Any:
    """The value as one who reads the sandbox's JSON sees it."""
    if isinstance(value, SpelledNumber):
        return Decimal(str(value)) if not str(value).isdigit() else int(str(value))
    return Decimal(str(value)) if isinstance(value, float) else value


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where stores lie."""
    return tmp_path_factory.mktemp("stores")


@given(runs)
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_value_of_any_history_is_found_in_columns_that_never_change(
    source: Source, folder: Path, history: list[tuple[list[Row], str, str]]
) -> None:
    source.sandbox.behaviour = replace(source.sandbox.behaviour, page_maximum=3)
    account = Account(source, folder)
    types: dict[str, Any] = {}

    for some, catalog, store in history:
        messages = account.run(some, catalog=catalog, store=store)

        schema: Message = {"properties": {}}
        records: dict[int, tuple[Row, Message]] = {}
        for message in messages:
            if message["type"] == "SCHEMA":
                assert schema["properties"].keys() <= message["schema"]["properties"].keys()
                schema = message["schema"]
                for name, of in schema["properties"].items():
                    assert types.setdefault(name, _type(of)) == _type(of), name
            else:
                record = message["record"]
                jsonschema.validate(record, {**schema, "additionalProperties": False})
                assert complaints(record, schema) == []
                records[record["id"]] = (record, schema["properties"])
        for row in account.rows:
            for field, value in row.items():
                assert is_found(*records[row["id"]], field, as_json(value)), (field, value)


def _type(schema: Message) -> tuple[str, ...]:
    return (*sorted(schema["type"]), schema.get("format", ""))
