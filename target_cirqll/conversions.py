"""What a value says in a field of its kind, whichever way a warehouse or the API writes it."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

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

_NUMERIC = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,5})?", re.ASCII)
_ZERO_DATE = re.compile(r"0000-00-00([ T]00:00(:00(\.0+)?)?Z?)?")
"""What MySQL serves for a time that is none."""
_TRUTH = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}

_BLANKS = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u200b\u200e\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""Rather too many than too few: a blank that Cirqll takes off, and we do not, would make a
difference that no writing ends."""


class Misfit(ValueError):
    """A value does not fit its field."""

    def __init__(self, reason: str) -> None:
        """Carry the reason: a clause such as ``it is no time``, never the value."""
        super().__init__(reason)
        self.reason = reason


def rule_for(kind: Kind, timestamps: Timestamps) -> Callable[[Any], Any]:
    """Give what makes a value that is not null one of this kind, or raises ``Misfit``."""
    return partial(_time, timestamps=timestamps) if kind is Kind.TIME else _RULES[kind]


def is_blank(value: object) -> bool:
    """Tell whether a value says no more than null."""
    return value is None or (isinstance(value, str) and not trimmed(value))


def trimmed(text: str) -> str:
    """Give a text as Cirqll probably keeps it.

    A guess: Laravel trims the texts it gets and takes empty ones for null (its middleware
    ``TrimStrings`` and ``ConvertEmptyStringsToNull``). Write one with blanks, and read it.
    """
    return text.strip(_BLANKS)


def structure_of(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Give what a text of JSON says, if that is an object or a list; anything else as it is.

    So columns of JSON arrive from many a warehouse.
    """
    if not isinstance(value, str) or value.lstrip()[:1] not in {"{", "["}:
        return value
    try:
        return json.loads(value, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        return value


def _exact(value: object, *, reason: str) -> int | Decimal | None:
    """Give the number that a number or a text says. A float says what it is written as."""
    if type(value) is int or type(value) is Decimal:
        number: int | Decimal = value
    elif type(value) is float:
        number = Decimal(repr(value))
    elif isinstance(value, str):
        text = trimmed(value)
        if not text:
            return None
        if not _NUMERIC.fullmatch(text):
            raise Misfit(reason)
        number = Decimal(text)
    else:
        raise Misfit(reason)
    return _bounded(number, reason=reason)


def _bounded(number: int | Decimal, *, reason: str) -> int | Decimal:
    """Give an integer beyond 64 bits as a decimal, whose digits every encoder writes."""
    if type(number) is int and SMALLEST_INTEGER <= number <= LARGEST_INTEGER:
        return number
    number = Decimal(number)
    if not number and number.is_finite():
        return 0  # whatever its exponent
    places = number.as_tuple().exponent
    if not isinstance(places, int):
        raise Misfit(reason)
    if places < -MOST_DIGITS or number.adjusted() >= MOST_DIGITS:
        msg = "it has more digits than a number can have"
        raise Misfit(msg)
    return number


def integer(value: object) -> int | None:
    """Take ``7.0`` and ``"7"`` too: they say the same."""
    number = _exact(value, reason="it is no whole number")
    if type(number) is int or number is None:
        return number
    if not SMALLEST_INTEGER <= number <= LARGEST_INTEGER or number != int(number):
        msg = "it is no whole number of at most 64 bits"
        raise Misfit(msg)
    return int(number)


def _number(value: object) -> int | Decimal | None:
    return _exact(value, reason="it is no number")


def _boolean(value: object) -> bool | None:
    reason = "it is neither true nor false"
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = trimmed(value).casefold()
        if word in _TRUTH:
            return _TRUTH[word]
        if not word:
            return None
        raise Misfit(reason)
    number = _exact(value, reason=reason)
    if number not in {0, 1}:
        raise Misfit(reason)
    return bool(number)


def _string(value: object) -> str:
    """Take numbers too: warehouses type telephone numbers so."""
    if isinstance(value, str):
        if value.isascii() and "\0" not in value:
            return value
        return _storable(value)
    number = _exact(value, reason="it is no text")
    if isinstance(number, Decimal):
        return f"{number:.0f}" if number == number.to_integral_value() else f"{number:f}"
    return str(number)


def _storable(text: str) -> str:
    if not is_storable(text):
        msg = "it holds a character that no database takes"
        raise Misfit(msg)
    return text


def _time(value: object, *, timestamps: Timestamps) -> str | None:
    """Write a time as the API does. What has no offset is a time of the API's zone already."""
    if type(value) is str and _is_as_written(value, timestamps):
        return value
    try:
        moment = moment_of(value, timestamps)
        return None if moment is None else timestamps.local_text(moment.replace(microsecond=0))
    except (ValueError, OverflowError):
        msg = "it is no time"
        raise Misfit(msg) from None


def _is_as_written(text: str, timestamps: Timestamps) -> bool:
    """Tell by two look-ups that a time is in the API's form already; never wrongly yes."""
    if len(text) != len("2024-05-18 13:38:35"):
        return False
    try:
        timestamps.utc_texts([text])
    except KeyError:
        return False
    return True


def moment_of(value: object, timestamps: Timestamps) -> datetime | None:
    """Give the moment in UTC that a value says; MySQL's zero date says null.

    Raises ``ValueError`` for what is no time, ``OverflowError`` outside the years 1 to 9999.
    """
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    text = value.isoformat() if isinstance(value, date) else value
    if text is None:
        return None
    if not isinstance(text, str):
        raise ValueError(type(text))  # noqa: TRY004 - a value of another type is no time either
    text = trimmed(text)
    return None if not text or _ZERO_DATE.fullmatch(text) else timestamps.instant(text)


def json_value(value: Any, *, levels: int = MOST_LEVELS) -> Any:  # noqa: ANN401 - JSON
    """Give JSON with exact numbers. Raises ``Misfit``.

    A text stays a text, also one of JSON: whether the API would read it so is unknown.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _storable(value)
    if not isinstance(value, (dict, list)):
        return _exact(value, reason="it is no JSON")
    if not levels:
        msg = f"it is nested deeper than {MOST_LEVELS} levels"
        raise Misfit(msg)
    if isinstance(value, list):
        return [json_value(one, levels=levels - 1) for one in value]
    return {_name(name): json_value(one, levels=levels - 1) for name, one in value.items()}


def _name(name: object) -> str:
    if not isinstance(name, str):
        msg = "it is no JSON"
        raise Misfit(msg)
    return _storable(name)


def _date(value: object) -> str:
    text = trimmed(value) if isinstance(value, str) else ""
    if not is_date(text):
        msg = "it is no date"
        raise Misfit(msg)
    return text


def _object(value: object) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(value, dict):
        msg = "it is no object"
        raise Misfit(msg)
    return json_value(value)


def _array(value: object) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(value, list):
        msg = "it is no list"
        raise Misfit(msg)
    return json_value(value)


_RULES: dict[Kind, Callable[[Any], Any]] = {
    Kind.INTEGER: integer,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.STRING: _string,
    Kind.DATE: _date,
    Kind.OBJECT: _object,
    Kind.ARRAY: _array,
    Kind.JSON: json_value,
}
