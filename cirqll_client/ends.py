"""Whether a page is the last one, by all that its answer tells."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cirqll_client.responses import Page

LEAST_MAXIMUM = 100
"""The documented default of ``limit``. A guess: no server has a maximum below it."""


class Sequel(Enum):
    """What follows a page."""

    END = auto()
    """Nothing, for certain."""
    MORE = auto()
    """More of what was promised at the beginning."""
    DOUBT = auto()
    """It takes another question to know."""


def rows_left(page: Page) -> int | None:
    """Count the rows behind a page, where the question was for all that lies behind a key."""
    return None if page.total is None else max(0, page.total - len(page))


def sequel(
    page: Page, *, read: int, expected: int | None, is_total_proven: bool, is_filtered: bool
) -> Sequel:
    """Decide what follows after so many rows, this page included, of those that were expected.

    That ``total`` counts what matches is likely, not documented, so a ``total`` that only repeats
    the length of the page decides nothing until it is proven. Fewer rows than promised, or none at
    all by a filter that nothing has proven, are doubtful: rows were deleted, or are not found.
    """
    left = rows_left(page)
    if expected is None:
        return Sequel.DOUBT
    if left and len(page):
        return Sequel.MORE if read < expected else Sequel.DOUBT
    is_counted = left == 0 and is_total_proven and (expected > len(page) or not _is_full(page))
    is_last = not len(page) or is_counted or _is_short(page)
    is_as_promised = read >= expected and not (read == 0 and is_filtered)
    return Sequel.END if is_last and is_as_promised else Sequel.DOUBT


def _is_full(page: Page) -> bool:
    """Tell whether a page may have been cut. Then a ``total`` of its own length ends nothing.

    That it counts what matches was proven of another resource perhaps, or weeks ago.
    """
    return page.limit is None or len(page) >= page.limit


def _is_short(page: Page) -> bool:
    """Tell whether a page could have held more rows, whatever the server's maximum is."""
    return page.limit is not None and len(page) < min(page.limit, LEAST_MAXIMUM)
