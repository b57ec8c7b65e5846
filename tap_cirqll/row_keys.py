"""Keys of rows that lie within records, as one number each, so that bitmaps hold them.

Of the two columns that tell the rows of one parent apart, the one with fewer values is ``major``: a
bitmap is the smaller for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from pyroaring import BitMap64

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cirqll_client.nested import Nested
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record

_MINOR_BITS = 32
_MAJOR_BITS = 31
"""Ids end at 2^32 [doc]. A row with a larger one is handed out, and never told to be deleted."""


@dataclass(frozen=True, slots=True)
class RowKeys:
    """How a row of one stream and one parent is known by a number."""

    major: str
    minor: str
    same: Mapping[str, Any]
    """Columns of the key that say the same in all of these rows."""

    def of(self, rows: Iterable[Record]) -> BitMap64:
        """Give the keys of rows as they are handed out, as far as they are such numbers."""
        pairs = ((row.get(self.major), row.get(self.minor)) for row in rows)
        return BitMap64(
            major << _MINOR_BITS | minor
            for major, minor in pairs
            if is_major(major) and _is_id(minor, bits=_MINOR_BITS)
        )

    def records(self, keys: Iterable[int]) -> Iterator[Record]:
        """Give the key columns of each row."""
        for key in keys:
            yield {**self.same, self.major: _major(key), self.minor: key % (1 << _MINOR_BITS)}


def keys_within(nested: Nested, parent: Resource) -> RowKeys:
    """Tell by what numbers the rows that come with this parent are known."""
    same = {"resource": parent.name} if "resource" in nested.rows.keys else {}
    first, second = (name for name in nested.rows.keys if name not in same)
    # There are few fields, and many records; few roles, and many permissions.
    return RowKeys(second, first, same) if same else RowKeys(first, second, same)


def is_major(value: object) -> TypeGuard[int]:
    """Tell whether an id can be the major part of a key."""
    return _is_id(value, bits=_MAJOR_BITS)


def majors(keys: BitMap64) -> BitMap64:
    """Give the different values of the major column."""
    found, first = BitMap64(), next(iter(keys), None)
    while first is not None:
        found.add(_major(first))
        first = next(keys.iter_equal_or_larger((_major(first) + 1) << _MINOR_BITS), None)
    return found


def with_major(keys: BitMap64, ids: BitMap64) -> BitMap64:
    """Choose the keys with one of these in the major column."""
    return BitMap64(key for key in keys if _major(key) in ids)


def with_minor(keys: BitMap64, ids: BitMap64) -> BitMap64:
    """Choose the keys with one of these in the minor column: looked up, not gone through."""
    minors = [one for one in ids if _is_id(one, bits=_MINOR_BITS)]
    return keys & BitMap64(major << _MINOR_BITS | one for major in majors(keys) for one in minors)


def _major(key: int) -> int:
    return key >> _MINOR_BITS


def _is_id(value: object, *, bits: int) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < 1 << bits
