"""What target-postgres takes, tried with meltanolabs-target-postgres 0.8.1: anything else stops it.

Written from those trials alone, so that it can prove the tap's own rules wrong.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")
_DEEPEST = 200
_LARGEST_EXPONENT = 16_000


def complaints(record: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Tell what the loader would stop at; ``record`` was parsed with exact decimals."""
    properties = schema["properties"]
    found = [f"{name} has no column" for name in record if name not in properties]
    if type(record.get("id")) is not int:
        found.append("no id")
    for name in record.keys() & properties.keys():
        found += [f"{name}: {words}" for words in _of_column(record[name], properties[name])]
    return found


def _of_column(value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    kinds = [name for name in names if name != "null"]
    if value is None:
        return
    yield from _of_json(value, depth=0)
    if not any(_CHECKS[kind](value) for kind in kinds):
        yield f"{type(value).__name__} in a column of {' or '.join(kinds)}"
    elif schema.get("format") == "date-time" and not _is_utc(value):
        yield "a time that is none"
    elif schema.get("format") == "date" and not _is_day(value):
        yield "a day that is none"


def _is_utc(text: str) -> bool:
    try:
        return _UTC.fullmatch(text) is not None and datetime.fromisoformat(text).year > 0
    except ValueError:
        return False


def _is_day(text: str) -> bool:
    try:
        return len(text) == len("2026-01-31") and date.fromisoformat(text).year > 0
    except ValueError:
        return False


def _of_json(value: Any, *, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        yield "nested too deeply"
    elif isinstance(value, str) and not _is_text(value):
        yield "a character that is none"
    elif isinstance(value, Decimal) and abs(value.adjusted()) > _LARGEST_EXPONENT:
        yield "a number out of range"
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _of_json(name, depth=depth + 1)
            yield from _of_json(one, depth=depth + 1)
    elif isinstance(value, list):
        for one in value:
            yield from _of_json(one, depth=depth + 1)


def _is_text(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= one <= "\udfff" for one in text)


_CHECKS = {
    "integer": lambda value: type(value) is int and -(2**63) <= value < 2**63,
    "number": lambda value: type(value) in {int, Decimal},
    "boolean": lambda value: type(value) is bool,
    "string": lambda value: type(value) is str,
    "object": lambda value: type(value) is dict,
    "array": lambda value: type(value) is list,
}
