"""The one stream class: its schema for the catalog, its reading, and its records on stdout."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.streams import Stream

from tap_cirqll.columns import NONCONFORMING, UNDOCUMENTED, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from singer_sdk.helpers import types
    from singer_sdk.tap_base import Tap

    from cirqll_client.connection import Connection
    from cirqll_client.reading import Batch, Reading
    from cirqll_client.resources import Resource
    from tap_cirqll.conformance import RecordReader
    from tap_cirqll.shape import Shape

KEPT_AS_JSON = "json"

_DESCRIPTIONS = {
    NONCONFORMING: "Values that did not fit their column, as they came, by the name of the field.",
    UNDOCUMENTED: "Fields that have no column of their own, as they came, by name.",
}
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class _RecordLine(msgspec.Struct, gc=False):
    """A RECORD message of the Singer specification."""

    type: str
    stream: str
    record: Any
    time_extracted: str


class CirqllStream(Stream):
    """A resource as a Singer stream. What differs between streams is in the resource."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    """Types are guaranteed by ``conformance``."""

    def __init__(self, tap: Tap, resource: Resource) -> None:
        """Offer this resource."""
        keeps_undocumented = tap.config.get("undocumented_fields", KEPT_AS_JSON) == KEPT_AS_JSON
        schema = emitted_schema(resource, keeps_undocumented=keeps_undocumented)
        super().__init__(tap, schema=schema, name=resource.stream)
        self.resource = resource
        self.primary_keys = ("id",)
        self.replication_key = resource.bookmark_field

    @property
    def is_incremental(self) -> bool:
        """Tell whether only changes are read once all was read."""
        return self.replication_method == "INCREMENTAL"

    @property
    def is_chosen_by_name(self) -> bool:
        """Tell whether a catalog selects this stream, not only the default."""
        return self._tap_input_catalog is not None and bool(self.metadata.root.selected)

    def shape(self) -> Shape:
        """Tell what becomes of each field, by the catalog in hand."""
        from tap_cirqll.shape import Shape  # noqa: PLC0415 - not needed to discover

        properties = self.effective_schema["properties"]
        selected = {name for name in properties if self.mask["properties", name]}
        known = properties.keys() | self.resource.schema["properties"].keys()
        columns = {name: kind_of(properties[name]) for name in properties if name in selected}
        own = {NONCONFORMING, UNDOCUMENTED}
        return Shape(
            columns={name: kind for name, kind in columns.items() if name not in own},
            hidden=frozenset(known - columns.keys() - own),
            keeps_undocumented=UNDOCUMENTED in selected,
            keeps_nonconforming=NONCONFORMING in selected,
        )

    def record_reader(self, connection: Connection) -> RecordReader:
        """Make the reader of this stream's rows."""
        from tap_cirqll.conformance import RecordReader  # noqa: PLC0415 - not needed to discover

        return RecordReader(self.resource, self.shape(), timestamps=connection.timestamps)

    def fields_to_ask_for(self, shape: Shape) -> tuple[str, ...]:
        """Name the fields to ask for; none means all.

        Fewer than all only where that is safe: something is deselected, and whatever is not
        documented is not wanted either.
        """
        is_safe = shape.hidden and not shape.keeps_undocumented
        return tuple(shape.columns) if is_safe else ()

    def reading(
        self, connection: Connection, read_rows: RecordReader, *, warn: Callable[[str], None]
    ) -> Reading:
        """Begin to read where the state says. Raises ``SettingInvalid`` for a broken state."""
        from cirqll_client.reading import Reading  # noqa: PLC0415 - not needed to discover
        from tap_cirqll.bookmarks import beginning  # noqa: PLC0415

        return Reading(
            connection.client,
            self.resource,
            timestamps=connection.timestamps,
            beginning=beginning(
                self.stream_state,
                stream=self.name,
                start_date=self.config.get("start_date") if self.is_incremental else None,
                lookback_seconds=float(self.config.get("lookback", 60)),
            ),
            is_incremental=self.is_incremental,
            fields=self.fields_to_ask_for(read_rows.shape),
            read_rows=read_rows,
            warn=warn,
        )

    def deliver(self, batch: Batch) -> None:
        """Write the records of a batch to stdout, and note in the state that they are delivered."""
        from tap_cirqll.bookmarks import remember  # noqa: PLC0415 - not needed to discover

        if self.is_written_as_read:
            self._write_lines(batch.rows)
        else:
            for row in batch.rows:
                self._write_record_message(as_record(row))
        remember(self.stream_state, batch, replication_key=self.replication_key)

    @property
    def is_written_as_read(self) -> bool:
        """Tell whether no stream map stands between a record and its message."""
        maps = self.stream_maps
        return (
            len(maps) == 1
            and type(maps[0]) is SameRecordTransform
            and not maps[0].flattening_enabled
        )

    def _write_lines(self, rows: list[Any]) -> None:
        """Write a page at once: the SDK's message objects cost three times as much."""
        time = datetime.now(UTC).isoformat()
        alias = self.stream_maps[0].stream_alias
        lines = _ENCODER.encode_lines([_RecordLine("RECORD", alias, row, time) for row in rows])
        sys.stdout.buffer.write(lines)
        sys.stdout.buffer.flush()

    def get_records(self, context: types.Context | None) -> Iterator[types.Record]:
        """Give the records one by one, for the SDK's ``--test``; a sync does not come by here."""
        from cirqll_client.connection import connect  # noqa: PLC0415 - not needed to discover
        from cirqll_client.singer_settings import connection_settings  # noqa: PLC0415

        del context
        connection = connect(connection_settings(self.config))
        try:
            reader = self.record_reader(connection)
            for batch in self.reading(connection, reader, warn=self.logger.warning).batches():
                yield from map(as_record, batch.rows)
        finally:
            connection.close()

    def _increment_stream_state(self, latest_record: types.Record, **_: Any) -> None:  # noqa: ANN401
        """Leave the state to ``deliver``: a record alone does not tell where its reading stands."""


def emitted_schema(resource: Resource, *, keeps_undocumented: bool) -> dict[str, Any]:
    """Give the schema of a stream: types that never change, without limits that would stop loads.

    ``minimum`` and ``maxLength`` decide how wide a loader makes a column, and would stop it at the
    first value beyond; the schema files keep them for writing.
    """
    properties = {
        name: {key: of[key] for key in ("type", "format", "description") if key in of}
        for name, of in resource.schema["properties"].items()
        if not of.get("writeOnly")
    }
    for name in (NONCONFORMING, *((UNDOCUMENTED,) if keeps_undocumented else ())):
        properties[name] = {"type": ["object", "null"], "description": _DESCRIPTIONS[name]}
    return {"type": "object", "properties": properties, "required": ["id"]}


def as_record(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a struct or a dictionary
    """Give a row as a dictionary with exact decimals, for code that works on dictionaries."""
    from cirqll_client.responses import decoded  # noqa: PLC0415 - not needed to discover

    record: dict[str, Any] = row if isinstance(row, dict) else decoded(_ENCODER.encode(row))
    return record
