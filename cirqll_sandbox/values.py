"""How values compare: the one place that says what equal and less mean to the sandbox.

All of it is a guess, after MySQL's usual collation and SQL's three-valued logic:

- null fits no condition, not even a negated one, and is sorted before everything else;
- texts compare without regard to case, accents and blanks at their end, and all characters beyond
  the first 65,536 (emoji) are alike, as in utf8mb4_unicode_ci, unless the behaviour says `exact`;
- a number compares with a value that reads as a number, otherwise it does not fit;
- beside a date, a date without a time means midnight, and `T` may stand between date and time.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from cirqll_sandbox.exact_json import dumps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cirqll_sandbox.behaviour import Behaviour

    Collation = Callable[[str], str]
    """Texts with the same result are equal, and lie as their results lie."""

SortKey = tuple[int, Any]

NULL, NUMBER, TEXT, NESTED = range(4)
_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d:\d\d)?\Z")
_TRUTH = {"true": 1, "1": 1, "false": 0, "0": 0}


def collated(text: str) -> str:
    """MySQL's usual collation."""
    return _folded(text).rstrip(" ")


def collation(behaviour: Behaviour) -> Collation:
    """How texts compare under this behaviour."""
    return str if behaviour.text_comparison == "exact" else collated


def sort_key(value: Any, collate: Collation = collated) -> SortKey:
    """Orders any two values of a column: null, numbers, texts, nested."""
    if type(value) is str:
        return TEXT, collate(value)
    if value is None:
        return NULL, 0
    if isinstance(value, (bool, int, float, Decimal)):
        return NUMBER, value
    return NESTED, dumps(value)


class Operand:
    """The value of a condition, read once as a text and as a number."""

    __slots__ = ("number", "text", "truth")

    def __init__(self, value: str, collate: Collation) -> None:
        self.text = collate(value)
        self.number = _number(value)
        self.truth = _TRUTH.get(value.lower())

    def key_beside(self, value: Any) -> SortKey | None:
        """The operand's key when it can be compared with this value, else `None`."""
        if type(value) is str:
            return TEXT, self.text
        if isinstance(value, bool):
            return None if self.truth is None else (NUMBER, self.truth)
        if isinstance(value, (int, float, Decimal)):
            return None if self.number is None else (NUMBER, self.number)
        return None


def as_date_time(value: str) -> str:
    """A date as the date-time it stands for; any other text unchanged."""
    if not _DATE.match(value):
        return value
    date, time = value[:10], value[11:]
    return f"{date} {time or '00:00:00'}"


def as_text(value: Any, fold: Collation) -> str | None:
    """The text that `contains` and its kin look into."""
    if isinstance(value, str):
        return fold(value)
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (int, float, Decimal)):
        return dumps(value).casefold()
    return None


def comparison(operator: str, value: str, collate: Collation) -> Callable[[Any], bool | None]:
    """Tells of a value whether it fits; `None` when it cannot be compared."""
    fits, operand = _COMPARE[operator], Operand(value, collate)

    def test(value: Any) -> bool | None:
        key = operand.key_beside(value)
        return None if key is None else fits(sort_key(value, collate), key)

    return test


def membership(values: Iterable[str], collate: Collation) -> Callable[[Any], bool | None]:
    """Tells of a value whether it equals one of these."""
    operands = [Operand(value, collate) for value in values]
    texts = {operand.text for operand in operands}
    numbers = {operand.number for operand in operands}
    truths = {operand.truth for operand in operands}

    def test(value: Any) -> bool | None:
        if isinstance(value, str):
            return collate(value) in texts
        if isinstance(value, bool):
            return int(value) in truths
        if isinstance(value, (int, float, Decimal)):
            return value in numbers
        return None

    return test


def search(operator: str, value: str, behaviour: Behaviour) -> Callable[[Any], bool | None]:
    """Tells of a value whether the text lies in it, at its start or at its end."""
    fold = str.casefold if behaviour.text_comparison == "exact" else _folded
    sought, finds = fold(value), _SEARCH[operator]

    def test(candidate: Any) -> bool | None:
        text = as_text(candidate, fold)
        return None if text is None else finds(text, sought)

    return test


_COMPARE: dict[str, Callable[[SortKey, SortKey], bool]] = {
    "eq": lambda left, right: left == right,
    "gt": lambda left, right: left > right,
    "lt": lambda left, right: left < right,
    "gte": lambda left, right: left >= right,
    "lte": lambda left, right: left <= right,
}
_SEARCH: dict[str, Callable[[str, str], bool]] = {
    "like": lambda text, sought: sought in text,
    "contains": lambda text, sought: sought in text,
    "starts_with": lambda text, sought: text.startswith(sought),
    "ends_with": lambda text, sought: text.endswith(sought),
}


def _number(value: str) -> Decimal | None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _folded(text: str) -> str:
    """Without case and accents; MySQL gives all supplementary characters one weight."""
    if text.isascii():
        return text.lower()
    bare = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return "".join(c if c <= "\uffff" else "\ufffd" for c in "".join(bare).casefold())
