"""A walk with a moving key: it asks for what lies behind the last row, always at offset 0.

Whatever changes meanwhile, no row slips through between two pages, and it can stop after any page
and go on from its key.
"""

from __future__ import annotations

from operator import lt
from typing import TYPE_CHECKING, Any

from cirqll_client.query import (
    Condition,
    Group,
    IndexQuery,
    Inexpressible,
    Order,
    all_of,
    any_of,
)
from cirqll_client.walks import IsWanted, NotHonoured, WayName, ids_of, wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.responses import Page, Rows

Key = tuple[Any, ...]
"""What rows are ordered by; the id comes last."""


class KeyWalk:
    """Goes along some fields, the last of which is the id; ``key`` is where it stands."""

    def __init__(  # noqa: PLR0913 - made by the functions below
        self,
        name: WayName,
        *,
        fields: tuple[str, ...],
        keys_of: Callable[[Rows], list[Key]],
        key: Key | None,
        first: Key,
        start: Condition | None = None,
        is_wanted: IsWanted | None = None,
    ) -> None:
        """Go on behind ``key``, else begin with ``start``; nothing lies at or before ``first``."""
        self.name = name
        self.fields = fields
        self.key = key
        self.goal: Key | None = None
        """Where the way ended when that was asked."""
        self.are_ties_proven = len(fields) == 1
        """A row came that shares all but its id with the key before."""
        self.is_order_proven = False
        """Rows came in an order that is not by chance that of their ids."""
        self.is_overlapping = False
        """Ask for the last row once more, as proof that ties are found."""
        self.overlap = 0
        """How many rows of the page that was taken last were on the page before: it came so."""
        self._keys_of = keys_of
        self._first = first
        self._start = start
        self._is_wanted = is_wanted

    @property
    def position(self) -> Key:
        """The key, or what lies before the first one."""
        return self.key or self._first

    @property
    def has_arrived(self) -> bool:
        """Tell whether the goal was reached."""
        return self.goal is not None and self.position >= self.goal

    @property
    def is_beyond_goal(self) -> bool:
        """Tell whether rows were taken that lay behind the goal."""
        return self.key is not None and self.goal is not None and self.key > self.goal

    def query(self) -> IndexQuery:
        """Ask for what lies behind the key. Raises ``NotHonoured`` for one that cannot be told."""
        order = tuple(map(Order, self.fields))
        condition = self._start if self.key is None else behind(self.fields, self._floor)
        try:
            str(condition)
        except Inexpressible:
            msg = f"a record came without a usable {self.fields[0]}"
            raise NotHonoured(msg) from None
        return IndexQuery(order_by=order, filter=condition)

    def take(self, page: Page) -> Rows:
        """Check the order and that nothing lies before the key; move there, give the rows."""
        rows = page.rows
        keys = self._keys_of(rows)
        self._check(keys)
        self.overlap = int(self._is_overlap(keys))
        if self.overlap:
            rows = type(rows)(rows.rows[1:], rows.ids[1:], rows.times[1:])
        if keys:
            # The first question of all has no clause for ties that could have proven itself.
            self.are_ties_proven |= self.key is not None and keys[0][:-1] == self.key[:-1]
            self.is_order_proven |= not all(map(lt, rows.ids, rows.ids[1:]))
            self.key = keys[-1]
        return rows if self._is_wanted is None else wanted(rows, self._is_wanted)

    def may_miss_ties(self, page: Page, *, counted: int | None) -> bool:
        """Tell whether a page, not yet taken, may lack rows that share all but the id with the key.

        Fewer rows than were ``counted`` behind the key are there when rows were deleted, too.
        """
        if self.are_ties_proven:
            return False
        if self.is_overlapping:
            return not self._is_overlap(self._keys_of(page.rows))
        return counted is not None and page.total is not None and page.total < counted

    def ties(self) -> IndexQuery:
        """Ask for the next row that shares all but its id with the key."""
        *others, row_id = zip(self.fields, self.position, strict=True)
        same = (Condition(field, "eq", value) for field, value in others)
        condition = all_of(*same, Condition(row_id[0], "gt", row_id[1]))
        return IndexQuery(limit=1, order_by=(Order(row_id[0]),), filter=condition)

    def last(self) -> IndexQuery:
        """Ask for the row where the way ends."""
        order = tuple(Order(field, descending=True) for field in self.fields)
        return IndexQuery(limit=1, order_by=order)

    def first_two(self) -> IndexQuery:
        """Ask for the rows where the way begins; two, to know whether there is more than one."""
        return IndexQuery(limit=2, order_by=tuple(map(Order, self.fields)))

    def aim(self, rows: Rows) -> None:
        """Take the end of the way for the goal; the end is here where nothing is left at all."""
        self.goal = max(self._keys_of(rows), default=self.position)

    @property
    def _floor(self) -> Key:
        """What the rows that are asked for lie behind."""
        if self.key is None or not self.is_overlapping:
            return self.position
        return (*self.key[:-1], self.key[-1] - 1)

    def _is_overlap(self, keys: list[Key]) -> bool:
        return self.is_overlapping and keys[:1] == [self.key]

    def _check(self, keys: list[Key]) -> None:
        is_ordered = all(map(lt, keys, keys[1:]))
        if not is_ordered or (keys and keys[0] <= self._floor):
            is_behind = all(self._floor < key for key in keys)
            msg = f"it did not honour {'the order' if is_behind else 'the filter'} by {self.along}"
            raise NotHonoured(msg)

    @property
    def along(self) -> str:
        """Name the fields, for people."""
        return " and ".join(self.fields)


def changes_walk(
    *, field: str, comparable: Callable[[str], str], key: Key | None, since: str | None
) -> KeyWalk:
    """Walk along the time of change, from ``since`` (inclusive) or behind ``key``."""

    def keys_of(rows: Rows) -> list[Key]:
        try:
            return list(zip(map(comparable, rows.times), ids_of(rows), strict=True))
        except (TypeError, ValueError):
            msg = f"a record came without a usable {field}"
            raise NotHonoured(msg) from None

    return KeyWalk(
        "changes",
        fields=(field, "id"),
        keys_of=keys_of,
        key=key,
        first=(since or "", 0),
        start=None if since is None else Condition(field, "gte", since),
    )


def id_walk(*, last_id: int, is_wanted: IsWanted) -> KeyWalk:
    """Walk along the ids, from the beginning or behind ``last_id``; choose changes on our side."""
    return KeyWalk(
        "id",
        fields=("id",),
        keys_of=lambda rows: list(zip(ids_of(rows))),
        key=(last_id,) if last_id else None,
        first=(0,),
        is_wanted=is_wanted,
    )


def behind(fields: tuple[str, ...], key: Key) -> Condition | Group:
    """Give the condition that a row lies behind the key, in the order of these fields."""
    (field, *fields_left), (value, *key_left) = fields, key
    further = Condition(field, "gt", value)
    if not fields_left:
        return further
    ties = all_of(Condition(field, "eq", value), behind(tuple(fields_left), tuple(key_left)))
    return any_of(further, ties)
