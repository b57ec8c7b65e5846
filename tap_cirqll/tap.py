"""The tap: its settings, its streams, and a sync that reads several streams side by side."""

from __future__ import annotations

import io
import json
import signal
import sys
from functools import cached_property
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th
from singer_sdk.helpers.capabilities import (
    CapabilitiesEnum,
    PluginCapabilities,
    TapCapabilities,
)
from singer_sdk.tap_base import Tap

from cirqll_client.errors import ScopeMissing, SettingInvalid
from cirqll_client.nested import TABLES
from cirqll_client.resources import RESOURCES
from cirqll_client.singer_programs import SIGNALLED, CirqllProgram, abandon_output, told
from cirqll_client.singer_settings import CONNECTION_SETTINGS, connection_settings
from tap_cirqll.certificates_stream import CertificatesStream
from tap_cirqll.custom_catalog import AS_ARRAY, AS_COLUMNS
from tap_cirqll.offer import (
    NOBODY_SIGNED_IN,
    known_scopes,
    may_be_read,
    may_be_signed_in,
    with_scopes,
)
from tap_cirqll.stream import (
    IN_STATE,
    IN_STORE,
    KEPT_AS_COLUMNS,
    KEPT_AS_JSON,
    LEFT_OUT,
    CirqllStream,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import FrameType

    import click
    from singer_sdk.streams import Stream

    from cirqll_client.connection import Connection
    from cirqll_client.learned_columns import Columns
    from cirqll_client.resources import Resource
    from tap_cirqll.sync import Sync

_NOTHING_SELECTED = (
    "The catalog selects no stream, so nothing is read: set selected to true in the metadata of "
    "the streams that you want."
)
_NOTHING_READABLE = (
    "Nothing may be read with this access token: it has none of the scopes for that, such as "
    "customer.read.all. Sign in again with the scopes that you need, or give another token."
)


class TapCirqll(CirqllProgram, Tap):
    """Reads the Cirqll CRM, whole and then what changed, without losing a row."""

    name = "tap-cirqll"
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        *CONNECTION_SETTINGS,
        th.Property(
            "start_date",
            th.DateTimeType,
            title="Start date",
            description="Rows that did not change since then are not read. All are, if not set.",
        ),
        th.Property(
            "lookback",
            th.NumberType(minimum=0),
            default=60,
            title="Lookback",
            description=(
                "Seconds before the bookmark from which a run reads again, for rows that the API "
                "shows late."
            ),
        ),
        th.Property(
            "undocumented_fields",
            th.StringType(allowed_values=[KEPT_AS_COLUMNS, KEPT_AS_JSON, LEFT_OUT]),
            default=KEPT_AS_COLUMNS,
            title="Undocumented fields",
            description=(
                "What becomes of fields that Cirqll does not document: columns gives each one of "
                "its own, json keeps them all in the column _undocumented, drop leaves them out."
            ),
        ),
        th.Property(
            "custom_fields",
            th.StringType(allowed_values=[AS_COLUMNS, AS_ARRAY]),
            default=AS_COLUMNS,
            title="Custom fields",
            description=(
                "What becomes of the values of custom fields: columns gives each field one of its "
                "own, typed and named as its definition says, array keeps them all in the column "
                "field_values."
            ),
        ),
        th.Property(
            "detect_deletions",
            th.BooleanType,
            default=False,
            title="Detect deletions",
            description=(
                "Find rows that were deleted in Cirqll and give them _sdc_deleted_at, read rows "
                "that came back, and count each stream against the account: one request a stream "
                "where nothing was deleted."
            ),
        ),
        th.Property(
            "max_deleted_share",
            th.NumberType(minimum=0, maximum=1),
            default=0.2,
            title="Max deleted share",
            description=(
                "The share of a stream's rows, from 0 to 1, that one run may mark as deleted; if "
                "more are gone, or all, none is marked, and a warning says so. 1 allows all."
            ),
        ),
        th.Property(
            "delivered_ids",
            th.StringType(allowed_values=[IN_STORE, IN_STATE]),
            default=IN_STORE,
            title="Delivered ids",
            description=(
                "Where the ids of the rows that you have are kept, to find those that were "
                "deleted: store, or state where no store lives from run to run (up to 64 KiB a "
                "stream)."
            ),
        ),
        th.Property(
            "strict",
            th.BooleanType,
            default=False,
            title="Strict",
            description=(
                "End with an error if the certificate of a stream says that it is incomplete, not "
                "with a warning."
            ),
        ),
        th.Property(
            "concurrency",
            th.IntegerType(minimum=1, maximum=16),
            default=4,
            title="Concurrency",
            description="How many streams are read side by side.",
        ),
    ).to_dict()

    _is_syncing = False
    _learned: Mapping[str, Columns] = MappingProxyType({})
    """Columns by stream that the catalog is to show."""
    _called: Mapping[int, str] = MappingProxyType({})
    """What custom fields are called, by id."""

    def discover_streams(self) -> list[Stream]:
        """Offer a stream for each resource that the token may read, as far as that is known.

        A catalog in hand was made before: what it selects is not left out without a word.
        Raises ``ScopeMissing`` where nothing may be read.
        """
        if self.input_catalog is not None:
            return self._streams_for(TABLES)
        offered = self._offered()
        self._tell_not_offered([one for one in RESOURCES if one not in offered])
        return self._streams_for(offered)

    def _offered(self) -> list[Resource]:
        """Give the tables that the token may read. Raises ``ScopeMissing`` if there is none."""
        offered = [table for table in TABLES if may_be_read(table, self.scopes)]
        if not any(resource in offered for resource in RESOURCES):
            raise ScopeMissing(_NOTHING_READABLE)
        return offered

    def _streams_for(self, tables: Iterable[Resource]) -> list[Stream]:
        return [*map(self._stream, tables), CertificatesStream(self)]

    def _stream(self, table: Resource) -> CirqllStream:
        learned = self._learned.get(table.stream)
        return CirqllStream(
            self, table, learned=learned, called=self._called, read_alone=self._read_alone
        )

    def _read_alone(self, stream: CirqllStream, connection: Connection) -> Iterator[Any]:
        """Give the rows of one stream, for the SDK's ``--test``."""
        from tap_cirqll.source_reading import rows_alone  # noqa: PLC0415 - not to discover

        return rows_alone(stream, connection, readable=self._streams_of_cirqll())

    def _streams_of_cirqll(self) -> list[CirqllStream]:
        return [one for one in self.streams.values() if isinstance(one, CirqllStream)]

    def run_discovery(self) -> str:
        """Print the catalog, with what the account was found to have; without one, as documented.

        Raises ``ScopeMissing`` where nothing may be read.
        """
        settings = connection_settings(self.config)
        if not may_be_signed_in(settings):
            self.logger.info(NOBODY_SIGNED_IN)
        elif not self._has_wrong_settings:
            from tap_cirqll.discovery import found_in_account  # noqa: PLC0415 - slow import

            found = found_in_account(
                settings,
                [self._stream(table) for table in self._offered()],
                at_once=self.config["concurrency"],
                logger=self.logger,
            )
            self._learned, self._called = found.columns, found.called
        return super().run_discovery()

    @cached_property
    def scopes(self) -> frozenset[str] | None:
        """The scopes of the token that a run begins with; ``None`` where they are not known."""
        if self._has_wrong_settings:
            return None
        return known_scopes(connection_settings(self.config))

    def _tell_not_offered(self, resources: list[Resource]) -> None:
        if resources:
            self.logger.info(
                "Not offered, because the access token lacks the scope: %s.", with_scopes(resources)
            )

    def setup_mapper(self) -> None:
        """Give streams of a catalog their key: without one a loader would add rows for ever."""
        keys = {table.stream: table.keys for table in TABLES}
        keys[CertificatesStream.name] = CertificatesStream.primary_keys
        for name, entry in (self.input_catalog or {}).items():
            entry.key_properties = list(keys.get(name, ("id",)))
        super().setup_mapper()
        if self.input_catalog is None:
            self._map_what_is_not_selected()

    def _map_what_is_not_selected(self) -> None:
        """Know the fields of streams that only ``--test`` reads, which selects them too late."""
        for one in self._streams_of_cirqll():
            if not one.selected:
                self.mapper.register_raw_stream_schema(one.name, one.schema, one.primary_keys)

    def load_state(self, state: dict[str, Any]) -> None:
        """Take the state. Raises ``SettingInvalid`` for one that is none."""
        if state:
            from tap_cirqll.bookmarks import ACCOUNT, check  # noqa: PLC0415 - not to discover
            from tap_cirqll.store_mark import STORE  # noqa: PLC0415

            check(state)
            for key in {ACCOUNT, STORE} & state.keys():  # the SDK takes the bookmarks alone
                self.state[key] = state[key]  # type: ignore[literal-required]
        super().load_state(state)

    def sync_all(self) -> None:  # type: ignore[misc] # the SDK's own reads one after the other
        """Read the selected streams side by side; write records and state as they come.

        Raises any ``CirqllError``; for a broken state or catalog before anything was sent.
        """
        from tap_cirqll.bookmarks import stamp  # noqa: PLC0415 - not to discover
        from tap_cirqll.input_catalog import check_content  # noqa: PLC0415

        self._is_syncing = True
        streams = self._streams_of_cirqll()
        if self.input_catalog is not None:
            resources = {one.name: one.resource for one in streams}
            of_cirqll = dict(self.input_catalog)
            of_cirqll.pop(CertificatesStream.name, None)
            check_content(of_cirqll, resources)
        if not any(one.selected for one in streams):
            self.logger.warning(_NOTHING_SELECTED)
        has_state = bool(self.state)
        settings = connection_settings(self.config)
        stamp(self.state, account=settings.account, api_url=settings.api_url)
        sync = self._sync_of(streams)
        if has_state:
            self.state_writer.write_state(self.state)
        sync.run(is_stopping=lambda: self._stopped_by is not None)
        if self._stopped_by is not None:
            self.logger.warning(
                "Stopped by %s after a whole page; the next run goes on from there.",
                signal.Signals(self._stopped_by).name,
            )
            sys.exit(SIGNALLED + self._stopped_by)

    def _sync_of(self, streams: list[CirqllStream]) -> Sync:
        """Prepare the run; a catalog that leaves out no more than the scopes do is no choice.

        Raises ``SettingInvalid`` for a broken state or start date.
        """
        from tap_cirqll.sources import sources_of  # noqa: PLC0415 - not to discover
        from tap_cirqll.sync import Sync  # noqa: PLC0415

        beyond = [one for one in streams if not may_be_read(one.resource, self.scopes)]
        left_out = [one for one in streams if one.resource in RESOURCES and not one.selected]
        is_choice = not set(left_out) <= set(beyond)
        if not is_choice:
            self._tell_not_offered([one.resource for one in left_out])
        readable = [one for one in streams if one not in beyond]
        sources = sources_of([one for one in readable if one.selected], readable=readable)
        for source in sources:
            source.beginning()
        return Sync(
            self,
            sources,
            out_of_scope=[one for one in beyond if one.selected],
            is_choice=is_choice,
        )

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop a sync after the page that is being written; a second signal stops at once."""
        del frame
        if self._stopped_by is not None or not self._is_syncing:
            abandon_output()
            sys.exit(SIGNALLED + signum)
        self._stopped_by = signum

    @classmethod
    def invoke(
        cls,
        *,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
        **options: Any,  # noqa: ANN401 - the SDK's
    ) -> None:
        """Run the command."""
        with told(cls.logger):
            state, catalog = _readable(state, "state"), _readable(catalog, "catalog")
            if catalog is not None:
                from tap_cirqll.input_catalog import check_form  # noqa: PLC0415 - not to discover

                check_form(json.loads(catalog.getvalue()))
            super().invoke(state=state, catalog=catalog, **options)

    @classmethod
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:  # noqa: FBT001 - the SDK's
        """Print the catalog."""
        with told(cls.logger):
            super().cb_discover(ctx, param, value)

    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Read a record of each stream."""
        with told(cls.logger):
            super().cb_test(ctx, param, value)


def _readable(file: IO[str] | None, name: str) -> io.StringIO | None:
    """Give the file again if it holds a JSON object. Raises ``SettingInvalid``."""
    if file is None:
        return None
    text = file.read()
    try:
        is_object = isinstance(json.loads(text), dict)
    except ValueError:
        is_object = False
    if not is_object:
        msg = f"The file of --{name} holds no JSON object; give it the {name} as it was written."
        raise SettingInvalid(msg)
    return io.StringIO(text)
