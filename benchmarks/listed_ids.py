"""A set of ids that answers questions about ranges of it, as an Index does, and a search of it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyroaring import BitMap64

from benchmarks.process import RunFailedError
from cirqll_client.difference_search import DifferenceSearch, KnownIds, Listed, Range

if TYPE_CHECKING:
    from typing import Literal

    How = Literal["spread", "clustered"]

FIRST: Final = 1


@dataclass(frozen=True, slots=True)
class Draw:
    """So many ids of which some were deleted, and the row at which the first page begins."""

    ids: int
    gone: BitMap64
    start: int

    @property
    def known(self) -> BitMap64:
        """All ids, the deleted ones too."""
        return BitMap64(range(FIRST, FIRST + self.ids))


def drawn(*, ids: int, deletions: int, how: How, page: int, number: int) -> Draw:
    """Draw deleted ids; the same number draws the same."""
    draw = random.Random(f"{ids} {deletions} {how} {number}")  # noqa: S311 - repeatable, no secret
    if how == "spread":
        gone = draw.sample(range(FIRST, FIRST + ids), deletions)
    else:
        first = draw.randrange(FIRST, FIRST + ids - deletions + 1)
        gone = list(range(first, first + deletions))
    return Draw(ids, BitMap64(gone), start=draw.randrange(-(-ids // page)) * page)


def questions(draw: Draw, *, page: int) -> int:
    """Count the questions that it takes to find what is gone.

    Raises ``RunFailedError`` where something else was found: its count would mean nothing.
    """
    known = draw.known
    there, last = known - draw.gone, known.max()
    search = DifferenceSearch(KnownIds(known), first=0, last=last, start=draw.start)
    while search.question is not None:
        search.take(_answer(there, search.question, page=page))
    if BitMap64(search.absent) != draw.gone or search.unknown:
        msg = "The search found other ids than those that are gone, so its cost means nothing."
        raise RunFailedError(msg)
    return search.questions


def _answer(there: BitMap64, question: Range, *, page: int) -> Listed:
    """Give the count of a range and a page of it."""
    before = there.rank(question.first - 1) if question.first else 0
    total = there.range_cardinality(question.first, question.last + 1)
    begin = before + question.offset
    return Listed(total, list(there[begin : min(begin + page, before + total)]), page)
