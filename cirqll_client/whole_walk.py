"""A walk over everything by offset, for servers that do not honour filters.

Each page begins with the last row of the one before. Where it does not, rows moved in between, and
the whole is read once more, until a pass saw no move and as many rows as the server counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cirqll_client.query import IndexQuery, Order
from cirqll_client.walks import NotHonoured, WayName, ids_of, wanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.responses import Page

MOST_PASSES = 5


class WholeWalk:
    """Passes over the whole until one of them is complete."""

    name: WayName = "whole"

    def __init__(self, *, is_wanted: Callable[[Any], bool], is_ordered: bool) -> None:
        """Begin at the first row, in the order of ids if that is honoured."""
        self.is_complete = False
        self._is_wanted = is_wanted
        self._order = (Order("id"),) if is_ordered else ()
        self._passes = 1
        self._offset = 0
        self._last_id: int | None = None
        self._has_moved = False
        self._seen: set[int] = set()
        self._expected: int | None = None

    def query(self) -> IndexQuery:
        """Ask for the page at the offset."""
        return IndexQuery(offset=self._offset, order_by=self._order)

    def take(self, page: Page) -> list[Any]:
        """Check that the page joins the one before; move on, give the rows."""
        ids = ids_of(page.rows)
        self._has_moved |= self._last_id is not None and ids[:1] != [self._last_id]
        self._expected = page.total if self._offset == 0 else self._expected
        has_news = not self._seen.issuperset(ids)
        self._seen.update(ids)
        if has_news and not self._is_only_new_behind(page):
            self._move(ids)
        else:
            self._end_pass(page)
        return wanted(page.rows, self._is_wanted)

    def left(self, page: Page) -> int | None:
        """Count by ``total`` what this pass did not see; at least one until a pass was complete."""
        return 0 if self.is_complete else max(1, (page.total or 0) - len(self._seen))

    def _move(self, ids: list[int]) -> None:
        if len(ids) == 1 and self._last_id is None and self._offset:
            msg = "its pages of one record cannot be checked"
            raise NotHonoured(msg)
        overlap = 1 if len(ids) > 1 else 0
        self._offset += len(ids) - overlap
        self._last_id = ids[-1] if overlap else None

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
        if len(self._seen) >= min(counts, default=0) and not self._has_moved:
            self.is_complete = True
        elif self._passes == MOST_PASSES:
            msg = f"rows kept moving in {MOST_PASSES} passes over the whole"
            raise NotHonoured(msg)
        else:
            self._begin_pass()

    def _begin_pass(self) -> None:
        self._passes += 1
        self._offset, self._last_id, self._expected = 0, None, None
        self._has_moved = False
        self._seen = set()
