"""Custom fields of a record: their values by the id of the field that describes them.

How values come is unknown (cirqll-api.md, Custom fields): a page, its list alone, or a map are
understood. One record that has some will tell: ``GET /customer?limit=1&with=field_values``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cirqll_client.resources import FIELD_VALUES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MOST_ALONG = 50
"""So many entries of a relation come along with a record [doc]; without a ``total`` that many may
be all, or not."""

NEITHER = "it is neither a page, nor a list, nor a map of custom fields"
INCOMPLETE = "it holds an entry without field_id and value"
NO_ID = "it names a custom field by something that is no id"

_ID = re.compile(r"\+?0*([1-9][0-9]{0,19})(\.0*)?")
_KEY = re.compile(rf"{FIELD_VALUES}\[([1-9][0-9]{{0,19}})\]")

Entry = dict[str, Any]
"""``field_id``, an integer, and ``value`` as it came; and whatever else the API says of it."""


@dataclass(frozen=True, slots=True)
class FieldValues:
    """What came as the custom fields of one record."""

    entries: list[Entry]
    """In the order in which they came; a field may have several."""
    odd: str | None
    """Why some of it could not be read, or all of it: a clause, never a value."""
    count: int
    """Entries that came, odd ones too."""
    total: int | None = None
    """Entries that there are, where that is told."""

    @property
    def may_lack_some(self) -> bool:
        """Tell whether the record has more than came, as far as anybody can tell."""
        return may_lack_some(self.count, self.total)


def may_lack_some(count: int, total: object) -> bool:
    """Tell whether there may be more entries of a relation than these."""
    return total > count if type(total) is int else count == MOST_ALONG


def read(value: object) -> FieldValues:
    """Read a page ``{"data": [{"field_id": 3, "value": "x"}], ...}``, its list alone, or a map.

    A map is one of field id to value. Null holds no values.
    """
    if isinstance(value, dict) and "data" in value:
        total = value.get("total")
        return _of_list(value["data"], total=total if type(total) is int else None)
    if isinstance(value, dict):
        return _told(value.items(), _of_pair)
    return _of_list([] if value is None else value, total=None)


def field_id(value: object) -> int | None:
    """Give the id that a number or a text says; ``None`` if it is none."""
    if type(value) is int:
        return value if value > 0 else None
    if type(value) not in {str, float, Decimal}:
        return None
    told = _ID.fullmatch(str(value).strip())
    return int(told[1]) if told else None


def column_key(field: int) -> str:
    """Give the name by which catalogs and the store know the column of a custom field."""
    return f"{FIELD_VALUES}[{field}]"


def id_in_key(key: str) -> int | None:
    """Give the id of the custom field that a column is for; ``None`` if it is for another field."""
    told = _KEY.fullmatch(key)
    return int(told[1]) if told else None


def _of_list(value: object, *, total: int | None) -> FieldValues:
    if not isinstance(value, list):
        return FieldValues([], NEITHER, 0, total)
    return _told(value, _of_entry, total=total)


def _told(
    came: Iterable[Any], read_one: Callable[[Any], Entry | str], *, total: int | None = None
) -> FieldValues:
    one_by_one = [read_one(one) for one in came]
    entries = [one for one in one_by_one if not isinstance(one, str)]
    odd = next((one for one in one_by_one if isinstance(one, str)), None)
    return FieldValues(entries, odd, len(one_by_one), total)


def _of_entry(came: object) -> Entry | str:
    """Give the entry, or why it is none."""
    if not isinstance(came, dict) or not came.keys() >= {"field_id", "value"}:
        return INCOMPLETE
    number = field_id(came["field_id"])
    return NO_ID if number is None else {**came, "field_id": number}


def _of_pair(came: tuple[object, Any]) -> Entry | str:
    number = field_id(came[0])
    return NO_ID if number is None else {"field_id": number, "value": came[1]}
