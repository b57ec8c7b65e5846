"""What fits into which column: one small rule for each kind, applied to values of JSON.

A loader stops the whole run for one value of another type, so whatever is handed out fits.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeGuard

from cirqll_client.kinds import (
    LARGEST_INTEGER,
    MOST_DIGITS,
    MOST_LEVELS,
    SMALLEST_INTEGER,
    Kind,
    is_date,
    is_storable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.timestamps import Timestamps


class Misfit(ValueError):
    """The value does not fit the column."""


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
        return value if is_storable(value) else json.dumps(value)[1:-1]
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
    return value if isinstance(value, str) and is_storable(value) else None


def _time(value: object, timestamps: Timestamps) -> str | None:
    try:
        return timestamps.utc_text(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _date(value: object) -> str | None:
    return value if isinstance(value, str) and is_date(value) else None


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
    Kind.DATE: lambda value, _: _date(value),
    Kind.OBJECT: lambda value, _: _object(value),
    Kind.ARRAY: lambda value, _: _array(value),
    Kind.JSON: lambda value, _: _whole(value),
}
