"""JSON that keeps every digit: numbers leave exactly as they were put in."""

from __future__ import annotations

import json
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from typing import Any, Self


class SpelledNumber(Decimal):
    """A number that is written as it was spelled: `1e400`, `0.10`, `12345678901234567.89`."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """Remember the text beside the value."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __repr__(self) -> str:
        return f"SpelledNumber({self.text!r})"

    def __reduce__(self) -> tuple[type[SpelledNumber], tuple[str]]:
        return SpelledNumber, (self.text,)

    def __copy__(self) -> SpelledNumber:
        return self

    def __deepcopy__(self, memo: Any, /) -> SpelledNumber:
        return self


def dumps(value: Any) -> str:
    """ASCII JSON, as Laravel writes it; lone surrogates and NUL become escapes."""
    kind = type(value)
    if kind is str:
        return encode_basestring_ascii(value)
    if value is None:
        return "null"
    if kind is int:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    return _dumps_other(value)


def _dumps_other(value: Any) -> str:
    match value:
        case dict():
            pairs = (f"{encode_basestring_ascii(str(k))}:{dumps(v)}" for k, v in value.items())
            return "{" + ",".join(pairs) + "}"
        case list() | tuple():
            return "[" + ",".join(map(dumps, value)) + "]"
        case SpelledNumber():
            return value.text
        case Decimal():
            return str(value)
    return json.dumps(value)


def loads(text: str | bytes) -> Any:
    """The value, with numbers that are no integers as `SpelledNumber`; NaN is a `ValueError`."""
    return json.loads(text, parse_float=SpelledNumber, parse_constant=_refused)


def _refused(constant: str) -> None:
    message = f"{constant} is no JSON."
    raise ValueError(message)


def copied(value: Any) -> Any:
    """A copy whose dicts and lists are new; the values inside cannot change."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value
