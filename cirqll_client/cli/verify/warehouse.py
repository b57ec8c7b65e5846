"""The tables of a warehouse: which there are, and what of them it takes to compare."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sql
from sqlalchemy.exc import SQLAlchemyError

from cirqll_client.cli.verify import opening
from cirqll_client.tally import may_be_tracked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.engine import Connection

    from cirqll_client.cli.verify.loaded import Stored

DELETED_AT = "_sdc_deleted_at"
_ROWS_AT_ONCE = 10_000


class TableUnreadable(Exception):
    """One table cannot be read; the others may. Its words end a sentence."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a stream, with the columns that matter."""

    name: str
    time: str | None
    """The column that tells when a row changed, where there is one."""
    has_deletions: bool


class Warehouse:
    """The tables of one schema. Each reading is a transaction that only reads."""

    def __init__(self, url: str, *, schema: str | None) -> None:
        """Read here; nothing is opened yet. Raises ``SettingInvalid``."""
        self._url = url
        self._engine = opening.engine_of(url)
        has_schemas = self._engine.dialect.name != "sqlite"
        self._schema = schema if has_schemas else None
        self.place = opening.place_of(url)
        """Where it is, for people."""

    def tables(self, times: dict[str, str | None]) -> dict[str, Table | None]:
        """Find the tables of these names, each with the column of its time of change.

        ``None`` stands for one without an id. Raises ``SettingInvalid``.
        """
        try:
            with self._engine.connect() as connection:
                inspector = sql.inspect(connection)
                there = {
                    *inspector.get_table_names(schema=self._schema),
                    *inspector.get_view_names(schema=self._schema),
                }
                columns = {
                    name: {one["name"] for one in inspector.get_columns(name, schema=self._schema)}
                    for name in times
                    if name in there
                }
        # A driver that is not found shows at the first connection, other errors of its own as well.
        except (SQLAlchemyError, ImportError, OSError, ValueError) as error:
            raise opening.cannot_be_opened(error, self._url) from None
        return {name: _table(name, names, time=times[name]) for name, names in columns.items()}

    def rows(self, table: Table) -> Iterator[Sequence[Stored]]:
        """Read all living rows, part by part. Raises ``TableUnreadable``."""
        yield from self._read(self._living(table))

    def again(self, table: Table, ids: Iterable[int]) -> dict[int, datetime | None]:
        """Read the living rows among some; the newest of each. Raises ``TableUnreadable``."""
        query = self._living(table).where(sql.column("id").in_(list(ids)))
        found: dict[int, datetime | None] = {}
        for part in self._read(query):
            for row_id, moment in part:
                known = found.get(row_id)
                found[row_id] = known if known and (not moment or known > moment) else moment
        return found

    def newest_deleted(self, table: Table) -> datetime | None:
        """Find the latest change of a row that is marked as deleted. Raises ``TableUnreadable``."""
        if not (table.has_deletions and table.time):
            return None
        newest: sql.ColumnElement[Any] = sql.func.max(sql.column(table.time))
        query = sql.select(sql.literal_column("0"), newest).select_from(self._named(table))
        (rows,) = self._read(query.where(sql.column(DELETED_AT).is_not(None)))
        return rows[0][1]

    def close(self) -> None:
        """Give back what is open."""
        self._engine.dispose()

    def _living(self, table: Table) -> sql.Select[Any, Any]:
        time = sql.column(table.time) if table.time else sql.null().label("time")
        query: sql.Select[Any, Any] = sql.select(sql.column("id"), time).select_from(
            self._named(table)
        )
        return query.where(sql.column(DELETED_AT).is_(None)) if table.has_deletions else query

    def _named(self, table: Table) -> sql.TableClause:
        return sql.table(table.name, schema=self._schema)

    def _read(self, query: sql.Select[Any, Any]) -> Iterator[Sequence[Stored]]:
        try:
            with self._engine.connect() as connection:
                for part in _parts(connection, query):
                    yield [(_id_of(row_id), _moment_of(time)) for row_id, time in part]
        except (SQLAlchemyError, OSError) as error:
            raise TableUnreadable(opening.words_of(error, self._url)) from None


def _parts(
    connection: Connection, query: sql.Select[Any, Any]
) -> Iterator[Sequence[sql.Row[Any, Any]]]:
    streaming = connection.execution_options(stream_results=True, max_row_buffer=_ROWS_AT_ONCE)
    yield from streaming.execute(query).partitions(_ROWS_AT_ONCE)


def _table(name: str, columns: set[str], *, time: str | None) -> Table | None:
    if "id" not in columns:
        return None
    return Table(name, time if time in columns else None, DELETED_AT in columns)


def _id_of(value: object) -> int:
    """Take a whole number of whatever type the column has. Raises ``TableUnreadable``."""
    try:
        number = value if type(value) is int else int(str(value))
    except ValueError:
        number = -1
    if not may_be_tracked(number):
        msg = "its column id holds what is no id of Cirqll's"
        raise TableUnreadable(msg)
    return number


def _moment_of(value: object) -> datetime | None:
    """Give a moment in UTC, without a zone: loaders write UTC, with or without one."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    try:
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    except OverflowError:
        return None
