"""Rows of a table of their own out of a relation that came along with a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

from cirqll_client import relations
from cirqll_client.kinds import LARGEST_INTEGER, SMALLEST_INTEGER
from cirqll_client.relations import id_of
from cirqll_client.responses import encoded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cirqll_client.responses import Record

_AS_IT_CAME = "_as_it_came"
"""Ends the name under which a value is kept whose place was needed."""
_NEITHER = "it is neither a page, nor a list, nor a map"


@dataclass(frozen=True, slots=True)
class Entries:
    """What a relation holds."""

    records: list[Record]
    may_lack_some: bool
    """There are more, as far as anybody can tell."""
    at_least: int
    """So many are there for certain."""
    odd: str | None
    """Why it could not be read: a clause, never a value."""


def entries(relation: Any) -> Entries:  # noqa: ANN401 - JSON
    """Read the entries of a relation in any of the forms that it may have."""
    came = relations.read(relation)
    records = [_entry(value) if key is None else _named(key, value) for key, value in came.entries]
    odd = _NEITHER if came.is_odd else None
    return Entries(records, came.may_lack_some, came.at_least, odd)


def placed(entry: Record, places: Mapping[str, Any]) -> Record:
    """Put values into a row. What lay there and says something else is kept under another name."""
    moved = {
        f"{name}{_AS_IT_CAME}": entry[name]
        for name, value in places.items()
        if entry.get(name) is not None and entry[name] != value
    }
    return {**entry, **places, **moved}


def with_id(entry: Record) -> Record:
    """Give an entry an ``id`` if it has none that can be a key.

    An id that is no number makes one; an entry without any, all that it says.
    """
    own = entry.get("id")
    number = own if type(own) is int else id_of(own)
    if number is not None and SMALLEST_INTEGER <= number <= LARGEST_INTEGER:
        return {**entry, "id": number}
    return placed(entry, {"id": _digest(entry if own is None else {"id": own})})


def _named(key: str, value: Any) -> Record:  # noqa: ANN401 - JSON
    """Read an entry of a map. Its key is its id, unless it says another, or that can be none."""
    entry, number = _entry(value), id_of(key)
    own = entry.get("id")
    if own is not None:
        is_same = key == own or (number is not None and number == id_of(own))
        return entry if is_same else placed(entry, {"key": key})
    if number is not None and number <= LARGEST_INTEGER:
        return {**entry, "id": number}
    return placed(entry, {"id": _digest({"key": key}), "key": key})


def _digest(said: Record) -> int:
    return crc32(encoded(dict(sorted(said.items()))))


def _entry(value: Any) -> Record:  # noqa: ANN401 - JSON
    """Take what is no object for the name of the thing."""
    return value if isinstance(value, dict) else {"name": value}
