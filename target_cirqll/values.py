"""Comparing values: one text for all that mean the same in the API.

A row and a live record say the same in a field if their canonical texts are equal, whatever the
forms they came in.
"""

from __future__ import annotations

import json
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from cirqll_client.kinds import Kind
from target_cirqll.conversions import Misfit, rule_for, structure_of, trimmed

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.timestamps import Timestamps

_ODD = "\0"
"""Begins the text of a value that does not fit its kind; no fitting one holds it."""
_EXACTLY = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_MOST_ZEROS = 100
"""A number with more before or behind its digits is written with an exponent."""


def canonical(value: Any, kind: Kind, timestamps: Timestamps) -> str | None:  # noqa: ANN401 - JSON
    """Give the text that two values of this kind share if they mean the same; never raises.

    ``None`` is that of null, of a field that did not come, and of a blank text (a guess:
    ``conversions.trimmed``). A value that does not fit its kind equals none that does.
    """
    return canonical_for(kind, timestamps)(value)


def canonical_for(kind: Kind, timestamps: Timestamps) -> Callable[[Any], str | None]:
    """Make ``canonical`` for one kind, for as many values as come."""
    rule, text = rule_for(kind, timestamps), _TEXTS[kind]

    def canonical_text(value: Any) -> str | None:  # noqa: ANN401 - JSON
        if value is None:
            return None
        try:
            fitting = rule(value)
        except Misfit:
            return _ODD + _json_text(value)
        return None if fitting is None else text(fitting)

    return canonical_text


def digest(text: str | None) -> str:
    """Give a short hash of a canonical text, the same in every process."""
    return blake2b((text or "").encode(), digest_size=8).hexdigest()


def folded(text: str) -> str:
    """Give a canonical text as MySQL compares it with a key: upper and lower case are the same."""
    return text.casefold()


def _text(text: str) -> str | None:
    plain = trimmed(text.replace("\r\n", "\n"))
    # Composed, as almost everything writes it: who types é means the same in both forms.
    return (plain if plain.isascii() else normalize("NFC", plain)) or None


def _truth(value: object) -> str:
    return "true" if value else "false"


def number_text(number: float | Decimal) -> str:
    """Give one text for a number, to its last digit; never raises."""
    exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    if not exact.is_finite():
        return f'?"{exact}"'
    if not exact:
        return "0"
    exact = exact.normalize(_EXACTLY)
    is_short = -_MOST_ZEROS < exact.adjusted() < _MOST_ZEROS
    return f"{exact:f}" if is_short else str(exact)


def _any_json(value: object) -> str | None:
    """Write a text of JSON as what it says, so that a warehouse's way to keep it is no change."""
    text = _json_text(structure_of(value))
    return None if text == "null" else text


def _json_text(value: object) -> str:
    try:
        return _serialised(value)
    except RecursionError:
        return "?"


def _serialised(value: object) -> str:
    """Write JSON with its names in order, and texts as Cirqll probably keeps them.

    An empty object is an empty list: PHP cannot tell them apart.
    """
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return json.dumps(_text(value))
    if isinstance(value, (int, float, Decimal)):
        return number_text(value)
    if isinstance(value, dict) and value:
        return "{" + ",".join(sorted(map(_pair, value.items()))) + "}"
    if isinstance(value, (list, dict)):
        return "[" + ",".join(map(_serialised, value)) + "]"
    return "?" + json.dumps(str(value))


def _pair(pair: tuple[object, object]) -> str:
    return f"{json.dumps(str(pair[0]))}:{_serialised(pair[1])}"


_TEXTS: dict[Kind, Callable[[Any], str | None]] = {
    Kind.INTEGER: str,
    Kind.NUMBER: number_text,
    Kind.BOOLEAN: _truth,
    Kind.STRING: _text,
    Kind.TIME: str,
    Kind.DATE: str,
    Kind.OBJECT: _any_json,
    Kind.ARRAY: _any_json,
    Kind.JSON: _any_json,
}
