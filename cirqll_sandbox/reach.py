"""Which records are there for a user whose reach is narrower than `all`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.tables import Row


def within_reach(rows: list[Row], resource: str, behaviour: Behaviour) -> list[Row]:
    """Those of a resource's rows that are there for the user."""
    users = behaviour.reach.get(resource)
    return rows if users is None else [row for row in rows if row.get("user_id") in users]
