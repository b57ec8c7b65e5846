"""`tap-cirqll | target-postgres` as plain processes, and killing them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from demo.meltano_project import program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    State = dict[str, Any]
    Victim = Literal["tap", "target", "both"]

SECONDS_FOR_A_RUN = 120


@dataclass(frozen=True, slots=True)
class Outcome:
    """How both programs ended, and the last STATE that came out of the target."""

    tap_status: int
    target_status: int
    state: State | None
    log: str

    @property
    def succeeded(self) -> bool:
        """Both ended well."""
        return self.tap_status == self.target_status == 0


@dataclass(frozen=True, slots=True)
class Pipe:
    """A tap and a target with their settings."""

    folder: Path
    environment: Mapping[str, str]
    tap: dict[str, Any]
    target: dict[str, Any]
    catalog: dict[str, Any] | None = None

    def run(
        self, state: State | None = None, *, started: Callable[[Processes], object] | None = None
    ) -> Outcome:
        """Run both to their end; `started` is called as soon as they run."""
        with (
            (self.folder / "tap.log").open("wb") as tap_log,
            (self.folder / "target.log").open("wb") as target_log,
        ):
            processes = self._start(state, tap_log, target_log)
            if started:
                started(processes)
            try:
                output, _ = processes.target.communicate(timeout=SECONDS_FOR_A_RUN)
                processes.tap.wait(SECONDS_FOR_A_RUN)
            finally:
                processes.kill("both")
        return Outcome(
            processes.tap.returncode, processes.target.returncode, _last_state(output), self._log()
        )

    def output_of_tap(self) -> bytes:
        """What the tap writes in a run from the beginning."""
        finished = subprocess.run(
            self._tap_command(None), env=dict(self.environment), capture_output=True,
            timeout=SECONDS_FOR_A_RUN, check=False,
        )  # fmt: skip
        assert finished.returncode == 0, finished.stderr.decode()
        return finished.stdout

    def load(self, messages: bytes) -> Outcome:
        """Give these messages to the target alone."""
        finished = subprocess.run(
            self._target_command(), env=dict(self.environment), input=messages,
            capture_output=True, timeout=SECONDS_FOR_A_RUN, check=False,
        )  # fmt: skip
        state = _last_state(finished.stdout)
        return Outcome(0, finished.returncode, state, finished.stderr.decode())

    def _start(self, state: State | None, tap_log: IO[bytes], target_log: IO[bytes]) -> Processes:
        tap = subprocess.Popen(
            self._tap_command(state), env=dict(self.environment), stdout=subprocess.PIPE,
            stderr=tap_log,
        )  # fmt: skip
        target = subprocess.Popen(
            self._target_command(), env=dict(self.environment), stdin=tap.stdout,
            stdout=subprocess.PIPE, stderr=target_log,
        )  # fmt: skip
        assert tap.stdout
        tap.stdout.close()
        return Processes(tap, target)

    def _tap_command(self, state: State | None) -> list[str]:
        command = [str(program("tap-cirqll")), "--config", self._file("tap.json", self.tap)]
        if self.catalog is not None:
            command += ["--catalog", self._file("catalog.json", self.catalog)]
        return command if state is None else [*command, "--state", self._file("state.json", state)]

    def _target_command(self) -> list[str]:
        return [str(program("target-postgres")), "--config", self._file("target.json", self.target)]

    def _file(self, name: str, content: Mapping[str, Any]) -> str:
        path = self.folder / name
        path.write_text(json.dumps(content))
        return str(path)

    def _log(self) -> str:
        return "".join((self.folder / name).read_text() for name in ("tap.log", "target.log"))


@dataclass(frozen=True, slots=True)
class Processes:
    """The two running programs."""

    tap: subprocess.Popen[bytes]
    target: subprocess.Popen[bytes]

    def kill(self, victim: Victim) -> None:
        """End them at once, as a power cut would."""
        for name, process in (("tap", self.tap), ("target", self.target)):
            if victim in {name, "both"} and process.poll() is None:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)


def kill_in_group(leader: int, program: str) -> None:
    """End the processes of a group that run this program at once, as a power cut would."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_it = f"/bin/{program}\0".encode() in (folder / "cmdline").read_bytes()
            if is_it and os.getpgid(int(folder.name)) == leader:
                os.kill(int(folder.name), signal.SIGKILL)


def _last_state(output: bytes) -> State | None:
    lines = output.decode().splitlines()
    return json.loads(lines[-1]) if lines else None
