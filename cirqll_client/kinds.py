"""The kinds of values that a record's fields hold, where it is read as where it is written.

They are those of JSON Schema; their limits are PostgreSQL's, the strictest of the usual loaders. So
whatever the tap hands out is valid input of the target.
"""

from __future__ import annotations

import re
from datetime import date
from enum import Enum
from functools import lru_cache
from typing import Any

NONCONFORMING = "_nonconforming"
"""Column with the values that did not fit theirs, as they came, by name."""
UNDOCUMENTED = "_undocumented"
"""Column with the fields that have no column, as they came, by name."""

SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1
MOST_DIGITS = 10_000
"""On either side of the decimal point; PostgreSQL's ``numeric`` holds 16,383 behind it."""
MOST_LEVELS = 100
"""Objects and lists within each other. Loaders take some hundreds, PHP writes 512."""


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Kind(Enum):
    """The kinds of columns."""

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    STRING = "string"
    TIME = "date-time"
    DATE = "date"
    OBJECT = "object"
    ARRAY = "array"
    JSON = "json"
    """Any JSON, for a field of which not even the type is known."""


_FORMATS = {kind.value: kind for kind in (Kind.TIME, Kind.DATE)}
"""Texts of a form of their own."""
_SINGLE = {kind.value for kind in Kind} - {*_FORMATS, Kind.JSON.value}
"""The types of JSON Schema that are kinds of their own."""
_ANY = ["object", "array", "string", "number", "boolean"]


def kind_of(schema: dict[str, Any]) -> Kind:
    """Give the kind of a column by its JSON Schema; what has no kind of its own is text."""
    types = schema.get("type", "string")
    names = {*([types] if isinstance(types, str) else types)} - {"null"}
    if len(names) > 1 and names & {"object", "array"}:
        return Kind.JSON
    if names == {"string"} and schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    name = names.pop() if len(names) == 1 else ""
    return Kind(name) if name in _SINGLE else Kind.STRING


def schema_of(kind: Kind) -> dict[str, Any]:
    """Give the JSON Schema of a column of this kind, which may be null."""
    if kind is Kind.JSON:
        return {"type": [*_ANY, "null"]}
    if kind in _FORMATS.values():
        return {"type": ["string", "null"], "format": kind.value}
    return {"type": [kind.value, "null"]}


def is_storable(text: str) -> bool:
    """Tell whether a database takes the text: no NUL, no half of a surrogate pair."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=10_000)
def is_date(text: str) -> bool:
    """Tell whether a text is a day of the calendar, written like ``2026-01-31``."""
    try:
        return _DATE.fullmatch(text) is not None and date.fromisoformat(text) is not None
    except ValueError:
        return False
