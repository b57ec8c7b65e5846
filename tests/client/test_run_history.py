"""The history of runs: what was told of a run is known again, by those whom it concerns."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sql
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cirqll_client.errors import Unavailable
from cirqll_client.run_history import MOST_RUNS, Run, RunHistory, StreamRun
from cirqll_client.store import RUNS, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
DAY = 86_400.0
STARTED = 1_763_800_000.0
AT_ONCE = 6
CUSTOMERS = StreamRun(
    name="customers",
    stage="done",
    rows=1200,
    requests=3,
    seconds_waited=1.5,
    warnings=("The server ignores the filter.", "And the order."),
    deleted=2,
    certificate={"verdict": "incomplete", "sentence": "One row is missing.", "ids": [7, 9]},
)
TODOS = StreamRun("todos", "waiting", 0, 0, 0.0, ())
DYING = """
import os, signal, sys
from cirqll_client.run_history import RunHistory
from cirqll_client.store import Store

RunHistory(Store(sys.argv[1]), account="a").begin(program="tap-cirqll")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store of each kind."""
    with closing(Store(store_url)) as one:
        yield one


class Clock:
    """Shows what it is set to."""

    def __init__(self) -> None:
        self.now = STARTED

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def dated(sqlite_url: str, clock: Clock) -> Iterator[RunHistory]:
    """A history whose times are the clock's."""
    with closing(Store(sqlite_url, clock=clock)) as store:
        yield history_of(store)


def history_of(store: Store, account: str = "a", **more: Any) -> RunHistory:
    return RunHistory(store, account=account, **more)


def done(history: RunHistory, *streams: StreamRun, **more: Any) -> str:
    """A run that began and ended; gives its id."""
    run_id = history.begin(program="tap-cirqll")
    told = {"outcome": "done", "requests": 5, "seconds_waited": 2.5, **more}
    history.end(run_id, streams=streams, **told)
    return run_id


def ids(history: RunHistory) -> list[str]:
    return [one.id for one in history.last(most=2 * MOST_RUNS)]


def test_what_was_told_of_a_run_is_known_to_all_who_open_the_store(
    dated: RunHistory, clock: Clock, sqlite_url: str
) -> None:
    # Given
    run_id = dated.begin(program="tap-cirqll")
    clock.now += 90
    # When
    dated.end(
        run_id,
        outcome="failed",
        streams=[CUSTOMERS, TODOS],
        requests=5,
        seconds_waited=2.5,
        error="The server failed. Run again.",
    )
    # Then
    with closing(Store(sqlite_url)) as another:
        run = history_of(another).run(run_id)
    assert run == Run(
        id=run_id,
        program="tap-cirqll",
        version=version("tap-cirqll"),
        started_at=datetime(2025, 11, 22, 8, 26, 40, tzinfo=UTC),
        ended_at=datetime(2025, 11, 22, 8, 28, 10, tzinfo=UTC),
        outcome="failed",
        error="The server failed. Run again.",
        streams=(CUSTOMERS, TODOS),
        requests=5,
        seconds_waited=2.5,
    )
    assert run.rows == 1200


def test_a_run_that_has_not_ended_is_running(store: Store) -> None:
    before = datetime.now(UTC)

    run_id = history_of(store).begin(program="tap-cirqll")

    (run,) = history_of(store).last(most=9)
    assert (run.id, run.outcome, run.ended_at, run.error) == (run_id, "running", None, None)
    assert (run.streams, run.rows, run.requests, run.seconds_waited) == ((), 0, 0, 0.0)
    assert before <= run.started_at <= datetime.now(UTC)


def test_a_run_that_is_killed_stays_running(store: Store, store_url: str) -> None:
    died = subprocess.run(
        [sys.executable, "-c", DYING, store_url],
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        check=False,
    )

    assert died.returncode == -signal.SIGKILL
    assert [one.outcome for one in history_of(store).last(most=9)] == ["running"]


def test_the_newest_come_first_and_not_more_than_asked_for(dated: RunHistory, clock: Clock) -> None:
    begun = []
    for hours in (3, 1, 2):
        clock.now = STARTED + hours * 3600
        begun.append(done(dated))

    third, first, second = begun
    assert ids(dated) == [third, second, first]
    assert [one.id for one in dated.last(most=2)] == [third, second]


def test_accounts_know_nothing_of_each_other(store: Store) -> None:
    # Given two accounts with a run of the same id
    ours, theirs = (history_of(store, one, new_id=lambda: "abc") for one in ("a", "b"))
    theirs.begin(program="target-cirqll")
    # When
    done(ours, CUSTOMERS)
    # Then
    (our_run,), (their_run,) = ours.last(most=9), theirs.last(most=9)
    assert (our_run.program, our_run.outcome) == ("tap-cirqll", "done")
    assert (their_run.program, their_run.outcome) == ("target-cirqll", "running")
    assert theirs.run("abc") == their_run


def test_runs_are_thrown_away_after_90_days(
    dated: RunHistory, clock: Clock, sqlite_url: str
) -> None:
    # Given two runs, and one of another account
    done(dated)
    with closing(Store(sqlite_url, clock=clock)) as store:
        done(history_of(store, "b"))
        clock.now += 1
        younger = done(dated)
        # When
        clock.now = STARTED + 90 * DAY + 1
        newest = dated.begin(program="tap-cirqll")
        # Then
        assert ids(dated) == [newest, younger]
        assert len(ids(history_of(store, "b"))) == 1


def test_the_newest_thousand_are_kept(store: Store) -> None:
    # Given a thousand runs of two accounts each, the first one being the oldest
    with store.transaction() as connection:
        now = store.time_in(connection)
        connection.execute(
            sql.insert(RUNS),
            [
                {
                    "account": account,
                    "id": f"run {number}",
                    "program": "tap-cirqll",
                    "version": "",
                    "started_at": now - MOST_RUNS + number,
                    "outcome": "done",
                    "streams": [],
                    "requests": 0,
                    "seconds_waited": 0.0,
                }
                for number in range(MOST_RUNS)
                for account in ("a", "b")
            ],
        )
    # When
    newest = history_of(store).begin(program="tap-cirqll")
    # Then
    assert ids(history_of(store)) == [newest, *(f"run {one}" for one in range(999, 0, -1))]
    assert len(ids(history_of(store, "b"))) == MOST_RUNS


def test_a_run_that_was_thrown_away_meanwhile_stays_so(dated: RunHistory, clock: Clock) -> None:
    long_one = dated.begin(program="tap-cirqll")
    clock.now += 91 * DAY
    newest = dated.begin(program="tap-cirqll")

    dated.end(long_one, outcome="done", streams=[], requests=1, seconds_waited=0)

    assert ids(dated) == [newest]


@pytest.mark.parametrize(
    ("start", "named"),
    [
        ("3f9a", "3f9a"),
        ("3f9", None),
        ("3f9b", "3f9b_1"),
        ("4", "4"),
        ("5", None),
        ("", None),
        ("%", None),
        ("_", None),
        ("3f9b%1", None),
    ],
)
def test_a_run_is_named_by_a_beginning_that_no_other_has(
    store: Store, start: str, named: str | None
) -> None:
    given_ids = iter(["3f9a", "3f9b_1", "4"])
    history = history_of(store, new_id=lambda: next(given_ids))
    for _ in range(3):
        history.begin(program="tap-cirqll")

    run = history.run(start)

    assert (run.id if run else None) == named


def test_nothing_is_named_by_nothing_also_where_there_is_one_run(store: Store) -> None:
    history = history_of(store)
    history.begin(program="tap-cirqll")
    assert history.run("") is None


def test_those_that_begin_alike_are_given(store: Store) -> None:
    given_ids = iter(["3f9a", "3f9b", "4"])
    history = history_of(store, new_id=lambda: next(given_ids))
    for _ in range(3):
        history.begin(program="tap-cirqll")

    assert {one.id for one in history.beginning_with("3f9")} == {"3f9a", "3f9b"}


def test_runs_that_begin_at_once_are_all_there(store: Store) -> None:
    together = Barrier(AT_ONCE)

    def begin(_number: int) -> str:
        together.wait()
        return history_of(store).begin(program="tap-cirqll")

    with ThreadPoolExecutor(AT_ONCE) as threads:
        begun = set(threads.map(begin, range(AT_ONCE)))

    assert len(begun) == AT_ONCE
    assert set(ids(history_of(store))) == begun


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.text(st.characters(), max_size=40))  # lone surrogates and NUL included
def test_any_sentence_can_be_kept(store: Store, sentence: str) -> None:
    certificate = {"verdict": "unknown", "sentence": sentence}
    stream = StreamRun(sentence, "done", 0, 0, 0.0, (sentence,), certificate=certificate)

    run_id = done(history_of(store), stream, error=sentence, outcome="stopped")

    run = history_of(store).run(run_id)
    assert run
    assert (run.streams, run.error) == ((stream,), sentence)


def test_what_a_newer_version_tells_more_is_no_obstacle(store: Store) -> None:
    # Given
    run_id = done(history_of(store), TODOS)
    more = {"name": "todos", "stage": "done", "rows": 1, "requests": 2, "seconds_waited": 0.5}
    with store.transaction() as connection:
        told = [{**more, "warnings": ["a"], "colour": "green"}]
        connection.execute(sql.update(RUNS).values(streams=told))
    # When
    run = history_of(store).run(run_id)
    # Then
    assert run
    assert run.streams == (StreamRun("todos", "done", 1, 2, 0.5, ("a",)),)


def certified(verdict: str | None) -> StreamRun:
    certificate = {"verdict": verdict, "sentence": "So it is."} if verdict else None
    return StreamRun("notes", "done", 0, 0, 0.0, (), certificate=certificate)


@pytest.mark.parametrize(
    ("outcome", "verdicts", "is_complete"),
    [
        ("done", ["complete", "complete"], True),
        ("done", ["complete", None], True),
        ("done", [], True),
        ("done", ["complete", "incomplete"], False),
        ("done", ["complete", "unknown"], False),
        ("failed", ["complete"], False),
        ("stopped", ["complete"], False),
    ],
)
def test_a_run_is_complete_that_ended_well_with_certificates_that_say_so(
    store: Store, outcome: str, verdicts: list[str | None], *, is_complete: bool
) -> None:
    run_id = done(history_of(store), *map(certified, verdicts), outcome=outcome)
    run = history_of(store).run(run_id)
    assert run
    assert run.is_complete is is_complete


def test_a_run_that_is_running_is_not_complete_yet(store: Store) -> None:
    history_of(store).begin(program="tap-cirqll")
    assert not history_of(store).last(most=1)[0].is_complete


def test_the_ids_of_runs_differ(store: Store) -> None:
    history = history_of(store)
    assert len({history.begin(program="tap-cirqll") for _ in range(20)}) == 20


@pytest.mark.parametrize(
    "action",
    [
        lambda history: history.begin(program="tap-cirqll"),
        lambda history: done_with(history, "abc"),
        lambda history: history.last(most=1),
        lambda history: history.run("abc"),
    ],
    ids=["begin", "end", "last", "run"],
)
def test_a_store_that_fails_is_unavailable(
    store: Store, action: Callable[[RunHistory], object]
) -> None:
    with store.transaction() as connection:
        connection.execute(sql.text("DROP TABLE run_history"))

    with pytest.raises(Unavailable, match="store of tokens"):
        action(history_of(store))


def done_with(history: RunHistory, run_id: str) -> None:
    history.end(run_id, outcome="done", streams=[CUSTOMERS], requests=1, seconds_waited=0)


def test_a_store_that_was_made_before_there_was_a_history_gets_one(store_url: str) -> None:
    # Given
    with closing(Store(store_url)) as old, old.transaction() as connection:
        connection.execute(sql.text("DROP TABLE run_history"))
    # When
    with closing(Store(store_url)) as store:
        numbers = count()
        history = history_of(store, new_id=lambda: f"run {next(numbers)}")
        done(history)
        # Then
        assert ids(history) == ["run 0"]
