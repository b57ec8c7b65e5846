"""How large a page may be, how that is enforced, and what ``limit`` and ``total`` tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cirqll_client.cli.doctor.answers import Failed, Listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LARGEST_ASKED = 1001
"""One more than the maximum of the look-alike API of vPlan (cirqll-api.md, Index)."""
SIZES = (LARGEST_ASKED, 1000, 100)

Enforcement = Literal["not_reached", "obeyed", "capped", "capped_silently", "refused", "unknown"]
Truth = Literal["true", "wrong", "missing", "unknown"]


@dataclass(frozen=True, slots=True)
class PageMaximum:
    """What is known of the largest page."""

    enforcement: Enforcement
    rows: int | None = None
    """The largest page that the server gives; of ``refused`` the largest that was not refused."""
    refused: int | None = None
    """The smallest page that it refused."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question for rows from the first one on, and what came of it."""

    listing: Listing
    limit: int | None
    """The limit asked for; ``None`` leaves it to the server."""
    there: int
    """Rows that are known to match."""


def page_maximum(tries: Sequence[tuple[int, Listing | Failed]], *, there: int) -> PageMaximum:
    """Judge the answers to pages of these sizes, of a resource with at least ``there`` rows."""
    refused = min((size for size, came in tries if _is_refused(came)), default=None)
    given = next(((size, one) for size, one in tries if isinstance(one, Listing)), None)
    if given is None:
        return PageMaximum("refused" if refused else "unknown", refused=refused)
    size, came = given
    if refused is not None:
        return PageMaximum("refused", rows=size, refused=refused)
    rows, told = len(came), came.limit
    if rows >= size:
        return PageMaximum("obeyed", rows=size)
    has_more = max(came.total or 0, there) > rows
    if has_more:
        return PageMaximum("capped" if told == rows else "capped_silently", rows=rows)
    if told is not None and rows <= told < size:
        return PageMaximum("capped", rows=told)
    return PageMaximum("not_reached", rows=size)


def safe(found: PageMaximum | None) -> int | None:
    """Give a large page that the server gives for certain; ``None`` leaves it to the server."""
    if found is None or found.rows is None:
        return None
    return min(found.rows, LARGEST_ASKED - 1)


def limit_truth(asked: Iterable[Asked]) -> Truth:
    """Tell whether the ``limit`` that is told is the one in force."""
    seen: set[Truth] = {_told_limit(one) for one in asked}
    return next((truth for truth in _WORST_FIRST if truth in seen), "unknown")


def total_truth(asked: Iterable[Asked]) -> Truth:
    """Tell whether ``total`` counts all that matches, or only the page."""
    seen: set[Truth] = {_told_total(one) for one in asked}
    return next((truth for truth in _WORST_FIRST if truth in seen), "unknown")


_WORST_FIRST: tuple[Truth, ...] = ("wrong", "missing", "true")


def _told_limit(asked: Asked) -> Truth:
    rows, told = len(asked.listing), asked.listing.limit
    if asked.listing.is_whole:
        return "unknown"
    if told is None:
        return "missing"
    has_more = max(asked.there, asked.listing.total or 0) > rows
    if rows > told or (has_more and rows != told):
        return "wrong"
    return "true" if has_more else "unknown"


def _told_total(asked: Asked) -> Truth:
    rows, total = len(asked.listing), asked.listing.total
    if asked.listing.is_whole:
        return "unknown"
    if total is None:
        return "missing"
    if total < max(rows, asked.there):
        return "wrong"
    return "true" if total > rows else "unknown"


def _is_refused(came: Listing | Failed) -> bool:
    return isinstance(came, Failed) and came.kind == "refused"
