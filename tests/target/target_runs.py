"""Running the target as its users do, as a program of its own, and reading what it wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

Message = dict[str, Any]
TARGET = (sys.executable, "-m", "target_cirqll")


def schema(stream: str, *fields: str, keys: Iterable[str] = ("id",)) -> Message:
    """A SCHEMA message whose fields may be anything."""
    properties: dict[str, Any] = {name: {} for name in (*keys, *fields)}
    return {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"properties": properties},
        "key_properties": list(keys),
    }


def record(stream: str, **values: Any) -> Message:
    """A RECORD message."""
    return {"type": "RECORD", "stream": stream, "record": values}


def state(**value: Any) -> Message:
    """A STATE message."""
    return {"type": "STATE", "value": value}


@dataclass(frozen=True, slots=True)
class Run:
    """A run that ended."""

    code: int
    output: str
    log: str

    @property
    def states(self) -> list[Message]:
        """What came out, with exact decimals."""
        return [json.loads(line, parse_float=Decimal) for line in self.output.splitlines()]

    def sentences(self, level: str) -> list[str]:
        """What was logged at a level, without time and name."""
        lines = [line.split(" | ", 3) for line in self.log.splitlines()]
        return [line[3] for line in lines if len(line) > 3 and line[1].strip() == level]


@dataclass(frozen=True, slots=True)
class TargetRuns:
    """Starts the target in a folder and with a home of its own."""

    folder: Path
    environment: Mapping[str, str]
    config: dict[str, Any] = field(default_factory=dict)

    def __call__(
        self,
        *messages: Message | str,
        options: Iterable[str] = (),
        environment: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> Run:
        """Run to the end; settings add to those of all runs, ``None`` takes one away."""
        config = {k: v for k, v in {**self.config, **settings}.items() if v is not None}
        command = (*TARGET, "--config", self.file("config", config), *options)
        return self.command(*command, given=lines(*messages), environment=environment)

    def start(self, **settings: Any) -> subprocess.Popen[str]:
        """Start a run whose input stays open, and do not wait for it."""
        config = self.file("config", {**self.config, **settings})
        return subprocess.Popen(
            [*TARGET, "--config", config],
            cwd=self.folder,
            env=dict(self.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def command(
        self, *command: str, given: str = "", environment: Mapping[str, str] | None = None
    ) -> Run:
        """Run any command."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **(environment or {})},
            input=given.encode("utf-8", "surrogateescape"),
            capture_output=True,
            timeout=120,
            check=False,
        )
        return Run(done.returncode, done.stdout.decode(), done.stderr.decode())

    def file(self, name: str, content: Any) -> str:
        """Write a file, JSON unless it is text already; its path."""
        path = self.folder / f"{name}.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return str(path)


def lines(*messages: Message | str) -> str:
    """The messages as a tap writes them; text stays as it is."""
    texts = [one if isinstance(one, str) else json.dumps(one) for one in messages]
    return "".join(f"{text}\n" for text in texts)
