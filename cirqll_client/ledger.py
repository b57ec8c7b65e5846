"""The ledger: which record each row of a source became, kept in the store.

A create is written down before it is sent, and settled after. An open entry says that it was
sent and that nobody knows what became of it: it must be looked up before anything is sent again.
Several processes may share it: who writes an entry down first may send, and no other.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

from cirqll_client.store import WRITTEN_RECORDS as RECORDS
from cirqll_client.store import WRITTEN_ROWS as ROWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy.engine import Connection

    from cirqll_client.resources import Resource
    from cirqll_client.store import Store

ABSENT = "absent"
"""Stands for a field that did not come with the record at all."""
ENTRY_LENGTH = 12
"""So many characters of an identity name an entry to a person; they tell more than a few apart."""
_AT_ONCE = 500
"""Values in one question: databases bound their number."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger knows of a row."""

    record_id: int | None
    """The record that it became; ``None`` while that is open."""
    floor_id: int | None = None
    """An id that existed before the create was sent: a record made by it has a greater one."""
    sent: Mapping[str, str] | None = None
    """The digests of the values that were sent, by field."""
    sent_at: float = 0.0
    """Seconds since the epoch, by the clock of the store."""
    version: str = ""

    @property
    def is_open(self) -> bool:
        """Tell whether a create was sent and not settled."""
        return self.record_id is None


@dataclass(frozen=True, slots=True)
class Written:
    """What was last written to a record, as digests."""

    sent: Mapping[str, str] = field(default_factory=dict)
    """Of the values, by field."""
    came: Mapping[str, str] = field(default_factory=dict)
    """Of what the API made of them, ``ABSENT`` where it did not say."""
    changed_at: str = ""
    """Of the time at which the API says that the record was changed by the last write."""
    last_fields: frozenset[str] = frozenset()
    """Which of them the last write sent."""


class Ledger:
    """The ledger of one account. Threads and processes may share it."""

    def __init__(self, store: Store, *, account: str) -> None:
        """Keep the entries of this account in this store."""
        self._store = store
        self._account = account

    def now(self) -> float:
        """Give the time by which entries are dated: the clock that all who share it have."""
        with self._store.transaction() as connection:
            return self._store.time_in(connection)

    def known(self, resource: Resource, identities: Iterable[str]) -> dict[str, Entry]:
        """Give the entries of these rows, those that there are."""
        found = {}
        with self._store.transaction() as connection:
            for some in _in_parts(set(identities)):
                question = sql.select(ROWS).where(*self._of(resource), ROWS.c.identity.in_(some))
                for row in connection.execute(question):
                    found[row.identity] = _entry(row)
        return found

    def claims(self, resource: Resource, record_ids: Iterable[int]) -> dict[int, set[str]]:
        """Give the rows that are known to be these records, by record."""
        found: dict[int, set[str]] = {}
        with self._store.transaction() as connection:
            for some in _in_parts(set(record_ids)):
                question = sql.select(ROWS.c.record_id, ROWS.c.identity).where(
                    *self._of(resource), ROWS.c.record_id.in_(some)
                )
                for record_id, identity in connection.execute(question):
                    found.setdefault(record_id, set()).add(identity)
        return found

    def release_all(self, resource: Resource) -> int:
        """Forget all rows of a resource that are known; give their number."""
        with self._store.transaction() as connection:
            gone = connection.execute(
                sql.delete(ROWS).where(*self._of(resource), ROWS.c.record_id.is_not(None))
            )
        return gone.rowcount

    def release(self, resource: Resource, identities: Iterable[str]) -> None:
        """Forget which records these rows are."""
        with self._store.transaction() as connection:
            for some in _in_parts(set(identities)):
                connection.execute(
                    sql.delete(ROWS).where(
                        *self._of(resource),
                        ROWS.c.identity.in_(some),
                        ROWS.c.record_id.is_not(None),
                    )
                )

    def begin(
        self,
        resource: Resource,
        identity: str,
        *,
        floor_id: int | None,
        sent: Mapping[str, str],
        seen: Entry | None = None,
    ) -> Entry | None:
        """Write down that a create is about to be sent; ``None`` if it is not ours to send.

        ``seen`` is the open entry that was looked up, and is replaced: another process may have
        done so first. What is written is on the disk when this returns.
        """
        with self._store.transaction(is_durable=True) as connection:
            now = self._store.time_in(connection)
            entry = Entry(None, floor_id, dict(sent), now, secrets.token_hex(8))
            values = {
                "floor_id": entry.floor_id,
                "sent": entry.sent,
                "sent_at": entry.sent_at,
                "version": entry.version,
            }
            if seen is None:
                row = {**self._key(resource, identity), "record_id": None, **values}
                self._store.insert_within(connection, ROWS, row)
            else:
                connection.execute(
                    sql.update(ROWS)
                    .where(
                        *self._of(resource),
                        ROWS.c.identity == identity,
                        ROWS.c.record_id.is_(None),
                        ROWS.c.version == seen.version,
                    )
                    .values(values)
                )
            question = sql.select(ROWS.c.version).where(
                *self._of(resource), ROWS.c.identity == identity
            )
            is_ours = connection.execute(question).scalar() == entry.version
        return entry if is_ours else None

    def forget(self, resource: Resource, identity: str, entry: Entry) -> None:
        """Take an open entry back: it is certain that nothing was created."""
        with self._store.transaction() as connection:
            connection.execute(
                sql.delete(ROWS).where(
                    *self._of(resource),
                    ROWS.c.identity == identity,
                    ROWS.c.record_id.is_(None),
                    ROWS.c.version == entry.version,
                )
            )

    def remember(self, resource: Resource, records: Mapping[str, int]) -> None:
        """Note the record that each of these rows became, whatever was known before."""
        if not records:
            return
        with self._store.transaction() as connection:
            for some in _in_parts(records.items()):
                self._remember(connection, resource, dict(some))

    def forget_record(self, resource: Resource, record_id: int) -> None:
        """Forget a record that is gone."""
        with self._store.transaction() as connection:
            for table in (ROWS, RECORDS):
                connection.execute(
                    sql.delete(table).where(
                        *self._of(resource, table), table.c.record_id == record_id
                    )
                )

    def written(self, resource: Resource, record_ids: Iterable[int]) -> dict[int, Written]:
        """Give what was last written to these records."""
        found = {}
        with self._store.transaction() as connection:
            for some in _in_parts(record_ids):
                question = sql.select(RECORDS).where(
                    *self._of(resource, RECORDS), RECORDS.c.record_id.in_(some)
                )
                for row in connection.execute(question):
                    found[row.record_id] = Written(
                        row.sent, row.came, row.changed_at, frozenset(row.last_fields)
                    )
        return found

    def note_written(self, resource: Resource, record_id: int, written: Written) -> None:
        """Keep what was written, besides what is known of other fields of the record."""
        key = {"account": self._account, "resource": resource.name, "record_id": record_id}
        this = [*self._of(resource, RECORDS), RECORDS.c.record_id == record_id]
        with self._store.transaction() as connection:
            before = connection.execute(sql.select(RECORDS).where(*this)).first()
            values = {
                "sent": {**(before.sent if before else {}), **written.sent},
                "came": {**(before.came if before else {}), **written.came},
                "changed_at": written.changed_at,
                "last_fields": sorted(written.last_fields),
            }
            if before:
                connection.execute(sql.update(RECORDS).where(*this).values(values))
            else:
                self._store.insert_within(connection, RECORDS, {**key, **values})

    def counts(self) -> dict[str, int]:
        """Give the number of rows whose record is known, by the name of the resource."""
        question = (
            sql.select(ROWS.c.resource, sql.func.count())
            .where(ROWS.c.account == self._account, ROWS.c.record_id.is_not(None))
            .group_by(ROWS.c.resource)
        )
        with self._store.transaction() as connection:
            return {row[0]: row[1] for row in connection.execute(question)}

    def open_entries(self) -> list[tuple[str, str, Entry]]:
        """Give the entries that are open, the oldest first: resource, identity, entry."""
        question = (
            sql.select(ROWS)
            .where(ROWS.c.account == self._account, ROWS.c.record_id.is_(None))
            .order_by(ROWS.c.sent_at)
        )
        with self._store.transaction() as connection:
            return [
                (row.resource, row.identity, _entry(row)) for row in connection.execute(question)
            ]

    def _remember(
        self, connection: Connection, resource: Resource, records: Mapping[str, int]
    ) -> None:
        settled = connection.execute(
            sql.update(ROWS)
            .where(*self._of(resource), ROWS.c.identity == sql.bindparam("of"))
            .values(record_id=sql.bindparam("became"), floor_id=None, sent={}),
            [{"of": identity, "became": number} for identity, number in records.items()],
        )
        if settled.rowcount == len(records):
            return
        question = sql.select(ROWS.c.identity).where(
            *self._of(resource), ROWS.c.identity.in_(records)
        )
        known = set(connection.execute(question).scalars())
        rest = {"sent": {}, "sent_at": self._store.now(), "version": ""}
        self._insert(
            connection,
            [
                {**self._key(resource, identity), "record_id": number, **rest}
                for identity, number in records.items()
                if identity not in known
            ],
        )

    def _insert(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        """Insert rows, or leave those whose keys another process wrote down meanwhile."""
        try:
            with connection.begin_nested():
                connection.execute(sql.insert(ROWS), rows)
        except IntegrityError:
            for row in rows:
                self._store.insert_within(connection, ROWS, row)

    def _key(self, resource: Resource, identity: str) -> dict[str, Any]:
        return {"account": self._account, "resource": resource.name, "identity": identity}

    def _of(self, resource: Resource, table: sql.Table = ROWS) -> list[sql.ColumnElement[bool]]:
        return [table.c.account == self._account, table.c.resource == resource.name]


def _entry(row: sql.Row[Any]) -> Entry:
    return Entry(row.record_id, row.floor_id, row.sent, row.sent_at, row.version)


def _in_parts(values: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(values)
    while some := list(islice(rest, _AT_ONCE)):
        yield some
