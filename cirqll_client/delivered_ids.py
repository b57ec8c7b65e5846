"""The ids of the rows that a pipeline has got, kept in the store, to find those that are gone.

A *roll* is such a set for one stream of one pipeline; its name stands in the pipeline's state. What
comes with a page is written apart, since a whole set is long, and joined when the roll is saved.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sql
from pyroaring import BitMap64

from cirqll_client.store import DELIVERED_PAGES, DELIVERED_ROLLS

if TYPE_CHECKING:
    from cirqll_client.store import Store

_KEPT_SECONDS = 400 * 86_400.0
"""A roll that no run saved for so long is of a pipeline that is no more."""


@dataclass(slots=True)
class Roll:
    """What a pipeline has of one stream."""

    ids: BitMap64 = field(default_factory=BitMap64)
    """Rows that it has, as living ones."""
    unlisted: BitMap64 = field(default_factory=BitMap64)
    """Those of them that live, though the Index does not list them."""
    told: BitMap64 = field(default_factory=BitMap64)
    """Those of them that were told to be deleted in the run whose mark this is."""
    told_mark: str = ""
    scopes: str | None = None
    """By what the stream was last compared; ``None`` where nobody can tell."""

    def settle(self, mark: str | None) -> None:
        """Take what was told for known to the pipeline, if its state has the mark; or else not."""
        if self.told and mark == self.told_mark:
            self.ids -= self.told
            self.unlisted -= self.told
        self.told = BitMap64()

    def add(self, ids: BitMap64) -> None:
        """Add rows that were handed out as living ones."""
        self.ids |= ids
        self.unlisted -= ids
        self.told -= ids

    def tell(self, ids: BitMap64) -> str:
        """Note that these were told to be deleted; give the mark that goes into the state."""
        self.told_mark = self.told_mark if self.told else secrets.token_hex(8)
        self.told |= ids
        return self.told_mark

    @property
    def living(self) -> BitMap64:
        """Give those that nobody was told of that they are deleted."""
        return self.ids - self.told


class DeliveredIds:
    """The rolls of one account. One run has a roll at a time."""

    def __init__(self, store: Store, *, account: str) -> None:
        """Read and write them in this store."""
        self._store = store
        self._account = account

    def roll(self, name: str, *, mark: str | None) -> Roll | None:
        """Give a roll with all that came since it was saved; ``None`` where it is not known.

        ``mark`` is that of the pipeline's state, by which it is settled. Raises ``Unavailable``.
        """
        rolls, pages = DELIVERED_ROLLS, DELIVERED_PAGES
        columns = (rolls.c.ids, rolls.c.unlisted, rolls.c.told, rolls.c.told_mark, rolls.c.scopes)
        with self._store.transaction() as connection:
            found = connection.execute(sql.select(*columns).where(*self._key(rolls, name))).first()
            since = connection.execute(
                sql.select(pages.c.ids).where(*self._key(pages, name))
            ).scalars()
            later = [BitMap64.deserialize(one) for one in since]
        if found is None:
            return None
        ids, unlisted, told = map(BitMap64.deserialize, found[:3])
        roll = Roll(ids, unlisted, told, found[3], found[4])
        roll.settle(mark)
        roll.add(BitMap64().union(*later))
        return roll

    def begin(self, stream: str) -> str:
        """Begin a roll without ids and give its name. Raises ``Unavailable``.

        Those of pipelines that are no more are thrown away.
        """
        name = secrets.token_hex(8)
        rolls, pages = DELIVERED_ROLLS, DELIVERED_PAGES
        with self._store.transaction() as connection:
            since = self._store.now() - _KEPT_SECONDS
            old = sql.select(rolls.c.roll).where(
                rolls.c.account == self._account, rolls.c.saved_at < since
            )
            for roll in connection.execute(old).scalars().all():
                for table in (pages, rolls):
                    connection.execute(sql.delete(table).where(*self._key(table, roll)))
            values = {"account": self._account, "roll": name, "stream": stream}
            connection.execute(sql.insert(rolls).values(values | self._columns(Roll())))
        return name

    def add(self, name: str, ids: BitMap64) -> None:
        """Add what came with a page. Raises ``Unavailable``."""
        row = {
            "account": self._account,
            "roll": name,
            "page": secrets.token_hex(8),
            "ids": ids.serialize(),
        }
        with self._store.transaction() as connection:
            connection.execute(sql.insert(DELIVERED_PAGES).values(row))

    def save(self, name: str, roll: Roll) -> None:
        """Write a roll in place of what is there of it. Raises ``Unavailable``."""
        rolls, pages = DELIVERED_ROLLS, DELIVERED_PAGES
        with self._store.transaction() as connection:
            connection.execute(
                sql.update(rolls).where(*self._key(rolls, name)).values(self._columns(roll))
            )
            connection.execute(sql.delete(pages).where(*self._key(pages, name)))

    def _columns(self, roll: Roll) -> dict[str, object]:
        for ids in (roll.ids, roll.unlisted, roll.told):
            ids.run_optimize()
        return {
            "ids": roll.ids.serialize(),
            "unlisted": roll.unlisted.serialize(),
            "told": roll.told.serialize(),
            "told_mark": roll.told_mark,
            "scopes": roll.scopes,
            "saved_at": self._store.now(),
        }

    def _key(self, table: sql.Table, name: str) -> list[sql.ColumnElement[bool]]:
        return [table.c.account == self._account, table.c.roll == name]
