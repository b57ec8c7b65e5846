"""What must be true of the rows that are marked as deleted, looked at after each run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from psycopg import sql

from tests.pipeline.comparison import SCHEMA, TABLES, column_types, table_rows

if TYPE_CHECKING:
    from collections.abc import Collection

    import psycopg

    from tests.pipeline.account_in_use import AccountInUse

    Row = dict[str, Any]

A_SECOND = timedelta(seconds=1)


@dataclass
class MarkedRows:
    """The marked rows of some tables, and all rows as they were after the run before."""

    connection: psycopg.Connection
    account: AccountInUse
    tables: Collection[str] = tuple(TABLES)
    met: set[tuple[str, int]] = field(default_factory=set)
    """Rows that were found marked."""
    lived_again: set[tuple[str, int]] = field(default_factory=set)
    _rows: dict[str, dict[int, Row]] = field(default_factory=dict)
    _judged: dict[str, dict[int, datetime]] = field(default_factory=dict)
    _begins: list[datetime] = field(default_factory=list)
    _read_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def begin_run(self) -> None:
        """Note that a run begins."""
        self._begins.append(datetime.now(UTC))

    def look(self, *, was_whole: bool) -> None:
        """Compare with the look before: nothing is lost, and nothing marked that lived.

        After a whole run, what lived as long as it took is not marked either, whatever was before.
        """
        end = datetime.now(UTC)
        loaded: dict[str, Collection[int]] = {}
        for table in filter(self._is_there, self.tables):
            rows = {row["id"]: row for row in table_rows(self.connection, table)}
            marked = {row["id"]: row for row in table_rows(self.connection, table, marked=True)}
            self._assert_none_false(table)
            if was_whole:
                self._assert_none_left(table, marked, end)
            self._assert_nothing_lost(table, rows, marked)
            self.lived_again |= self.met & {(table, row_id) for row_id in rows}
            self.met |= {(table, row_id) for row_id in marked}
            self._rows[table] = rows | marked
            loaded[TABLES[table]] = rows | marked
        self._read_at = self._begins[-1] if was_whole else self._read_at
        self.account.note_loaded(loaded, read_at=self._read_at)

    def _assert_none_false(self, table: str) -> None:
        """Each newly marked row was gone at some time between the run's beginning and its mark."""
        marks = self._marks(table)
        for row_id, at in marks.items() - self._judged.get(table, {}).items():
            begin = max(one for one in self._begins if one <= at)
            assert self.account.was_gone(TABLES[table], row_id, begin=begin, end=at), (
                f"{table} {row_id} lived from {begin} to {at}, when it was marked"
            )
        self._judged[table] = marks

    def _assert_none_left(self, table: str, marked: Collection[int], end: datetime) -> None:
        begin, name = self._begins[-1], TABLES[table]
        there = self.account.ids(name) & set(marked)
        living = {
            one for one in there if not self.account.was_gone(name, one, begin=begin, end=end)
        }
        assert not living, f"{table}: {living} live, and are marked"

    def _assert_nothing_lost(
        self, table: str, living: dict[int, Row], marked: dict[int, Row]
    ) -> None:
        """A row that is deleted keeps what it last said."""
        before = self._rows.get(table, {})
        assert before.keys() <= living.keys() | marked.keys(), f"{table}: rows vanished"
        for row_id in marked.keys() & before.keys():
            kept = {name: marked[row_id].get(name) for name in before[row_id]}
            assert kept == before[row_id], f"{table} {row_id}"

    def _marks(self, table: str) -> dict[int, datetime]:
        """Give when rows were marked at the latest: the tap tells the second."""
        query = sql.SQL("select id, _sdc_deleted_at from {} where _sdc_deleted_at is not null")
        rows = self.connection.execute(query.format(sql.Identifier(SCHEMA, table)))
        return {row_id: at.replace(tzinfo=UTC) + A_SECOND for row_id, at in rows}

    def _is_there(self, table: str) -> bool:
        return bool(column_types(self.connection, table))
