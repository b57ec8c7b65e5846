"""The target: its settings, and the way of each Singer message to the run."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, ClassVar, NamedTuple

from singer_sdk import typing as th
from singer_sdk.exceptions import RecordsWithoutSchemaException
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities
from singer_sdk.mapper import RemoveRecordTransform
from singer_sdk.singerlib.exceptions import InvalidInputLine
from singer_sdk.singerlib.json import serialize_json
from singer_sdk.target_base import Target

from cirqll_client.errors import SettingInvalid
from cirqll_client.singer_programs import SIGNALLED, CirqllProgram, bugs_told_by_place, told
from cirqll_client.singer_settings import CONNECTION_SETTINGS, connection_settings
from target_cirqll.destinations import destination_of
from target_cirqll.message_reader import MessageReader
from target_cirqll.rows import Reject
from target_cirqll.settings import TARGET_SETTINGS, policy_of, reporting_of
from target_cirqll.sink import CirqllSink

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

    from singer_sdk.mapper import StreamMap
    from singer_sdk.plugin_base import _ConfigInput

    from cirqll_client.resources import Resource
    from target_cirqll.message_reader import Message
    from target_cirqll.sink import Entrance, Writing

_WITH_REJECTS = 3
"""The exit code of a run that went to its end, but rejected rows."""


class _Announced(NamedTuple):
    """What a SCHEMA message says of its stream."""

    schema: dict[str, Any]
    key_properties: list[str]


class _Way(NamedTuple):
    """Where the rows of a stream go."""

    map: StreamMap
    entrance: Entrance
    sink: CirqllSink


class TargetCirqll(CirqllProgram, Target):
    """Writes rows to the Cirqll CRM: only what changed, and nothing twice."""

    name = "target-cirqll"
    package_name = "tap-cirqll"
    default_sink_class = CirqllSink
    message_reader_class = MessageReader
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        *CONNECTION_SETTINGS, *TARGET_SETTINGS
    ).to_dict()

    message_reader: MessageReader
    _has_told_of_versions = False

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - the SDK's
        """Prepare the program; the run begins when it is first used."""
        self._ways: dict[str, list[_Way]] = {}
        self._announced: dict[str, _Announced] = {}
        super().__init__(**options)
        self.max_parallelism = 1  # a run has threads of its own

    @cached_property
    def run(self) -> Writing:
        """The run that writes. Raises any ``CirqllError``."""
        from target_cirqll.run import Run  # noqa: PLC0415 - not for --about

        return Run(
            connection_settings(self.config),
            policy_of(self.config),
            reporting_of(self.config),
            outlet=self._write_state_message,
            logger=self.logger,
            drain=self._drain_of,
        )

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Declare the SDK's settings for maps; a target's own have no meaning for an API."""
        super(Target, cls).append_builtin_config(config_jsonschema)

    @classmethod
    def invoke(  # type: ignore[override] # as the SDK's own does
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        file_input: IO[str] | None = None,
    ) -> None:
        """Run the command, and exit with a code that says how it went."""
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        with bugs_told_by_place(cls.logger), told(cls.logger):
            given = (
                {"config": config.config, "parse_env_config": config.parse_env} if config else {}
            )
            target = cls(**given)
            with closing(target.run):
                target.listen(file_input)
            sys.exit(target.exit_code)

    @property
    def exit_code(self) -> int:
        """How the run went, once it has ended without an error."""
        if self._stopped_by is not None:
            return SIGNALLED + self._stopped_by
        return _WITH_REJECTS if self.run.has_rejects and self.config["fail_on_rejects"] else 0

    def setup_mapper(self) -> None:
        """Read the stream maps. Raises ``SettingInvalid``."""
        try:
            super().setup_mapper()
        except Exception as error:
            raise _maps_invalid(error) from error

    def process_endofpipe(self) -> None:
        """Write what is left, unless a signal stopped the run: that could take very long."""
        if self._stopped_by is None:
            self.drain_all(is_endofpipe=True)
        if self._stopped_by is None:
            self.run.finish()
        if self._stopped_by is not None:
            self.logger.warning(
                "Stopped by %s; the next run goes on from the last state that came out.",
                signal.Signals(self._stopped_by).name,
            )

    def _process_schema_message(self, message_dict: Message) -> None:
        """Lay the ways of a stream's rows; those that came before the change are written first."""
        stream = message_dict["stream"]
        announced = _Announced(message_dict["schema"], message_dict.get("key_properties") or [])
        if self._announced.get(stream) == announced:
            return
        for way in self._ways.get(stream, []):
            self.drain_one(way.sink)
        try:
            self.mapper.register_raw_stream_schema(stream, *announced)
        except Exception as error:
            raise _maps_invalid(error, stream) from error
        self._ways[stream] = list(self._ways_of(stream))
        self._announced[stream] = announced

    def _ways_of(self, stream: str) -> Iterator[_Way]:
        """Lay a way for each map of a stream. Raises ``SettingInvalid``."""
        taken: set[str] = set()
        for stream_map in self.mapper.stream_maps[stream]:
            if isinstance(stream_map, RemoveRecordTransform):
                continue
            resource = destination_of(stream_map.stream_alias, write_mode=self.config["write_mode"])
            if resource.name in taken:
                msg = (
                    f"The setting stream_maps writes each row of the stream {stream} to "
                    f"{resource.stream} twice, as if it were two records: leave one of them out."
                )
                raise SettingInvalid(msg)
            taken.add(resource.name)
            keys = tuple(stream_map.transformed_key_properties or ())
            entrance = self.run.entrance(stream, resource, key_properties=keys)
            yield _Way(stream_map, entrance, self._sink_of(resource))

    def _drain_of(self, resource: Resource) -> None:
        """Write what waits for a resource, since rows of another one may need it."""
        sink = self._sinks_active.get(resource.stream)
        if sink is not None:
            self.drain_one(sink)

    def _sink_of(self, resource: Resource) -> CirqllSink:
        sink = self._sinks_active.get(resource.stream)
        if not isinstance(sink, CirqllSink):
            sink = CirqllSink(self, run=self.run, resource=resource)
            self._sinks_active[resource.stream] = sink
        return sink

    def _process_record_message(self, message_dict: Message) -> None:
        """Understand a row at once, without the SDK's validation: ours takes its place."""
        stream = message_dict["stream"]
        if stream not in self._ways:
            msg = (
                f"A row of the stream {stream} came before its SCHEMA message, so nothing is known "
                "of its key: the tap that wrote it has to be mended."
            )
            raise RecordsWithoutSchemaException(msg)
        for way in self._ways[stream]:
            self._take(message_dict, way)
        self._handle_max_record_age()

    def _take(self, message: Message, way: _Way) -> None:
        record = message["record"]
        try:
            mapped = way.map.transform(record)  # which it leaves as it is
        except Exception as error:  # noqa: BLE001 - an expression of the user's may raise anything
            way.entrance.refuse(record, _unmapped(message["stream"], error))
            return
        row = None if mapped is None else way.entrance.read(mapped)
        if row is not None:
            way.sink.take(row)
        if way.sink.is_full:
            self.drain_one(way.sink)

    def _process_state_message(self, message_dict: Message) -> None:
        """Hand on the state; the SDK would keep it until all is drained."""
        self.run.state(message_dict["value"])
        self._handle_max_record_age()

    def _process_activate_version_message(self, message_dict: Message) -> None:
        """Do nothing: other rows than the newest version's may be the CRM's own."""
        del message_dict
        if not self._has_told_of_versions:
            self._has_told_of_versions = True
            self.logger.info(
                "The input says which version of a table is in force (ACTIVATE_VERSION). That is "
                "ignored: nothing in Cirqll is deleted for it."
            )

    def _process_batch_message(self, message_dict: Message) -> None:
        """Refuse: rows come as RECORD messages only."""
        msg = (
            f"The stream {message_dict.get('stream')} comes as files (BATCH messages), which "
            "target-cirqll does not read: remove batch_config from the settings of the tap."
        )
        raise InvalidInputLine(msg)

    def _write_state_message(self, state: Mapping[str, Any]) -> None:
        """Write the state as it came, numbers to the last digit."""
        sys.stdout.write(f"{serialize_json(state)}\n")
        sys.stdout.flush()

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """End what is in flight and begin nothing new; a second signal ends at once."""
        del frame
        if self._stopped_by is not None:
            os._exit(SIGNALLED + signum)
        self._stopped_by = signum
        if "run" not in vars(self):
            sys.exit(SIGNALLED + signum)
        self.run.stop()
        self.message_reader.stop()


def _maps_invalid(error: Exception, stream: str = "") -> SettingInvalid:
    """Say it in the SDK's words: they are about expressions, not about rows."""
    of_stream = f" for the stream {stream}" if stream else ""
    words = str(error.args[0] if error.args else type(error).__name__).rstrip(".")
    return SettingInvalid(f"The setting stream_maps cannot be used{of_stream}: {words}.")


def _unmapped(stream: str, error: Exception) -> Reject:
    """Name the kind of error only: its words may hold what is in the row."""
    cause = type(error.__cause__ or error).__name__
    reason = f"The stream map of the stream {stream} fails on this row ({cause}): correct it."
    return Reject("invalid", reason)
