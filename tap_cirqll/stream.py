"""The one stream class: its schema for the catalog, its reading, and its records on stdout."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from singer_sdk.helpers._catalog import get_selected_schema
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.streams import Stream

from cirqll_client.custom_fields import id_in_key
from cirqll_client.kinds import NONCONFORMING, UNDOCUMENTED, Kind, kind_of, schema_of
from cirqll_client.nested import COMPANY
from cirqll_client.resources import FIELD_VALUES
from tap_cirqll.custom_catalog import (
    ARRAY_PROPERTY,
    AS_ARRAY,
    AS_COLUMNS,
    custom_news,
    custom_property,
    custom_shape,
    field_of,
    has_custom_fields,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from singer_sdk.helpers import types
    from singer_sdk.tap_base import Tap

    from cirqll_client.connection import Connection
    from cirqll_client.learned_columns import Columns, LearnedColumn, LearnedColumns
    from cirqll_client.reading import Beginning, Reading
    from cirqll_client.resources import Resource
    from tap_cirqll.conformance import RecordReader
    from tap_cirqll.shape import Shape

    ReadAlone = Callable[["CirqllStream", Connection], Iterator[Any]]
    """Gives the rows of one stream, whatever has to be read for them."""

KEPT_AS_COLUMNS, KEPT_AS_JSON, LEFT_OUT = "columns", "json", "drop"
IN_STORE, IN_STATE = "store", "state"
"""Where the ids of what was handed out are kept."""
DELETED_AT = "_sdc_deleted_at"

_DESCRIPTIONS = {
    NONCONFORMING: "Values that did not fit their column, as they came, by the name of the column.",
    UNDOCUMENTED: "Fields that have no column of their own, as they came, by name.",
}
_LEARNED = "Not documented by Cirqll."
_DELETED_AT_PROPERTY = {
    **schema_of(Kind.TIME),
    "description": "When the row was found to be deleted in Cirqll; empty while it lives.",
}


class CirqllStream(Stream):
    """A resource as a Singer stream. What differs between streams is in the resource."""

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    """Types are guaranteed by ``conformance``."""

    def __init__(
        self,
        tap: Tap,
        resource: Resource,
        *,
        read_alone: ReadAlone,
        learned: Columns | None = None,
        called: Mapping[int, str] | None = None,
    ) -> None:
        """Offer this resource, with the columns that were learned if they are to be shown.

        ``called``: what custom fields are called now, as far as that is known.
        """
        self._read_alone = read_alone
        self.detects_deletions = resource != COMPANY and bool(
            tap.config.get("detect_deletions", False)
        )
        self._undocumented_fields = tap.config.get("undocumented_fields", KEPT_AS_COLUMNS)
        self._custom_fields = tap.config.get("custom_fields", AS_COLUMNS)
        schema = emitted_schema(
            resource,
            keeps_undocumented=self._undocumented_fields != LEFT_OUT,
            learned=(learned or {}).values(),
            custom_fields=self._custom_fields,
            called=called or {},
        )
        if self.detects_deletions:
            schema["properties"][DELETED_AT] = dict(_DELETED_AT_PROPERTY)
        super().__init__(tap, schema=schema, name=resource.stream)
        self.resource = resource
        self.primary_keys = resource.keys
        self.selected_by_default = resource.is_read_by_default
        self.replication_key = resource.bookmark_field

    @property
    def is_incremental(self) -> bool:
        """Tell whether only changes are read once all was read."""
        return self.replication_method == "INCREMENTAL"

    def shape(self) -> Shape:
        """Tell what becomes of each field, by the catalog in hand.

        A field that the catalog does not have is new, or was not documented when it was made: it is
        wanted if the column of those fields is.
        """
        from tap_cirqll.shape import Shape  # noqa: PLC0415 - not needed to discover

        properties = self.effective_schema["properties"]
        secret = {name for name, of in self._documented.items() if of.get("writeOnly")}
        selected = {name for name in properties if self.mask["properties", name]} - secret
        keeps = UNDOCUMENTED not in properties or bool(self.mask["properties", UNDOCUMENTED])
        custom, own = None, {NONCONFORMING, UNDOCUMENTED, DELETED_AT}
        if has_custom_fields(self.resource):
            custom = custom_shape(properties, selected, mode=self._custom_fields, takes_new=keeps)
            own |= {FIELD_VALUES, *(name for name, of in properties.items() if field_of(of))}
            secret |= set() if custom else {FIELD_VALUES}
        selected -= own
        fields = {
            name: self._field_of(name, of) for name, of in properties.items() if name not in own
        }
        return Shape(
            columns={
                fields[name]: kind_of(properties[name]) for name in fields if name in selected
            },
            hidden=frozenset({fields[name] for name in fields.keys() - selected} | secret),
            keeps_undocumented=keeps and self._undocumented_fields != LEFT_OUT,
            keeps_nonconforming=bool(self.mask["properties", NONCONFORMING])
            and NONCONFORMING in properties,
            names={field: name for name, field in fields.items() if name != field},
            learns=keeps and self._undocumented_fields == KEPT_AS_COLUMNS,
            custom=custom,
        )

    @property
    def _documented(self) -> dict[str, Any]:
        properties: dict[str, Any] = self.resource.schema["properties"]
        return properties

    def _field_of(self, name: str, schema: Mapping[str, Any]) -> str:
        """Give the name in the API of what a column holds: a title tells where it is another.

        One that somebody gave the column for people to read does not count.
        """
        from cirqll_client.naming import may_be_called  # noqa: PLC0415 - not needed to discover

        title = str(schema.get("title", name))
        return title if name not in self._documented and may_be_called(name, title) else name

    def record_reader(self, connection: Connection, *, apart: Collection[str] = ()) -> RecordReader:
        """Make the reader of this stream's rows, with the columns learned so far.

        Relations that are brought along for others are kept ``apart``.
        """
        from cirqll_client.learned_columns import LearnedColumns  # noqa: PLC0415 - see above
        from cirqll_client.naming import namer  # noqa: PLC0415
        from tap_cirqll.conformance import RecordReader  # noqa: PLC0415
        from tap_cirqll.custom_source import AccountCustomFields  # noqa: PLC0415

        shape = self.shape().without(apart)
        learned = LearnedColumns(connection.store, account=connection.account)
        if shape.learns:
            shape = self._with_learned(shape, learned)
        others = {*self._documented, *self.effective_schema["properties"]}
        name_of = namer(others)
        custom = AccountCustomFields(
            connection, self.resource, other_columns=others, logger=self.logger
        )
        return RecordReader(
            self.resource,
            custom.begun(shape),
            timestamps=connection.timestamps,
            learn=lambda kinds: learned.add(self.name, kinds, name_of=name_of),
            custom=custom,
        )

    def _with_learned(self, shape: Shape, learned: LearnedColumns) -> Shape:
        """Give the shape with what others learned; what only the catalog knows is remembered.

        What was documented since the catalog was made has its column too, and what was learned
        before it was documented keeps its kind, unless the catalog has one of its own for it.
        """
        from cirqll_client.learned_columns import LearnedColumn  # noqa: PLC0415 - see above
        from cirqll_client.naming import LONGEST_NAME  # noqa: PLC0415

        here = {
            field: kind
            for field, kind in shape.columns.items()
            if field not in self._documented and len(shape.column(field)) <= LONGEST_NAME
        }
        columns = learned.add(self.name, here, name_of=lambda field, _columns: shape.column(field))
        documented = {
            name: LearnedColumn(name, name, kind_of(of)) for name, of in self._documented.items()
        }
        earlier = {
            name: columns[name].kind
            for name, one in documented.items()
            if name in columns and shape.columns.get(name) is one.kind
        }
        return replace(shape, columns=shape.columns | earlier).with_columns(
            one
            for field, one in (documented | columns).items()
            if not shape.knows(field) and id_in_key(field) is None
        )

    def widen(self, shape: Shape) -> bool:
        """Take columns into the schema that are new in this shape. Tell whether there are any.

        What threads that read have in hand is replaced, never changed.
        """
        schema = self.effective_schema
        properties = schema["properties"]
        news = {
            shape.column(field): learned_property(field, shape.column(field), kind)
            for field, kind in shape.columns.items()
            if shape.column(field) not in properties
            or kind_of(properties[shape.column(field)]) is not kind
        }
        if shape.keeps_undocumented and UNDOCUMENTED not in properties:
            news[UNDOCUMENTED] = _own_property(UNDOCUMENTED)
        if self.detects_deletions and DELETED_AT not in properties:
            news[DELETED_AT] = dict(_DELETED_AT_PROPERTY)
        if shape.custom:
            news |= custom_news(shape.custom, properties)
        if not news:
            return False
        schema["properties"] = properties | news
        mapper = self._tap.mapper
        mapper.register_raw_stream_schema(self.name, self._selected_schema(), self.primary_keys)
        self._stream_maps = mapper.stream_maps[self.name]
        return True

    def _selected_schema(self) -> dict[str, Any]:
        return get_selected_schema(self.name, self.effective_schema, self.mask)

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

    def reading(  # noqa: PLR0913 - what, from where, and with what
        self,
        connection: Connection,
        read_rows: RecordReader,
        *,
        warn: Callable[[str], None],
        beginning: Beginning | None = None,
        relations: tuple[str, ...] = (),
        asks_for_custom_fields: bool = True,
    ) -> Reading:
        """Begin to read where the state says, or somewhere else for the sake of others.

        Raises ``SettingInvalid`` for a broken state.
        """
        from cirqll_client.reading import Reading  # noqa: PLC0415 - not needed to discover

        if read_rows.shape.custom and asks_for_custom_fields:
            relations = tuple(dict.fromkeys((*relations, FIELD_VALUES)))
        return Reading(
            connection.client,
            self.resource,
            timestamps=connection.timestamps,
            beginning=beginning or self.beginning(),
            is_incremental=self.is_incremental,
            # Whether a relation comes that is not among the fields to show is not documented.
            fields=() if relations else self.fields_to_ask_for(read_rows.shape),
            relations=relations,
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
            rows = self._read_alone(self, connection)
            # The SDK would end a longer test by an exception, and log that as a failure.
            yield from map(as_record, islice(rows, self.ABORT_AT_RECORD_COUNT))
        except (NotFound, ScopeMissing) as error:
            self.logger.warning("%s", error.sentence)
        finally:
            connection.close()

    def _increment_stream_state(self, latest_record: types.Record, **_: Any) -> None:  # noqa: ANN401
        """Leave the state to ``sync``: a record alone does not tell where its reading stands."""


def emitted_schema(
    resource: Resource,
    *,
    keeps_undocumented: bool,
    learned: Iterable[LearnedColumn] = (),
    custom_fields: str = AS_COLUMNS,
    called: Mapping[int, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Give the schema of a stream: types that never change, without limits that would stop loads.

    ``minimum`` and ``maxLength`` decide how wide a loader makes a column, and would stop it at the
    first value beyond; the schema files keep them for writing. A column that was learned stays as
    it is when its field is documented later.
    """
    properties = {
        name: {key: of[key] for key in ("type", "format", "description") if key in of}
        for name, of in resource.schema["properties"].items()
        if not of.get("writeOnly")
    }
    for name in properties.keys() & {"id", *resource.keys}:
        types = properties[name]["type"]
        kind = types if isinstance(types, str) else types[0]
        properties[name] |= {"type": kind if name in resource.keys else [kind, "null"]}
    for one in learned:
        number = id_in_key(one.field) if has_custom_fields(resource) else None
        if number is None:
            properties[one.name] = learned_property(one.field, one.name, one.kind)
        elif custom_fields == AS_COLUMNS:
            properties[one.name] = custom_property(number, one.kind, called=called.get(number))
    if has_custom_fields(resource) and custom_fields == AS_ARRAY:
        properties[FIELD_VALUES] = dict(ARRAY_PROPERTY)
    for name in (NONCONFORMING, *((UNDOCUMENTED,) if keeps_undocumented else ())):
        properties[name] = _own_property(name)
    return {"type": "object", "properties": properties, "required": list(resource.keys)}


def _own_property(name: str) -> dict[str, Any]:
    return {**schema_of(Kind.OBJECT), "description": _DESCRIPTIONS[name]}


def learned_property(field: str, name: str, kind: Kind) -> dict[str, Any]:
    """Give the schema of a learned column; its title is the field's name where it is another."""
    title = {"title": field} if field != name else {}
    return {**schema_of(kind), **title, "description": _LEARNED}
