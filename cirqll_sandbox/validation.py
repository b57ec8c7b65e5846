"""The rules that a value of each kind of field has to keep, and the form it is stored in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cirqll_sandbox.clock import stamp, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.resources import Field
    from cirqll_sandbox.tables import Database

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_ID = re.compile(r"[0-9]{1,10}\Z")
_SHORT, _LONG = 255, 65535
_ABSENT_DATE = "0000-00-00 00:00:00"


class InvalidValueError(Exception):
    """What is wrong with a value, to be read after the name of its field."""


@dataclass(frozen=True, slots=True)
class Context:
    """What some rules have to look at beside the value."""

    database: Database
    behaviour: Behaviour


def accepted(value: Any, field: Field, context: Context) -> Any:
    """The value to store; `InvalidValueError` when it breaks a rule. Null is always accepted."""
    return None if value is None else _RULES[field.kind](value, field, context)


def _text(value: Any, field: Field, context: Context) -> Any:
    if not isinstance(value, str):
        message = "must be a string."
        raise InvalidValueError(message)
    longest = _LONG if field.kind == "long_text" else _SHORT
    if context.behaviour.text_limit_mode == "cut":
        return value[:longest]
    if len(value) > longest:
        message = f"must not be greater than {longest} characters."
        raise InvalidValueError(message)
    return value


def _email(value: Any, field: Field, context: Context) -> Any:
    text = _text(value, field, context)
    if text and not _EMAIL.match(text):
        message = "must be a valid email address."
        raise InvalidValueError(message)
    return text


def _number(value: Any, field: Field, _: Context) -> Any:
    number = value
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        number = Decimal(value)
    if isinstance(number, bool) or not isinstance(number, (int, float, Decimal)):
        message = "must be a number."
        raise InvalidValueError(message)
    if field.minimum is not None and number < field.minimum:
        message = f"must be at least {field.minimum}."
        raise InvalidValueError(message)
    if field.maximum is not None and number > field.maximum:
        message = f"must not be greater than {field.maximum}."
        raise InvalidValueError(message)
    return number


def _integer(value: Any, field: Field, context: Context) -> Any:
    number = _number(value, field, context)
    if number != int(number):
        message = "must be an integer."
        raise InvalidValueError(message)
    return int(number)


def _boolean(value: Any, _: Field, __: Context) -> Any:
    if value not in (True, False, "0", "1"):
        message = "field must be true or false."
        raise InvalidValueError(message)
    return value in (True, "1")


def _date_time(value: Any, _: Field, context: Context) -> Any:
    """Stored in Cirqll's own form; a moment with a zone is moved to the zone of the API.

    Parts of a second are left out (likely: Laravel formats a moment before MySQL could round it).
    """
    if value == _ABSENT_DATE:
        return value
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo:
            return stamp(moment, context.behaviour.timezone)
    except (TypeError, ValueError, OverflowError):
        message = "is not a valid date."
        raise InvalidValueError(message) from None
    return written(moment)


def _reference(value: Any, field: Field, context: Context) -> Any:
    id_ = int(value) if isinstance(value, str) and _ID.match(value) else value
    stem = field.name.removesuffix("_id")
    if isinstance(id_, bool) or not context.database.tables[stem].find(id_):
        message = "is invalid."
        raise InvalidValueError(message)
    return id_


_RULES: dict[str, Callable[[Any, Field, Context], Any]] = {
    "text": _text, "long_text": _text, "email": _email, "number": _number,
    "integer": _integer, "boolean": _boolean, "date_time": _date_time, "reference": _reference,
}  # fmt: skip
