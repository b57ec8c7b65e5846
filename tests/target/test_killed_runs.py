"""Wherever a run is killed, the next one goes on, and no row becomes two records."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from tests.target.killing import LOST, SETTINGS, Trial
from tests.target.target_runs import TargetRuns, record, schema
from tests.target.writing_runs import KILL_POINTS, dice_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tap.conftest import Source

ROOT = Path(__file__).parents[2]
_LONGEST_RUN_SECONDS = 60
ROWS = [{"no": number, "name": f"Zaak {number}"} for number in range(1, 4)]


def names(source: Source) -> list[str]:
    return sorted(row["name"] for row in source.sandbox.rows("customer").all())


@pytest.fixture
def write(source: Source) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Write the rows in a process that kills itself at a point."""

    def write(store_url: str, *, kill_at: str = "") -> subprocess.CompletedProcess[str]:
        options = {
            "url": source.url,
            "token": source.sandbox.access_token,
            "store_url": store_url,
            "rows": ROWS,
            "kill_at": kill_at,
        }
        return subprocess.run(
            [sys.executable, "-m", "tests.target.mortal_writer"],
            cwd=ROOT,
            input=json.dumps(options),
            capture_output=True,
            encoding="utf-8",
            timeout=_LONGEST_RUN_SECONDS,
            check=False,
        )

    return write


@pytest.mark.parametrize("point", KILL_POINTS)
def test_killed_at_each_step_the_next_run_goes_on(
    source: Source,
    write: Callable[..., subprocess.CompletedProcess[str]],
    sqlite_url: str,
    point: str,
) -> None:
    assert write(sqlite_url, kill_at=point).returncode == -signal.SIGKILL

    last = write(sqlite_url)

    assert json.loads(last.stdout)["rejects"] == {}, last.stderr
    assert names(source) == ["Zaak 1", "Zaak 2", "Zaak 3"]


def test_on_postgresql_it_is_the_same(
    source: Source,
    write: Callable[..., subprocess.CompletedProcess[str]],
    new_postgres_url: Callable[[], str],
) -> None:
    url = new_postgres_url()
    write(url, kill_at="between the entry and the sending")
    write(url, kill_at="between the answer and the settling")

    last = write(url)

    assert json.loads(last.stdout)["rejects"] == {}, last.stderr
    assert names(source) == ["Zaak 1", "Zaak 2", "Zaak 3"]


def test_killed_between_the_commit_and_the_answer_the_next_run_finds_the_record(
    source: Source, run_target: TargetRuns
) -> None:
    messages = [schema("customers", "name", keys=["no"]), record("customers", no=1, name="Zaak")]
    source.sandbox.faults.add("slow", method="POST", seconds=2, times=1)
    process = run_target.start(**SETTINGS)

    def kill_it_then() -> None:
        while not names(source) and process.poll() is None:
            time.sleep(0.005)
        process.kill()

    killer = Thread(target=kill_it_then)
    killer.start()
    output, _ = process.communicate("".join(f"{json.dumps(one)}\n" for one in messages))
    killer.join()
    assert (process.returncode, output) == (-signal.SIGKILL, "")

    run = run_target(*messages, **SETTINGS)

    assert run.code == 0
    assert names(source) == ["Zaak"]


def trial_of(source: Source, runs: TargetRuns, *, seed: int, kills: int) -> Trial:
    """Kill so many runs while answers are lost, and then let one finish."""
    trial = Trial(source, runs, dice_of(seed))
    for kind, options in LOST.items():
        source.sandbox.faults.add(kind, method="POST", **options)
    for _ in range(kills):
        trial.killed()
    trial.finished()
    return trial


def test_killed_at_any_moment_while_answers_are_lost_each_row_is_there_once(
    source: Source, run_target: TargetRuns
) -> None:
    trial = trial_of(source, run_target, seed=time.time_ns(), kills=4)

    assert trial.deaths.count(-signal.SIGKILL) > 0


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(60))
def test_killed_often(source: Source, run_target: TargetRuns, seed: int) -> None:
    trial = trial_of(source, run_target, seed=seed, kills=5)

    assert Counter(trial.deaths)[-signal.SIGKILL] > 0
