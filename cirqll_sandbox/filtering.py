"""The filter language: from the text of `filter` to a tree of conditions.

filter    = terms
terms     = term *("," ("and" / "or") "," term)      and/or in any case; `and` binds tighter (guess)
term      = "(" terms ")" / condition
condition = field ":" ["not:"] operator ":" value
value     = item *(";" item) for `in`, else one item; an item may stand in double quotes
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cirqll_sandbox.refusals import bad_request

if TYPE_CHECKING:
    from cirqll_sandbox.behaviour import Behaviour

OPERATORS = frozenset(
    {"eq", "gt", "lt", "gte", "lte", "like", "contains", "starts_with", "ends_with", "in"}
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison. `path` is the field behind its relations; only `in` has several values."""

    path: tuple[str, ...]
    operator: str
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Junction:
    """Two or more filters of which all, or any, must fit."""

    kind: Literal["and", "or"]
    parts: tuple[Filter, ...]


Filter = Condition | Junction

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_WORD = re.compile(r"[A-Za-z_]*")
_CONJUNCTION = re.compile(r",(and|or),", re.IGNORECASE)
_BARE_STRICT = re.compile(r'[^:,();"\s]*')
_BARE_LENIENT = re.compile(r'[^,();"]*')
_LITERAL = re.compile(r"(?:(?!,(?:and|or),)[^)])*", re.IGNORECASE)
_QUOTED = {
    "none": re.compile(r'"([^"]*)"'),
    "backslash": re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL),
    "doubled": re.compile(r'"((?:[^"]|"")*)"'),
}


def parse_filter(text: str, behaviour: Behaviour) -> Filter:
    """The tree; a `Refusal` with status 400 when the text is not in the language."""
    reader = _Reader(text, behaviour)
    tree = reader.terms()
    if reader.position < len(text):
        raise reader.refusal()
    return tree


def joined(kind: Literal["and", "or"], parts: list[Filter]) -> Filter:
    """The parts under one junction; a single part needs none."""
    return parts[0] if len(parts) == 1 else Junction(kind, tuple(parts))


class _Reader:
    """Reads a filter from left to right."""

    def __init__(self, text: str, behaviour: Behaviour) -> None:
        self.text = text
        self.position = 0
        self._behaviour = behaviour

    def terms(self) -> Filter:
        alternatives: list[list[Filter]] = [[self._term()]]
        while conjunction := self._take(_CONJUNCTION):
            if conjunction[1].lower() == "or":
                alternatives.append([])
            alternatives[-1].append(self._term())
        return joined("or", [joined("and", parts) for parts in alternatives])

    def refusal(self) -> Exception:
        return bad_request(f"The filter cannot be read at position {self.position}.")

    def _term(self) -> Filter:
        if not self._skip("("):
            return self._condition()
        tree = self.terms()
        self._expect(")")
        return tree

    def _condition(self) -> Condition:
        field = self._take(_FIELD)
        if field is None:
            raise self.refusal()
        self._expect(":")
        operator, negated = self._operator(), False
        if operator == "not":
            negated, operator = True, self._operator()
        if operator not in OPERATORS:
            message = f"The operator {operator} is invalid."
            raise bad_request(message)
        values = self._values() if operator == "in" else (self._item(),)
        return Condition(tuple(field[0].split(".")), operator, values, negated)

    def _operator(self) -> str:
        word = self._take(_WORD)
        operator = word[0] if word else ""
        self._expect(":")
        return operator

    def _values(self) -> tuple[str, ...]:
        if self._behaviour.quotes == "literal":
            return tuple(self._item().split(";"))
        items = [*self._parts()]
        while self._skip(";"):
            items += self._parts()
        return tuple(items)

    def _parts(self) -> list[str]:
        protected = self._behaviour.semicolon_in_quotes == "belongs"
        item = self._item()
        return [item] if protected else item.split(";")

    def _item(self) -> str:
        if self._behaviour.quotes == "literal":
            return self._matched(_LITERAL)[0]
        if self.text.startswith('"', self.position):
            return self._unescaped(self._matched(_QUOTED[self._behaviour.quote_escape])[1])
        strict = self._behaviour.bare_special_characters == "refuse"
        return self._matched(_BARE_STRICT if strict else _BARE_LENIENT)[0]

    def _unescaped(self, text: str) -> str:
        match self._behaviour.quote_escape:
            case "backslash":
                return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
            case "doubled":
                return text.replace('""', '"')
        return text

    def _matched(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = self._take(pattern)
        if match is None:
            raise self.refusal()
        return match

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.position)
        if match:
            self.position = match.end()
        return match

    def _skip(self, text: str) -> bool:
        found = self.text.startswith(text, self.position)
        self.position += len(text) if found else 0
        return found

    def _expect(self, text: str) -> None:
        if not self._skip(text):
            raise self.refusal()
