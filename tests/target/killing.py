"""The target as a program that is killed, and what must hold after each of its deaths."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from threading import Timer
from typing import TYPE_CHECKING, Any

from tests.target.target_runs import lines, record, schema, state

if TYPE_CHECKING:
    import random
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.tap.conftest import Source
    from tests.target.target_runs import Message, TargetRuns

_ROWS_IN_BATCH = 4
_LONGEST_START_SECONDS = 1.0
_LONGEST_DELAY_SECONDS = 0.04
_LONGEST_RUN_SECONDS = 90

SETTINGS: dict[str, Any] = {"request_timeout": 1, "rejects_with_record": True}
"""So that what is in doubt is waited for no longer than two seconds."""
LOST: dict[str, dict[str, Any]] = {
    "lost-answer": {"probability": 0.15},
    "cut-before": {"probability": 0.05},
    "500-after-commit": {"probability": 0.05},
    "slow-commit": {"probability": 0.05, "seconds": 0.4},
}


@dataclass
class Trial:
    """One input that is written by runs, most of which die."""

    source: Source
    runs: TargetRuns
    dice: random.Random
    rows: int = 12
    position: int = 0
    """Up to where the last state that came out says that all is settled."""
    deaths: list[int] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """By which the rows are told apart."""
        return [f"Zaak {number}" for number in range(1, self.rows + 1)]

    def messages(self, *, behind: int = 0) -> list[Message]:
        """The input behind a position, with a state after every few rows, in several batches."""
        messages = []
        for number in range(behind + 1, self.rows + 1):
            if number == behind + 1 or number % _ROWS_IN_BATCH == 1:
                # What is announced anew is another batch.
                messages.append(schema("customers", "name", f"batch_{number}", keys=["no"]))
            messages.append(record("customers", no=number, name=f"Zaak {number}"))
            messages.append(state(position=number))
        return messages

    def killed(self) -> None:
        """Let one run be killed at some moment, and check what it leaves."""
        is_resumed = self.dice.random() < 0.5
        messages = self.messages(behind=self.position if is_resumed else 0)
        process = self.runs.start(**SETTINGS)
        disarm = self._armed(process)
        output, log = process.communicate(lines(*messages), timeout=_LONGEST_RUN_SECONDS)
        disarm()
        assert process.returncode in {-signal.SIGKILL, 0, 3}, log
        self.deaths.append(process.returncode)
        self._check(output)

    def finished(self) -> None:
        """Let a run go to its end without a fault: each row is there once."""
        self.source.sandbox.faults.clear()
        time.sleep(LOST["slow-commit"]["seconds"])
        run = self.runs(*self.messages(), **SETTINGS)
        assert run.code == 0, run.log
        assert run.states[-1] == {"position": self.rows}
        assert self._there() == Counter(self.names)

    def _armed(self, process: subprocess.Popen[str]) -> Callable[[], None]:
        """Let it be killed at some create, or while it starts."""
        creates_left = self.dice.randint(0, self.rows)
        if not creates_left:
            Timer(self.dice.uniform(0, _LONGEST_START_SECONDS), process.kill).start()
        delay = self.dice.choice((0, self.dice.uniform(0, _LONGEST_DELAY_SECONDS)))

        def at_a_request(request: Any) -> None:
            nonlocal creates_left
            creates_left -= request.method == "POST"
            if creates_left == 0 and request.method == "POST":
                Timer(delay, process.kill).start() if delay else process.kill()

        return self.source.sandbox.before_request(at_a_request)

    def _check(self, output: str) -> None:
        there = self._there()
        assert [name for name, number in there.items() if number > 1] == []
        *states, _ = ["", *output.split("\n")]
        said = [json.loads(text)["position"] for text in states if text]
        self.position = max([self.position, *said])
        settled = there.keys() | rejected(self.runs.folder)
        assert set(self.names[: self.position]) <= settled

    def _there(self) -> Counter[str]:
        return Counter(row["name"] for row in self.source.sandbox.rows("customer").all())


def rejected(folder: Path) -> set[str]:
    """The names of rows in the file of rejects, each line of which is whole."""
    path = folder / "cirqll-rejects.jsonl"
    if not path.exists():
        return set()
    text = path.read_text("utf-8")
    assert text.endswith("\n")
    told = [json.loads(line) for line in text.splitlines()]
    assert {one["kind"] for one in told} <= {"unknown"}
    return {one["record"]["name"] for one in told}
