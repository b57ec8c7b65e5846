"""The one stream class: its schema for the catalog, its reading, and its records on stdout."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.streams import Stream

from cirqll_client.kinds import NONCONFORMING, UNDOCUMENTED, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from singer_sdk.helpers import types
    from singer_sdk.tap_base import Tap

    from cirqll_client.connection import Connection
    from cirqll_client.reading import Beginning, Reading
    from cirqll_client.resources import Resource
    from tap_cirqll.conformance import RecordReader
    from tap_cirqll.shape import Shape

KEPT_AS_JSON = "json"

_DESCRIPTIONS = {
    NONCONFORMING: "Values that did not fit their column, as they came, by the name of the field.",
    UNDOCUMENTED: "Fields that have no column of their own, as they came, by name.",
}


class CirqllStream(Stream):
    """A resource as a Singer stream. What differs between streams is in the resource."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    """Types are guaranteed by ``conformance``."""

    def __init__(self, tap: Tap, resource: Resource) -> None:
        """Offer this resource."""
        setting = tap.config.get("undocumented_fields", KEPT_AS_JSON)
        self._keeps_undocumented = setting == KEPT_AS_JSON
        schema = emitted_schema(resource, keeps_undocumented=self._keeps_undocumented)
        super().__init__(tap, schema=schema, name=resource.stream)
        self.resource = resource
        self.primary_keys = ("id",)
        self.replication_key = resource.bookmark_field

    @property
    def is_incremental(self) -> bool:
        """Tell whether only changes are read once all was read."""
        return self.replication_method == "INCREMENTAL"

    def shape(self) -> Shape:
        """Tell what becomes of each field, by the catalog in hand.

        A documented field that an older catalog does not have is kept with the undocumented ones.
        """
        from tap_cirqll.shape import Shape  # noqa: PLC0415 - not needed to discover

        properties = self.effective_schema["properties"]
        secret = {name for name, of in self._documented.items() if of.get("writeOnly")}
        selected = {name for name in properties if self.mask["properties", name]} - secret
        own = {NONCONFORMING, UNDOCUMENTED}
        return Shape(
            columns={
                name: kind_of(properties[name]) for name in properties if name in selected - own
            },
            hidden=frozenset((properties.keys() | secret) - selected - own),
            keeps_undocumented=UNDOCUMENTED in selected and self._keeps_undocumented,
            keeps_nonconforming=NONCONFORMING in selected,
        )

    @property
    def _documented(self) -> dict[str, Any]:
        properties: dict[str, Any] = self.resource.schema["properties"]
        return properties

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
        if not is_safe:
            return ()
        key = self.resource.key_without_id
        return tuple(dict.fromkeys((*shape.columns, *([key] if key else ()))))

    def beginning(self) -> Beginning:
        """Tell where to begin. Raises ``SettingInvalid`` for a broken state or start date."""
        from tap_cirqll.bookmarks import beginning  # noqa: PLC0415 - not needed to discover

        return beginning(
            self.stream_state,
            stream=self.name,
            start_date=self.config.get("start_date") if self.is_incremental else None,
            lookback_seconds=float(self.config["lookback"]),
        )

    def reading(
        self, connection: Connection, read_rows: RecordReader, *, warn: Callable[[str], None]
    ) -> Reading:
        """Begin to read where the state says. Raises ``SettingInvalid`` for a broken state."""
        from cirqll_client.reading import Reading  # noqa: PLC0415 - not needed to discover

        return Reading(
            connection.client,
            self.resource,
            timestamps=connection.timestamps,
            beginning=self.beginning(),
            is_incremental=self.is_incremental,
            fields=self.fields_to_ask_for(read_rows.shape),
            read_rows=read_rows,
            warn=warn,
        )

    @property
    def is_written_as_read(self) -> bool:
        """Tell whether no stream map stands between a record and its message."""
        maps = self.stream_maps
        return (
            len(maps) == 1
            and type(maps[0]) is SameRecordTransform
            and not maps[0].flattening_enabled
        )

    def write_one_by_one(self, rows: list[Any]) -> None:
        """Write records by way of the SDK, whose stream maps may change or drop them."""
        from tap_cirqll.messages import as_record  # noqa: PLC0415 - not needed to discover

        for row in rows:
            self._write_record_message(as_record(row))

    def get_records(self, context: types.Context | None) -> Iterator[types.Record]:
        """Give records one by one, for the SDK's ``--test``; a sync does not come by here."""
        from cirqll_client.connection import connect  # noqa: PLC0415 - not needed to discover
        from cirqll_client.errors import NotFound, ScopeMissing  # noqa: PLC0415
        from cirqll_client.singer_settings import connection_settings  # noqa: PLC0415
        from tap_cirqll.messages import as_record  # noqa: PLC0415

        del context
        connection = connect(connection_settings(self.config))
        try:
            reader = self.record_reader(connection)
            batches = self.reading(connection, reader, warn=self.logger.warning).batches()
            rows = (row for batch in batches for row in batch.rows)
            # The SDK would end a longer test by an exception, and log that as a failure.
            yield from map(as_record, islice(rows, self.ABORT_AT_RECORD_COUNT))
        except (NotFound, ScopeMissing) as error:
            self.logger.warning("%s", error.sentence)
        finally:
            connection.close()

    def _increment_stream_state(self, latest_record: types.Record, **_: Any) -> None:  # noqa: ANN401
        """Leave the state to ``sync``: a record alone does not tell where its reading stands."""


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
