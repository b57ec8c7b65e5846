"""A walk over everything by offset, for servers that do not honour filters.

Each page begins with the last row of the one before. Where it does not, rows moved in between, and
the whole is read once more, until a pass saw no move and as many rows as the server counts; or
until two passes in a row agree that it counts more than it gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cirqll_client.query import IndexQuery, Order
from cirqll_client.walks import IsWanted, NotHonoured, WayName, ids_of, wanted

if TYPE_CHECKING:
    from cirqll_client.responses import Page, Rows

MOST_PASSES = 5


class WholeWalk:
    """Passes over the whole until one of them is complete."""

    name: WayName = "whole"

    def __init__(self, *, is_wanted: IsWanted, is_ordered: bool) -> None:
        """Begin at the first row, in the order of ids if that is honoured."""
        self.is_complete = False
        self.lacking = 0
        """Rows that the server counts and does not give, once the walk is complete."""
        self.repeated = 0
        """Rows of this pass that came more than once, though their pages were joined."""
        self.overlap = 0
        """How many rows of the page that was taken last were on the page before."""
        self._is_wanted = is_wanted
        self._order = (Order("id"),) if is_ordered else ()
        self._passes = 1
        self._offset = 0
        self._joint: list[int] = []
        """The page before, where the next one is to begin with the last row of it."""
        self._room = 0
        """How many more rows that page could have held."""
        self._has_leapt = False
        self._has_moved = False
        self._seen: set[int] = set()
        self._expected: int | None = None
        self._pass_before: tuple[set[int], int] | None = None
        """The rows of the pass before, and their count, where nothing changed meanwhile."""

    @property
    def is_at_start(self) -> bool:
        """Tell whether the next page is the first of a pass."""
        return self._offset == 0

    def query(self) -> IndexQuery:
        """Ask for the page at the offset."""
        return IndexQuery(offset=self._offset, order_by=self._order)

    def take(self, page: Page) -> Rows:
        """Check that the page joins the one before; move on, give the rows."""
        ids = ids_of(page.rows)
        self.overlap = _overlap(self._joint, ids, room=self._room)
        self._has_moved |= bool(self._joint) and not self.overlap
        self._expected = page.total if self.is_at_start else self._expected
        known = len(self._seen)
        self._seen.update(ids)
        news = len(self._seen) - known
        self.repeated += len(ids) - self.overlap - news
        if news and not self._is_only_new_behind(page):
            self._move(page, ids)
        elif not news and self._is_emptied(page):
            self._leap(page)
        else:
            self._end_pass(page)
        return wanted(page.rows, self._is_wanted)

    def left(self, page: Page) -> int | None:
        """Count by ``total`` what this pass did not see; at least one until a pass was complete."""
        return 0 if self.is_complete else max(1, (page.total or 0) - len(self._seen))

    def _move(self, page: Page, ids: list[int]) -> None:
        """Go to the last row of the page."""
        if len(ids) == 1 and not self._joint and self._offset:
            if self._has_leapt:
                self._leap(page)
                return
            msg = "its pages of one record cannot be checked"
            raise NotHonoured(msg)
        self._room = min(page.limit or 0, (page.total or 0) - self._offset) - len(ids)
        overlap = 1 if len(ids) > 1 else 0
        self._offset += len(ids) - overlap
        self._joint = ids if overlap else []
        self._has_leapt = False

    def _is_emptied(self, page: Page) -> bool:
        """Tell whether a page lacks its rows, and more are counted behind it."""
        limit, total = page.limit or 0, page.total or 0
        return len(page) < limit and self._offset + limit < total

    def _leap(self, page: Page) -> None:
        """Go behind the page; there is no row to join the next one to."""
        self._offset, self._joint = self._offset + (page.limit or 0), []
        self._has_leapt = True

    def _is_only_new_behind(self, page: Page) -> bool:
        """Tell whether only rows are left that were added since the pass began.

        So that it ends however fast rows are added. A ``total`` that did not grow says nothing: it
        may count something else.
        """
        if self._expected is None or page.total is None or page.total <= self._expected:
            return False
        return self._offset + len(page) >= self._expected > 0

    def _end_pass(self, page: Page) -> None:
        counts = [count for count in (page.total, self._expected) if count is not None]
        counted = min(counts, default=0)
        is_steady = not self._has_moved and page.total == self._expected
        this_pass = (self._seen, counted) if is_steady else None
        is_as_before = this_pass is not None and this_pass == self._pass_before
        if is_as_before or (len(self._seen) >= counted and not self._has_moved):
            self.is_complete = True
            self.lacking = max(0, counted - len(self._seen))
        elif self._passes == MOST_PASSES:
            msg = f"rows kept moving in {MOST_PASSES} passes over the whole"
            raise NotHonoured(msg)
        else:
            self._pass_before = this_pass
            self._begin_pass()

    def _begin_pass(self) -> None:
        self._passes += 1
        self._offset, self._joint, self._expected = 0, [], None
        self._has_moved = self._has_leapt = False
        self._seen, self.repeated = set(), 0


def _overlap(before: list[int], ids: list[int], *, room: int) -> int:
    """Count the rows at the beginning of a page that ended the one before; 0 if it joins it not.

    It is one, and more where rows are counted that are not given, so that the offset reaches back.
    The same page once more, though it had no room for such rows, comes of an offset that is
    ignored.
    """
    if not before or ids[:1] == before[-1:]:
        return min(len(before), 1)
    if before[-1] not in ids:
        return 0
    overlap = ids.index(before[-1]) + 1
    is_joined = ids[:overlap] == before[-overlap:] and (ids != before or overlap <= 1 + room)
    return overlap if is_joined else 0
