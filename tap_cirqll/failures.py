"""How a command that fails ends: one sentence for each thing that is wrong, and an exit code."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from singer_sdk.exceptions import ConfigValidationError

from cirqll_client.errors import CirqllError

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

_PIPE_BROKEN = (
    "The program that reads the output of tap-cirqll went away, so the run stopped; its own log "
    "tells why. The next run goes on from the last state that it kept."
)


@contextmanager
def told(logger: logging.Logger) -> Iterator[None]:
    """Log what failed on purpose, without a traceback, and exit with 1. Bugs pass through."""
    try:
        yield
    except ConfigValidationError as error:
        for sentence in error.errors:
            logger.error("%s", sentence)  # noqa: TRY400 - a sentence, no traceback
        sys.exit(1)
    except CirqllError as error:
        logger.error("%s", error.sentence)  # noqa: TRY400
        sys.exit(1)
    except BrokenPipeError:
        logger.error(_PIPE_BROKEN)  # noqa: TRY400
        abandon_output()
        sys.exit(1)


def abandon_output() -> None:
    """Write no more to stdout, which the interpreter would flush, or wait for, at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
