"""The rows of a page in the order of changes, checked: ordered, in range, and counted."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cirqll_client.cli.verify.change_keys import key_of
from cirqll_client.tally import may_be_tracked
from cirqll_client.walks import NotHonoured, ids_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cirqll_client.cli.verify.change_keys import ApiTimes
    from cirqll_client.responses import Page


@dataclass(frozen=True, slots=True)
class Seen:
    """Rows that were listed."""

    keys: list[int]
    """Of those that tell when they changed."""
    untimed: list[int]
    """Ids of the others."""
    total: int
    """Rows by the server's count, those behind the page included."""
    page_size: int

    @property
    def left(self) -> int:
        """How many lie behind the page."""
        return self.total - len(self.keys) - len(self.untimed)


def seen(page: Page, times: ApiTimes) -> Seen:
    """Sort out the rows of a page. Raises ``NotHonoured`` where nobody counts them."""
    rows = page.rows
    keys, untimed = sorted_out(zip(ids_of(rows), rows.times, strict=True), times)
    total = len(page) if page.is_whole else page.total
    if total is None:
        raise not_counted()
    if total < len(page):
        raise more_than_counted()
    return Seen(keys, untimed, total, page.limit or max(1, len(page)))


def sorted_out(rows: Iterable[tuple[int, Any]], times: ApiTimes) -> tuple[list[int], list[int]]:
    """Give the keys of rows, and the ids of those that do not tell when they changed.

    A row is its id, and the time as it came. Raises ``NotHonoured`` for an id that is none.
    """
    keys: list[int] = []
    untimed: list[int] = []
    for row_id, text in rows:
        if not may_be_tracked(row_id):
            msg = "it gave an id that is none"
            raise NotHonoured(msg)
        time = times.of_text(text)
        if time is None:
            untimed.append(row_id)
        else:
            keys.append(key_of(time, row_id))
    return keys, untimed


def check_order(keys: list[int], order: Callable[[int, int], bool]) -> None:
    """Make sure that each key and the next are in this order. Raises ``NotHonoured``."""
    if not all(order(one, other) for one, other in pairwise(keys)):
        msg = "it did not honour the order by the time of change and id"
        raise NotHonoured(msg)


def check_range(rows: Seen, first: int, last: int, *, may_be_untimed: bool) -> None:
    """Make sure that no row lies outside of what was asked for. Raises ``NotHonoured``."""
    is_within = all(first <= key <= last for key in rows.keys)
    if not is_within or (rows.untimed and not may_be_untimed):
        msg = "it did not honour the filter by the time of change and id"
        raise NotHonoured(msg)


def not_counted() -> NotHonoured:
    """Say that there is no count to go by."""
    return NotHonoured("it does not tell how many there are")


def more_than_counted() -> NotHonoured:
    """Say that a count is wrong."""
    return NotHonoured("it lists more than it counts")
