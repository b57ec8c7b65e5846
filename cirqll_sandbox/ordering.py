"""Reading `order_by` and putting rows in that order."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from cirqll_sandbox.field_names import is_named
from cirqll_sandbox.refusals import bad_request
from cirqll_sandbox.values import collation, sort_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.tables import Row, Table

    Order = tuple[tuple[str, bool], ...]
    """Fields, each with whether it descends."""


def parse_order(texts: Iterable[str], table: Table, behaviour: Behaviour) -> Order:
    """`name`, `name:asc` and `name:desc`; a `Refusal` (400) for a bad field or direction."""
    terms = map(_term, texts)
    return tuple(term for term in terms if _counts(term[0], table, behaviour))


def _term(text: str) -> tuple[str, bool]:
    field, _, direction = text.partition(":")
    if direction.lower() not in {"asc", "desc"} and ":" in text:
        message = f"The direction {direction} is invalid."
        raise bad_request(message)
    return field, direction.lower() == "desc"


def _counts(field: str, table: Table, behaviour: Behaviour) -> bool:
    locked = is_named(field, table.resource.name, behaviour.unorderable_fields)
    if field in table.columns and not locked:
        return True
    if behaviour.unknown_order_field == "ignore":
        return False
    message = f"The field {field} cannot be ordered by."
    raise bad_request(message)


def ordered(rows: list[Row], order: Order, behaviour: Behaviour) -> list[Row]:
    """The rows in this order; what the order leaves open is decided by `behaviour.ties`."""
    if behaviour.ties == "shuffled" and "id" not in {field for field, _ in order}:
        random.shuffle(rows)
    else:
        rows.sort(key=lambda row: row["id"])
    collate = collation(behaviour)
    for field, descends in reversed(order):
        rows.sort(key=lambda row: sort_key(row.get(field), collate), reverse=descends)
    return rows
