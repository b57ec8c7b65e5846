"""How values that are looked up are put into as few filters as possible.

Values that need no quotes go into one list, ``field:in:a;b;c`` [doc]. Of the others each has a
condition of its own, ``field:eq:"A B"``, as the documentation shows; quotes within a list would be
a guess. Both stand in one filter, joined with ``or``.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from cirqll_client.query import Condition, Group, any_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from cirqll_client.query import Value

AS_THEY_ARE = ":,;()"
"""What the transport leaves as it is in a URL; the rest is percent-encoded."""

_NEEDS_QUOTES = re.compile(r"[:,();\s]")
_UNSAFE_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}
"""Control characters, halves of surrogate pairs, separators of lines and paragraphs."""


@dataclass(frozen=True, slots=True)
class Question:
    """Values that are looked up together."""

    condition: Condition | Group
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Questions:
    """What is to be asked, and what cannot be."""

    questions: tuple[Question, ...] = ()
    inexpressible: Mapping[Value, str] = field(default_factory=dict)
    """By value: the reason, to be read after "it cannot be looked up: "."""


def questions(name: str, values: Collection[Value], *, longest: int, most: int) -> Questions:
    """Put the values of a field into questions, each value into one.

    No question holds more than ``most`` values, nor is its filter longer than ``longest``
    characters as it stands in the URL. All are about equally large: a page that is not full is
    known to be whole.
    """
    reasons = {value: _why_not(name, value, longest) for value in dict.fromkeys(values)}
    inexpressible = {value: reason for value, reason in reasons.items() if reason}
    ordered = sorted((value for value in reasons if not reasons[value]), key=_by_cost)
    return Questions(tuple(_fewest(name, ordered, longest, most)), inexpressible)


def needs_quotes(value: Value) -> bool:
    """Tell whether the value stands in a condition of its own."""
    return bool(_NEEDS_QUOTES.search(str(value)))


def url_length(text: object) -> int:
    """Count the characters of a parameter as it stands in the URL."""
    plain = str(text)
    if plain.isascii() and plain.isalnum():
        return len(plain)
    return len(quote_plus(plain, safe=AS_THEY_ARE))


def _why_not(name: str, value: Value, longest: int) -> str:
    """Give the reason why a value cannot be asked for safely; empty where it can."""
    text = str(value)
    if not text:
        return "it is empty"
    if '"' in text or "\\" in text:
        return "how a filter holds a double quote or a backslash is not documented"
    if any(unicodedata.category(one) in _UNSAFE_CATEGORIES for one in text):
        return "it holds a line break or another control character"
    if text != text.strip():
        return "it begins or ends with white space, which servers cut off"
    if url_length(_condition(name, [value])) > longest:
        return "it is too long for a filter"
    return ""


def _by_cost(value: Value) -> tuple[bool, int, str]:
    """Order by what a value costs in the URL; whole numbers come in their own order."""
    return needs_quotes(value), url_length(value), str(value)


def _fewest(name: str, values: Sequence[Value], longest: int, most: int) -> list[Question]:
    """Deal the values out to as few questions as hold them: each gets dear ones and cheap ones."""
    least = max(_ceiling(len(values), most), _ceiling(sum(map(url_length, values)), longest))
    for number in count(least):
        hands = [tuple(values[first::number]) for first in range(number)]
        dealt = [Question(_condition(name, hand), hand) for hand in hands]
        if all(url_length(one.condition) <= longest for one in dealt):
            return dealt
    raise AssertionError  # pragma: no cover - every value fits alone


def _condition(name: str, values: Sequence[Value]) -> Condition | Group:
    plain = tuple(value for value in values if not needs_quotes(value))
    listed = [Condition(name, "in", plain)] if plain else []
    quoted = [Condition(name, "eq", value) for value in values if needs_quotes(value)]
    conditions = (*listed, *quoted)
    return conditions[0] if len(conditions) == 1 else any_of(*conditions)


def _ceiling(amount: int, size: int) -> int:
    return -(-amount // size)
