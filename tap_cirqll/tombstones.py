"""The messages that tell a loader of deleted rows.

Before the first of them goes a SCHEMA with nothing but the key and the time of deletion. A loader
that writes all columns of the schema in force (target-postgres does) would empty the others; so the
row keeps what it last said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from singer_sdk.mapper import RemoveRecordTransform

from tap_cirqll.bookmarks import written
from tap_cirqll.messages import record_lines
from tap_cirqll.stream import DELETED_AT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from singer_sdk.mapper import StreamMap

    from cirqll_client.responses import Record
    from tap_cirqll.stream import CirqllStream


class Untellable(Exception):
    """A stream map stands in the way of telling; the sentence says how."""


def tombstone_lines(stream: CirqllStream, keys: Iterable[Record], at: datetime) -> bytes:
    """Give the messages that tell of deleted rows of a stream, by the columns of their keys.

    Raises ``Untellable``.
    """
    gone = [{**key, DELETED_AT: written(at)} for key in keys]
    maps = [one for one in stream.stream_maps if type(one) is not RemoveRecordTransform]
    return b"".join(_lines(one, stream.name, gone) for one in maps)


def _lines(stream_map: StreamMap, stream: str, gone: list[Record]) -> bytes:
    mapped = [_mapped(stream_map, stream, dict(one)) for one in gone]
    rows = [row for row in mapped if row is not None]
    keys = [*(stream_map.transformed_key_properties or []), DELETED_AT]
    properties = stream_map.transformed_schema["properties"]
    if DELETED_AT not in properties or not all(key in row for row in rows for key in keys):
        msg = f"stream_maps leave {DELETED_AT}, or the key, out of {stream}"
        raise Untellable(msg)
    schema = {
        "type": "SCHEMA",
        "stream": stream_map.stream_alias,
        "schema": {"type": "object", "properties": {key: properties[key] for key in keys}},
        "key_properties": stream_map.transformed_key_properties,
    }
    narrow = [{key: row[key] for key in keys} for row in rows]
    line = msgspec.json.encode(schema) + b"\n"
    return line + record_lines(stream_map.stream_alias, narrow) if rows else b""


def _mapped(stream_map: StreamMap, stream: str, record: Record) -> Record | None:
    """Have a map make of a record what it makes of all. Raises ``Untellable``."""
    try:
        return stream_map.transform(record)
    except Exception as error:
        # Whatever an expression of the user's raises: it may want fields that are gone.
        msg = f"stream_maps want more of a row of {stream} than its key"
        raise Untellable(msg) from error
