"""Finding the rows of a stream that may differ, in as few requests as that takes.

The newest rows come first: the page that they stand on tells how many rows there are, and what
changed since the last load. What lies behind it is compared by a search over ranges of changes
(``difference_search``), which begins with a page somewhere. So a table that agrees costs one
request, or two if it has more rows than a page. Two differences that cancel each other out in a
count, such as a lost change, are found if they lie on a page that was read, or on both sides of it;
reading every row finds all.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyroaring import BitMap64

from cirqll_client.cli.verify.change_keys import LAST_KEY, id_of, last_of
from cirqll_client.difference_search import DifferenceSearch, SortedKeys
from cirqll_client.horizon import CLOCK_TOLERANCE
from cirqll_client.walks import NotHonoured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cirqll_client.cli.verify.account_rows import AccountRows
    from cirqll_client.cli.verify.change_keys import ApiTimes
    from cirqll_client.cli.verify.listed_rows import Seen
    from cirqll_client.cli.verify.loaded import Loaded
    from cirqll_client.listing import Listing

_PAGE = 1000
"""A guess at how many rows a page holds: a search that begins later than it could reads less."""


@dataclass(slots=True)
class Found:
    """What a comparison found; rows that may differ are to be looked at once more."""

    newest: datetime | None = None
    """The latest change that was loaded, as the API writes it."""
    counted: int | None = None
    """Rows in Cirqll, by its own count."""
    compared: int = 0
    """So many of Cirqll's rows were compared one by one."""
    is_whole: bool = False
    """All of them were."""
    is_every_row: bool = False
    """They were read in a way that no count or filter takes part in."""
    is_all_missing: bool = False
    """The table never had a row; of those in Cirqll, only their number was asked for."""
    newer: BitMap64 = field(default_factory=BitMap64)
    """Ids of rows that changed after the newest loaded change."""
    absent: dict[int, int | None] = field(default_factory=dict)
    """Ids in the table that were not listed as they are there, with their keys there."""
    unknown: dict[int, int | None] = field(default_factory=dict)
    """Ids that were listed otherwise than in the table, or are not in it, with the listed keys."""

    @property
    def candidates(self) -> list[int]:
        """The ids of all rows that may differ; those that changed since the load are no news."""
        return [one for one in sorted({*self.absent, *self.unknown}) if one not in self.newer]


class Comparison:
    """Compares one table with its resource."""

    def __init__(
        self,
        account: AccountRows,
        loaded: Loaded,
        *,
        times: ApiTimes,
        choose: Callable[[int], int],
    ) -> None:
        """Compare these; ``choose`` gives a number below another, to begin somewhere."""
        self._account = account
        self._loaded = loaded
        self._times = times
        self._choose = choose
        self._found = Found()

    def searched(self) -> Found:
        """Search where they differ. Raises ``NotHonoured`` and any ``CirqllError``."""
        found = self._found = Found()
        seen = self._account.newest(expected=len(self._loaded.ids))
        self._look_at_clock()
        found.counted = seen.total
        floor, left = self._newest_compared(seen)
        found.is_whole = not left
        if left and not self._loaded.ids and found.newest is None:
            found.is_all_missing = True
            found.unknown.clear()
            return found
        if floor <= self._account.first:
            return found
        keys = self._loaded.keys[: bisect_left(self._loaded.keys, floor)]
        rest = [key for key in keys if id_of(key) not in found.newer] if found.newer else keys
        self._search(rest, last=floor - 1, page_size=seen.page_size)
        return found

    def whole(self, *, warn: Callable[[str], None]) -> Found:
        """Read every row. Raises ``NotHonoured`` and any ``CirqllError``."""
        found = self._found = Found(is_whole=True, is_every_row=True)
        found.counted = self._account.count()
        self._look_at_clock()
        matched, untimed = BitMap64(), BitMap64()
        for keys, without in self._account.everything(warn=warn):
            found.compared += len(keys) + len(without)
            self._sort_out(keys, matched)
            untimed.update(without)
        absent = BitMap64(range(len(self._loaded.keys))) - matched
        self._note_absent(self._loaded.keys[place] for place in absent)
        self._compare_untimed(untimed)
        return found

    def _look_at_clock(self) -> None:
        present = (self._account.now or datetime.now(UTC)) + CLOCK_TOLERANCE
        self._found.newest = self._loaded.newest(present=self._times.latest(present))

    def _newest_compared(self, seen: Seen) -> tuple[int, int]:
        """Compare the newest rows, down to those that were loaded last.

        Gives the smallest key of what was compared, and how many rows lie behind it.
        """
        keys, untimed, left = list(seen.keys), seen.untimed, seen.left
        newest = last_of(self._found.newest) if self._found.newest else LAST_KEY
        page = seen
        while left and page.keys and not untimed and keys[-1] > newest:
            page = self._account.newest(before=keys[-1], expected=0)
            keys += page.keys
            left = page.left
        is_all = not left or bool(untimed) or not keys
        floor = self._account.first if is_all else keys[-1]
        self._found.compared += len(keys) + len(untimed)
        matched = BitMap64()
        self._sort_out(keys, matched)
        begin = bisect_left(self._loaded.keys, floor)
        expected = range(begin, len(self._loaded.keys))
        self._note_absent(self._loaded.keys[one] for one in expected if one not in matched)
        if not left and page is seen:
            self._compare_untimed(BitMap64(untimed))
        return floor, left

    def _search(self, rest: Sequence[int], *, last: int, page_size: int) -> None:
        first, known = self._account.first, SortedKeys(rest)
        start = self._choose(max(0, len(rest) - page_size) + 1)
        search = DifferenceSearch(known, first=first, last=last, start=start)
        most = 2 * len(rest) + 100
        while search.question is not None:
            listed = self._account.listed(search.question)
            self._found.compared += len(listed.keys)
            search.take(listed)
            if search.questions > most:
                msg = "its counts contradict each other"
                raise NotHonoured(msg)
        self._note_absent(search.absent)
        self._note_unknown(search.unknown)

    def _sort_out(self, keys: Iterable[int], matched: BitMap64) -> None:
        """Note the places of keys that are in the table, and all other keys."""
        known = self._loaded.keys
        others = []
        for key in keys:
            place = bisect_left(known, key)
            if place < len(known) and known[place] == key:
                matched.add(place)
            else:
                others.append(key)
        self._note_unknown(others)

    def _note_unknown(self, keys: Sequence[int]) -> None:
        newest = last_of(self._found.newest) if self._found.newest else LAST_KEY
        self._found.newer.update([id_of(key) for key in keys if key > newest])
        self._found.unknown.update({id_of(key): key for key in keys if key <= newest})

    def _note_absent(self, keys: Iterable[int]) -> None:
        self._found.absent.update({id_of(key): key for key in keys})

    def _compare_untimed(self, there: BitMap64) -> None:
        loaded = self._loaded.untimed - self._found.newer
        if self._account.first:
            return
        self._found.absent.update(dict.fromkeys(loaded - there))
        self._found.unknown.update(dict.fromkeys(there - loaded))


def compared_by_id(
    listing: Listing, loaded: Loaded, *, choose: Callable[[int], int]
) -> tuple[Found, int]:
    """Compare ids only; give what was found, and how many rows more are counted than listed.

    Raises any ``CirqllError``.
    """
    start = choose(max(0, len(loaded.ids) - _PAGE) + 1)
    found = listing.compare(loaded.ids, start=start)
    absent: dict[int, int | None] = dict.fromkeys(found.absent)
    unknown: dict[int, int | None] = dict.fromkeys(found.unknown)
    return Found(counted=found.counted, absent=absent, unknown=unknown), found.unexplained
