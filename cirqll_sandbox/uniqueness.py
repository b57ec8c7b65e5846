"""Deciding whether a value is taken where no two records may share one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cirqll_sandbox.values import collation, sort_key

if TYPE_CHECKING:
    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.tables import Table


def is_taken(
    value: Any, column: str, table: Table, behaviour: Behaviour, own_id: int | None
) -> bool:
    """Whether another row than one's own has it; null is never taken."""
    if value is None:
        return False
    collate = collation(behaviour)
    sought = sort_key(value, collate)
    return any(
        row["id"] != own_id and sort_key(row[column], collate) == sought
        for row in table.referring(column, value)
    )
