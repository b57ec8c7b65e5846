"""A relation that came along with a record, in any form that it may have.

That a to-many relation comes as a page is documented; its list alone, a map and a single entry are
guesses that are read as well (cirqll-api.md, with; Custom fields). ``?with=options`` on ``GET
/field`` of an account that has some will tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

MOST_ALONG = 50
"""So many entries of a relation come along with a record [doc]; without a ``total`` that many may
be all, or not."""

_ID = re.compile(r"\+?0*([1-9][0-9]{0,19})(\.0*)?")
_COUNT = re.compile(r"\+?([0-9]{1,15})(\.0*)?")
_SINGLE = {"id", "field_id"}
"""An object that says one of these is an entry itself, not a map of some."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What came of a relation of one record."""

    entries: list[tuple[Any, Any]]
    """As they came, each behind its key in a map; without a map the key is ``None``."""
    total: int | None
    """Entries that there are, where that is told."""
    may_lack_some: bool
    """There are more, as far as anybody can tell."""
    is_odd: bool
    """It is none of the forms, so nothing is known of its entries."""

    @property
    def at_least(self) -> int:
        """Count the entries that there are for certain."""
        return max(len(self.entries), self.total or 0)


def read(came: Any) -> Relation:  # noqa: ANN401 - JSON
    """Read a page, whatever its ``data`` is, or a list, a map, or one entry. Null holds none."""
    is_page = isinstance(came, dict) and "data" in came
    content, total = (came["data"], came.get("total")) if is_page else (came, None)
    found = _entries(content)
    entries = found or []
    return Relation(
        entries,
        _count(total),
        may_lack_some=may_lack_some(len(entries), total),
        is_odd=found is None,
    )


def may_lack_some(count: int, total: object) -> bool:
    """Tell whether there may be more entries than these, by a ``total`` as it came.

    One that is there and says no number leaves a doubt.
    """
    if total is None:
        return count == MOST_ALONG
    told = _count(total)
    return told is None or told > count


def id_of(value: object) -> int | None:
    """Give the id that a number or a text says; ``None`` if it is none."""
    if type(value) is int:
        return value if value > 0 else None
    told = _ID.fullmatch(str(value).strip()) if type(value) in {str, float, Decimal} else None
    return int(told[1]) if told else None


def _count(total: object) -> int | None:
    if type(total) is int:
        return total if total >= 0 else None
    told = _COUNT.fullmatch(str(total).strip()) if type(total) in {str, Decimal} else None
    return int(told[1]) if told else None


def _entries(content: object) -> list[tuple[Any, Any]] | None:
    if content is None:
        return []
    if isinstance(content, list):
        return [(None, one) for one in content]
    if not isinstance(content, dict):
        return None
    if _is_map(content):
        return list(content.items())
    return [(None, content)]


def _is_map(content: dict[Any, Any]) -> bool:
    """Tell a map from a single entry: by a key that is a number, or since it holds only objects."""
    if _SINGLE & content.keys():
        return False
    return any(map(_is_number, content)) or all(isinstance(one, dict) for one in content.values())


def _is_number(key: object) -> bool:
    return id_of(key) is not None or str(key).isdecimal()
