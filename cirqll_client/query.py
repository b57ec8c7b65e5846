"""Questions to an Index, and how they are written: filter, order, fields, relations, page.

The filter language is documented (cirqll-api.md, filter) except for quoting: a value with ``:``,
``,``, parentheses or a space goes in double quotes [likely]; of a list, each value by itself. A
server that takes the quotes for a part of the value may take times without them: ``Quoting``. How
to write a quote inside a value, or a semicolon inside one of a list, is unknown: such a value is
not expressible, and says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Operator = Literal[
    "eq",
    "gt",
    "lt",
    "gte",
    "lte",
    "like",
    "contains",
    "starts_with",
    "ends_with",
    "in",
    "not:eq",
    "not:gt",
    "not:lt",
    "not:gte",
    "not:lte",
    "not:like",
    "not:contains",
    "not:starts_with",
    "not:ends_with",
    "not:in",
]
Value = str | int
Quoting = Literal["quoted", "bare_times"]
"""How a time is written; ``bare_times`` only where it was seen to work, and quotes not to."""

_NEEDS_QUOTES = re.compile(r"[:,();\s]")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T][\d:.]+(Z|[+-][\d:]+)?", re.ASCII)


class Inexpressible(ValueError):
    """The filter language has no known way to write this value."""


@dataclass(frozen=True, slots=True)
class Condition:
    """``field:operator:value``; the operator ``in`` takes a tuple of values."""

    field: str
    operator: Operator
    value: Value | tuple[Value, ...]

    def __str__(self) -> str:
        """Write it. Raises ``Inexpressible``."""
        return self.written("quoted")

    def written(self, quoting: Quoting) -> str:
        """Write it this way. Raises ``Inexpressible``."""
        return f"{self.field}:{self.operator}:{_written(self.value, quoting)}"

    @property
    def fields(self) -> set[str]:
        """Name the field that it is about."""
        return {self.field}


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions and groups joined by one word; a group inside a group gets parentheses."""

    word: Literal["and", "or"]
    members: tuple[Condition | Group, ...]

    def __str__(self) -> str:
        """Write it in parentheses. Raises ``Inexpressible``."""
        return self.written("quoted")

    def written(self, quoting: Quoting) -> str:
        """Write it this way, in parentheses. Raises ``Inexpressible``."""
        return f"({f',{self.word},'.join(one.written(quoting) for one in self.members)})"

    @property
    def fields(self) -> set[str]:
        """Name the fields that it is about."""
        return {name for member in self.members for name in member.fields}


def all_of(*members: Condition | Group) -> Group:
    """Each of them holds."""
    return Group("and", members)


def any_of(*members: Condition | Group) -> Group:
    """One of them holds."""
    return Group("or", members)


@dataclass(frozen=True, slots=True)
class Order:
    """One field to order by."""

    field: str
    descending: bool = False

    def __str__(self) -> str:
        """Write it; ascending is the API's default."""
        return f"{self.field}:desc" if self.descending else self.field


@dataclass(frozen=True, slots=True)
class IndexQuery:
    """One question to an Index. ``limit=None`` takes the largest page that the server gives."""

    limit: int | None = None
    offset: int = 0
    order_by: tuple[Order, ...] = ()
    filter: Condition | Group | None = None
    show: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    """Relations to bring along: the parameter ``with``."""
    count: tuple[str, ...] = ()

    def parameters(self, *, quoting: Quoting = "quoted") -> dict[str, str]:
        """Give the parameters of the URL, without those that have their default."""
        written = {
            "limit": "" if self.limit is None else str(self.limit),
            "offset": str(self.offset or ""),
            "order_by": _list(self.order_by),
            "filter": "" if self.filter is None else self.filter.written(quoting),
            "show": _list(self.show),
            "with": _list(self.relations),
            "count": _list(self.count),
        }
        return {name: text for name, text in written.items() if text}


def _list(members: Sequence[object]) -> str:
    return ",".join(map(str, members))


def _written(value: Value | tuple[Value, ...], quoting: Quoting) -> str:
    if not isinstance(value, tuple):
        is_bare = quoting == "bare_times" and _TIME.fullmatch(str(value))
        return str(value) if is_bare else _quoted(str(value))
    if not value:
        msg = "a list without values cannot be written in a filter"
        raise Inexpressible(msg)
    return ";".join(_quoted(_without_semicolon(str(one))) for one in value)


def _without_semicolon(text: str) -> str:
    if ";" in text or not text:
        msg = "a value with a semicolon, or an empty one, cannot be written in a list"
        raise Inexpressible(msg)
    return text


def _quoted(text: str) -> str:
    if '"' in text:
        msg = "a value with a double quote cannot be written in a filter"
        raise Inexpressible(msg)
    return f'"{text}"' if not text or _NEEDS_QUOTES.search(text) else text
