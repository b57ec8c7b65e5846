"""How a row names the parents of its record: by id, or by any key of theirs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cirqll_client.resources import parent_of
from target_cirqll.conversions import Misfit, is_blank, structure_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record

_FLATTENED = "__"
"""Between the names of an object and of its part, where a row was flattened."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A field that holds the id of a parent, and the relation by which a row may name it."""

    id_field: str
    relation: str
    parent: Resource
    _flattened: dict[str, str] = field(default_factory=dict)
    """Columns of the relation seen so far, such as ``customer__import_id``, with their parts."""

    def takes(self, column: str) -> bool:
        """Remember a column if it is a part of this relation, and tell whether it is."""
        relation, separator, part = column.partition(_FLATTENED)
        if not separator or relation != self.relation:
            return False
        self._flattened[column] = part
        return True

    def named_in(self, record: Record) -> dict[str, Any]:
        """Give ``{"id": ...}``, else all that names the parent, or nothing. Raises ``Misfit``."""
        value = record.get(self.relation)
        if value is None and self._flattened:
            value = {part: record.get(column) for column, part in self._flattened.items()}
        return {} if value is None else _named(value)


def references_among(fields: Iterable[str]) -> tuple[Reference, ...]:
    """Find the fields that hold the id of another record."""
    parents = ((name, parent_of(name)) for name in fields)
    return tuple(Reference(name, parent.name, parent) for name, parent in parents if parent)


def _named(value: object) -> dict[str, Any]:
    said = structure_of(value)
    if is_blank(said):
        return {}
    if not isinstance(said, dict):
        msg = 'it does not name a record; an object does, such as {"import_id": 7}'
        raise Misfit(msg)
    named = {name: part for name, part in said.items() if not is_blank(part)}
    if "id" in named:
        return {"id": named["id"]}
    if any(isinstance(part, (dict, list)) for part in named.values()):
        msg = "it names a record by something that is no single value"
        raise Misfit(msg)
    return named
