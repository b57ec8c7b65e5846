"""Shapes of answers that the documentation leaves open: relations, ``show``, custom fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from cirqll_client.cli.doctor.answers import Failed, Listing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

Shape = Literal["page", "list", "map", "refused", "ignored", "none", "unknown"]
"""Of ``field_values``; ``none`` where no record asked about has any."""
Doing = Literal["honoured", "ignored", "refused", "unknown"]


def field_values_shape(came: Listing | Failed) -> Shape:
    """Tell how ``with=field_values`` brings values along."""
    if isinstance(came, Failed):
        return "refused" if came.kind in {"refused", "forbidden"} else "unknown"
    if not came.rows:
        return "unknown"
    values = [row["field_values"] for row in came.rows if "field_values" in row]
    if not values:
        return "ignored"
    return next((shape for shape in map(_shape, values) if shape != "none"), "none")


def field_values_in(came: Listing | Failed) -> list[Any]:
    """Give the values themselves, whatever the shape; of a map without the keys."""
    rows = came.rows if isinstance(came, Listing) else []
    return [value for row in rows for value in _members(row.get("field_values"))]


def relation_doing(
    came: Listing | Failed, relations: Sequence[str], *, known: Collection[str]
) -> Doing:
    """Tell whether ``with`` brings these relations along, beside fields that are ``known``."""
    if isinstance(came, Failed):
        return "refused" if came.kind in {"refused", "forbidden"} else "unknown"
    if not came.rows:
        return "unknown"
    has_all = all(name in row for row in came.rows for name in relations)
    if not has_all:
        return "ignored"
    return "honoured" if set(relations) - set(known) else "unknown"


def show_doing(came: Listing | Failed, fields: Iterable[str], *, known: Collection[str]) -> Doing:
    """Tell whether ``show`` leaves out the others of the ``known`` fields."""
    if isinstance(came, Failed):
        return "refused" if came.kind == "refused" else "unknown"
    if not came.rows:
        return "unknown"
    wanted = set(fields)
    if not all(set(row) <= wanted for row in came.rows):
        return "ignored"
    return "honoured" if set(known) - wanted else "unknown"


def _shape(value: object) -> Shape:
    """Tell the shape of one record's values; PHP writes an empty map as an empty list."""
    if isinstance(value, list):
        return "list" if value else "none"
    if not isinstance(value, dict) or not value:
        return "none"
    if isinstance(value.get("data"), list):
        return "page"
    return "map"


def _members(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return []
    return value["data"] if isinstance(value.get("data"), list) else list(value.values())
