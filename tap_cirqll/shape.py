"""The shape of a stream's records, and what was noticed while making records fit it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cirqll_client.custom_fields import id_in_key
from cirqll_client.resources import FIELD_VALUES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from cirqll_client.kinds import Kind
    from cirqll_client.learned_columns import LearnedColumn


MOST_COLUMNS = 300
"""Of one stream. PostgreSQL cannot store a row whose values take more than 8 kB where each is as
short as it can be made, some 24 bytes (postgresql.org/docs, Limits)."""


@dataclass(frozen=True, slots=True)
class CustomShape:
    """What becomes of the values of custom fields."""

    is_array: bool = False
    """All of a record's are one column; else each field has its own."""
    columns: dict[int, LearnedColumn] = field(default_factory=dict)
    """Of fields that are handed out, by id."""
    hidden: frozenset[int] = frozenset()
    """Fields that are deselected."""
    takes_new: bool = True
    """Fields that are neither get a column once they are defined."""
    called: Mapping[int, str] = field(default_factory=dict)
    """What fields are called now, as far as that is known."""

    @property
    def own_columns(self) -> list[str]:
        """Name the columns that are made of custom fields."""
        return [FIELD_VALUES] if self.is_array else [one.name for one in self.columns.values()]

    def knows(self, field_id: int) -> bool:
        """Tell whether it is decided what becomes of a field."""
        return field_id in self.columns or field_id in self.hidden


@dataclass(frozen=True, slots=True)
class Shape:
    """What becomes of each field of a record."""

    columns: dict[str, Kind]
    """Fields that are handed out, by name."""
    hidden: frozenset[str]
    """Fields that have a column, but are not handed out: deselected, or secret."""
    keeps_undocumented: bool
    """Fields without a column are kept in ``_undocumented``."""
    keeps_nonconforming: bool
    """Values that do not fit are kept in ``_nonconforming``."""
    names: dict[str, str] = field(default_factory=dict)
    """The names of columns that are not called like their field, by field."""
    apart: frozenset[str] = frozenset()
    """Relations that were brought along for others: kept apart as they came, by record."""
    learns: bool = False
    """Fields without a column get one, as long as they are not too many."""
    custom: CustomShape | None = None
    """Custom fields; ``None`` where records have none, or none are wanted."""

    @property
    def not_handed_out(self) -> frozenset[str]:
        """Fields that are known, and no part of the records."""
        return self.hidden | self.apart

    @property
    def relations(self) -> tuple[str, ...]:
        """Name the relations that have to come along."""
        return tuple(sorted(self.apart | ({FIELD_VALUES} if self.custom else frozenset())))

    @property
    def names_in_use(self) -> set[str]:
        """Give the names of all columns, in lower case."""
        own = self.custom.own_columns if self.custom else []
        fields = self.columns.keys() | self.hidden
        return {name.lower() for name in [*map(self.column, fields), *own]}

    @property
    def room(self) -> int:
        """Count the columns that there may be yet."""
        return MOST_COLUMNS - len(self.names_in_use)

    def column(self, name: str) -> str:
        """Give the name of a field's column."""
        return self.names.get(name, name)

    def knows(self, name: str) -> bool:
        """Tell whether it is decided what becomes of a field, which may be a custom one."""
        number = id_in_key(name)
        if number is not None and self.custom:
            return self.custom.knows(number)
        return name in self.columns or name in self.not_handed_out

    def with_columns(self, columns: Iterable[LearnedColumn]) -> Shape:
        """Give the shape with columns for these fields; custom ones only where each has its own.

        A field whose name another one has goes without: a catalog and a store that know nothing of
        each other may give two fields the same.
        """
        new = {one.field: one for one in columns}
        custom = {id_in_key(key): one for key, one in new.items()}
        by_name = {one.name.lower(): one for key, one in new.items() if id_in_key(key) is None}
        in_use = self.names_in_use
        fields = [one for name, one in by_name.items() if name not in in_use]
        return replace(
            self,
            columns=self.columns | {one.field: one.kind for one in fields},
            names=self.names | {one.field: one.name for one in fields if one.name != one.field},
            custom=self._custom_with({k: one for k, one in custom.items() if k is not None}),
        )

    def without(self, relations: Collection[str]) -> Shape:
        """Give the shape with these kept apart, whatever a catalog says of them."""
        columns = {name: kind for name, kind in self.columns.items() if name not in relations}
        return replace(self, columns=columns, apart=frozenset(relations))

    def with_called(self, names: Mapping[int, str]) -> Shape:
        """Give the shape with what custom fields are called now."""
        return (
            self
            if self.custom is None
            else replace(self, custom=replace(self.custom, called=names))
        )

    def _custom_with(self, columns: dict[int, LearnedColumn]) -> CustomShape | None:
        if self.custom is None or self.custom.is_array:
            return self.custom
        return replace(self.custom, columns=self.custom.columns | columns)


@dataclass(slots=True)
class Findings:
    """What a reader noticed, for the summary of the run: names and numbers, never content."""

    nonconforming: Counter[str] = field(default_factory=Counter)
    undocumented: set[str] = field(default_factory=set)
    new_columns: dict[str, Kind] = field(default_factory=dict)
