"""Custom fields of a record: their values by the id of the field that describes them.

How values come is unknown (cirqll-api.md, Custom fields): any form of a relation is understood
(``relations``), and a map as one of field id to value. One record that has some will tell:
``GET /customer?limit=1&with=field_values``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cirqll_client import relations
from cirqll_client.relations import id_of
from cirqll_client.resources import FIELD_VALUES

if TYPE_CHECKING:
    from cirqll_client.relations import Relation

NEITHER = "it is neither a page, nor a list, nor a map of custom fields"
INCOMPLETE = "it holds an entry without field_id"
NO_ID = "it names a custom field by something that is no id"

_KEY = re.compile(rf"{FIELD_VALUES}\[([1-9][0-9]{{0,19}})\]")

Entry = dict[str, Any]
"""``field_id``, an integer, and ``value`` as it came; and whatever else the API says of it."""

field_id = id_of
"""Gives the id of a field that a number or a text says; ``None`` if it is none."""


@dataclass(frozen=True, slots=True)
class FieldValues:
    """What came as the custom fields of one record."""

    entries: list[Entry]
    """In the order in which they came; a field may have several."""
    odd: str | None
    """Why some of it could not be read, or all of it: a clause, never a value."""
    relation: Relation
    """All that came, odd entries too."""


def read(value: object) -> FieldValues:
    """Read a page ``{"data": [{"field_id": 3, "value": "x"}], ...}``, its list alone, or a map.

    A map is one of field id to value. Null holds no values. A value that is left out is null.
    """
    came = relations.read(value)
    one_by_one = [
        _of_entry(one) if key is None else _of_pair(key, one) for key, one in came.entries
    ]
    odd = next((one for one in one_by_one if isinstance(one, str)), None)
    entries = [one for one in one_by_one if not isinstance(one, str)]
    return FieldValues(entries, NEITHER if came.is_odd else odd, came)


def column_key(field: int) -> str:
    """Give the name by which catalogs and the store know the column of a custom field."""
    return f"{FIELD_VALUES}[{field}]"


def id_in_key(key: str) -> int | None:
    """Give the id of the custom field that a column is for; ``None`` if it is for another field."""
    told = _KEY.fullmatch(key)
    return int(told[1]) if told else None


def _of_entry(came: object) -> Entry | str:
    """Give the entry, or why it is none."""
    if not isinstance(came, dict) or "field_id" not in came:
        return INCOMPLETE
    number = field_id(came["field_id"])
    return NO_ID if number is None else {"value": None, **came, "field_id": number}


def _of_pair(key: object, value: Any) -> Entry | str:  # noqa: ANN401 - JSON
    number = field_id(key)
    return NO_ID if number is None else {"field_id": number, "value": value}
