"""Which fields came, of which types, and how that differs from what is documented.

Nothing here holds a value, and a name only where it looks like the name of a field: keys may be
personal data as well.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cirqll_client.kinds import Kind, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cirqll_client.resources import Resource

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}", re.ASCII)
_LONG_NUMBER = re.compile(r"\d{4}")
"""Of an id, a year of birth, a telephone number; no field's name has one."""
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

_FITTING: dict[str, frozenset[str]] = {
    Kind.INTEGER.value: frozenset({"integer"}),
    Kind.NUMBER.value: frozenset({"integer", "number"}),
    Kind.BOOLEAN.value: frozenset({"boolean"}),
    Kind.STRING.value: frozenset({"text", "time", "date", "zero date"}),
    Kind.TIME.value: frozenset({"time", "date", "zero date"}),
    "date": frozenset({"date", "zero date"}),
    Kind.OBJECT.value: frozenset({"object"}),
    Kind.ARRAY.value: frozenset({"list"}),
}
"""The types that fit a kind of column; what has no entry takes any."""


@dataclass(frozen=True, slots=True)
class FieldSeen:
    """One field of one resource, as it came."""

    name: str
    types: tuple[str, ...]
    """Without null, in the order of the alphabet."""
    rows: int
    """Rows that have it."""
    nulls: int
    longest: int | None
    """Characters of the longest text; ``None`` where no text came."""
    documented_as: str | None = None
    """The kind that the documentation gives it; ``None`` where it is not documented."""
    contradiction: str | None = None
    """What of it does not fit that."""


@dataclass(frozen=True, slots=True)
class FieldsSeen:
    """All fields of one resource, as they came."""

    rows: int
    """How many different records were looked at."""
    fields: tuple[FieldSeen, ...]
    unnamed: int
    """Undocumented fields whose names do not look like names of fields."""
    missing: tuple[str, ...]
    """Documented ones that never came; empty where no record came."""

    @property
    def undocumented(self) -> tuple[FieldSeen, ...]:
        """Fields that nobody documented."""
        return tuple(one for one in self.fields if one.documented_as is None)

    @property
    def contradicting(self) -> tuple[FieldSeen, ...]:
        """Documented fields that hold something else."""
        return tuple(one for one in self.fields if one.contradiction)


def fields_seen(resource: Resource, rows: Iterable[dict[str, Any]]) -> FieldsSeen:
    """Look at the rows of a resource; a record that came several times counts once."""
    records = list({row.get("id"): row for row in rows}.values())
    documented: dict[str, dict[str, Any]] = resource.schema["properties"]
    relations = {*resource.to_one, *resource.to_many} - documented.keys()
    values = _by_name(records, without=relations)
    named = {name for name in values if name in documented or is_name(name)}
    fields = [_seen(name, values[name], documented.get(name)) for name in sorted(named)]
    expected = {name for name, schema in documented.items() if not schema.get("writeOnly")}
    missing = tuple(sorted(expected - values.keys())) if records else ()
    return FieldsSeen(len(records), tuple(fields), len(values) - len(named), missing)


def members_seen(values: Iterable[Any]) -> tuple[FieldSeen, ...]:
    """Look at objects of no resource, such as the values of fields; what is none counts not."""
    by_name = _by_name([one for one in values if isinstance(one, dict)], without=set())
    return tuple(_seen(name, by_name[name], None) for name in sorted(by_name) if is_name(name))


def is_name(text: str) -> bool:
    """Tell whether a key looks like the name of a field, not like data."""
    return bool(_NAME.fullmatch(text)) and not _LONG_NUMBER.search(text)


def type_of(value: Any) -> str:  # noqa: ANN401 - JSON of any shape
    """Name the type of a value, in the words of a person."""
    if isinstance(value, str):
        return _type_of_text(value)
    for kind, name in _TYPES:
        if isinstance(value, kind):
            return name
    return "null"


_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (Decimal, "number"),
    (float, "number"),
    (dict, "object"),
    (list, "list"),
)


def _type_of_text(text: str) -> str:
    if text.startswith("0000-00-00"):
        return "zero date"
    if _TIME.fullmatch(text):
        return "time"
    return "date" if _DATE.fullmatch(text) else "text"


def _by_name(records: Sequence[dict[str, Any]], *, without: set[str]) -> dict[str, list[Any]]:
    values: dict[str, list[Any]] = defaultdict(list)
    for record in records:
        for name in record.keys() - without:
            values[name].append(record[name])
    return values


def _seen(name: str, values: list[Any], schema: dict[str, Any] | None) -> FieldSeen:
    types = tuple(sorted({type_of(value) for value in values} - {"null"}))
    lengths = [len(value) for value in values if isinstance(value, str)]
    longest = max(lengths, default=None)
    nulls = sum(value is None for value in values)
    if schema is None:
        return FieldSeen(name, types, len(values), nulls, longest)
    kind = kind_of(schema).value
    wrong = _contradiction(kind, schema, types=types, has_nulls=nulls > 0, longest=longest or 0)
    return FieldSeen(name, types, len(values), nulls, longest, kind, wrong)


def _contradiction(
    kind: str, schema: dict[str, Any], *, types: tuple[str, ...], has_nulls: bool, longest: int
) -> str | None:
    """Tell what does not fit; ``None`` if everything does."""
    odd = [one for one in types if one not in _FITTING.get(kind, types)]
    if has_nulls and "null" not in schema.get("type", "null"):
        odd.append("null")
    if odd:
        return f"{' and '.join(odd)} in place of {kind}"
    most = schema.get("maxLength")
    if most is not None and longest > most:
        return f"{longest} characters, documented are {most}"
    return None
