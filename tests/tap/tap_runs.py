"""Running the tap as its users do, as a program of its own, and reading what it wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Message = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """A run that ended."""

    code: int
    output: str
    log: str

    @cached_property
    def messages(self) -> list[Message]:
        """The Singer messages in their order, with exact decimals."""
        return [json.loads(line, parse_float=Decimal) for line in self.output.splitlines()]

    def of_type(self, kind: str) -> list[Message]:
        """The messages of a type."""
        return [message for message in self.messages if message["type"] == kind]

    def records(self, stream: str) -> list[Message]:
        """The records of a stream, in their order."""
        return [m["record"] for m in self.of_type("RECORD") if m["stream"] == stream]

    @property
    def state(self) -> Message:
        """The last state that came out."""
        last: Message = self.of_type("STATE")[-1]["value"]
        return last

    def sentences(self, level: str) -> list[str]:
        """What was logged at a level, without time and name."""
        lines = [line.split(" | ", 3) for line in self.log.splitlines()]
        return [line[3] for line in lines if len(line) > 3 and line[1].strip() == level]


@dataclass(frozen=True)
class TapRuns:
    """Starts the tap in a folder and with a home of its own."""

    folder: Path
    environment: Mapping[str, str]
    config: dict[str, Any] = field(default_factory=dict)

    def __call__(
        self,
        *arguments: str,
        catalog: Any = None,
        state: Any = None,
        environment: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> Run:
        """Run to the end; settings add to those of all runs, ``None`` takes one away."""
        config = {k: v for k, v in {**self.config, **settings}.items() if v is not None}
        command = [sys.executable, "-m", "tap_cirqll", "--config", self.file("config", config)]
        for name, content in (("catalog", catalog), ("state", state)):
            if content is not None:
                command += [f"--{name}", self.file(name, content)]
        return self.command(*command, *arguments, environment=environment)

    def start(self, *arguments: str, **settings: Any) -> subprocess.Popen[str]:
        """Start a run and do not wait for it."""
        config = self.file("config", {**self.config, **settings})
        return subprocess.Popen(
            [sys.executable, "-m", "tap_cirqll", "--config", config, *arguments],
            cwd=self.folder,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def command(self, *command: str, environment: Mapping[str, str] | None = None) -> Run:
        """Run any command."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **(environment or {})},
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    def file(self, name: str, content: Any) -> str:
        """Write a file, JSON unless it is text already; its path."""
        path = self.folder / f"{name}.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return str(path)
