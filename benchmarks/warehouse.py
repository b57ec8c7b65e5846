"""The customers of a warehouse, as Cirqll has them and as the messages that a target reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from benchmarks import rows
from cirqll_client.resources import resource_of_stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

STREAM: Final = "customers"
SOURCE_KEY: Final = "no"
NEW_NAME: Final = "Bakkerij Opnieuw B.V."
USERS: Final = 300
"""The customers belong to so many."""
_SET_BY_CIRQLL: Final = ("id", "created_at", "updated_at")


def customers(count: int) -> Iterator[dict[str, Any]]:
    """Give the first customers of `rows` as the API serves them, fit to be written."""
    for position in range(count):
        record: dict[str, Any] = json.loads(rows.row("documented", position))
        del record["address"]  # how it is written, nobody knows
        yield record


def write_rows(
    path: Path, *, count: int, key: str = "id", changed_every: int = 0, name: str = NEW_NAME
) -> Path:
    """Write the customers of `rows` as messages, known by `id`, by a field or by a source key.

    Every so many have another name than in Cirqll; 0 is none.
    """
    with path.open("w") as file:
        file.write(_line(_schema(key)))
        for number, record in enumerate(customers(count), start=1):
            if changed_every and number % changed_every == 0:
                record["name"] = name
            message = {"type": "RECORD", "stream": STREAM, "record": _known_by(key, record)}
            file.write(_line(message))
        file.write(_line({"type": "STATE", "value": {"rows": count}}))
    return path


def _known_by(key: str, record: dict[str, Any]) -> dict[str, Any]:
    """Give the row with times in ISO 8601, as tap-cirqll loads them, and with this key only."""
    if key == "id":
        return {
            name: f"{value.replace(' ', 'T')}Z" if name.endswith("_at") and value else value
            for name, value in record.items()
        }
    kept = {name: value for name, value in record.items() if name not in _SET_BY_CIRQLL}
    return {key: record["id"], **kept}


def _schema(key: str) -> dict[str, Any]:
    resource = resource_of_stream(STREAM)
    assert resource
    properties: Mapping[str, Any] = resource.schema["properties"]
    return {
        "type": "SCHEMA",
        "stream": STREAM,
        "schema": {"type": "object", "properties": {key: {"type": "integer"}, **properties}},
        "key_properties": [key],
    }


def _line(message: object) -> str:
    return f"{json.dumps(message)}\n"
