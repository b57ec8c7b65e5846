"""Where two sets of keys differ, one of which can only be asked for counts and pages.

A question is a range of keys. Its answer tells how many there are in the range, and the first page
of them; so the page is compared key by key, and the rest by its count, which follows by
subtraction. A rest whose count is as expected is not asked for, one that differs is halved at the
end of a page. So no key is read twice: where keys are gone from every page, this is reading
everything page by page, with one or two questions more; where as many came, half as much again.

What the counts cannot show: as many keys gone as there are new ones in the same range. Therefore
the first question reads its page anywhere (``start``): whoever searches again and again, each time
somewhere else, finds these too.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyroaring import BitMap64


class KnownKeys(Protocol):
    """The keys that are expected: whole numbers, each of them once. Ranges include both ends."""

    def count(self, first: int, last: int) -> int:
        """Count those in a range."""

    def nth(self, first: int, number: int) -> int:
        """Give the key that is so many behind the beginning of a range; 1 is the first."""

    def within(self, first: int, last: int) -> list[int]:
        """Give those in a range, in order."""


class KnownIds:
    """Keys in a bitmap."""

    def __init__(self, ids: BitMap64) -> None:
        """Take the bitmap as it is; it is not to change while somebody searches."""
        self._ids = ids

    def count(self, first: int, last: int) -> int:
        """Count those in a range."""
        return self._ids.range_cardinality(first, last + 1) if first <= last else 0

    def nth(self, first: int, number: int) -> int:
        """Give the key that is so many behind the beginning of a range; 1 is the first."""
        before = self._ids.rank(first - 1) if first > 0 else 0
        return self._ids[before + number - 1]

    def within(self, first: int, last: int) -> list[int]:
        """Give those in a range, in order."""
        return list(islice(self._ids.iter_equal_or_larger(first), self.count(first, last)))


class SortedKeys:
    """Keys in a sequence that is in order."""

    def __init__(self, keys: Sequence[int]) -> None:
        """Take the sequence as it is."""
        self._keys = keys

    def count(self, first: int, last: int) -> int:
        """Count those in a range."""
        return max(0, bisect_right(self._keys, last) - bisect_left(self._keys, first))

    def nth(self, first: int, number: int) -> int:
        """Give the key that is so many behind the beginning of a range; 1 is the first."""
        return self._keys[bisect_left(self._keys, first) + number - 1]

    def within(self, first: int, last: int) -> list[int]:
        """Give those in a range, in order."""
        begin, end = bisect_left(self._keys, first), bisect_right(self._keys, last)
        return list(self._keys[begin:end])


@dataclass(frozen=True, slots=True)
class Range:
    """What is asked for: the keys from ``first`` to ``last``, both included, in order."""

    first: int
    last: int
    offset: int = 0
    """So many are passed over."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What is there: an answer to a range, its keys in order and none twice."""

    total: int
    """Keys in the range, by the count of whoever answers."""
    keys: list[int]
    """The first page of them, behind the offset."""
    page_size: int
    """So many would have fitted the page."""


@dataclass(slots=True)
class _Rest:
    """A range that was not read, and how many keys it has by what was counted so far."""

    first: int
    last: int
    count: int


class DifferenceSearch:
    """One search. Answer ``question`` until it is ``None``; then the results stand."""

    def __init__(self, known: KnownKeys, *, first: int, last: int, start: int = 0) -> None:
        """Search between two keys, both included. The first page is read at ``start``."""
        self._known = known
        self._page_size = 1
        self._rests: list[_Rest] = []
        self._whole = _Rest(first, last, -1)
        self._asked: _Rest | None = None
        """What the question is a part of."""
        self.question: Range | None = Range(first, last, start)
        self.absent: list[int] = []
        """Known keys that are not there."""
        self.unknown: list[int] = []
        """Keys that are there, and not known."""
        self.counted: int | None = None
        """All keys that are there, by the first answer."""
        self.listed: int | None = None
        """One of the keys that are there, if any was listed."""
        self.questions = 0

    @property
    def unexplained(self) -> int:
        """How many more were counted at first than there are by all that was listed since.

        Keys that are counted and never listed, or that went while it was searched; negative for
        keys that are listed and not counted, or that came.
        """
        expected = self._known.count(self._whole.first, self._whole.last)
        return (self.counted or 0) - (expected - len(self.absent) + len(self.unknown))

    def take(self, listed: Listed) -> None:
        """Take the answer to the question."""
        question = self.question
        if question is None:
            msg = "nothing was asked"
            raise RuntimeError(msg)
        self.questions += 1
        self._page_size = max(1, listed.page_size)
        self.listed = next(iter(listed.keys), self.listed)
        if self.counted is None:
            self.counted = listed.total
        self._compare(question, listed)
        if self._asked is not None:
            self._leave(question.last + 1, self._asked.last, self._asked.count - listed.total)
        self._ask()

    def _compare(self, question: Range, listed: Listed) -> None:
        """Compare the page key by key; leave what lies before and behind it."""
        first, last, keys = question.first, question.last, listed.keys
        if question.offset:
            if not keys:
                # Fewer are there than were expected: nothing could be read so far behind.
                self._rests.append(_Rest(first, last, listed.total))
                return
            self._leave(first, keys[0] - 1, question.offset)
            first = keys[0]
        # A page that is not full is the last one, unless more were counted.
        left = listed.total - question.offset - len(keys)
        if keys and (left > 0 or len(keys) >= listed.page_size):
            self._leave(keys[-1] + 1, last, max(0, left))
            last = keys[-1]
        there, expected = set(keys), self._known.within(first, last)
        self.absent += [key for key in expected if key not in there]
        self.unknown += sorted(there.difference(expected))

    def _leave(self, first: int, last: int, count: int) -> None:
        """Leave a range for later, if it is not as expected."""
        if first <= last and self._known.count(first, last) != count:
            self._rests.append(_Rest(first, last, count))

    def _ask(self) -> None:
        """Choose the next question."""
        rest = self._asked = self._rests.pop() if self._rests else None
        self.question = Range(rest.first, self._until(rest)) if rest else None

    def _until(self, rest: _Rest) -> int:
        """Tell up to where to ask: half of the known pages, or all if what is there is one."""
        known = self._known.count(rest.first, rest.last)
        keys = -(-known // self._page_size) // 2 * self._page_size
        if rest.count <= self._page_size or not 0 < keys < known:
            return rest.last
        return self._known.nth(rest.first, keys)
