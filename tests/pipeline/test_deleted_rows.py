"""What target-postgres makes of a deleted row, on which the way of telling it rests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_sandbox import Sandbox
from tests.pipeline.conftest import RunningSandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.pipeline.conftest import Database
    from tests.pipeline.pipes import Pipe

TIME = {"type": ["string", "null"], "format": "date-time"}
KEY_AND_MARK = {"id": {"type": "integer"}, "_sdc_deleted_at": TIME}
ALL = {**KEY_AND_MARK, "name": {"type": ["string", "null"]}}
SETTINGS = [
    {},
    {"use_copy": True, "validate_records": True},
    {"hard_delete": True},
]


@pytest.fixture
def source() -> Iterator[RunningSandbox]:
    """None of its rows is read."""
    sandbox = Sandbox(size=0)
    with sandbox.running() as url:
        yield RunningSandbox(sandbox, url)


@pytest.fixture
def pipe(pipe: Pipe) -> Pipe:
    """A loader that writes each row as it comes, as if a run had ended behind it."""
    pipe.target.update(batch_size_rows=1)
    return pipe


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_deleted_row_keeps_what_it_said_and_lives_again_without_its_mark(
    pipe: Pipe, database: Database, settings: dict[str, Any]
) -> None:
    pipe.target.update(settings)

    _load(
        pipe,
        *(_schema(ALL), *map(_living, (1, 2, 3))),
        *(_schema(KEY_AND_MARK), *map(_deleted, (2, 3))),
        *(_schema(ALL), _living(3)),
    )

    assert _rows(database) == {1: ("row 1", False), 2: ("row 2", True), 3: ("row 3", False)}


def test_without_a_schema_of_its_own_a_deletion_would_empty_the_row(
    pipe: Pipe, database: Database
) -> None:
    """When this fails the loader leaves alone what a record lacks: no SCHEMA is needed then."""
    _load(pipe, _schema(ALL), _living(1), _deleted(1))

    assert _rows(database) == {1: (None, True)}


def test_a_loader_without_metadata_is_not_told_and_loses_nothing(
    pipe: Pipe, database: Database
) -> None:
    pipe.target.update(add_record_metadata=False, activate_version=False)

    _load(pipe, _schema(ALL), _living(1), _schema(KEY_AND_MARK), _deleted(1))

    found = database.connection.execute("select id, name from cirqll.customers").fetchall()
    assert found == [(1, "row 1")]


def test_a_row_that_one_run_tells_living_and_deleted_may_stay_living(
    pipe: Pipe, database: Database
) -> None:
    """Why a deletion waits for the next run. When this fails the loader keeps the order."""
    pipe.target.update(batch_size_rows=2)
    _load(pipe, _schema(ALL), *map(_living, (1, 2, 3)))

    _load(pipe, _schema(ALL), _living(1), _schema(KEY_AND_MARK), *map(_deleted, (1, 2, 3)))

    assert _rows(database)[1] == ("row 1", False)


def test_rows_are_really_deleted_by_the_statement_of_the_readme(
    pipe: Pipe, database: Database
) -> None:
    _load(pipe, _schema(ALL), _living(1), _living(2), _schema(KEY_AND_MARK), _deleted(2))

    database.connection.execute("delete from cirqll.customers where _sdc_deleted_at is not null")

    assert _rows(database) == {1: ("row 1", False)}


def _load(pipe: Pipe, *messages: dict[str, Any]) -> None:
    outcome = pipe.load("".join(json.dumps(one) + "\n" for one in messages).encode())
    assert outcome.succeeded, outcome.log


def _schema(properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties}
    return {"type": "SCHEMA", "stream": "customers", "schema": schema, "key_properties": ["id"]}


def _living(row_id: int) -> dict[str, Any]:
    return _record(id=row_id, name=f"row {row_id}")


def _deleted(row_id: int) -> dict[str, Any]:
    return _record(id=row_id, _sdc_deleted_at="2026-11-22T10:00:00.000000Z")


def _record(**fields: object) -> dict[str, Any]:
    return {"type": "RECORD", "stream": "customers", "record": fields}


def _rows(database: Database) -> dict[int, tuple[str | None, bool]]:
    query = "select id, name, _sdc_deleted_at is not null from cirqll.customers"
    return {row[0]: row[1:] for row in database.connection.execute(query)}
