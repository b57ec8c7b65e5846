"""What a reading read, next to what the server counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyroaring import BitMap64

if TYPE_CHECKING:
    from collections.abc import Collection

    from cirqll_client.responses import Page

LARGEST_ID = (1 << 63) - 1
"""Larger ones are in no column of a warehouse; Cirqll's end at 2^32 [doc]."""


def may_be_tracked(row_id: int) -> bool:
    """Tell whether an id can be kept among others; no other is known of Cirqll."""
    return 0 <= row_id <= LARGEST_ID


def trackable(ids: Collection[int]) -> BitMap64:
    """Give those that can be tracked, at the speed of C where that is all of them."""
    try:
        found = BitMap64(ids)
        is_all = not found or found.max() <= LARGEST_ID
    except OverflowError:
        is_all = False
    return found if is_all else BitMap64(filter(may_be_tracked, ids))


@dataclass(slots=True)
class Tally:
    """What one walk read, and what the server said of it. Filled while it reads."""

    ids: BitMap64 = field(default_factory=BitMap64)
    """Of the rows that were read, also of those that are not wanted."""
    others: set[int] = field(default_factory=set)
    """Ids that no bitmap holds; none are known of Cirqll."""
    expected: int | None = None
    """The rows to come, by the first answer's total; ``None`` where it tells none."""
    repeated: int = 0
    """Rows that came once more without need: not those that pages or windows share."""
    lacking: int = 0
    """Rows that the server counts and never gives."""
    is_quiet: bool = True
    """Nothing changed while it was read: each answer counted what the one before had left, no row
    came twice, and nothing was left at the end."""
    is_whole: bool = False
    """All rows that there are were read: by no filter, and from the first one on."""
    rows: int = 0
    """Those that came, each as often as it came."""

    @property
    def distinct(self) -> int:
        """Count the rows that came, each once."""
        return len(self.ids) + len(self.others)

    @property
    def largest_id(self) -> int:
        """Give the largest id that came; -1 before the first."""
        return max(self.ids.max() if self.ids else -1, max(self.others, default=-1))

    def __contains__(self, row_id: object) -> bool:
        """Tell whether the row with this id came."""
        if not isinstance(row_id, int):
            return False
        return row_id in (self.ids if may_be_tracked(row_id) else self.others)

    def restart(self) -> None:
        """Forget what came: all of it comes once more."""
        self.ids, self.others, self.rows = BitMap64(), set(), 0
        self.expected, self.is_quiet = None, True

    def take(self, ids: list[int], *, is_as_counted: bool) -> None:
        """Add the rows of a page, those left out that it shares with the page before."""
        known = self.distinct
        there = trackable(ids)
        self.ids |= there
        if len(there) < len(ids):
            self.others.update(row_id for row_id in ids if not may_be_tracked(row_id))
        self.rows += len(ids)
        self.is_quiet &= is_as_counted and self.distinct - known == len(ids)

    def joined(self, later: Tally) -> Tally:
        """Give the tally of both windows; what both had counts once."""
        expected = None
        if self.expected is not None and later.expected is not None:
            shared = len(self.ids & later.ids) + len(self.others & later.others)
            expected = self.expected + later.expected - shared
        return Tally(
            ids=self.ids | later.ids,
            others=self.others | later.others,
            expected=expected,
            repeated=self.repeated + later.repeated,
            lacking=self.lacking + later.lacking,
            is_quiet=self.is_quiet and later.is_quiet,
            is_whole=self.is_whole or later.is_whole,
            rows=self.rows + later.rows,
        )


class Room:
    """Whether the pages had room for the rows that are counted and do not come.

    A server that takes rows out of a page after it was cut gives less than the limit, though it
    counts more. One whose filter passes over rows fills its pages.
    """

    def __init__(self) -> None:
        """Begin; no page came yet."""
        self.longest = 0
        """Rows of the longest page."""
        self._is_enough = True
        self._is_limit_kept = False
        """The limits that answers tell are true: not those of a server that gives less."""
        self._room = 0
        self._left: int | None = None

    @property
    def explains_lack(self) -> bool:
        """Tell whether there was room for all rows that were passed over."""
        return self._is_enough and self._is_limit_kept

    def take(self, page: Page, *, counted: int | None, left: int | None) -> None:
        """Look at a page where so many rows were counted, and so many left behind it."""
        self._compare(counted)
        self._left, self._room = left, 0
        self.longest = max(self.longest, len(page))
        if page.limit is not None and page.total is not None:
            self._is_limit_kept |= len(page) == page.limit
            self._room = min(page.limit, page.total) - len(page)

    def look_back(self, first: Page, *, behind: int) -> None:
        """Look at the first rows once more, no more than ``longest``; others lie behind the last.

        Pages of that length do come, so one that is shorter lacks rows that are counted.
        """
        self._compare(behind)
        self._is_limit_kept |= len(first) < self.longest <= (first.total or 0)

    def _compare(self, counted: int | None) -> None:
        """Compare what was passed over since the page before with its room."""
        if self._left is not None:
            self._is_enough &= counted is not None and self._left - counted <= self._room
