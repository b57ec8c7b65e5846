"""What tap and target do alike as programs: how they take their settings, fail and stop."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from singer_sdk import mapper
from singer_sdk.exceptions import ConfigValidationError, RecordsWithoutSchemaException
from singer_sdk.plugin_base import PluginBase
from singer_sdk.singerlib.exceptions import InvalidInputLine

from cirqll_client.errors import CirqllError
from cirqll_client.settings import load_env_file
from cirqll_client.singer_settings import (
    environment_settings,
    setting_errors,
    settings_given,
    typed_settings,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.plugin_base import _ConfigInput

SIGNALLED = 128
"""A process that a signal ended has this exit code plus the signal's number."""

_PIPE_BROKEN = (
    "The program that reads the output of %s went away, so the run stopped; its own log "
    "tells why. The next run goes on from the last state that it kept."
)


class CirqllProgram(PluginBase):
    """A Singer program whose settings may come from files, the environment and ``.env``."""

    _stopped_by: int | None = None
    _has_wrong_settings = False
    """As they may be to discover: only a run stops at them."""

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings, with a sentence for each that is wrong."""
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        # Meltano has no kind for a fraction, and takes any word for a truth or its opposite.
        self._config = typed_settings(self._config, schema)
        errors = setting_errors(self._config, schema)
        if errors and raise_errors:
            summary = f"The settings of {self.name} are wrong"
            raise ConfigValidationError(summary, errors=errors, schema=schema)
        defaults = {
            name: of["default"] for name, of in schema["properties"].items() if "default" in of
        }
        self._config = {**defaults, **settings_given(self._config)}
        self._has_wrong_settings = bool(errors)
        return errors

    def setup_mapper(self) -> None:
        """Read the stream maps; what they make of each row is not logged."""
        logging.getLogger(mapper.__name__).setLevel(logging.INFO)
        super().setup_mapper()

    @property
    def _env_var_config(self) -> dict[str, Any]:
        """Settings from the environment and ``.env``, by own names or those of ``.env.example``."""
        load_env_file()  # the SDK looks for it beside its own files
        self.append_builtin_config(self.config_jsonschema)
        names = ("CIRQLL_", self._env_var_prefix)
        found = [environment_settings(self.config_jsonschema, prefix=one) for one in names]
        return {name: value for settings in found for name, value in settings.items()}

    @classmethod
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        """Read the configuration files; without any, the environment."""
        missing = [name for name in value if name != "ENV" and not Path(name).exists()]
        if missing:
            msg = f"There is no file {missing[0]}, from which --config is to read the settings."
            raise click.UsageError(msg)
        try:
            return super().cb_config(ctx, param, value or ("ENV",))
        except (OSError, ValueError, TypeError) as error:
            msg = (
                f"The settings could not be read from {', '.join(value)}: each must be a file with "
                'one JSON object like {"api_url": "…"}, or the word ENV.'
            )
            raise click.UsageError(msg) from error


@contextmanager
def told(logger: logging.Logger) -> Iterator[None]:
    """Log what failed on purpose, without a traceback, and exit with 1. Bugs pass through.

    The logger has the name of the program.
    """
    try:
        yield
    except ConfigValidationError as error:
        for sentence in error.errors:
            logger.error("%s", sentence)  # noqa: TRY400 - a sentence, no traceback
        sys.exit(1)
    except (CirqllError, InvalidInputLine, RecordsWithoutSchemaException) as error:
        logger.error("%s", error.args[0])  # noqa: TRY400
        sys.exit(1)
    except BrokenPipeError:
        logger.error(_PIPE_BROKEN, logger.name)  # noqa: TRY400
        abandon_output()
        sys.exit(1)


@contextmanager
def bugs_told_by_place(logger: logging.Logger) -> Iterator[None]:
    """Log where a bug is, and exit with 1; the SDK would log its words, which may repeat a row."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a bug may be of any kind
        logger.error("%s", _place_of(error))  # noqa: TRY400
        sys.exit(1)


def _place_of(bug: Exception) -> str:
    """Write a traceback without the words of its errors."""
    lines = []
    error: BaseException | None = bug
    while error is not None:
        lines += [f"{type(error).__name__}, raised in\n", *traceback.format_tb(error.__traceback__)]
        error = error.__cause__ or error.__context__
    return (
        "The run stopped at a mistake of this program itself. Report it with the version of this "
        f"program and the following lines, which show no data.\n{''.join(lines).rstrip()}"
    )


def abandon_output() -> None:
    """Write no more to stdout, which the interpreter would flush, or wait for, at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
