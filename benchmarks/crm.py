"""The sandbox as a process of its own, for as long as a `with` block lasts."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from benchmarks.process import MODULE, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Counts:
    """How many requests came since the last call."""

    by_request: Counter[str]

    @property
    def identities(self) -> int:
        """How often the owner of the token was asked for."""
        return self.by_request["GET /api/auth/me"]

    @property
    def reads(self) -> int:
        """How often records were asked for."""
        return self._of("GET") - self.identities

    @property
    def writes(self) -> int:
        """How many requests were sent to change something."""
        return self.total - self._of("GET")

    @property
    def total(self) -> int:
        """All of them: each counts against the limit."""
        return self.by_request.total()

    def _of(self, method: str) -> int:
        return sum(n for name, n in self.by_request.items() if name.startswith(f"{method} "))


@dataclass(frozen=True, slots=True)
class Crm:
    """Where the sandbox listens."""

    url: str
    token: str
    asks: IO[str]
    answers: IO[str]

    def take_counts(self) -> Counts:
        """Count the requests since the last call."""
        self.asks.write("\n")
        self.asks.flush()
        return Counts(Counter(json.loads(self.answers.readline())))


@contextmanager
def crm(*, rows: int, latency_seconds: float = 0.0) -> Iterator[Crm]:
    """Run a sandbox that holds so many customers, and has no limit of requests."""
    command = [*MODULE, "benchmarks.crm_server", "--rows", str(rows)]
    command += ["--latency-seconds", str(latency_seconds)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin
        assert child.stdout
        try:
            place = json.loads(child.stdout.readline())
            yield Crm(place["url"], place["token"], child.stdin, child.stdout)
        finally:
            child.stdin.close()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
