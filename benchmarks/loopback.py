"""The server of this package as a process of its own, for as long as a `with` block lasts."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.request import urlopen

from benchmarks.process import MODULE, ROOT
from benchmarks.server import COUNTS_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.rows import Fields

STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Loopback:
    """Where the server listens."""

    root: str

    def take_counts(self) -> Counter[str]:
        """How many requests came for each path since the last call."""
        with urlopen(f"{self.root}{COUNTS_PATH}", timeout=STOP_SECONDS) as answer:  # noqa: S310
            return Counter(json.load(answer))


@contextmanager
def loopback(
    *,
    rows: int,
    fields: Fields = "documented",
    page_maximum: int = 1000,
    latency_seconds: float = 0.0,
) -> Iterator[Loopback]:
    """Run a server with as many rows in each resource."""
    command = [*MODULE, "benchmarks.server", "--rows", str(rows), "--fields", fields]
    command += ["--page-maximum", str(page_maximum), "--latency-seconds", str(latency_seconds)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin
        assert child.stdout
        try:
            yield Loopback(f"http://127.0.0.1:{int(child.stdout.readline())}")
        finally:
            child.stdin.close()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
