"""Whatever is selected, edited and interrupted, in the end all nested rows are there."""

from __future__ import annotations

import io
import json
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tap_cirqll.catalogs import everything
from tap_cirqll.tap import TapCirqll
from tests.tap.catalog_edits import choose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cirqll_sandbox import Sandbox
    from tests.tap.conftest import Source

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
STREAMS = ("customers", "contacts", "fields", "field_values", "field_options")
CHOICES = st.sets(st.sampled_from(STREAMS), min_size=1).map(sorted)
CUTS = st.none() | st.integers(0, 40)
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["value", "value", "remove", "option", "record", "edit"]),
        st.integers(0, 99),
    ),
    max_size=6,
)
HISTORIES = st.lists(st.tuples(EDITS, CHOICES, CUTS), min_size=1, max_size=5)


@dataclass
class Warehouse:
    """What a loader keeps: rows by their keys, and the last state."""

    rows: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)

    def load(self, lines: list[bytes]) -> None:
        keys: dict[str, list[str]] = {}
        for message in map(json.loads, lines):
            if message["type"] == "SCHEMA":
                keys[message["stream"]] = message["key_properties"]
            elif message["type"] == "STATE":
                self.state = message["value"]
            else:
                name, row = message["stream"], message["record"]
                key = tuple(row[one] for one in keys[name])
                self.rows.setdefault(name, {})[key] = row


REMOVED_AFTER_AN_INTERRUPTION = [
    ([("value", 67), ("edit", 17), ("value", 78)], list(STREAMS), 19),
    ([("remove", 98), ("record", 82), ("edit", 1)], ["contacts", "customers"], None),
]
"""A first reading that did not come to its end has handed out a value all the same."""


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    """The SDK sets handlers of its own."""
    handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@contextmanager
def captured() -> Iterator[io.BytesIO]:
    output, before = io.BytesIO(), sys.stdout
    sys.stdout = io.TextIOWrapper(output, write_through=True)
    try:
        yield output
    finally:
        sys.stdout.detach()
        sys.stdout = before


def run(source: Source, warehouse: Warehouse, streams: list[str], cut: int | None) -> None:
    """Run the tap; what it writes after so many lines does not arrive."""
    config = {**source.settings, "store_url": "sqlite://", "lookback": 0, "page_size": 2}
    state = json.loads(json.dumps(warehouse.state))
    catalog = choose(everything(), *streams)
    with captured() as output:
        TapCirqll(config=config, catalog=catalog, state=state).sync_all()
    warehouse.load(output.getvalue().splitlines()[:cut])


def edit(sandbox: Sandbox, what: str, number: int) -> None:
    """Change something, a minute after the last change."""
    sandbox.clock.set(sandbox.clock.now() + timedelta(minutes=1))
    owner = ("customer", "contact")[number % 2]
    owners, values = sandbox.rows(owner).all(), sandbox.rows("field_value").all()
    fields = [one for one in sandbox.rows("field").all() if one["model"] == owner]
    if what == "record":
        sandbox.rows(owner).insert(name="X")
    elif what == "option":
        chosen = sandbox.rows("field").all()[number % 2]["id"]
        sandbox.rows("field_option").insert(name=str(number), field_id=chosen)
    elif what == "edit" and owners:
        sandbox.rows(owner).update(owners[number % len(owners)]["id"], name=f"Y{number}")
    elif what == "remove" and values:
        gone = values[number % len(values)]
        sandbox.rows("field_value").delete(gone["id"])
        sandbox.rows(gone["owner_type"]).update(gone["owner_id"], name=f"Z{number}")
    elif what == "value" and owners:
        key = owners[number % len(owners)]["id"]
        known = {(v["owner_type"], v["owner_id"], v["field_id"]): v["id"] for v in values}
        found = known.get((owner, key, fields[0]["id"]))
        row = {"owner_type": owner, "owner_id": key, "field_id": fields[0]["id"]}
        if found:
            sandbox.rows("field_value").update(found, value=str(number))
        else:
            sandbox.rows("field_value").insert(**row, value=str(number))
        sandbox.rows(owner).update(key, name=f"V{number}")


def begin(sandbox: Sandbox) -> None:
    sandbox.reset()
    sandbox.behaviour = replace(sandbox.behaviour, page_maximum=2)
    sandbox.clock.set(NOON, running=False)
    for owner in ("customer", "contact"):
        sandbox.rows("field").insert(name="F", model=owner, type="text")
        for name in "ABC":
            edit(sandbox, "record", ("customer", "contact").index(owner))
            sandbox.rows(owner).update(sandbox.rows(owner).all()[-1]["id"], name=name)


def values_in(sandbox: Sandbox) -> dict[tuple[Any, ...], str]:
    return {
        (one["owner_type"], one["owner_id"], one["field_id"]): one["value"]
        for one in sandbox.rows("field_value").all()
    }


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=HISTORIES)
@example(history=REMOVED_AFTER_AN_INTERRUPTION)
def test_in_the_end_all_nested_rows_are_there(source: Source, history: Any) -> None:
    begin(source.sandbox)
    warehouse = Warehouse()
    for edits, streams, cut in history:
        for what, number in edits:
            edit(source.sandbox, what, number)
        run(source, warehouse, streams, cut)

    run(source, warehouse, list(STREAMS), None)

    rows = warehouse.rows.get("field_values", {})
    there = {key: row["value"] for key, row in rows.items() if row["value"] is not None}
    assert there == values_in(source.sandbox)
    options = {(one["field_id"], one["id"]) for one in source.sandbox.rows("field_option").all()}
    assert warehouse.rows.get("field_options", {}).keys() == options
    for name, stream in (("customer", "customers"), ("contact", "contacts")):
        arrived = {key[0]: row["name"] for key, row in warehouse.rows[stream].items()}
        assert arrived == {one["id"]: one["name"] for one in source.sandbox.rows(name).all()}
