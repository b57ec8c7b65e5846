"""Rows of the table of custom field values: one for each field of a record.

``value`` is text, so that one column holds all kinds and can be searched; ``value_json`` has the
value with its type, as it came; ``label`` is what an option is called, be it told by its name or by
its id. Several values of one field are one row with a list, since the field is the key.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cirqll_client.custom_fields import field_id
from cirqll_client.responses import encoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cirqll_client.custom_fields import Entry
    from cirqll_client.field_definitions import FieldDefinition
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record


def value_rows(
    values: Iterable[Entry],
    definitions: Mapping[int, FieldDefinition],
    *,
    resource: Resource,
    tells_empty: bool,
) -> Iterator[Record]:
    """Give the rows of one record, without those of the columns that tell which record it is.

    ``tells_empty``: a field of this resource without a value has a row that is null, too. So a
    value that was removed does not stay in a warehouse, which only ever adds and replaces rows. A
    first reading has nothing to replace.
    """
    by_field: dict[int, list[Entry]] = {}
    for entry in values:
        by_field.setdefault(entry["field_id"], []).append(entry)
    empty = [one.id for one in definitions.values() if tells_empty and one.is_of(resource)]
    for field in [*by_field, *(one for one in empty if one not in by_field)]:
        yield _row(field, by_field.get(field, []), definitions.get(field))


def text_of(value: Any) -> str | None:  # noqa: ANN401 - JSON
    """Write a value as text: texts as they are, anything else as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return str(value)
    return encoded(value).decode("ascii")


def label_of(value: Any, labels: Mapping[int, str]) -> str | None:  # noqa: ANN401 - JSON
    """Name the options that were chosen, several with a comma between; none if none is known."""
    chosen = value if isinstance(value, list) else [value]
    names = [_label(one, labels) for one in chosen] if labels else []
    return ", ".join(filter(None, names)) or None


def _label(value: Any, labels: Mapping[int, str]) -> str | None:  # noqa: ANN401 - JSON
    """Name one option. A name wins over an id that is written like it."""
    if isinstance(value, str) and value in labels.values():
        return value
    number = field_id(value)
    return None if number is None else labels.get(number)


def _row(field: int, entries: list[Entry], definition: FieldDefinition | None) -> Record:
    values = [entry["value"] for entry in entries]
    value = values[0] if len(values) == 1 else values or None
    first = entries[0] if entries else {}
    rest = {name: one for name, one in first.items() if name != "value"}
    return {
        **rest,
        **({"entries": entries} if len(entries) > 1 else {}),
        "field_id": field,
        "field_name": definition.name if definition else None,
        "value": text_of(value),
        "value_json": value,
        "label": label_of(value, definition.labels) if definition else None,
    }
