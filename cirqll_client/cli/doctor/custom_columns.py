"""The custom fields of an account, and the columns that the tap gives them.

What stands in the store already holds for good. The others get the names that the first run will
give them; where that depends on the order in which their values will come, nothing is foretold.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cirqll_client import custom_fields as values
from cirqll_client.cli.doctor.answers import Listing
from cirqll_client.field_definitions import definition_of
from cirqll_client.kinds import Kind
from cirqll_client.learned_columns import LearnedColumn
from cirqll_client.naming import custom_namer
from cirqll_client.resources import FIELD_VALUES, RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cirqll_client.cli.doctor.evidence import Evidence
    from cirqll_client.field_definitions import FieldDefinition
    from cirqll_client.learned_columns import Columns
    from cirqll_client.resources import Resource

_TYPES = {
    Kind.STRING: "text",
    Kind.TIME: "time",
    Kind.ARRAY: "list",
    Kind.JSON: "any",
}
"""The words of ``fields.type_of``, where a kind has another."""


@dataclass(frozen=True, slots=True)
class CustomField:
    """A custom field of one stream. Its name is the account's own: only who asks is told it."""

    stream: str | None
    """``None`` where nothing tells which."""
    id: int
    name: str
    type: str | None
    """``None`` where its values will tell."""
    column: str | None
    """``None`` where that is not sure yet."""


def custom_fields(evidence: Evidence) -> tuple[CustomField, ...]:
    """Give the custom fields of the streams that can be read, stream by stream."""
    known = definitions(evidence)
    resources = [one.resource for one in evidence.streams if isinstance(one.first, Listing)]
    told: list[CustomField] = []
    for resource in (one for one in resources if FIELD_VALUES in one.to_many):
        told += _of_stream(resource, known, evidence)
    homeless = {number: one for number, one in known.items() if not _has_home(one, evidence)}
    return (*told, *_fields(None, homeless, certain=(), learned={}))


def definitions(evidence: Evidence) -> dict[int, FieldDefinition]:
    """Give the definitions that came, by id; those that came with their options count."""
    rows = (row for page in _pages(evidence) for row in page.rows)
    return {one.id: one for one in map(definition_of, rows) if one}


def number_told(evidence: Evidence) -> int:
    """Give how many definitions there are, as far as that is told."""
    return max((page.total or 0 for page in _pages(evidence)), default=0)


def undefined(evidence: Evidence) -> set[int]:
    """Give the fields of which values came, and no definition."""
    seen = {number for stream in evidence.values for number in _seen(stream, evidence)}
    return seen - definitions(evidence).keys()


def _pages(evidence: Evidence) -> list[Listing]:
    """Give the pages of definitions, the one with their options last."""
    looked = [
        page for one in evidence.streams if one.resource.name == "field" for page in one.pages
    ]
    came = evidence.definitions
    return [*looked, *([came] if isinstance(came, Listing) else [])]


def _of_stream(
    resource: Resource, known: Mapping[int, FieldDefinition], evidence: Evidence
) -> Iterator[CustomField]:
    learned = evidence.columns.get(resource.stream, {})
    there = {*_seen(resource.stream, evidence), *filter(None, map(values.id_in_key, learned))}
    own = {
        number: one
        for number, one in sorted(known.items())
        if number in there or one.is_of(resource)
    }
    certain = [number for number, one in own.items() if one.kind and one.is_of(resource)]
    return _fields(resource.stream, own, certain=certain, learned=learned)


def _fields(
    stream: str | None,
    own: Mapping[int, FieldDefinition],
    *,
    certain: Sequence[int],
    learned: Columns,
) -> Iterator[CustomField]:
    columns = _columns(own, certain=certain, learned=learned)
    for number, one in own.items():
        column = learned.get(values.column_key(number))
        kind = column.kind if column else one.kind
        word = _TYPES.get(kind, kind.value) if kind else None
        yield CustomField(stream, number, one.name, word, columns[number])


def _columns(
    own: Mapping[int, FieldDefinition], *, certain: Sequence[int], learned: Columns
) -> dict[int, str | None]:
    """Name the columns as the tap does: what the definitions tell of first, in the order of ids.

    The others get theirs when values come, so of two that would be called the same none is sure.
    """
    keys = {number: values.column_key(number) for number in own}
    name_of = custom_namer((), {key: own[number].name for number, key in keys.items()})
    columns = dict(learned)
    for number in certain:
        key = keys[number]
        if key not in columns:
            columns[key] = LearnedColumn(key, name_of(key, columns), own[number].kind or Kind.JSON)
    later = {key: name_of(key, columns) for key in keys.values() if key not in columns}
    times = Counter(later.values())
    sure = {key: name for key, name in later.items() if times[name] == 1}
    return {
        number: columns[key].name if key in columns else sure.get(key)
        for number, key in keys.items()
    }


def _has_home(definition: FieldDefinition, evidence: Evidence) -> bool:
    """Tell whether it is known of which records it is."""
    key = values.column_key(definition.id)
    return (
        any(map(definition.is_of, RESOURCES))
        or any(key in columns for columns in evidence.columns.values())
        or any(definition.id in _seen(stream, evidence) for stream in evidence.values)
    )


def _seen(stream: str, evidence: Evidence) -> set[int]:
    """Give the ids of the fields of which values came with records of a stream."""
    came = evidence.values.get(stream)
    rows = came.rows if isinstance(came, Listing) else []
    read = (values.read(row.get(FIELD_VALUES)) for row in rows)
    return {entry["field_id"] for one in read for entry in one.entries}
