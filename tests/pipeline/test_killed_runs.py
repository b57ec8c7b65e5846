"""A run that is killed anywhere loses nothing: the next one makes PostgreSQL equal again."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.comparison import assert_equal
from tests.pipeline.pipes import SECONDS_FOR_A_RUN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cirqll_sandbox import Sandbox
    from demo.meltano_project import MeltanoProject
    from tests.pipeline.conftest import Database, RunningSandbox
    from tests.pipeline.pipes import Pipe, Processes, State, Victim

JOB = "cirqll-to-postgres"
_ALL_REQUESTS = [pytest.param(request, marks=pytest.mark.soak) for request in (1, 5, 13, 16)]


@pytest.mark.parametrize("victim", ["tap", "target", "both"])
def test_a_killed_run_is_made_good_by_the_next(
    pipe: Pipe, source: RunningSandbox, database: Database, victim: Victim
) -> None:
    """Rows change before, between and after; the next run starts from the last STATE."""
    sandbox = source.sandbox
    state = _killed(pipe, sandbox, victim, at_request=9)
    sandbox.edit_rows("customer", 5)

    outcome = pipe.run(state)

    assert outcome.succeeded, outcome.log
    assert_equal(database.connection, sandbox)


@pytest.mark.parametrize("at_request", [9, *_ALL_REQUESTS])
def test_a_killed_meltano_run_is_made_good_by_the_next(
    project: MeltanoProject,
    source: RunningSandbox,
    database: Database,
    tmp_path: Path,
    at_request: int,
) -> None:
    """Meltano, the tap and the loader die at once, as in a power cut.

    Meltano takes a run that was killed for a running one for five minutes, hence `--force`.
    """
    with (tmp_path / "1.log").open("wb") as log, project.started(JOB, output=log) as meltano:

        def kill(_request: object) -> None:
            if len(source.sandbox.requests) + 1 >= at_request:
                with suppress(ProcessLookupError):
                    os.killpg(meltano.pid, signal.SIGKILL)

        stop = source.sandbox.before_request(kill)
        assert meltano.wait(SECONDS_FOR_A_RUN) == -signal.SIGKILL
    stop()
    source.sandbox.edit_rows("customer", 5)

    project.run("--force", JOB, log=tmp_path / "2.log")

    assert_equal(database.connection, source.sandbox)


@pytest.mark.soak
@pytest.mark.parametrize("at_request", range(1, 30, 2))
@pytest.mark.parametrize("victim", ["tap", "target", "both"])
def test_runs_that_are_killed_again_and_again_come_to_an_end(
    pipe: Pipe, source: RunningSandbox, database: Database, victim: Victim, at_request: int
) -> None:
    """Each time at another request, twice in a row."""
    sandbox = source.sandbox
    state = _killed(pipe, sandbox, victim, at_request=at_request)
    sandbox.edit_rows("customer", 5)
    state = _killed(pipe, sandbox, victim, at_request=at_request, state=state) or state
    sandbox.edit_rows("chance", 5)

    outcome = pipe.run(state)

    assert outcome.succeeded, outcome.log
    assert_equal(database.connection, sandbox)


def _killed(
    pipe: Pipe, sandbox: Sandbox, victim: Victim, *, at_request: int, state: State | None = None
) -> State | None:
    """Run until this request, and kill; the last STATE that came out, or the one before."""
    sandbox.forget_requests()
    stop: list[Callable[[], None]] = []

    def arm(processes: Processes) -> None:
        def kill(_request: object) -> None:
            if len(sandbox.requests) + 1 >= at_request:
                processes.kill(victim)

        stop.append(sandbox.before_request(kill))

    outcome = pipe.run(state, started=arm)
    for remove in stop:
        remove()
    return outcome.state or state
