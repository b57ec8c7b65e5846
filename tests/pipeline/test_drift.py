"""Records whose undocumented fields change all the time: every value is found in the warehouse.

Compared are PostgreSQL and the sandbox's own copy of what it handed out, value by value. What a
column is called is read in the catalog, which tells the field's name where it is another one.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_sandbox import Behaviour, Sandbox
from cirqll_sandbox.drift import LATE_FIELD, Drift, drifting_names
from demo.meltano_project import program
from tap_cirqll.catalogs import everything
from tests.pipeline.comparison import (
    SIXTEEN,
    assert_same_rows,
    column_types,
    row_as_stored,
    table_rows,
)
from tests.pipeline.conftest import RunningSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.meltano_project import MeltanoProject
    from tests.pipeline.conftest import Database
    from tests.pipeline.pipes import Pipe

    Names = dict[str, dict[str, str]]
    """The names of columns by those of fields, where they differ, for each resource."""

RUNS = 10
SOME = ("customer", "role", "setting")
STREAMS = {f"{name}s" for name in SOME}
RELATIONS = {"field_values", "options", "permissions", "items"}
"""They have tables and columns of their own, and tests of their own."""


@pytest.fixture
def source() -> Iterator[RunningSandbox]:
    """A company that keeps a copy of all that it hands out."""
    behaviour = Behaviour(rate_limit=0, page_maximum=50)
    sandbox = Sandbox(seed=11, size=0.05, behaviour=behaviour, keeps_served=True)
    with sandbox.running() as url:
        yield RunningSandbox(sandbox, url)


def test_every_value_is_found_while_fields_change_for_ten_runs(
    pipe: Pipe, source: RunningSandbox, database: Database
) -> None:
    """With a catalog that was made before any of them was there."""
    streams = [one for one in everything()["streams"] if one["tap_stream_id"] in STREAMS]
    with_catalog = replace(pipe, catalog={"streams": streams})
    run_ten_times(with_catalog, source, database, resources=SOME)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_every_value_of_all_resources_is_found(
    pipe: Pipe, source: RunningSandbox, database: Database
) -> None:
    run_ten_times(pipe, source, database, resources=SIXTEEN)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_field_of_one_late_row_is_found(
    pipe: Pipe, source: RunningSandbox, database: Database
) -> None:
    """No sample would have seen it."""
    source.sandbox.behaviour = replace(source.sandbox.behaviour, page_maximum=1000)
    step(source, Drift(resources=("todo",), new_rows=90_010, late_row=90_000, changed_share=0))

    assert pipe.run().succeeded

    assert LATE_FIELD in column_types(database.connection, "todos")
    assert_all_found(database, source.sandbox, names_told(pipe), ("todo",))


def test_a_catalog_from_the_first_run_misses_nothing_of_the_next(
    project: MeltanoProject, pipe: Pipe, source: RunningSandbox, database: Database, tmp_path: Path
) -> None:
    """Meltano caches the catalog, if it may."""
    cached = project.setting(TAP_CIRQLL__USE_CACHED_CATALOG="true")
    for number in range(2):
        step(source, Drift(resources=SOME, new_rows=5, late_row=-1))

        cached.run("cirqll-to-postgres", log=tmp_path / f"{number}.log")

        assert_all_found(database, source.sandbox, names_told(pipe), SOME)


def run_ten_times(
    pipe: Pipe, source: RunningSandbox, database: Database, *, resources: tuple[str, ...]
) -> None:
    """Let fields drift and run, again and again; each time all is found, and columns only grow."""
    state, types = None, dict[str, Any]()
    for number in range(RUNS):
        late_row = len(source.sandbox.rows("customer")) + 7
        step(source, Drift(resources=resources, new_rows=10, late_row=late_row))

        outcome = pipe.run(state)

        assert outcome.succeeded, f"run {number}: {outcome.log}"
        state = outcome.state
        assert_all_found(database, source.sandbox, names_told(pipe), resources)
        now = {name: column_types(database.connection, f"{name}s") for name in resources}
        types = grown(types, now)
    assert LATE_FIELD in types["customer"]


def step(source: RunningSandbox, drift: Drift) -> None:
    """Let fields drift, an hour later."""
    source.sandbox.clock.move(3600)
    source.sandbox.drift(drift)


def names_told(pipe: Pipe) -> Names:
    """Read in the catalog which field is in which column."""
    config = pipe.folder / "discover.json"
    config.write_text(json.dumps(pipe.tap))
    finished = subprocess.run(
        [str(program("tap-cirqll")), "--config", str(config), "--discover"],
        env=dict(pipe.environment), capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    return {
        stream["tap_stream_id"].removesuffix("s"): {
            of["title"]: name
            for name, of in stream["schema"]["properties"].items()
            if "title" in of
        }
        for stream in json.loads(finished.stdout)["streams"]
    }


def assert_all_found(
    database: Database, sandbox: Sandbox, names: Names, resources: tuple[str, ...]
) -> None:
    """Compare the newest version of each record that was handed out with its row."""
    for name in resources:
        newest = {one.id: one.record for one in sandbox.served(name)}
        columns = apart_from_custom(column_types(database.connection, f"{name}s"))
        rows = map(apart_from_custom, table_rows(database.connection, f"{name}s"))
        expected = [
            row_as_stored(without_relations(record), columns, names=names[name])
            for record in newest.values()
        ]
        assert_same_rows(name, expected, rows)
        assert {n for record in newest.values() for n in record} & drifting_names()


def without_relations(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in RELATIONS}


def apart_from_custom(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.startswith("cf_")}


def grown(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Give the types of columns, which only ever become more."""
    for name, types in before.items():
        assert types.items() <= now[name].items(), name
    return now
