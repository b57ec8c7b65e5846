"""Whether a server does what a filter or an order asks, as far as its answers prove it.

A law holds for all verdicts: *honoured* is said only where a server that ignores the question could
not have given these answers. It would give the first rows of one order of its own, whatever was
asked. What looks right and proves nothing is *unknown*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from cirqll_client.cli.doctor.answers import Failed, Listing

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.findings import Honesty

_FEW_LATER = 10


class Row(NamedTuple):
    """A row, and the value that it is filtered or ordered by."""

    id: int
    key: Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a server does with a question, and how that shows."""

    honesty: Honesty
    words: str


NOT_ASKED = Verdict("unknown", "not asked")
_NOT_FILTERED = "rows that should have been left out came"


def keyed(listing: Listing, key_of: Callable[[dict[str, Any]], Any]) -> list[Row]:
    """Give the rows that have an id and a key, in the order in which they came."""
    rows = [(row.get("id"), key_of(row)) for row in listing.rows]
    return [Row(key, value) for key, value in rows if type(key) is int and value is not None]


def threshold(known: Sequence[Row]) -> Row | None:
    """Give a row that some known rows lie behind, two with different keys if there are such.

    Of rows that came in descending order, all that lies behind it is known then.
    """
    by_key = {row.key: row for row in known}
    keys = sorted(by_key, reverse=True)
    if len(keys) < 2:  # noqa: PLR2004 - one to leave out, one to find
        return None
    return by_key[keys[min(len(keys) - 1, _FEW_LATER, max(2, len(keys) // 2))]]


def filter_verdict(
    came: Sequence[Row] | Failed, *, behind: Row, known: Sequence[Row], page_rows: int
) -> Verdict:
    """Judge the answer to *greater than this row's key*.

    ``known`` are rows that came before; ``page_rows`` is how many rows a full page held. A row that
    changes in the meantime only moves further behind.
    """
    if isinstance(came, Failed):
        return failure_verdict(came)
    if any(row.key <= behind.key for row in came):
        return Verdict("ignored", _NOT_FILTERED)
    ids = {row.id for row in came}
    is_full = len(came) >= page_rows > 0 and len(came) > 1
    missing = [row for row in known if row.key > behind.key and row.id not in ids]
    if missing and not is_full:
        return Verdict("ignored", "rows that should have come were left out")
    if is_full and not _is_ascending(came):
        return Verdict("unknown", "a full page came, which may be chance")
    return Verdict("honoured", "only the rows asked for came, and all of them")


def order_verdict(descending: Sequence[Row] | Failed, ascending: Sequence[Row] | Failed) -> Verdict:
    """Judge two answers that were to come in opposite orders."""
    if isinstance(descending, Failed):
        return failure_verdict(descending)
    is_wrong = isinstance(ascending, Sequence) and not _is_ascending(ascending)
    if is_wrong or not is_descending(descending):
        return Verdict("ignored", "rows came in another order")
    if isinstance(ascending, Failed) and descending:
        return Verdict("unknown", "only one direction could be asked")
    if isinstance(ascending, Sequence) and _are_opposite(descending, ascending):
        return Verdict("honoured", "rows came in the order asked for, both ways")
    return Verdict("unknown", "too few rows that differ")


def is_descending(rows: Sequence[Row]) -> bool:
    """Tell whether the latest came first."""
    return _is_ascending(rows[::-1])


def failure_verdict(failed: Failed) -> Verdict:
    """Say what a question that was not answered tells: only a refusal tells something."""
    if failed.kind == "refused":
        return Verdict("refused", failed.words)
    return Verdict("unknown", failed.words)


def _is_ascending(rows: Sequence[Row]) -> bool:
    return all(one.key <= next_one.key for one, next_one in pairwise(rows))


def _are_opposite(descending: Sequence[Row], ascending: Sequence[Row]) -> bool:
    """Tell of pages in order whether no order of the server's own could have brought both.

    Either two rows that differ came in both orders, or the pages are the two ends of all rows.
    """
    shared = {row.id for row in descending} & {row.id for row in ascending}
    compared = [row for row in ascending if row.id in shared] or ascending
    if len({row.key for row in compared}) < 2:  # noqa: PLR2004 - what an order takes
        return False
    return bool(shared) or bool(ascending[-1].key <= descending[-1].key)
