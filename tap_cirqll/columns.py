"""What fits into which column: one small rule for each kind, applied to values of JSON.

A loader stops the whole run for one value of another type, so whatever is handed out fits. The
kinds are those of JSON Schema; their limits are PostgreSQL's, the strictest of the usual loaders.
"""

from __future__ import annotations

import json
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.timestamps import Timestamps

NONCONFORMING = "_nonconforming"
"""Column with the values that did not fit theirs, as they came, by name."""
UNDOCUMENTED = "_undocumented"
"""Column with the fields that have no column, as they came, by name."""

SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1
MOST_DIGITS = 10_000
"""On either side of the decimal point; PostgreSQL's ``numeric`` holds 16,383 behind it."""
MOST_LEVELS = 100
"""Objects and lists within each other. Loaders take some hundreds, PHP writes 512."""


class Kind(Enum):
    """The kinds of columns."""

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    STRING = "string"
    TIME = "date-time"
    OBJECT = "object"
    ARRAY = "array"
    JSON = "json"
    """Any JSON, for a field of which not even the type is known."""


_SINGLE = {kind.value for kind in Kind} - {Kind.TIME.value, Kind.JSON.value}
"""The types of JSON Schema that are kinds of their own."""


class Misfit(ValueError):
    """The value does not fit the column."""


def kind_of(schema: dict[str, Any]) -> Kind:
    """Give the kind of a column by its JSON Schema; what has no kind of its own is text."""
    types = schema.get("type", "string")
    names = {*([types] if isinstance(types, str) else types)} - {"null"}
    if len(names) > 1 and names & {"object", "array"}:
        return Kind.JSON
    if names == {"string"} and schema.get("format") == "date-time":
        return Kind.TIME
    name = names.pop() if len(names) == 1 else ""
    return Kind(name) if name in _SINGLE else Kind.STRING


def fitted(value: Any, kind: Kind, timestamps: Timestamps) -> Any:  # noqa: ANN401 - JSON
    """Give the value as its column takes it. Raises ``Misfit``; null fits everywhere."""
    if value is None:
        return None
    fits = _RULES[kind](value, timestamps)
    if fits is None:
        raise Misfit
    return fits


def storable(value: Any, *, levels: int = MOST_LEVELS) -> Any:  # noqa: ANN401 - JSON
    """Give the value as a column of JSON holds it: what no database takes is written as text.

    That is NUL and half a surrogate pair (as their escapes), a number of more than ``MOST_DIGITS``
    digits, and what lies deeper than ``MOST_LEVELS``.
    """
    if isinstance(value, str):
        return value if _is_storable(value) else json.dumps(value)[1:-1]
    if _is_numeric(value):
        number = _number(value)
        return str(value) if number is None else number
    if isinstance(value, (dict, list)) and not levels:
        return json.dumps(value, default=str)
    if isinstance(value, dict):
        pairs = {storable(k): storable(v, levels=levels - 1) for k, v in value.items()}
        return pairs if len(pairs) == len(value) else json.dumps(value, default=str)
    if isinstance(value, list):
        return [storable(one, levels=levels - 1) for one in value]
    return value


def _is_storable(text: str) -> bool:
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _integer(value: object) -> int | None:
    """Take ``6.0`` too: it says the same."""
    if not _is_numeric(value) or not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
        return None
    return int(value) if value == int(value) else None


def _number(value: object) -> int | Decimal | None:
    """Integers beyond 64 bits become decimals, whose digits every encoder writes."""
    if not _is_numeric(value):
        return None
    number = Decimal(value)
    places = number.as_tuple().exponent
    if not isinstance(places, int) or places < -MOST_DIGITS or number.adjusted() >= MOST_DIGITS:
        return None
    return value if SMALLEST_INTEGER <= number <= LARGEST_INTEGER else number


def _is_numeric(value: object) -> TypeGuard[int | Decimal]:
    return type(value) in {int, Decimal}


def _boolean(value: object) -> bool | None:
    """MySQL has no booleans: 0 and 1 are what it serves for them."""
    return bool(value) if type(value) in {bool, int} and value in {0, 1} else None


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and _is_storable(value) else None


def _time(value: object, timestamps: Timestamps) -> str | None:
    try:
        return timestamps.utc_text(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _object(value: object) -> dict[str, Any] | None:
    return _whole(value) if isinstance(value, dict) else None


def _array(value: object) -> list[Any] | None:
    return _whole(value) if isinstance(value, list) else None


def _whole(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Give the value if all of it can be stored as it is."""
    stored = storable(value)
    return stored if stored == value else None


_RULES: dict[Kind, Callable[[Any, Timestamps], Any]] = {
    Kind.INTEGER: lambda value, _: _integer(value),
    Kind.NUMBER: lambda value, _: _number(value),
    Kind.BOOLEAN: lambda value, _: _boolean(value),
    Kind.STRING: lambda value, _: _string(value),
    Kind.TIME: _time,
    Kind.OBJECT: lambda value, _: _object(value),
    Kind.ARRAY: lambda value, _: _array(value),
    Kind.JSON: lambda value, _: _whole(value),
}
