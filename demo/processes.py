"""Child processes that are sure to end: each leads a group, and the group goes with it."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from demo.interruptions import noted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SECONDS_TO_END = 10


@contextmanager
def running(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    output: IO[bytes],
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a session of its own, so that Ctrl-C reaches us first, then end it."""
    process: subprocess.Popen[bytes] | None = None
    try:
        with noted():
            process = subprocess.Popen(
                list(command),
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        yield process
    finally:
        if process:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end; whatever is left of its group after some seconds is killed."""
    if process.poll() is None:
        _signal_group(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS_TO_END)
    _signal_group(process, signal.SIGKILL)
    process.wait(SECONDS_TO_END)


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
