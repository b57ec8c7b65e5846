"""Custom fields as rows have them, and as they are written.

How they are written is a guess (cirqll-api.md, Custom fields); how they may come is told in
``cirqll_client.custom_fields``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cirqll_client import custom_fields
from cirqll_client.resources import FIELD_VALUES as FIELD_VALUES  # noqa: PLC0414 - handed on
from target_cirqll.conversions import Misfit, json_value, structure_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def read(value: object) -> dict[int, Any]:
    """Give the values by field id, from any of three shapes or their JSON. Raises ``Misfit``.

    A page may hold fewer than its ``total``: of the others nothing is said. An entry without a
    value says nothing that could be written: an empty value is written as null.
    """
    came = custom_fields.read(structure_of(value))
    if came.odd:
        raise Misfit(came.odd)
    if any(key is None and "value" not in entry for key, entry in came.relation.entries):
        msg = "it holds an entry without a value"
        raise Misfit(msg)
    values: dict[int, Any] = {}
    for entry in came.entries:
        number, fits = entry["field_id"], json_value(entry["value"])
        if number in values and values[number] != fits:
            msg = "it holds two values for one custom field"
            raise Misfit(msg)
        values[number] = fits
    return values


def written(values: Mapping[int, Any]) -> list[dict[str, Any]]:
    """Give the values as they are probably written: a list, by field id."""
    return [{"field_id": field_id, "value": values[field_id]} for field_id in sorted(values)]
