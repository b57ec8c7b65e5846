"""The tap: its settings, its streams, and a sync that reads several streams side by side."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from typing import IO, TYPE_CHECKING, Any, ClassVar

import click
from singer_sdk import typing as th
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import (
    CapabilitiesEnum,
    PluginCapabilities,
    TapCapabilities,
)
from singer_sdk.tap_base import Tap

from cirqll_client.errors import CirqllError, SettingInvalid
from cirqll_client.resources import RESOURCES
from cirqll_client.singer_settings import CONNECTION_SETTINGS, setting_errors
from tap_cirqll.stream import KEPT_AS_JSON, CirqllStream

if TYPE_CHECKING:
    from types import FrameType

    from singer_sdk.plugin_base import _ConfigInput

_SIGNALLED = 128
"""A process that a signal ended has this exit code plus the signal's number."""
_PIPE_BROKEN = (
    "The program that reads the output of tap-cirqll went away, so the run stopped; its own log "
    "tells why. The next run goes on from the last state that it kept."
)


class TapCirqll(Tap):
    """Reads the Cirqll CRM, whole and then what changed, without losing a row."""

    name = "tap-cirqll"
    message_writer_class = MsgSpecWriter
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
            th.StringType(allowed_values=[KEPT_AS_JSON, "drop"]),
            default=KEPT_AS_JSON,
            title="Undocumented fields",
            description=(
                "What becomes of fields that no schema has: json keeps them all in the column "
                "_undocumented, drop leaves them out."
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

    _stopped_by: int | None = None

    def discover_streams(self) -> list[CirqllStream]:
        """Offer a stream for each resource."""
        return [CirqllStream(self, resource) for resource in RESOURCES]

    def load_state(self, state: dict[str, Any]) -> None:
        """Take the state. Raises ``SettingInvalid`` for one that is none."""
        from tap_cirqll.bookmarks import check  # noqa: PLC0415 - not needed to discover

        if state:
            check(state)
        super().load_state(state)

    def sync_all(self) -> None:  # type: ignore[misc] # the SDK's own reads one after the other
        """Read the selected streams side by side; write records and state as they come."""
        from tap_cirqll.sync import Sync  # noqa: PLC0415 - not needed to discover

        self._check_catalog()
        if self.state:
            self.state_writer.write_state(self.state)
        streams = [one for one in self.streams.values() if isinstance(one, CirqllStream)]
        sync = Sync(self, [one for one in streams if one.selected])
        sync.run(is_stopping=lambda: self._stopped_by is not None)
        if self._stopped_by is not None:
            self.logger.warning(
                "Stopped by %s after a whole page; the next run goes on from there.",
                signal.Signals(self._stopped_by).name,
            )
            sys.exit(_SIGNALLED + self._stopped_by)

    def _check_catalog(self) -> None:
        """Raise ``SettingInvalid`` for a catalog of something else."""
        for name, entry in (self.input_catalog or {}).items():
            is_selected = bool(entry.metadata.root.selected)
            if name not in self.streams and is_selected:
                msg = (
                    f"The catalog selects the stream {name}, which Cirqll does not have. Its "
                    f"streams are {', '.join(self.streams)}: make a catalog with --discover."
                )
                raise SettingInvalid(msg)
            if name in self.streams and "id" not in (entry.schema.properties or {}):
                msg = (
                    f"The catalog has no field id in the stream {name}, by which rows are told "
                    "apart: make a catalog with --discover."
                )
                raise SettingInvalid(msg)

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, with a sentence for each that is wrong."""
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        errors = setting_errors(self._config, schema)
        if errors and raise_errors:
            summary = "The settings of tap-cirqll are wrong"
            raise ConfigValidationError(summary, errors=errors, schema=schema)
        defaults = {
            name: of["default"] for name, of in schema["properties"].items() if "default" in of
        }
        self._config = {**defaults, **self._config}
        return errors

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Stop after the page that is being written; a second signal stops at once."""
        del frame
        if self._stopped_by is not None:
            sys.exit(_SIGNALLED + signum)
        self._stopped_by = signum

    @classmethod
    def invoke(
        cls,
        *,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
        **options: Any,  # noqa: ANN401 - the SDK's
    ) -> None:
        """Run the command; what fails on purpose is one sentence and a non-zero exit code."""
        try:
            state, catalog = _readable(state, "state"), _readable(catalog, "catalog")
            super().invoke(state=state, catalog=catalog, **options)
        except CirqllError as error:
            cls.logger.error("%s", error.sentence)  # noqa: TRY400 - a sentence, no traceback
            sys.exit(1)
        except BrokenPipeError:
            cls.logger.error(_PIPE_BROKEN)  # noqa: TRY400
            # The interpreter would flush stdout once more, and fail once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)

    @classmethod
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        """Read the configuration files."""
        try:
            return super().cb_config(ctx, param, value)
        except (OSError, ValueError, TypeError) as error:
            msg = (
                f"The settings could not be read from {', '.join(value)}: each must be a file with "
                'one JSON object like {"api_url": "…"}, or the word ENV.'
            )
            raise click.UsageError(msg) from error


def _readable(file: IO[str] | None, name: str) -> IO[str] | None:
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
