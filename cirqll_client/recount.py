"""What became of the rows of a reading while it read, by one more look at what is counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.responses import Page
    from cirqll_client.tally import Tally


@dataclass(frozen=True, slots=True)
class Recount:
    """What is counted now, and how that differs from what was read."""

    counted: int | None
    """Rows of the window by the server's total; ``None`` where it does not tell, and then nothing
    else is known."""
    changed_during: int = 0
    """Rows that were not read since they came or changed meanwhile; the next reading has them."""
    missing_ids: list[int] = field(default_factory=list)
    """Rows that were not read for no such reason."""
    gone: int = 0
    """Rows that were read and are counted no more; at least so many, where others are uncertain."""
    uncertain: int = 0
    """Rows that are counted and were not seen: neither read, nor among the newest."""


def compared(page: Page, tally: Tally, *, is_for_next: Callable[[int, object], bool]) -> Recount:
    """Compare what was read with the newest rows, newest first.

    ``is_for_next`` tells by id and time of change whether the next reading will have a row.
    """
    if page.total is None or _may_count_page(page, tally):
        return Recount(None)
    pairs = zip(page.rows.ids, page.rows.times, strict=True)
    unseen = [(row_id, time) for row_id, time in pairs if row_id not in tally]
    missing = [row_id for row_id, time in unseen if not is_for_next(row_id, time)]
    surplus = page.total - len(unseen) - tally.distinct
    is_cut = len(unseen) == len(page) < page.total
    return Recount(
        counted=page.total,
        changed_during=len(unseen) - len(missing),
        missing_ids=missing,
        gone=max(0, -surplus),
        uncertain=max(surplus, 1 if is_cut else 0),
    )


def _may_count_page(page: Page, tally: Tally) -> bool:
    """Tell whether the total may be that of the page, where more rows than that were read."""
    total, limit = page.total or 0, page.limit or 0
    return total < tally.distinct and 0 < total <= len(page) and len(page) >= limit
