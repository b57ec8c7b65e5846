"""What is wanted of the rows of a table: fields, relations and counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cirqll_sandbox.field_values import RELATION

if TYPE_CHECKING:
    from cirqll_sandbox.resources import Relation


@dataclass(slots=True)
class View:
    """What to give of the rows of one table."""

    fields: set[str] | None = None
    """`None` means every field."""
    relations: dict[str, View] = field(default_factory=dict)
    counts: tuple[Relation, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether a row is given as it lies in its table."""
        return self.fields is None and not self.relations and not self.counts

    @property
    def whole_with_values(self) -> bool:
        """Whether it is given so, and besides with its custom values, all of each."""
        values = self.relations.get(RELATION)
        return (
            values is not None and values.whole and len(self.relations) == 1
            and self.fields is None and not self.counts
        )  # fmt: skip

    def chosen(self, name: str) -> None:
        """Give this field, and from now on only chosen ones."""
        self.fields = {"id", *(self.fields or ()), name}
