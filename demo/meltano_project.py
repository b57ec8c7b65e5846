"""A copy of this repository's Meltano project in a folder of its own, and running it.

The copy has the same `meltano.yml` and the same installed plugins, but its own bookmarks, and none
of the settings that the user keeps in `.env` or in the environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from demo.failures import DemoError, end_of
from demo.processes import running

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

REPOSITORY = Path(__file__).parents[1]

_SETTINGS = ("CIRQLL_", "DATABASE_URL", "MELTANO_", "TAP_CIRQLL_", "TARGET_", "SINGER_SDK_", "PG")


@dataclass(frozen=True, slots=True)
class MeltanoProject:
    """One folder that Meltano works in."""

    folder: Path
    settings: Mapping[str, str]

    def run(self, *arguments: str, log: Path, timeout_seconds: float = 600) -> float:
        """Do `meltano run`, with all that it says in `log`; the seconds it took."""
        started = time.monotonic()
        if self.status_of(*arguments, log=log, timeout_seconds=timeout_seconds):
            message = f"`meltano run {' '.join(arguments)}` failed. {end_of(log)}"
            raise DemoError(message)
        return time.monotonic() - started

    def status_of(self, *arguments: str, log: Path, timeout_seconds: float = 600) -> int:
        """Do `meltano run`, which may fail; its exit code."""
        with log.open("wb") as output, self.started(*arguments, output=output) as process:
            return _status_within(process, timeout_seconds, log)

    def started(
        self, *arguments: str, output: IO[bytes]
    ) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """Start `meltano run`; when the context ends, so does it."""
        return running(
            [str(program("meltano")), "run", *arguments],
            environment=self.environment(),
            folder=self.folder,
            output=output,
        )

    def setting(self, **settings: str) -> MeltanoProject:
        """Give the same project with other settings."""
        return replace(self, settings={**self.settings, **settings})

    def environment(self) -> dict[str, str]:
        """Give the process's environment with this project's settings instead of the user's."""
        kept = {name: value for name, value in os.environ.items() if not _is_setting(name)}
        return {**kept, "MELTANO_PROJECT_ROOT": str(self.folder), "NO_COLOR": "1", **self.settings}


def new_project(folder: Path, settings: Mapping[str, str]) -> MeltanoProject:
    """Make a project without bookmarks in this folder; what was there before is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    state_folder = folder / ".meltano"
    state_folder.mkdir(parents=True)
    shutil.copy(REPOSITORY / "meltano.yml", folder)
    for kind in ("extractors", "loaders"):
        (state_folder / kind).symlink_to(REPOSITORY / ".meltano" / kind)
    return MeltanoProject(folder, dict(settings))


def program(name: str) -> Path:
    """Find where `make` installed Meltano, or a plugin of the Meltano project."""
    places = {
        "meltano": ".meltano-venv/bin/meltano",
        "tap-cirqll": ".meltano/extractors/tap-cirqll/venv/bin/tap-cirqll",
        "tap-postgres": ".meltano/extractors/tap-postgres/venv/bin/tap-postgres",
        "target-cirqll": ".meltano/loaders/target-cirqll/venv/bin/target-cirqll",
        "target-postgres": ".meltano/loaders/target-postgres/venv/bin/target-postgres",
        "target-jsonl": ".meltano/loaders/target-jsonl/venv/bin/target-jsonl",
    }
    path = REPOSITORY / places[name]
    if not path.exists():
        message = f"{name} is not installed at {path}. `make test` and `make demo` install it."
        raise DemoError(message)
    return path


def _is_setting(name: str) -> bool:
    return name.startswith(_SETTINGS)


def _status_within(process: subprocess.Popen[bytes], seconds: float, log: Path) -> int:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired as error:
        message = f"Meltano did not end within {seconds:g} seconds: see {log}."
        raise DemoError(message) from error
