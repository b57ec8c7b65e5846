"""Rows of a batch that mean one record, as one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cirqll_client.ledger import Entry
    from cirqll_client.responses import Record
    from target_cirqll.rows import Row


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of a batch that mean one record, in their order."""

    rows: tuple[Row, ...]
    live: Record | None = None
    """The record as it is now; ``None`` where there is none."""
    identities: tuple[str, ...] = ()
    """By which the ledger knows the rows, or is to know them."""
    is_shared: bool = False
    """Other rows than these are known to be the record, too."""
    doubt: Entry | None = None
    """An earlier create of it was sent, and nobody knows what became of it."""

    @property
    def row(self) -> Row:
        """All of them as one: the later wins, field by field."""
        return merged(self.rows)


def merged(rows: Sequence[Row]) -> Row:
    """Give one row that says what these say one after the other.

    What was said before a deletion no longer counts, nor does a deletion before a row that lives.
    """
    result = rows[0]
    for row in rows[1:]:
        if row.deleted_at or result.deleted_at:
            result = row
            continue
        result = replace(
            row,
            fields={**result.fields, **row.fields},
            custom_fields={**result.custom_fields, **row.custom_fields},
            based_on=row.based_on or result.based_on,
        )
    return result
