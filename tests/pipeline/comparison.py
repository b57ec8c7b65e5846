"""Is PostgreSQL equal to the sandbox's own rows? Decided from the promises, not by the tap.

Each row of the sandbox is turned into the row that must stand in PostgreSQL, by the type of each
column: a value that fits is there, a time is there in UTC, a value that does not fit is null and
kept in `_nonconforming`, and a field without a column is kept in `_undocumented`. A row that is
marked as deleted counts as not there.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from psycopg import sql
from psycopg.types.json import set_json_loads

from tests.pipeline.custom_columns import PREFIX, custom_types, with_custom_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    import psycopg

    from cirqll_sandbox import Sandbox

    Row = dict[str, Any]

SCHEMA = "cirqll"
SIXTEEN = (
    "user", "role", "customer", "contact", "task", "appointment", "chance", "assignment",
    "contract", "email", "field", "note", "todo", "template", "setting", "webhook",
)  # fmt: skip
NESTED = (
    ("field_options", "field_option", "field"),
    ("role_permissions", "permission", "role"),
    ("template_items", "template_item", "template"),
)
"""Tables, whose rows they are, and the resource that these lie within."""
TABLES = {f"{name}s": name for name in SIXTEEN} | {table: name for table, name, _ in NESTED}
"""Whose rows are in each table of rows that may be deleted."""
_KEPT_APART = ("_nonconforming", "_undocumented")
_MISFIT = object()
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class _Truth:
    value: bool


def assert_equal(
    connection: psycopg.Connection,
    sandbox: Sandbox,
    *,
    zone: str = "UTC",
    tables: Collection[str] = (*TABLES, "companies"),
) -> None:
    """Compare tables, row by row and field by field; those of custom fields are columns."""
    for name in SIXTEEN:
        types = column_types(connection, f"{name}s").items()
        custom = {column: type_ for column, type_ in types if column.startswith(PREFIX)}
        if f"{name}s" in tables:
            assert custom == custom_types(sandbox, name), f"{name}: other columns"
    rows_by_table = {f"{name}s": with_custom_fields(sandbox, name) for name in SIXTEEN}
    for table, rows in (rows_by_table | _rows_along(sandbox)).items():
        columns = column_types(connection, table)
        expected = [row_as_stored(row, columns, zone=zone) for row in rows]
        if table in tables:
            assert_same_rows(table, expected, table_rows(connection, table))


def _rows_along(sandbox: Sandbox) -> dict[str, list[Row]]:
    """Give the rows of each table that is made of what lies within other records."""
    companies = sandbox.rows("company").all()
    for company in companies:
        for name in ("address", "subscription"):
            company[name] = sandbox.rows(name).get(company[f"{name}_id"])
    nested = {table: _rows_within(parent, name, sandbox) for table, name, parent in NESTED}
    return {**nested, "companies": companies}


def _rows_within(parent: str, name: str, sandbox: Sandbox) -> list[Row]:
    """Give rows with the time at which the record that they lie within was changed.

    A record that was deleted has none.
    """
    times = {record["id"]: record["updated_at"] for record in sandbox.rows(parent).all()}
    return [
        {**row, f"{parent}_updated_at": times[row[f"{parent}_id"]]}
        for row in sandbox.rows(name).all()
        if row[f"{parent}_id"] in times
    ]


def row_as_stored(
    row: Row,
    columns: Mapping[str, str],
    *,
    names: Mapping[str, str] | None = None,
    zone: str = "UTC",
) -> Row:
    """Give the row that must stand in a table with columns of these types.

    `names` tells the columns that are not called as their field. A null that has no column is
    nowhere.
    """
    there = {field: value for field, value in row.items() if value is not None}
    named = {(names or {}).get(field, field): value for field, value in there.items()}
    ours = {name: type_ for name, type_ in columns.items() if name not in _KEPT_APART}
    fitted = {name: _fitted(named.get(name), type_, zone) for name, type_ in ours.items()}
    misfits = {name: named[name] for name, value in fitted.items() if value is _MISFIT}
    others = {k: v for k, v in there.items() if (names or {}).get(k, k) not in ours}
    return {
        **{name: None if value is _MISFIT else value for name, value in fitted.items()},
        "_nonconforming": exact(_storable(misfits)) or None,
        "_undocumented": exact(_storable(others)) or None,
    }


def assert_same_rows(name: str, expected: Iterable[Row], arrived: Iterable[Row]) -> None:
    """Compare by id, so that a failure names the row and the field."""
    expected_by_id = {row["id"]: row for row in expected}
    arrived_by_id = {row["id"]: row for row in arrived}
    assert sorted(arrived_by_id) == sorted(expected_by_id), f"{name}: other rows"
    for row_id, row in expected_by_id.items():
        differences = _differences(arrived_by_id[row_id], row)
        assert not differences, f"{name} {row_id}: {differences}"


def _differences(arrived: Row, expected: Row) -> Row:
    """Give what arrived, and what should have, by field."""
    return {
        name: (arrived.get(name), expected.get(name))
        for name in arrived.keys() | expected.keys()
        if arrived.get(name, _MISFIT) != expected.get(name, _MISFIT)
    }


def table_rows(connection: psycopg.Connection, table: str, *, marked: bool = False) -> list[Row]:
    """The living rows by id, or the others, without the loader's own columns; numbers are exact."""
    set_json_loads(exact_json, connection)
    query = sql.SQL("select * from {} where (_sdc_deleted_at is not null) = %s order by id")
    statement = query.format(sql.Identifier(SCHEMA, table))
    # The table may get more columns.
    cursor = connection.execute(statement, [marked], prepare=False)
    names = [column.name for column in cursor.description or ()]
    return [
        {name: value for name, value in zip(names, row, strict=True) if not _is_loaders(name)}
        for row in cursor
    ]


def column_types(connection: psycopg.Connection, table: str) -> dict[str, str]:
    """PostgreSQL's type of each column, without the loader's own."""
    query = """
        select column_name, data_type from information_schema.columns
        where table_schema = %s and table_name = %s
    """
    return {
        name: type_
        for name, type_ in connection.execute(query, [SCHEMA, table])
        if not _is_loaders(name)
    }


def arrived_ids(connection: psycopg.Connection, table: str, *, after: int) -> set[int]:
    """The rows that loads which began after this moment (in milliseconds) brought."""
    query = sql.SQL("select id from {} where _sdc_sync_started_at > %s")
    rows = connection.execute(query.format(sql.Identifier(SCHEMA, table)), [after])
    return {row[0] for row in rows}


def newest_load(connection: psycopg.Connection) -> int:
    """When the newest load began, in milliseconds."""
    query = sql.SQL("select coalesce(max(_sdc_sync_started_at), 0) from {}")
    tables = [sql.Identifier(SCHEMA, f"{name}s") for name in SIXTEEN]
    answers = [connection.execute(query.format(table)).fetchone() for table in tables]
    return max(int(answer[0]) for answer in answers if answer)


def _fitted(value: object, type_: str, zone: str) -> object:
    if value is None:
        return None
    return _RULES[type_](value, zone)


def _integer(value: object, _: str) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return _MISFIT
    return int(value) if value == int(value) and _SMALLEST <= value <= _LARGEST else _MISFIT


def _number(value: object, _: str) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return _MISFIT
    return Decimal(str(value))


def _boolean(value: object, _: str) -> object:
    return bool(value) if value in (0, 1) else _MISFIT


def _text(value: object, _: str) -> object:
    return value if isinstance(value, str) and _storable(value) == value else _MISFIT


def _time(value: object, zone: str) -> object:
    if not isinstance(value, str):
        return _MISFIT
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return _MISFIT
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return moment.astimezone(UTC).replace(tzinfo=None)


def _date(value: object, _: str) -> object:
    if not isinstance(value, str) or len(value) != len("2026-01-31"):
        return _MISFIT
    try:
        return date.fromisoformat(value)
    except ValueError:
        return _MISFIT


def _json(value: object, _: str) -> object:
    """Columns of JSON are for values whose type is not known: any fits."""
    return exact(value) if _storable(value) == value else _MISFIT


_RULES: dict[str, Callable[[object, str], object]] = {
    "bigint": _integer,
    "numeric": _number,
    "boolean": _boolean,
    "text": _text,
    "timestamp without time zone": _time,
    "date": _date,
    "jsonb": _json,
}


def _storable(value: object) -> object:
    """Characters that PostgreSQL cannot hold are written as their escapes."""
    if isinstance(value, str):
        return _UNSTORABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", value)
    if isinstance(value, dict):
        return {_storable(name): _storable(one) for name, one in value.items()}
    return [_storable(one) for one in value] if isinstance(value, list) else value


def exact(value: object) -> object:
    """JSON in which numbers compare by value, and true is not 1."""
    if isinstance(value, bool):
        return _Truth(value)
    if isinstance(value, dict):
        return {name: exact(one) for name, one in value.items()}
    if isinstance(value, list):
        return [exact(one) for one in value]
    return Decimal(str(value)) if isinstance(value, float) else value


def exact_json(text: str | bytes) -> object:
    """Read JSON in that way, as PostgreSQL hands it over."""
    return exact(json.loads(text, parse_float=Decimal))


def _is_loaders(name: str) -> bool:
    return name.startswith("_sdc_")
