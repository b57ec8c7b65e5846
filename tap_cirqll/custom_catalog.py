"""Custom fields in a catalog: their columns as it shows them, and what it selects of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cirqll_client.custom_fields import column_key, id_in_key
from cirqll_client.kinds import kind_of, schema_of
from cirqll_client.resources import FIELD_VALUES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cirqll_client.kinds import Kind
    from cirqll_client.resources import Resource
    from tap_cirqll.shape import CustomShape

    Properties = Mapping[str, Mapping[str, Any]]

AS_COLUMNS, AS_ARRAY = "columns", "array"

ARRAY_PROPERTY = {
    "type": ["array", "null"],
    "description": (
        "Values of the record's custom fields, sorted by field: field_id, value, and what else the "
        "API says of them."
    ),
}


def has_custom_fields(resource: Resource) -> bool:
    """Tell whether the records of a resource have custom fields."""
    return FIELD_VALUES in resource.to_many


def field_of(schema: Mapping[str, Any]) -> int | None:
    """Give the id of the custom field that a column is for; its title has it."""
    return id_in_key(str(schema.get("title")))


def custom_property(number: int, kind: Kind, *, called: str | None) -> dict[str, Any]:
    """Give the schema of a custom field's column. Its name may change, its title does not."""
    words = f'Custom field "{called}".' if called else f"Custom field {number}."
    return {**schema_of(kind), "title": column_key(number), "description": words}


def custom_news(custom: CustomShape, properties: Properties) -> dict[str, dict[str, Any]]:
    """Give the schemas of the columns that a catalog does not have yet, by name."""
    if custom.is_array:
        return {} if FIELD_VALUES in properties else {FIELD_VALUES: dict(ARRAY_PROPERTY)}
    return {
        one.name: custom_property(number, one.kind, called=custom.called.get(number))
        for number, one in custom.columns.items()
        if one.name not in properties
    }


def custom_shape(
    properties: Properties, selected: set[str], *, mode: str, takes_new: bool
) -> CustomShape | None:
    """Tell what becomes of custom fields by a catalog; ``None`` if none are wanted.

    ``selected`` names the properties that are. ``takes_new``: what the catalog does not have yet is
    wanted.
    """
    from cirqll_client.learned_columns import LearnedColumn  # noqa: PLC0415 - not to discover
    from tap_cirqll.shape import CustomShape  # noqa: PLC0415

    if mode == AS_ARRAY:
        is_wanted = FIELD_VALUES in selected if FIELD_VALUES in properties else takes_new
        return CustomShape(is_array=True) if is_wanted else None
    fields = {name: field_of(of) for name, of in properties.items()}
    columns = {
        number: LearnedColumn(column_key(number), name, kind_of(dict(properties[name])))
        for name, number in fields.items()
        if number is not None and name in selected
    }
    hidden = {number for name, number in fields.items() if number and name not in selected}
    if not columns and not takes_new:
        return None
    return CustomShape(columns=columns, hidden=frozenset(hidden), takes_new=takes_new)
