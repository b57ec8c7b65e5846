"""What a run tells while it lasts and when it ends: on a terminal, in a log, to machines."""

from __future__ import annotations

import json
import logging
import os
import pty
import re
import subprocess
import sys
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.amounts import counted, duration
from cirqll_client.nested import TABLES
from cirqll_client.session import Sent
from tap_cirqll.certificate import Certificate
from tap_cirqll.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tap.conftest import Source
    from tests.tap.tap_runs import Run, TapRuns

STREAMS = {"/customer": "customers", "/note": "notes", "/role": "roles"}


class Clock:
    """A clock that stands still until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of `progress`."""
    return Clock()


@pytest.fixture
def progress(clock: Clock) -> Progress:
    """Three streams of which none has begun."""
    return Progress(STREAMS, logger=logging.getLogger("tap-cirqll"), clock=clock)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_a_line_every_half_minute_tells_how_far_the_run_is(
    progress: Progress, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    progress.began("customers")
    progress.sent(Sent("GET", "/customer", 200, 0.1))
    progress.delivered("customers", rows=1000, left=5000)
    progress.waited(7)

    for seconds in (0, 29, 1, 1):
        clock.now += seconds
        progress.log_line()

    assert told(caplog) == [
        (
            "Progress: 0 of 3 streams done, 1,000 rows in 1 request, 7.0 s waited; "
            "reading customers 1,000 of 6,000 (33/s, 2 min left)."
        )
    ]


def test_the_same_facts_are_there_for_structured_logs(
    progress: Progress, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    progress.began("notes")
    progress.delivered("notes", rows=300, left=None)
    clock.now += 30

    progress.log_line()

    assert caplog.records[0].__dict__["progress"] == [
        {
            "stream": "notes",
            "stage": "reading",
            "rows": 300,
            "of": None,
            "deleted": 0,
            "requests": 0,
            "seconds_waited": 0.0,
            "rows_per_second": 10.0,
            "seconds_left": None,
            "warnings": 0,
            "certificate": None,
        }
    ]


def test_the_summary_has_a_line_for_each_stream_and_one_for_all(
    progress: Progress, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    progress.began("customers")
    progress.sent(Sent("GET", "/customer", 200, 0.1))
    progress.delivered("customers", rows=1, left=0)
    progress.deleted("customers", rows=2)
    progress.certified("customers", Certificate("complete", ("1 row read",)))
    progress.ended("customers", "done")
    progress.began("notes")
    progress.warn("notes", "Something is odd.")
    progress.ended("notes", "failed")
    clock.now += 200

    progress.log_summary(by_stream=True)

    assert told(caplog)[1:] == [
        "Summary: customers: 1 row, 2 deleted, 1 request; complete: 1 row read.",
        "Summary: notes: 0 rows, 0 requests, 1 warning, failed.",
        "Summary: roles: 0 rows, 0 requests, not begun.",
        "Summary: 1 row of 1 of 3 streams in 3 min; 1 request, 0 s waited, 1 warning.",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.04, "0.0 s"),
        (9.9, "9.9 s"),
        (9.96, "10 s"),
        (89, "89 s"),
        (90, "2 min"),
        (3569, "59 min"),
        (3571, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_time_spans_are_written_for_people(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_one_is_not_many() -> None:
    assert [counted(n, "row") for n in (0, 1, 2, 1000)] == [
        "0 rows",
        "1 row",
        "2 rows",
        "1,000 rows",
    ]


def on_a_terminal(run_tap: TapRuns, **settings: Any) -> str:
    """Run with stderr on a terminal; what was written to it, without colours."""
    ours, its = pty.openpty()
    parts: list[bytes] = []
    command = [sys.executable, "-m", "tap_cirqll", "--config"]
    command.append(run_tap.file("config", {**run_tap.config, **settings}))
    environment = {**run_tap.environment, "TERM": "xterm", "COLUMNS": "160", "LINES": "40"}
    reader = Thread(target=_read_all, args=(ours, parts))
    reader.start()
    with (run_tap.folder / "out").open("w") as output:
        subprocess.run(command, stdout=output, stderr=its, env=environment, timeout=60, check=True)
    os.close(its)
    reader.join()
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", b"".join(parts).decode()).replace("\r", "\n")


def _read_all(descriptor: int, parts: list[bytes]) -> None:
    try:
        while part := os.read(descriptor, 65536):
            parts.append(part)
    except OSError:
        pass  # the other side was closed


def test_a_terminal_shows_each_stream_with_rows_of_how_many(run_on_company: TapRuns) -> None:
    screen = on_a_terminal(run_on_company)

    last = screen[screen.rindex("stream ") :]
    assert re.search(r"\nappointments +done +60 +60\b", last)
    assert re.search(r"\nwebhooks +done +1 +1\b", last)
    assert re.search(r"[\d,]+ rows, \d+ requests, 0 s waited, [\d.]+ s so far", screen)
    assert "METRIC" not in screen
    assert screen.count("Summary:") == 1


def test_a_terminal_takes_no_message_from_the_output(run_on_company: TapRuns) -> None:
    # Given a run that nobody watches
    unwatched = run_on_company()
    # When the same is run on a terminal
    screen = on_a_terminal(run_on_company)
    # Then the same messages come out, and none is on the screen
    output = (run_on_company.folder / "out").read_text()
    kinds = [json.loads(line)["type"] for line in output.splitlines()]
    assert sorted(kinds) == sorted(message["type"] for message in unwatched.messages)
    assert '"SCHEMA"' not in screen


def test_log_lines_do_not_tear_the_view(run_tap: TapRuns, source: Source) -> None:
    source.sandbox.rows("chance").insert(name="A", percentage="odd")

    screen = on_a_terminal(run_tap)

    warnings = [line for line in screen.splitlines() if "| WARNING" in line]
    assert len(warnings) == 1
    assert warnings[0].lstrip().startswith("20")
    assert "chances: 1 value did not fit the column (percentage: 1); the" in warnings[0]


def test_without_a_terminal_the_summary_is_in_the_log(run_on_company: TapRuns) -> None:
    run = run_on_company()

    summaries = [one for one in run.sentences("INFO") if one.startswith("Summary:")]
    by_default = sorted(table.stream for table in TABLES if table.is_read_by_default)
    told = [one.removeprefix("Summary: ").partition(":")[0] for one in summaries[:-1]]
    assert sorted(told) == by_default
    assert (
        "Summary: appointments: 60 rows, 2 requests; complete: 60 rows read, as many as Cirqll "
        "counts."
    ) in summaries
    assert re.fullmatch(
        r"Summary: \d+ rows of 20 streams in [\d.]+ s; \d+ requests, 0 s waited, \d warnings?.",
        summaries[-1],
    )


def test_a_higher_level_is_quiet(run_on_company: TapRuns) -> None:
    run = run_on_company(environment={"TAP_CIRQLL_LOGLEVEL": "ERROR"})

    assert run.code == 0
    assert run.log == ""


def metrics_of(run: Run, stream: str) -> dict[str, Any]:
    points = [
        json.loads(one.removeprefix("METRIC: "))
        for one in run.sentences("INFO")
        if one.startswith("METRIC: ")
    ]
    return {p["metric"]: p for p in points if p["tags"]["stream"] == stream}


def test_the_metrics_of_the_sdk_are_fed(run_on_company: TapRuns) -> None:
    points = metrics_of(run_on_company(), "appointments")

    assert points["record_count"]["value"] == 60
    assert points["http_request_count"]["value"] == 2
    assert points["http_request_count"]["tags"]["endpoint"] == "/appointment"
    assert points["sync_duration"]["tags"]["status"] == "succeeded"


def test_the_metrics_of_the_company_name_the_path_that_was_asked(run_on_company: TapRuns) -> None:
    point = metrics_of(run_on_company(), "companies")["http_request_count"]

    assert (point["value"], point["tags"]["endpoint"]) == (1, "/auth/me")


def test_the_duration_of_each_request_is_told_where_details_are_wanted(
    run_tap: TapRuns, source: Source
) -> None:
    source.sandbox.faults.add("404", path="/api/todo")

    run = run_tap(environment={"TAP_CIRQLL_LOGLEVEL": "DEBUG"})

    tags = metrics_of(run, "todos")["http_request_duration"]["tags"]
    assert (tags["http_status_code"], tags["status"]) == (404, "failed")


def test_structured_logs_carry_the_summary_as_facts(run_tap: TapRuns, tmp_path: Path) -> None:
    config = tmp_path / "logging.yml"
    config.write_text(
        """
        version: 1
        disable_existing_loggers: false
        formatters: {structured: {(): singer_sdk.logging.StructuredFormatter}}
        handlers: {stderr: {class: logging.StreamHandler, formatter: structured}}
        root: {level: INFO, handlers: [stderr]}
        """
    )

    run = run_tap(environment={"SINGER_SDK_LOG_CONFIG": str(config)})

    lines = [json.loads(line) for line in run.log.splitlines() if line.startswith("{")]
    summaries = [line["extra"]["summary"] for line in lines if "summary" in line.get("extra", {})]
    assert summaries[-1].keys() == {"rows", "seconds", "requests", "seconds_waited", "warnings"}
