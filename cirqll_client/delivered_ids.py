"""The ids of the rows that a pipeline has got, kept in the store, to find those that are gone.

A *roll* is such a set for one stream of one pipeline; its name stands in the pipeline's state. Each
page that is handed out, and each deletion that is told, is an *entry* with a number, and the state
that follows it has that number. So the state that a run begins with tells which entries reached the
warehouse. Those behind it are doubtful: they may have, or not.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sql
from pyroaring import BitMap64

from cirqll_client.store import DELIVERED_ENTRIES, DELIVERED_ROLLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection

    from cirqll_client.store import Store

_KEPT_SECONDS = 400 * 86_400.0
"""A roll that no run used for so long is of a pipeline that is no more."""


@dataclass(slots=True)
class Roll:
    """What a pipeline has of one stream. No id is both certain and doubtful."""

    ids: BitMap64 = field(default_factory=BitMap64)
    """Rows that it has, as living ones."""
    doubtful: BitMap64 = field(default_factory=BitMap64)
    """Rows that it may have as living ones or as deleted ones, or not at all."""
    unlisted: BitMap64 = field(default_factory=BitMap64)
    """Those that live, though the Index does not list them."""
    since: str | None = None
    """It got no rows that changed before, in UTC; ``None``: it got all."""
    scopes: str | None = None
    """By what the stream was last compared; ``None`` where nobody can tell."""
    is_newer: bool = False
    """It has more than the state says, and what more that is cannot be told any more."""

    @property
    def known(self) -> BitMap64:
        """Give all that it may have as living ones."""
        return self.ids | self.doubtful

    def add(self, ids: BitMap64) -> None:
        """Note rows that it gets as living ones."""
        self.ids |= ids
        self.doubtful -= ids
        self.unlisted -= ids

    def take_away(self, ids: BitMap64) -> None:
        """Note rows of which it is told that they are deleted."""
        self.ids -= ids
        self.doubtful -= ids
        self.unlisted -= ids

    def doubt(self, ids: BitMap64) -> None:
        """Note rows of which nobody knows what it has."""
        self.ids -= ids
        self.doubtful |= ids


class DeliveredIds:
    """The rolls of one account."""

    def __init__(self, store: Store, *, account: str) -> None:
        """Read and write them in this store."""
        self._store = store
        self._account = account

    def begin(self, stream: str, roll: Roll) -> str:
        """Keep a roll from now on and give its name; its number is 0. Raises ``Unavailable``.

        Those of pipelines that are no more are thrown away.
        """
        name = secrets.token_hex(8)
        row = {"account": self._account, "roll": name, "stream": stream, "settled": 0, "last": 0}
        with self._store.transaction() as connection:
            self._forget_old(connection)
            connection.execute(sql.insert(DELIVERED_ROLLS).values(row | self._columns(roll)))
        return name

    def roll(self, name: str, *, until: int) -> Roll | None:
        """Give a roll; ``None`` where it is not known. Raises ``Unavailable``.

        ``until`` is the number that the pipeline's state has.
        """
        table = DELIVERED_ROLLS
        with self._store.transaction() as connection:
            question = sql.select(table).where(*self._key(table, name)).with_for_update()
            found = connection.execute(question).mappings().first()
            if found is None:
                return None
            roll = Roll(
                BitMap64.deserialize(found["ids"]),
                BitMap64.deserialize(found["doubtful"]),
                BitMap64.deserialize(found["unlisted"]),
                since=found["since"],
                scopes=found["scopes"],
                is_newer=until < found["settled"],
            )
            self._settle(connection, name, roll, until=max(until, found["settled"]))
        return roll

    def enter(
        self, name: str, *, added: BitMap64 | None = None, gone: BitMap64 | None = None
    ) -> int:
        """Write down what is handed out, or told, next; give the number for the state that follows.

        Raises ``Unavailable``.
        """
        table = DELIVERED_ROLLS
        with self._store.transaction() as connection:
            key = self._key(table, name)
            last = connection.execute(sql.select(table.c.last).where(*key).with_for_update())
            number: int = last.scalar_one() + 1
            connection.execute(sql.update(table).where(*key).values(last=number))
            entry = {
                "account": self._account,
                "roll": name,
                "number": number,
                "added": (added or BitMap64()).serialize(),
                "gone": (gone or BitMap64()).serialize(),
            }
            connection.execute(sql.insert(DELIVERED_ENTRIES).values(entry))
        return number

    def note(self, name: str, *, unlisted: BitMap64, scopes: str | None) -> None:
        """Write down what a comparison found. Raises ``Unavailable``."""
        table = DELIVERED_ROLLS
        values = {"unlisted": unlisted.serialize(), "scopes": scopes, "saved_at": self._store.now()}
        with self._store.transaction() as connection:
            connection.execute(sql.update(table).where(*self._key(table, name)).values(values))

    def _settle(self, connection: Connection, name: str, roll: Roll, *, until: int) -> None:
        """Take up the entries: those that the state knows, and those that are doubtful."""
        table = DELIVERED_ENTRIES
        entries = connection.execute(
            sql.select(table.c.number, table.c.added, table.c.gone)
            .where(*self._key(table, name))
            .order_by(table.c.number)
        ).all()
        for number, *sets in entries:
            added, gone = map(BitMap64.deserialize, sets)
            if number <= until:
                roll.add(added)
                roll.take_away(gone)
            else:
                roll.doubt(added | gone)
        if entries:
            rolls = DELIVERED_ROLLS
            values = {**self._columns(roll), "settled": until}
            connection.execute(sql.update(rolls).where(*self._key(rolls, name)).values(values))
            connection.execute(sql.delete(table).where(*self._key(table, name)))

    def _forget_old(self, connection: Connection) -> None:
        table = DELIVERED_ROLLS
        is_old = table.c.saved_at < self._store.now() - _KEPT_SECONDS
        question = sql.select(table.c.roll).where(table.c.account == self._account, is_old)
        for name in connection.execute(question).scalars().all():
            for one in (DELIVERED_ENTRIES, table):
                connection.execute(sql.delete(one).where(*self._key(one, name)))

    def _columns(self, roll: Roll) -> dict[str, object]:
        for ids in (roll.ids, roll.doubtful, roll.unlisted):
            ids.run_optimize()
        return {
            "ids": roll.ids.serialize(),
            "doubtful": roll.doubtful.serialize(),
            "unlisted": roll.unlisted.serialize(),
            "since": roll.since,
            "scopes": roll.scopes,
            "saved_at": self._store.now(),
        }

    def _key(self, table: sql.Table, name: str) -> Sequence[sql.ColumnElement[bool]]:
        return [table.c.account == self._account, table.c.roll == name]
