"""What fits into which column: one small rule for each kind, applied to values of JSON.

A loader stops the whole run for one value of another type, so whatever is handed out fits. The
kinds are those of JSON Schema; their limits are PostgreSQL's, the strictest of the usual loaders.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from cirqll_client.responses import encoded

if TYPE_CHECKING:
    from cirqll_client.timestamps import Timestamps

NONCONFORMING = "_nonconforming"
"""Column with the values that did not fit theirs, as they came, by name."""
UNDOCUMENTED = "_undocumented"
"""Column with the fields that have no column, as they came, by name."""

SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1
NUMBER = re.compile(rb"-?\d{1,1000}(\.\d{1,1000})?([eE][+-]?\d{1,3})?")
"""JSON numbers that PostgreSQL's ``numeric`` holds exactly."""


class Kind(Enum):
    """The kinds of columns."""

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    STRING = "string"
    TIME = "date-time"
    OBJECT = "object"
    ARRAY = "array"


class Misfit(ValueError):
    """The value does not fit the column."""


def kind_of(schema: dict[str, Any]) -> Kind:
    """Give the kind of a column by its JSON Schema; what has no kind of its own is text."""
    types = schema.get("type", "string")
    name = next(
        (one for one in ([types] if isinstance(types, str) else types) if one != "null"), ""
    )
    if name == "string" and schema.get("format") == "date-time":
        return Kind.TIME
    return Kind(name) if name in {kind.value for kind in Kind} else Kind.STRING


def fitted(value: Any, kind: Kind, timestamps: Timestamps) -> Any:  # noqa: ANN401 - JSON
    """Give the value as its column takes it. Raises ``Misfit``; null fits everywhere."""
    if value is None:
        return None
    fits = _RULES[kind](value, timestamps)
    if fits is None:
        raise Misfit
    return fits


def storable(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Write characters that no database holds (NUL, half a surrogate pair) as their escapes."""
    if isinstance(value, str):
        return value if is_storable(value) else encoded(value)[1:-1].decode()
    if isinstance(value, dict):
        return {storable(name): storable(one) for name, one in value.items()}
    return [storable(one) for one in value] if isinstance(value, list) else value


def is_storable(text: str) -> bool:
    """Tell whether every database can hold the text."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _integer(value: object, _: Timestamps) -> int | None:
    if type(value) is Decimal and value == value.to_integral_value():
        value = int(value)
    fits = type(value) is int and SMALLEST_INTEGER <= value <= LARGEST_INTEGER
    return value if fits else None  # type: ignore[return-value] # narrowed above


def _number(value: object, _: Timestamps) -> int | Decimal | None:
    fits = type(value) in {int, Decimal} and NUMBER.fullmatch(str(value).encode())
    return value if fits else None  # type: ignore[return-value] # narrowed above


def _boolean(value: object, _: Timestamps) -> bool | None:
    """MySQL has no booleans: 0 and 1 are what it serves for them."""
    return bool(value) if type(value) in {bool, int} and value in {0, 1} else None


def _string(value: object, _: Timestamps) -> str | None:
    return value if isinstance(value, str) and is_storable(value) else None


def _time(value: object, timestamps: Timestamps) -> str | None:
    try:
        return timestamps.utc_text(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _object(value: object, _: Timestamps) -> dict[str, Any] | None:
    return value if isinstance(value, dict) and storable(value) == value else None


def _array(value: object, _: Timestamps) -> list[Any] | None:
    return value if isinstance(value, list) and storable(value) == value else None


_RULES = {
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.STRING: _string,
    Kind.TIME: _time,
    Kind.OBJECT: _object,
    Kind.ARRAY: _array,
}
