"""Rows that an Index does not give, though Show does: adding to them, taking from them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cirqll_sandbox.behaviour import Behaviour

    IdsByResource = Mapping[str, tuple[int, ...]]


def hidden(
    behaviour: Behaviour, resource: str, ids: Collection[int], *, counted: bool
) -> Behaviour:
    """The behaviour that hides these rows too, in one of the two ways."""
    behaviour = shown_again(behaviour, resource, ids)
    if counted:
        return replace(behaviour, skipped_rows=_with(behaviour.skipped_rows, resource, ids))
    return replace(behaviour, unlisted_rows=_with(behaviour.unlisted_rows, resource, ids))


def shown_again(behaviour: Behaviour, resource: str, ids: Collection[int]) -> Behaviour:
    """The behaviour that hides these rows in neither way."""
    return replace(
        behaviour,
        skipped_rows=_without(behaviour.skipped_rows, resource, ids),
        unlisted_rows=_without(behaviour.unlisted_rows, resource, ids),
    )


def all_hidden(behaviour: Behaviour, resource: str) -> tuple[int, ...]:
    """The ids of the rows that are hidden in any way."""
    options = (behaviour.skipped_rows, behaviour.unlisted_rows)
    return tuple(id_ for rows in options for id_ in rows.get(resource, ()))


def _with(rows: IdsByResource, resource: str, ids: Collection[int]) -> IdsByResource:
    return {**rows, resource: (*rows.get(resource, ()), *ids)}


def _without(rows: IdsByResource, resource: str, ids: Collection[int]) -> IdsByResource:
    going = frozenset(ids)
    left = tuple(id_ for id_ in rows.get(resource, ()) if id_ not in going)
    others = {name: theirs for name, theirs in rows.items() if name != resource}
    return {**others, resource: left} if left else others
