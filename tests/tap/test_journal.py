"""A run writes down that it began and how it ended, and is none the worse where it cannot."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest

from cirqll_client.connection import connect
from cirqll_client.errors import AnswerUnexpected
from cirqll_client.run_history import RunHistory
from cirqll_client.settings import ConnectionSettings
from cirqll_client.store import RUNS
from tap_cirqll.certificate import Certificate
from tap_cirqll.journal import Journal
from tap_cirqll.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cirqll_client.connection import Connection
    from cirqll_client.run_history import Run

LOGGER = logging.getLogger("tap-cirqll")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where the store lies."""
    return tmp_path / "store.sqlite"


@pytest.fixture
def connection(store: Path) -> Iterator[Connection]:
    """A connection that asks nothing."""
    settings = ConnectionSettings(
        api_url="http://127.0.0.1:9",
        access_token="invented-for-a-test",
        store_url=f"sqlite:///{store}",
    )
    with closing(connect(settings)) as connection:
        yield connection


@pytest.fixture
def progress() -> Progress:
    """Two streams of which none has begun."""
    return Progress({"/note": "notes", "/role": "roles"}, logger=LOGGER)


def journal(connection: Connection, progress: Progress, *, is_stopping: bool = False) -> Journal:
    return Journal(connection, progress, is_stopping=lambda: is_stopping, logger=LOGGER)


def runs(connection: Connection) -> list[Run]:
    """What is known of past runs."""
    return RunHistory(connection.store, account=connection.account).last(most=9)


def lose_the_list(store: Path) -> None:
    """Take the table of runs out of the store."""
    with closing(sqlite3.connect(store)) as database:
        database.execute(f"drop table {RUNS.name}")
        database.commit()


def test_a_run_is_written_down_when_it_begins(connection: Connection, progress: Progress) -> None:
    with journal(connection, progress) as this:
        (run,) = runs(connection)

        assert (run.id, run.program) == (this.run_id, "tap-cirqll")
        assert (run.outcome, run.streams, run.ended_at) == ("running", (), None)


def test_all_that_it_did_is_written_down_when_it_ends(
    connection: Connection, progress: Progress
) -> None:
    certificate = Certificate("complete", ("3 rows read",), counted=3, rows_read=3)
    with journal(connection, progress):
        progress.began("notes")
        progress.delivered("notes", rows=3, left=0)
        progress.deleted("notes", rows=2)
        progress.waited(1.5)
        progress.warn("notes", "Something is odd.")
        progress.certified("notes", certificate)
        progress.ended("notes", "done")

    (run,) = runs(connection)
    assert (run.outcome, run.error, run.rows, run.seconds_waited) == ("done", None, 3, 1.5)
    notes, roles = run.streams
    assert (notes.name, notes.stage, notes.rows, notes.deleted) == ("notes", "done", 3, 2)
    assert (notes.warnings, notes.seconds_waited) == (("Something is odd.",), 1.5)
    assert (notes.verdict, notes.sentence) == ("complete", "complete: 3 rows read")
    assert (roles.stage, roles.certificate) == ("waiting", None)


@pytest.mark.parametrize(
    ("error", "is_stopping", "outcome", "told"),
    [
        (None, False, "done", None),
        (None, True, "stopped", None),
        (AnswerUnexpected("It was odd. Report it."), False, "failed", "It was odd. Report it."),
        (AnswerUnexpected("It was odd. Report it."), True, "failed", "It was odd. Report it."),
        (SystemExit(143), True, "stopped", None),
        (KeyboardInterrupt(), False, "stopped", None),
        (BrokenPipeError("of a reader"), False, "failed", "It ended with a BrokenPipeError."),
    ],
    ids=repr,
)
def test_it_is_told_how_it_ended(  # noqa: PLR0913 - two fixtures, and how it ends
    connection: Connection,
    progress: Progress,
    *,
    error: BaseException | None,
    is_stopping: bool,
    outcome: str,
    told: str | None,
) -> None:
    kinds = (type(error),) if error else ()
    with suppress(*kinds), journal(connection, progress, is_stopping=is_stopping):
        if error:
            raise error

    (run,) = runs(connection)
    assert (run.outcome, run.error) == (outcome, told)


def test_what_ends_the_run_goes_on_its_way(connection: Connection, progress: Progress) -> None:
    error = AnswerUnexpected("It was odd.")
    with pytest.raises(AnswerUnexpected) as caught, journal(connection, progress):
        raise error

    assert caught.value is error


@pytest.mark.parametrize("moment", ["the beginning", "the end"])
def test_a_list_that_cannot_be_written_is_a_warning_and_no_more(
    connection: Connection,
    progress: Progress,
    store: Path,
    caplog: pytest.LogCaptureFixture,
    moment: str,
) -> None:
    this = journal(connection, progress)
    if moment == "the beginning":
        lose_the_list(store)
    with this:
        if moment == "the end":
            lose_the_list(store)

    assert (this.run_id is None) == (moment == "the beginning")
    (told,) = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert told.startswith("This run is missing in `cirqll runs`, or its end is: ")
