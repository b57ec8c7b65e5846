"""What a dry run pretends to have written, kept on a disk, since it may be much."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cirqll_client.errors import Unavailable
from cirqll_client.responses import decoded, encoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record

_IN_A_FILE_OF_ITS_OWN = ""
"""A private file that only this connection can open, and that goes with it, even if it is killed
(sqlite.org/inmemorydb.html, temporary databases)."""
_TABLES = """
    PRAGMA journal_mode = OFF;
    CREATE TABLE records (
        resource TEXT, id INTEGER, is_gone INTEGER, changes BLOB, changed_at TEXT,
        PRIMARY KEY (resource, id)
    ) WITHOUT ROWID;
    CREATE TABLE marks (
        resource TEXT, field TEXT, id INTEGER, mark TEXT, PRIMARY KEY (resource, id, field)
    ) WITHOUT ROWID;
    CREATE INDEX marks_by_value ON marks (resource, field, mark);
    CREATE TABLE identities (
        resource TEXT, identity TEXT, record_id INTEGER, PRIMARY KEY (resource, identity)
    ) WITHOUT ROWID;
    CREATE INDEX identities_by_record ON identities (resource, record_id);
"""


@dataclass(frozen=True, slots=True)
class Pretended:
    """What became of a record, as far as the run would have changed it."""

    changes: Record
    """All of it, if the run would have created it."""
    changed_at: str = ""
    """The digest of the time at which the record was last changed in truth."""
    is_gone: bool = False


class PretendedRecords:
    """Records that were created, changed or deleted in pretence. For one thread at a time.

    All methods raise ``Unavailable`` where the disk fails.
    """

    def __init__(self) -> None:
        """Begin with none."""
        with _blamed():
            # Threads take turns.
            self._file = sqlite3.connect(
                _IN_A_FILE_OF_ITS_OWN, isolation_level=None, check_same_thread=False
            )
            self._file.executescript(_TABLES)

    def get(self, resource: Resource, ids: Iterable[int]) -> dict[int, Pretended]:
        """Give those of these records that something was pretended about."""
        found = {}
        question = "SELECT changes, changed_at, is_gone FROM records WHERE resource = ? AND id = ?"
        for one in ids:
            for changes, changed_at, is_gone in self._rows(question, resource.name, one):
                found[one] = Pretended(decoded(changes), changed_at, bool(is_gone))
        return found

    def put(
        self,
        resource: Resource,
        record_id: int,
        pretended: Pretended,
        *,
        marks: Mapping[str, str | None],
    ) -> None:
        """Keep a record in place of what was kept of it.

        ``marks``: what some fields can be found by, ``None`` for one that now says nothing.
        """
        key = (resource.name, record_id)
        changes = encoded(pretended.changes)
        values = (*key, pretended.is_gone, changes, pretended.changed_at)
        self._rows(
            "REPLACE INTO records (resource, id, is_gone, changes, changed_at) VALUES "
            "(?, ?, ?, ?, ?)",
            *values,
        )
        for field, mark in marks.items():
            self._rows(
                "REPLACE INTO marks (resource, id, field, mark) VALUES (?, ?, ?, ?)",
                *key,
                field,
                mark,
            )

    def remove(self, resource: Resource, record_id: int) -> None:
        """Let a record be gone, with all rows that are known to have become it."""
        key = (resource.name, record_id)
        self._rows("DELETE FROM marks WHERE resource = ? AND id = ?", *key)
        self.put(resource, record_id, Pretended({}, is_gone=True), marks={})
        self._rows(
            "UPDATE identities SET record_id = NULL WHERE resource = ? AND record_id = ?", *key
        )

    def having(self, resource: Resource, field: str, marks: Iterable[str]) -> set[int]:
        """Give the ids of the records that were given one of these marks in this field."""
        question = "SELECT id FROM marks WHERE resource = ? AND field = ? AND mark = ?"
        key = (resource.name, field)
        return {one for mark in marks for (one,) in self._rows(question, *key, mark)}

    def remember(
        self, resource: Resource, identities: Iterable[str], record_id: int | None
    ) -> None:
        """Note which record these rows became, ``None`` for no more."""
        for identity in identities:
            self._rows(
                "REPLACE INTO identities (resource, identity, record_id) VALUES (?, ?, ?)",
                resource.name,
                identity,
                record_id,
            )

    def claiming(self, resource: Resource, record_id: int) -> set[str]:
        """Give the rows that were remembered to have become a record."""
        question = "SELECT identity FROM identities WHERE resource = ? AND record_id = ?"
        return {one for (one,) in self._rows(question, resource.name, record_id)}

    def known(self, resource: Resource, identities: Iterable[str]) -> dict[str, int | None]:
        """Give the records of rows that were remembered, ``None`` if they have gone since."""
        question = "SELECT record_id FROM identities WHERE resource = ? AND identity = ?"
        return {
            identity: record_id
            for identity in identities
            for (record_id,) in self._rows(question, resource.name, identity)
        }

    def close(self) -> None:
        """Forget everything."""
        self._file.close()

    def _rows(self, statement: str, *values: Any) -> list[Any]:  # noqa: ANN401 - SQL's
        with _blamed(), closing(self._file.execute(statement, values)) as cursor:
            return cursor.fetchall()


@contextmanager
def _blamed() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        msg = (
            f"The dry run could not keep what it found in a temporary file ({error}). Make room on "
            "the disk for temporary files, or name another folder in the environment variable "
            "SQLITE_TMPDIR; then run again. Nothing was written to Cirqll."
        )
        raise Unavailable(msg) from error
