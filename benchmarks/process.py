"""Child processes: what they used, and the bound on their time."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    import resource
    from collections.abc import Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
MODULE: Final = (sys.executable, "-m")
BYTES_PER_MAXRSS: Final = 1 if sys.platform == "darwin" else 1024
COMPLAINT_CHARACTERS: Final = 1500


class RunFailedError(Exception):
    """A measured process failed or took longer than its bound: there is no figure to report."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run took, all processes of the pipe together, the peak that of the largest."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int


def run(
    *commands: Sequence[str],
    timeout_seconds: float,
    stdin: Path | None = None,
    stdout: Path | None = None,
    stderr: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Usage:
    """Run commands, joined by pipes, to their end; what has no file goes nowhere.

    The peak of a child is never less than what this process takes (Linux counts what was resident
    before `exec`), so this process must stay smaller than what it measures.
    """
    with ExitStack() as stack:
        source = stack.enter_context(Path(stdin or os.devnull).open("rb"))
        sink = stack.enter_context(Path(stdout or os.devnull).open("wb"))
        log = stack.enter_context(_log(stderr))
        children: list[subprocess.Popen[bytes]] = []
        started = time.perf_counter()
        try:
            for command in commands:
                reads = children[-1].stdout if children else source
                writes = sink if command is commands[-1] else subprocess.PIPE
                children.append(_start(command, reads, writes, log, environment or {}))
            used = _wait(children, timeout_seconds)
        finally:
            _kill(children)
        wall_seconds = time.perf_counter() - started
        for command, child in zip(commands, children, strict=True):
            if child.returncode:
                raise RunFailedError(_complaint(command, child.returncode, log))
    return Usage(
        wall_seconds=wall_seconds,
        cpu_seconds=sum(one.ru_utime + one.ru_stime for one in used),
        peak_bytes=max(one.ru_maxrss for one in used) * BYTES_PER_MAXRSS,
    )


def _log(path: Path | None) -> IO[bytes]:
    return path.open("w+b") if path else tempfile.TemporaryFile()  # closed by `run`


def _start(
    command: Sequence[str],
    source: IO[bytes] | None,
    sink: IO[bytes] | int,
    log: IO[bytes],
    environment: Mapping[str, str],
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=source,
            stdout=sink,
            stderr=log,
        )
    except OSError as error:
        msg = f"`{command[0]}` could not be started, so it has no figure: {error.strerror}."
        raise RunFailedError(msg) from error
    finally:
        if source:
            source.close()  # else the one before would never see that its reader has gone


def _wait(
    children: Sequence[subprocess.Popen[bytes]], timeout_seconds: float
) -> list[resource.struct_rusage]:
    alarm = threading.Timer(timeout_seconds, _kill, [children])
    alarm.start()
    try:
        return [_reap(child) for child in children]
    finally:
        alarm.cancel()


def _reap(child: subprocess.Popen[bytes]) -> resource.struct_rusage:
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return usage


def _kill(children: Sequence[subprocess.Popen[bytes]]) -> None:
    for child in children:
        child.kill()  # does nothing to a child that was waited for


def _complaint(command: Sequence[str], status: int, log: IO[bytes]) -> str:
    log.seek(0)
    words = log.read().decode(errors="replace")[-COMPLAINT_CHARACTERS:]
    how = "took longer than its bound" if status < 0 else f"ended with status {status}"
    return f"`{' '.join(command)}` {how}, so it has no figure. Its last words:\n{words}"
