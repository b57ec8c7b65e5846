"""Ways to walk through an Index so that no row is missed; they decide and check, and do no I/O.

A walk gives the question for its next page, and takes the page: it checks that the server did as it
was asked, moves its key, and hands out the rows. The first way is the best; each of the others asks
less of the server:

=========  ======================  ===============================================================
way        order                   asks for
=========  ======================  ===============================================================
changes    ``updated_at``, ``id``  what lies behind the last key; stops and resumes anywhere
id         ``id``                  what lies behind the last id; changes are chosen on our side
whole      ``id``, if honoured     everything by offset, each page overlapping the one before it
=========  ======================  ===============================================================
"""

from __future__ import annotations

from itertools import repeat
from operator import lt
from typing import TYPE_CHECKING, Any, Literal, Protocol

from cirqll_client.query import Condition, Group, IndexQuery, Order, all_of, any_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cirqll_client.responses import Page, Rows

WayName = Literal["changes", "id", "whole"]
Key = tuple[str, int]
"""The text by which the API compares times, and the id."""

MOST_PASSES = 5


class NotHonoured(Exception):
    """The server did not do as it was asked; the rows would not be safe."""


class Walk(Protocol):
    """What the reading needs of a way."""

    name: WayName

    def query(self) -> IndexQuery:
        """Give the question for the next page."""
        ...

    def take(self, page: Page) -> list[Any]:
        """Check a page, move on, give its rows. Raises ``NotHonoured``."""
        ...

    def left(self, page: Page) -> int | None:
        """Tell how many rows the server counts behind this page, 0 only if that is certain."""
        ...

    def newest(self) -> IndexQuery | None:
        """Give the question for the row at the end of the way, to see whether it was reached."""
        ...

    def is_passed_by(self, rows: Rows) -> bool:
        """Tell whether a row lies further along the way than the walk has come."""
        ...


class ChangesWalk(Walk):
    """By time of change, then id: the moving key."""

    name: WayName = "changes"

    def __init__(
        self, *, field: str, comparable: Callable[[str], str], key: Key | None, since: str | None
    ) -> None:
        """Go on behind ``key``, else from ``since`` (inclusive), else from the beginning."""
        self._field = field
        self._comparable = comparable
        self._since = since
        self.key = key

    def query(self) -> IndexQuery:
        """Ask for what lies behind the key."""
        condition: Condition | Group | None = None
        if self.key is not None:
            time, row_id = self.key
            ties = all_of(Condition(self._field, "eq", time), Condition("id", "gt", row_id))
            condition = any_of(Condition(self._field, "gt", time), ties)
        elif self._since is not None:
            condition = Condition(self._field, "gte", self._since)
        return IndexQuery(order_by=(Order(self._field), Order("id")), filter=condition)

    def take(self, page: Page) -> list[Any]:
        """Check the order and that nothing lies before the key."""
        if len(page):
            keys = self._keys_of(page.rows)
            keys.insert(0, self.key or (self._since or "", 0))
            _check_order(keys, f"{self._field} and id")
            self.key = keys[-1]
        return page.rows.rows

    def left(self, page: Page) -> int | None:
        """Count by ``total``: the question was for all that lies behind."""
        return None if page.total is None else max(0, page.total - len(page))

    def newest(self) -> IndexQuery:
        """Ask for the last change of all."""
        order = (Order(self._field, descending=True), Order("id", descending=True))
        return IndexQuery(limit=1, order_by=order)

    def is_passed_by(self, rows: Rows) -> bool:
        """Compare keys."""
        return any(key > (self.key or (self._since or "", 0)) for key in self._keys_of(rows))

    def ties(self) -> IndexQuery | None:
        """Give the question for the next row that shares its time with the key."""
        if self.key is None:
            return None
        time, row_id = self.key
        condition = all_of(Condition(self._field, "eq", time), Condition("id", "gt", row_id))
        return IndexQuery(limit=1, order_by=(Order("id"),), filter=condition)

    def _keys_of(self, rows: Rows) -> list[Key]:
        try:
            return list(zip(map(self._comparable, rows.times), _ids(rows), strict=True))
        except (TypeError, ValueError):
            msg = f"a record came without a usable {self._field}"
            raise NotHonoured(msg) from None


class IdWalk(Walk):
    """By id alone; ``is_wanted`` chooses the changes on our side, by their time."""

    name: WayName = "id"

    def __init__(self, *, last_id: int, is_wanted: Callable[[Any], bool]) -> None:
        """Go on behind this id; 0 is the beginning."""
        self.last_id = last_id
        self._is_wanted = is_wanted

    def query(self) -> IndexQuery:
        """Ask for what lies behind the last id."""
        condition = Condition("id", "gt", self.last_id) if self.last_id else None
        return IndexQuery(order_by=(Order("id"),), filter=condition)

    def take(self, page: Page) -> list[Any]:
        """Check the order and that nothing lies before the last id."""
        if len(page):
            ids = [self.last_id, *_ids(page.rows)]
            _check_order(ids, "id")
            self.last_id = ids[-1]
        return _wanted(page.rows, self._is_wanted)

    def left(self, page: Page) -> int | None:
        """Count by ``total``: the question was for all that lies behind."""
        return None if page.total is None else max(0, page.total - len(page))

    def newest(self) -> IndexQuery:
        """Ask for the highest id."""
        return IndexQuery(limit=1, order_by=(Order("id", descending=True),))

    def is_passed_by(self, rows: Rows) -> bool:
        """Compare ids."""
        return any(row_id > self.last_id for row_id in _ids(rows))


class WholeWalk(Walk):
    """Everything by offset. Each page begins with the last row of the one before.

    Where it does not, rows moved in between, and the whole is read once more, until a pass saw no
    move and as many rows as the server counts.
    """

    name: WayName = "whole"

    def __init__(self, *, is_wanted: Callable[[Any], bool], is_ordered: bool) -> None:
        """Begin at the first row."""
        self._is_wanted = is_wanted
        self._order = (Order("id"),) if is_ordered else ()
        self._is_complete = False
        self._passes = 1
        self._offset = 0
        self._last_id: int | None = None
        self._has_moved = False
        self._in_pass: set[int] = set()

    def query(self) -> IndexQuery:
        """Ask for the page at the offset."""
        return IndexQuery(offset=self._offset, order_by=self._order)

    def take(self, page: Page) -> list[Any]:
        """Check that the page joins the one before."""
        ids = _ids(page.rows)
        if self._last_id is not None and ids[:1] != [self._last_id]:
            self._has_moved = True
        has_news = not self._in_pass.issuperset(ids)
        self._in_pass.update(ids)
        if has_news and not self._is_counted(page):
            overlap = 1 if len(ids) > 1 else 0
            self._offset += len(ids) - overlap
            self._last_id = ids[-1] if overlap else None
        else:
            self._end_pass(page)
        return _wanted(page.rows, self._is_wanted)

    def left(self, page: Page) -> int | None:
        """Give 0 only when a pass was complete: the end of the list alone proves nothing here."""
        return 0 if self._is_complete else max(1, (page.total or 0) - len(self._in_pass))

    def newest(self) -> None:
        """Know no such question: the passes prove the end."""

    def is_passed_by(self, rows: Rows) -> bool:
        """Compare with what this pass saw."""
        return not self._in_pass.issuperset(_ids(rows))

    def _is_counted(self, page: Page) -> bool:
        return page.total is not None and self._offset + len(page) >= page.total

    def _end_pass(self, page: Page) -> None:
        is_all_there = page.total is None or len(self._in_pass) >= page.total
        if is_all_there and not self._has_moved:
            self._is_complete = True
        elif self._passes == MOST_PASSES:
            msg = f"rows kept moving in {MOST_PASSES} passes over the whole"
            raise NotHonoured(msg)
        else:
            self._begin_pass()

    def _begin_pass(self) -> None:
        self._passes += 1
        self._offset, self._last_id, self._has_moved = 0, None, False
        self._in_pass = set()


def _ids(rows: Rows) -> list[int]:
    if not all(type(row_id) is int for row_id in rows.ids):
        msg = "a record came without a whole number as its id"
        raise NotHonoured(msg)
    return rows.ids


def _wanted(rows: Rows, is_wanted: Callable[[Any], bool]) -> list[Any]:
    return [row for row, time in zip(rows.rows, rows.times, strict=True) if is_wanted(time)]


def _check_order(keys: Sequence[Any], order: str) -> None:
    """Check that keys grow; the first is the one that all others must lie behind."""
    if not all(map(lt, keys, keys[1:])):
        broken = "the order" if all(map(lt, repeat(keys[0]), keys[1:])) else "the filter"
        msg = f"it did not honour {broken} by {order}"
        raise NotHonoured(msg)
