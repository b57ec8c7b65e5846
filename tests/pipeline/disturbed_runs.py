"""Runs of Meltano that somebody disturbs: programs are killed, states are lost, rows change."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from threading import Timer
from typing import TYPE_CHECKING

from tests.pipeline.pipes import SECONDS_FOR_A_RUN, kill_in_group

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from demo.meltano_project import MeltanoProject
    from tests.pipeline.account_in_use import AccountInUse
    from tests.pipeline.marked_rows import MarkedRows
    from tests.pipeline.pipes import State

JOB = "cirqll-to-postgres"
NO_STATE = "no state"
PROGRAMS = {
    "the tap": ("tap-cirqll",),
    "the loader": ("target-postgres",),
    "all": ("meltano", "tap-cirqll", "target-postgres"),
}
"""What is killed."""
TROUBLES = ["the tap", "the loader", "all", NO_STATE] * 2 + ["none"] * 2
MOST_REQUESTS = 35
"""A run makes more; it is killed after one of them."""
SECONDS_TO_LIVE = (0, 0.1, 0.3, 1)
"""After that: the tap is soon done, and the loader's time comes."""


@dataclass
class DisturbedRuns:
    """Runs of Meltano, one after the other, which somebody disturbs."""

    project: MeltanoProject
    states: Path
    folder: Path
    number: int = 0
    broken: int = 0
    """How many did not come to their end."""

    def only(self, *streams: str) -> DisturbedRuns:
        """Give runs of these streams."""
        chosen = json.dumps([f"{name}.*" for name in streams])
        return replace(self, project=self.project.setting(TAP_CIRQLL__SELECT=chosen))

    def state(self) -> State:
        """Give the state that is kept."""
        (kept,) = self.states.rglob("state.json")
        state: State = json.loads(kept.read_text())["completed"]["singer_state"]
        return state

    def go(
        self, marked: MarkedRows, trouble: str = "none", *, share_of_requests: float = 0
    ) -> None:
        """Run, in some trouble, and look at what it did."""
        self.number += 1
        log, before = self.folder / f"{self.number}.log", self.folder / f"states-{self.number}"
        if trouble == NO_STATE:
            shutil.copytree(self.states, before)
        marked.begin_run()
        # Meltano takes a run that was killed for a running one for five minutes.
        with (
            log.open("wb") as output,
            self.project.started("--force", JOB, output=output) as meltano,
            busy(marked.account, share=share_of_requests),
            _deadly(marked.account, meltano, PROGRAMS.get(trouble, ())),
        ):
            status = meltano.wait(SECONDS_FOR_A_RUN)
        self.broken += status != 0
        assert status == 0 or trouble in PROGRAMS, log.read_text()
        assert "max_deleted_share" not in log.read_text()
        marked.look(was_whole=status == 0)
        if before.exists():
            shutil.rmtree(self.states)
            before.rename(self.states)


@contextmanager
def busy(account: AccountInUse, *, share: float) -> Iterator[None]:
    """Let something be done before this share of the requests is answered."""

    def perhaps(_request: object) -> None:
        if account.dice.random() < share:
            account.do_something()

    stop = account.sandbox.before_request(perhaps)
    try:
        yield
    finally:
        stop()


@contextmanager
def _deadly(
    account: AccountInUse, meltano: subprocess.Popen[bytes], programs: tuple[str, ...]
) -> Iterator[None]:
    """Kill these programs some time after some request; the last ones are the loader's time."""
    at, seconds = account.dice.randrange(1, MOST_REQUESTS), account.dice.choice(SECONDS_TO_LIVE)
    arrivals = count(1)

    def kill() -> None:
        for program in programs:
            kill_in_group(meltano.pid, program)

    timer = Timer(seconds, kill)
    stop = account.sandbox.before_request(lambda _: timer.start() if next(arrivals) == at else None)
    try:
        yield
    finally:
        stop()
        timer.cancel()
