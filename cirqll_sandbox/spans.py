"""Finding rows without looking at each: filters that cut one piece out of a sorted index.

Readers that move a key ask for `updated_at > T or (updated_at = T and id > I)`, or for `id > I`.
The rows that fit lie side by side in an index, so two binary searches find and count them. Any
other filter is none of this module's business: it answers `None`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

from cirqll_sandbox.filtering import Condition
from cirqll_sandbox.values import TEXT, as_date_time, collated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from cirqll_sandbox.filtering import Filter
    from cirqll_sandbox.tables import IndexKey

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\Z")
_WHOLE = re.compile(r"[0-9]{1,18}\Z")
_COMPARISONS = frozenset({"eq", "gt", "lt", "gte", "lte"})
_NO_ID, _AFTER_ALL_IDS = -1, float("inf")

Span = tuple[int, int]


def id_span(tree: Filter, ids: Sequence[int]) -> Span | None:
    """Which piece of the sorted ids fits."""
    return _id_span(tree, lambda id_: bisect_left(ids, id_), (0, len(ids)))


def updated_at_span(tree: Filter, keys: Sequence[IndexKey]) -> Span | None:
    """Which piece of the index by `updated_at` then `id` fits."""
    if isinstance(tree, Condition):
        return _moment_span(tree, keys)
    if tree.kind == "and":
        pinned = _pinned(tree.parts, keys)
        return pinned or _overlap(updated_at_span(part, keys) for part in tree.parts)
    return _union(updated_at_span(part, keys) for part in tree.parts)


def _moment_span(condition: Condition, keys: Sequence[IndexKey]) -> Span | None:
    if not _simple(condition, "updated_at") or not _MOMENT.match(condition.values[0]):
        return None
    key = (TEXT, collated(as_date_time(condition.values[0])))
    first = bisect_left(keys, (key, _NO_ID))
    behind = bisect_left(keys, (key, _AFTER_ALL_IDS))
    texts = bisect_left(keys, ((TEXT, ""), _NO_ID))
    nested = bisect_left(keys, ((TEXT + 1, ""), _NO_ID))
    return _cut(condition.operator, first, behind, texts, nested)


def _pinned(parts: Sequence[Filter], keys: Sequence[IndexKey]) -> Span | None:
    """`updated_at = T and id > I`: among rows with one timestamp the ids are sorted."""
    moments = [part for part in parts if _pins(part)]
    piece = _overlap(updated_at_span(part, keys) for part in moments) if moments else None
    if piece is None:
        return None
    key = keys[piece[0]][0] if piece[0] < piece[1] else (TEXT, "")
    others = (part for part in parts if not _pins(part))
    spans = (_id_span(part, lambda id_: bisect_left(keys, (key, id_)), piece) for part in others)
    return _overlap([piece, *spans])


def _id_span(tree: Filter, position: Callable[[int], int], whole: Span) -> Span | None:
    """Within the whole, where `position` tells the place of an id."""
    if not isinstance(tree, Condition):
        if tree.kind == "or":
            return None
        return _overlap(_id_span(part, position, whole) for part in tree.parts)
    if not _simple(tree, "id") or not _WHOLE.match(tree.values[0]):
        return None
    value = int(tree.values[0])
    return _cut(tree.operator, position(value), position(value + 1), *whole)


def _pins(tree: Filter) -> bool:
    return isinstance(tree, Condition) and _simple(tree, "updated_at") and tree.operator == "eq"


def _simple(condition: Condition, field: str) -> bool:
    return (
        condition.path == (field,) and condition.operator in _COMPARISONS and not condition.negated
    )


def _cut(operator: str, first: int, behind: int, low: int, high: int) -> Span:
    """The piece of low..high that an operator leaves, equal values lying at first..behind."""
    match operator:
        case "eq":
            return first, behind
        case "gt":
            return behind, high
        case "gte":
            return first, high
        case "lt":
            return low, first
    return low, behind


def _overlap(spans: Iterable[Span | None]) -> Span | None:
    known = list(spans)
    found = [span for span in known if span is not None]
    if len(found) < len(known):
        return None
    start = max(span[0] for span in found)
    return start, max(start, min(span[1] for span in found))


def _union(spans: Iterable[Span | None]) -> Span | None:
    """One piece, if the pieces touch; empty ones do not count."""
    known = list(spans)
    if any(span is None for span in known):
        return None
    found = sorted(span for span in known if span is not None and span[0] < span[1])
    if not found:
        return 0, 0
    start, stop = found[0]
    for next_start, next_stop in found[1:]:
        if next_start > stop:
            return None
        stop = max(stop, next_stop)
    return start, stop
