"""Custom fields of a record: values by the id of the field that describes them.

Both forms here are guesses (cirqll-api.md, Custom fields): how values come, and how they are
written. One record that has some will tell: ``GET /customer?limit=1&with=field_values``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_cirqll.conversions import Misfit, integer, json_value, structure_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FIELD_VALUES = "field_values"
"""The relation that holds them."""


def read(value: object) -> dict[int, Any]:
    """Give the values by field id, from any of three shapes or their JSON. Raises ``Misfit``.

    A page ``{"data": [{"field_id": 3, "value": "x"}], ...}``, its list alone, or a map of field id
    to value. A page may hold fewer than its ``total``: of the others nothing is said.
    """
    values: dict[int, Any] = {}
    for field_id, held in _pairs(structure_of(value)):
        number, fits = _field_id(field_id), json_value(held)
        if number in values and values[number] != fits:
            msg = "it holds two values for one custom field"
            raise Misfit(msg)
        values[number] = fits
    return values


def written(values: Mapping[int, Any]) -> list[dict[str, Any]]:
    """Give the values as they are probably written: a list, by field id."""
    return [{"field_id": field_id, "value": values[field_id]} for field_id in sorted(values)]


def _pairs(value: object) -> Iterable[tuple[object, object]]:
    if value is None:
        return ()
    entries = value["data"] if isinstance(value, dict) and "data" in value else value
    if isinstance(entries, list):
        return map(_pair, entries)
    if entries is value and isinstance(value, dict):
        return value.items()
    msg = "it is neither a page, nor a list, nor a map of custom fields"
    raise Misfit(msg)


def _pair(entry: object) -> tuple[object, object]:
    if not isinstance(entry, dict) or not entry.keys() >= {"field_id", "value"}:
        msg = "it holds an entry without field_id and value"
        raise Misfit(msg)
    return entry["field_id"], entry["value"]


def _field_id(value: object) -> int:
    try:
        number = integer(value) or 0
    except Misfit:
        number = 0
    if number < 1:
        msg = "it names a custom field by something that is no id"
        raise Misfit(msg)
    return number
