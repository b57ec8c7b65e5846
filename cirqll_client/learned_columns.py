"""The columns that fields were given which nobody documented, kept in the store for all processes.

A column is given once and never changed: the first process that meets a field decides for all, and
for good, since warehouses cannot follow a column that changes its type.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import sqlalchemy as sql

from cirqll_client.kinds import Kind
from cirqll_client.store import LEARNED_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cirqll_client.store import Store

_MOST_TRIES = 10
"""So often others may take the very name that is wanted; names are few and tries are quick."""


@dataclass(frozen=True, slots=True)
class LearnedColumn:
    """What a field is called in a table, and what it holds."""

    field: str
    """Its name in the API."""
    name: str
    kind: Kind


Columns = dict[str, LearnedColumn]
"""By field."""


class LearnedColumns:
    """The learned columns of one account. Threads may share it."""

    def __init__(self, store: Store, *, account: str) -> None:
        """Read and write them in this store."""
        self._store = store
        self._account = account

    def of(self, stream: str) -> Columns:
        """Give the columns of a stream, in the order in which they were given.

        Raises ``Unavailable``.
        """
        table = LEARNED_COLUMNS
        question = (
            sql.select(table.c.field, table.c.name, table.c.kind)
            .where(table.c.account == self._account, table.c.stream == stream)
            .order_by(table.c.learned_at, table.c.name)
        )
        with self._store.transaction() as connection:
            rows = connection.execute(question).all()
        return {field: LearnedColumn(field, name, Kind(kind)) for field, name, kind in rows}

    def add(
        self, stream: str, wanted: Mapping[str, Kind], *, name_of: Callable[[str, Columns], str]
    ) -> Columns:
        """Give columns to fields that have none; give all of the stream's.

        ``name_of`` finds a name that none of the columns so far has, upper and lower case being
        one. Where another process was faster, its column counts. Raises ``Unavailable``.
        """
        columns = self.of(stream)
        for _ in range(_MOST_TRIES):
            missing = [field for field in wanted if field not in columns]
            if not missing:
                break
            self._insert(stream, missing, wanted, dict(columns), name_of)
            columns = self.of(stream)
        return columns

    def _insert(
        self,
        stream: str,
        fields: list[str],
        wanted: Mapping[str, Kind],
        columns: Columns,
        name_of: Callable[[str, Columns], str],
    ) -> None:
        """Insert each by itself: who holds one row while waiting for another blocks the others."""
        for field in fields:
            columns[field] = LearnedColumn(field, name_of(field, columns), wanted[field])
            row = self._row(stream, columns[field])
            with self._store.transaction() as connection:
                self._store.insert_within(connection, LEARNED_COLUMNS, row)

    def _row(self, stream: str, column: LearnedColumn) -> dict[str, object]:
        digest = sha256(column.field.encode("utf-8", "surrogatepass")).hexdigest()
        return {
            "account": self._account,
            "stream": stream,
            "field_digest": digest,
            "field": column.field,
            "name": column.name,
            "name_key": column.name.lower(),
            "kind": column.kind.value,
            "learned_at": self._store.now(),
        }
