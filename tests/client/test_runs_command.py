"""The command `cirqll runs`."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.cli.runs import printed
from cirqll_client.cli.runs.run_words import verdicts
from cirqll_client.connection import account_key
from cirqll_client.run_history import RunHistory, StreamRun
from cirqll_client.settings import ConnectionSettings
from cirqll_client.store import Store
from tests.client.test_tokens_command import at_a_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.client.token_desk import Desk

STARTED = 1_763_800_000.0
HOUR = 3_600.0
MISSING = "The server counts 1,201 rows, and 1,200 came: look for the row in Cirqll."


def stream(name: str, verdict: str | None = "complete", **more: Any) -> StreamRun:
    """What became of a stream."""
    certificate = {"verdict": verdict, "sentence": f"The {name} were counted.", "counted": 12}
    facts = {"stage": "done", "rows": 1200, "requests": 2, "seconds_waited": 0.0, "warnings": ()}
    return StreamRun(
        name=name, **{**facts, "certificate": certificate if verdict else None, **more}
    )


GOOD = [stream("customers"), stream("notes"), stream("roles", None, stage="skipped", rows=0)]
BAD = [
    stream(
        "customers",
        warnings=("The filter is ignored.", "The order, too."),
        deleted=3,
        seconds_waited=720.4,
        certificate={"verdict": "incomplete", "sentence": MISSING, "counted": 1201},
    ),
    stream("notes", "unknown"),
    stream("tasks", None, stage="reading", rows=7),
    stream("todos", None, stage="waiting", rows=0, requests=0, warnings=("Not begun yet.",)),
]


@contextmanager
def history_at(desk: Desk, moment: float, run_id: str, account: str) -> Iterator[RunHistory]:
    settings = ConnectionSettings(api_url=desk.url, account=account)
    with closing(Store(desk.store_url, clock=lambda: moment)) as store:
        yield RunHistory(store, account=account_key(settings), new_id=lambda: run_id)


def run_at(  # noqa: PLR0913 - all that may be said of a run
    desk: Desk,
    hour: float,
    run_id: str,
    *streams: StreamRun,
    account: str = "default",
    outcome: Any = "done",
    seconds: float = 45,
    error: str | None = None,
) -> None:
    """Let there have been a run that began so many hours after the first."""
    with history_at(desk, STARTED + hour * HOUR, run_id, account) as history:
        assert history.begin(program="tap-cirqll") == run_id
    if outcome == "running":
        return
    with history_at(desk, STARTED + hour * HOUR + seconds, run_id, account) as history:
        history.end(
            run_id,
            outcome=outcome,
            streams=streams,
            requests=1234,
            seconds_waited=3.24,
            error=error,
        )


def some_runs(desk: Desk) -> None:
    """A good one, one that was killed, one that failed, and one that was stopped."""
    run_at(desk, 0, "3f9a01c2", *GOOD)
    run_at(desk, 1, "aaaa0000", outcome="running")
    run_at(desk, 2, "3f9b5511", *BAD, outcome="failed", seconds=3900, error="It failed. Wait.")
    run_at(desk, 3, "bbbb0000", outcome="stopped", seconds=4)


def listed(desk: Desk, *arguments: str) -> list[str]:
    """The ids that are shown, from above."""
    told = json.loads(desk.run("runs", "--json", *arguments).stdout)
    return [one["run"] for one in told["runs"]]


def refused(desk: Desk, *arguments: str) -> str:
    done = desk.run("runs", *arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    return done.stderr.removeprefix("Error: ").rstrip()


def test_a_store_without_runs_says_where_it_is_and_how_runs_come_there(desk: Desk) -> None:
    run_at(desk, 0, "3f9a01c2", *GOOD)

    done = desk.run("runs", "--account", "bakery")

    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == (
        f"The store knows no run of the account bakery at {desk.url}.\n"
        "Each run of tap-cirqll is noted there, and kept for 90 days. The store is\n"
        f"{desk.store_url.removeprefix('sqlite:///')}\n"
        "If there were runs, they are another account's, or in another store: give\n"
        "--account, --api-url and the variable CIRQLL_STORE_URL as the tap has them.\n"
    )


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://noor:hunter2@db.example/store", "the database store on db.example"),
        ("postgresql:///store?password=hunter2", "the database store"),
        ("sqlite://", "in memory, so that it is empty each time"),
    ],
)
def test_the_place_of_a_store_is_told_without_user_and_password(url: str, place: str) -> None:
    told = printed.nothing_yet(ConnectionSettings(store_url=url))
    assert f"The store is\n{place}\n" in told
    assert "hunter2" not in told
    assert "noor" not in told


def test_runs_are_listed_and_nobody_is_asked(desk: Desk) -> None:
    # Given
    some_runs(desk)
    # When
    done = desk.run("runs")
    # Then
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == (
        "Run       Began                 Outcome                              Rows   Requests  "
        "Waited  Certificates\n"
        "bbbb0000  2025-11-22 11:26 UTC  stopped after 4.0 s                  0      1,234     "
        "3.2 s   -\n"
        "3f9b5511  2025-11-22 10:26 UTC  failed after 1 h 05 min, 3 warnings  2,407  1,234     "
        "3.2 s   1 INCOMPLETE (customers), 1 unknown (notes)\n"
        "aaaa0000  2025-11-22 09:26 UTC  not finished                         -      -         "
        "-       -\n"
        "3f9a01c2  2025-11-22 08:26 UTC  done in 45 s                         2,400  1,234     "
        "3.2 s   2 complete, 1 not read (roles)\n"
        "\n"
        "One run, stream by stream: cirqll runs RUN\n"
    )
    assert not desk.sandbox.requests


def test_a_list_can_be_read_on_a_terminal_of_80_columns(desk: Desk) -> None:
    # Given
    some_runs(desk)
    # When
    seen = at_a_terminal(desk, "runs", columns=80)
    # Then
    assert max(map(len, seen.splitlines())) <= 80
    assert seen.splitlines()[0].split() == [
        *("Run", "Began", "Outcome", "Rows", "Requests", "Waited", "Certificates"),
    ]
    for whole in ("bbbb0000", "2025-11-22", "08:26 UTC", "not finished", "1 INCOMPLETE"):
        assert whole in seen


def test_one_run_is_told_stream_by_stream(desk: Desk) -> None:
    # Given
    some_runs(desk)
    # When
    done = desk.run("runs", "3f9b5511")
    # Then
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == ONE_RUN.format(url=desk.url)
    assert not desk.sandbox.requests


ONE_RUN = """\
Run       3f9b5511
Program   tap-cirqll 0.1.0
Account   default at {url}
Began     2025-11-22 10:26 UTC
Outcome   failed after 1 h 05 min
Rows      2,407
Requests  1,234
Waited    3.2 s

It failed. Wait.

Stream     Outcome       Rows   Deleted  Requests  Waited  Certificate
customers  done          1,200  3        2         12 min  INCOMPLETE
notes      done          1,200  0        2         0 s     unknown
tasks      not finished  7      0        2         0 s     -
todos      not begun     0      0        0         0 s     -

Stream     Its certificate in words
customers  The server counts 1,201 rows, and 1,200 came: look for the row in Cirqll.
notes      The notes were counted.

Stream     Warning
customers  The filter is ignored.
customers  The order, too.
todos      Not begun yet.
"""


def test_what_there_is_none_of_has_no_heading(desk: Desk) -> None:
    run_at(desk, 0, "3f9a01c2", stream("roles", None, stage="skipped"))
    told = desk.run("runs", "3f9a01c2").stdout
    assert told.count("Stream") == 1
    assert told.rstrip().splitlines()[-1].split()[:2] == ["roles", "skipped"]


def test_a_run_that_is_not_finished_says_what_that_may_mean(desk: Desk) -> None:
    run_at(desk, 0, "aaaa0000", outcome="running")
    told = desk.run("runs", "aaaa").stdout
    assert "Outcome   not finished\nRows      -\n" in told
    assert told.endswith(
        "\n\nIt is still going on, or its process was killed before it could tell how it ended. "
        "The next run goes on from the last state that was kept.\n"
    )


def test_json_has_names_that_stay(desk: Desk) -> None:
    # Given
    about = {"account": "default", "api_url": desk.url}
    assert json.loads(desk.run("runs", "--json").stdout) == {**about, "runs": []}
    run_at(desk, 0, "3f9b5511", BAD[0], BAD[3], outcome="failed", error="It failed. Wait.")
    # When
    listed = json.loads(desk.run("runs", "--json").stdout)
    one = json.loads(desk.run("runs", "3f9b5511", "--json").stdout)
    # Then
    assert listed == {**about, "runs": [RUN_AS_JSON]}
    assert one == {**about, **RUN_AS_JSON}


RUN_AS_JSON = {
    "run": "3f9b5511",
    "program": "tap-cirqll",
    "version": "0.1.0",
    "started_at": "2025-11-22T08:26:40Z",
    "ended_at": "2025-11-22T08:27:25Z",
    "outcome": "failed",
    "is_complete": False,
    "not_read": [],
    "error": "It failed. Wait.",
    "rows": 1200,
    "requests": 1234,
    "seconds_waited": 3.2,
    "streams": [
        {
            "stream": "customers",
            "stage": "done",
            "rows": 1200,
            "deleted": 3,
            "requests": 2,
            "seconds_waited": 720.4,
            "warnings": ["The filter is ignored.", "The order, too."],
            "certificate": {"verdict": "incomplete", "sentence": MISSING, "counted": 1201},
        },
        {
            "stream": "todos",
            "stage": "waiting",
            "rows": 0,
            "deleted": 0,
            "requests": 0,
            "seconds_waited": 0.0,
            "warnings": ["Not begun yet."],
            "certificate": None,
        },
    ],
}


def test_json_claims_nothing_of_a_run_that_is_not_finished(desk: Desk) -> None:
    run_at(desk, 0, "aaaa0000", outcome="running")
    told = json.loads(desk.run("runs", "aaaa0000", "--json").stdout)
    unknown = ("ended_at", "error", "rows", "requests", "seconds_waited")
    assert [told[name] for name in unknown] == [None] * 5
    assert (told["outcome"], told["is_complete"], told["streams"]) == ("running", False, [])


def test_the_last_20_are_listed_where_no_number_is_given(desk: Desk) -> None:
    for hour in range(22):
        run_at(desk, hour, f"{hour:08}")
    assert listed(desk) == [f"{hour:08}" for hour in range(21, 1, -1)]
    assert listed(desk, "--last", "2") == ["00000021", "00000020"]
    assert len(listed(desk, "--last", "5000")) == 22


def test_incomplete_ones_are_found_behind_any_number_of_good_ones(desk: Desk) -> None:
    # Given
    some_runs(desk)
    for hour in range(4, 26):
        run_at(desk, hour, f"{hour:08}", *GOOD)
    # When
    found = listed(desk, "--incomplete")
    # Then
    assert found == ["bbbb0000", "3f9b5511", "aaaa0000"]
    assert listed(desk, "--incomplete", "--last", "1") == ["bbbb0000"]


def test_where_all_are_complete_it_says_so(desk: Desk) -> None:
    for hour in range(3):
        run_at(desk, hour, f"{hour:08}", *GOOD)
    done = desk.run("runs", "--incomplete")
    assert done.exit_code == 0
    assert done.stdout == "No run is incomplete; the store knows 3 runs of this account.\n"


@pytest.mark.parametrize("start", ["3f9a", " 3f9a01c2 "])
def test_a_run_is_named_by_the_beginning_of_its_id(desk: Desk, start: str) -> None:
    some_runs(desk)
    assert desk.run("runs", start).stdout.startswith("Run       3f9a01c2\n")


@pytest.mark.parametrize("start", ["c", "", "%"])
def test_an_id_that_no_run_has_is_refused(desk: Desk, start: str) -> None:
    some_runs(desk)
    assert refused(desk, start) == (
        f"No run begins with '{start}': `cirqll runs` shows those that there are. It may be too "
        "long ago, or be another account's: see --account."
    )


def test_an_id_that_two_runs_have_is_refused(desk: Desk) -> None:
    some_runs(desk)
    assert refused(desk, "3f9") == (
        "2 runs begin with '3f9': give more of what `cirqll runs` shows."
    )


def test_a_run_of_another_account_is_not_shown(desk: Desk) -> None:
    run_at(desk, 0, "3f9a01c2", account="bakery")
    assert refused(desk, "3f9a01c2").startswith("No run begins with '3f9a01c2'")
    assert desk.run("runs", "3f9a01c2", "--account", "bakery").exit_code == 0


def test_a_run_and_incomplete_exclude_each_other(desk: Desk) -> None:
    done = desk.run("runs", "3f9a01c2", "--incomplete")
    assert done.exit_code == 2
    assert "--incomplete is for the list: leave it out, or leave the run out." in done.stderr


@pytest.mark.parametrize(("arguments", "times"), [((), 1), (("3f9a01c2",), 6)])
def test_what_was_told_cannot_colour_the_terminal(
    desk: Desk, arguments: tuple[str, ...], times: int
) -> None:
    red = "\x1b[31mred"
    named = stream(red, "incomplete", warnings=(red,))
    run_at(desk, 0, "3f9a01c2", named, outcome="failed", error=red)

    told = desk.run("runs", *arguments).stdout

    assert told.count("\ufffd[31mred") == told.count("red") == times


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], "2 complete, 1 not read (roles)"),
        (["a"], "2 complete, 1 INCOMPLETE (a), 1 not read (roles)"),
        (["a", "b", "c"], "2 complete, 3 INCOMPLETE (a, b, c), 1 not read (roles)"),
        (
            ["a", "b", "c", "d"],
            "2 complete, 4 INCOMPLETE (a, b, c and 1 more), 1 not read (roles)",
        ),
    ],
)
def test_streams_that_lack_rows_are_named_a_few_of_them(names: list[str], told: str) -> None:
    assert verdicts([*(stream(one, "incomplete") for one in names), *GOOD]) == told


def test_a_store_that_cannot_be_opened_is_told_in_a_sentence(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = desk.run("runs", CIRQLL_STORE_URL=f"sqlite:///{tmp_path}/file/store.sqlite")
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: ")
    assert "store_url" in done.stderr


HELP = """\
Usage: cirqll runs [OPTIONS] [RUN]

  Show what past runs did, and whether rows are missing.

  The last runs of tap-cirqll, or one of them stream by stream. A certificate
  says whether all rows came that Cirqll counts: complete, INCOMPLETE, or
  unknown where that cannot be told. Runs are kept in the store for 90 days.
  Nothing is sent.

  Example:
    cirqll runs --incomplete
    cirqll runs 3f9a01c2

Options:
  --last N        The most runs to show.  [default: 20; x>=1]
  --incomplete    Only runs that did not end well, or have a certificate that is
                  not complete.
  --json          Print JSON, with names that stay.
  --account NAME  Which account of the store; CIRQLL_ACCOUNT, or default.
  --api-url URL   The root of the API; CIRQLL_API_URL, or https://api.cirqll.nl.
  -h, --help      Show this message and exit.
"""


def test_help_says_what_a_certificate_is(desk: Desk) -> None:
    assert desk.run("runs", "--help").stdout == HELP
    assert "  runs     Show what past runs did, and whether rows are missing.\n" in (
        desk.run("--help").stdout
    )
