"""Each stream of a run is certified: what is honest agrees, and what is not does not."""

from __future__ import annotations

import json
import signal
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cirqll_client.connection import account_key
from cirqll_client.run_history import RunHistory
from cirqll_client.settings import ConnectionSettings
from cirqll_client.store import RUNS, Store
from tap_cirqll.catalogs import everything
from tap_cirqll.certificate import PERHAPS_A_PAGE
from tests.tap.catalog_edits import choose
from tests.tap.watched_account import WatchedAccount

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cirqll_client.run_history import Run
    from tests.reading_fixtures import Source
    from tests.tap.conftest import Source as OneSource
    from tests.tap.tap_runs import TapRuns
    from tests.tap.watched_account import Watched

folders = count()

detection = pytest.mark.parametrize(
    "detects", [pytest.param(False, id="plain"), pytest.param(True, id="with detection")]
)
pages = pytest.mark.parametrize(
    "page", [pytest.param(1000, id="one page"), pytest.param(3, id="pages")]
)
INDEX = "^/api/note$"


@pytest.fixture
def account(crm: Source, tmp_path: Path) -> WatchedAccount:
    """An account without rows, that nobody has read."""
    return WatchedAccount(crm, tmp_path)


def during(account: WatchedAccount, at: int, act: Callable[[], object]) -> Callable[[], None]:
    """Let something happen right before a request of the next run is answered."""
    numbers = count(1)
    return account.source.sandbox.before_request(lambda _: act() if next(numbers) == at else None)


def before_recount(account: WatchedAccount, act: Callable[[], object]) -> Callable[[], None]:
    """Let something happen right before the newest rows are counted."""
    return account.source.sandbox.before_request(lambda one: act() if is_recount(one) else None)


def is_recount(request: Any) -> bool:
    """Tell whether it is the question of the certificate."""
    descends = "desc" in "".join(request.query.get("order_by", []))
    return descends and request.query.get("limit") != ["1"]


def recounts(run: Watched) -> int:
    """How often the certificate asked."""
    return len([one for one in run.requests if is_recount(one)])


def late_row(account: WatchedAccount, *, minutes: float = 120) -> None:
    """A row that becomes visible now, though it changed so long ago."""
    moment = account.source.sandbox.clock.now() - timedelta(minutes=minutes)
    account.rows.insert(description="Late", updated_at=f"{moment:%Y-%m-%d %H:%M:%S}")


def assert_complete(run: Watched) -> None:
    assert run.error is None
    assert run.said() == []
    assert run.certificate["verdict"] == "complete", run.certificate["sentence"]


# Servers that are honest.


@pages
@detection
def test_an_honest_server_is_agreed_with_in_each_run(
    account: WatchedAccount, *, page: int, detects: bool
) -> None:
    account.source.behave(page_maximum=page)
    account.fill(7)

    for _ in range(2):
        assert_complete(account.run(detect_deletions=detects))
    account.edit(2, 5)
    account.fill(2)

    run = account.run(detect_deletions=detects)

    assert_complete(run)
    assert (run.certificate["counted"], run.certificate["rows_read"]) == (5, 5)


@detection
def test_a_stream_without_rows_is_complete(account: WatchedAccount, *, detects: bool) -> None:
    run = account.run(detect_deletions=detects)

    assert_complete(run)
    assert (run.certificate["counted"], len(run.lists)) == (0, 1)


@pages
def test_where_nothing_changes_it_costs_no_request(account: WatchedAccount, page: int) -> None:
    account.source.behave(page_maximum=page)
    account.fill(7)

    run = account.run(detect_deletions=False)

    assert_complete(run)
    assert len(run.requests) == -(-7 // page)


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda account: account.rows.insert(description="New"), id="create"),
        pytest.param(lambda account: account.rows.update(1, description="Moved"), id="edit"),
        pytest.param(lambda account: account.source.sandbox.delete("note", 6), id="delete"),
    ],
)
def test_where_something_changes_it_costs_one(account: WatchedAccount, act: Any) -> None:
    account.source.behave(page_maximum=3)
    account.fill(7)
    during(account, 2, lambda: act(account))

    run = account.run(detect_deletions=False)

    assert_complete(run)
    assert recounts(run) == 1
    assert sorted({*run.living, 6}) == sorted({*account.rows.ids, 6})


def test_what_changed_meanwhile_and_was_not_read_is_told(account: WatchedAccount) -> None:
    account.source.behave(page_maximum=3)
    account.fill(7)
    during(account, 2, lambda: account.rows.insert(description="New"))
    before_recount(account, lambda: account.rows.update(1, description="Moved"))
    before_recount(account, lambda: account.rows.insert(description="Newer"))
    before_recount(account, lambda: account.source.sandbox.delete("note", 2))

    run = account.run(detect_deletions=False)

    assert_complete(run)
    assert run.certificate["sentence"] == (
        "complete: 8 rows read, 1 changed meanwhile (for the next run), 1 deleted meanwhile, "
        "8 counted at the end"
    )


deeds = st.tuples(
    st.integers(1, 9),
    st.sampled_from(["edit", "edit many", "delete", "create", "create many", "restore"]),
    st.integers(0, 9),
)


@given(
    rows=st.integers(0, 8),
    page=st.sampled_from([2, 3, 1000]),
    detects=st.booleans(),
    runs=st.lists(st.lists(deeds, max_size=4), min_size=1, max_size=2),
)
@example(rows=2, page=2, detects=False, runs=[[(2, "edit", 0), (3, "create many", 9)]])
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_happens_during_the_reading_an_honest_server_is_agreed_with(  # noqa: PLR0913 - what may be
    crm: Source,
    tmp_path: Path,
    *,
    rows: int,
    page: int,
    detects: bool,
    runs: list[list[tuple[int, str, int]]],
) -> None:
    crm.begin(page_maximum=page)
    folder = tmp_path / str(next(folders))
    folder.mkdir()
    account = WatchedAccount(crm, folder)
    account.fill(rows)

    for history in runs:
        ends = [
            during(account, at, partial(do, account, verb, place)) for at, verb, place in history
        ]
        run = account.run(detect_deletions=detects, max_deleted_share=1)

        # What is left may be as many rows as a page has: that is no proof of a count.
        if PERHAPS_A_PAGE in run.certificate["reasons"]:
            assert (run.certificate["verdict"], run.said()) == ("unknown", [])
            assert run.certificate["rows_read"] > page
        else:
            assert_complete(run)
        for end in ends:
            end()


def do(account: WatchedAccount, verb: str, place: int) -> None:
    """Do something to the row in this place, or to so many; time goes on."""
    sandbox, ids = account.source.sandbox, account.rows.ids
    gone = sorted({*range(1, max(ids, default=0))} - {*ids})
    sandbox.clock.set(sandbox.clock.now() + timedelta(seconds=place % 2), running=False)
    if verb.startswith("create"):
        account.rows.insert_many([{"description": "New"}] * (place if "many" in verb else 1))
    elif verb == "restore" and gone:
        sandbox.restore("note", gone[place % len(gone)], touches=bool(place % 3))
    elif verb == "delete" and ids:
        sandbox.delete("note", ids[place % len(ids)])
    elif verb.startswith("edit"):
        for one in ids[:place] if "many" in verb else ids[place : place + 1]:
            account.rows.update(one, description="Changed")


# Rows that were missed.


@pytest.mark.parametrize("others", [0, 4])
def test_a_row_that_is_visible_late_is_read_again(account: WatchedAccount, others: int) -> None:
    """The others are more than a page, so that it is not among the newest."""
    account.source.behave(page_maximum=3)
    account.fill(7)
    during(account, 2, lambda: account.rows.insert(description="New"))
    during(account, 3, lambda: late_row(account))
    before_recount(account, lambda: account.rows.insert_many([{"description": "New"}] * others))

    run = account.run(detect_deletions=False)

    assert_complete(run)
    assert 9 in run.living
    assert run.certificate["read_again"] >= 1
    assert "missed at first and read again" in run.certificate["sentence"]


def test_one_that_is_seen_among_the_newest_is_read_without_a_search(
    account: WatchedAccount,
) -> None:
    account.source.behave(page_maximum=4)
    account.fill(5)
    during(account, 2, lambda: account.rows.insert(description="New"))
    during(account, 2, lambda: late_row(account, minutes=2.5))

    run = account.run(detect_deletions=False)

    assert_complete(run)
    assert run.living.count(7) == 1
    assert run.certificate["read_again"] == 1
    assert [one.query.get("filter") for one in run.requests][-2:] == [None, ["id:in:7"]]


def test_a_row_that_is_missed_is_read_when_the_account_is_counted(account: WatchedAccount) -> None:
    account.fill(7)
    account.run()
    late_row(account)
    account.fill(1)

    run = account.run()

    assert_complete(run)
    assert 8 in run.living
    assert run.certificate["read_again"] == 1


def test_a_row_that_a_page_lost_once_is_read(account: WatchedAccount) -> None:
    account.source.behave(page_maximum=3)
    account.fill(7)
    lost = {"note": (5,)}
    account.source.sandbox.faults.add("behaviour", unlisted_rows=lost, path=INDEX, at=2)

    run = account.run(detect_deletions=False)

    assert run.certificate["verdict"] == "complete"
    assert sorted(set(run.living)) == account.rows.ids


def test_rows_that_are_new_are_not_taken_for_missed_ones(account: WatchedAccount) -> None:
    """More than a page of them, so that none is seen that was read."""
    account.source.behave(page_maximum=3)
    account.fill(7)
    during(account, 2, lambda: account.rows.insert(description="New"))
    before_recount(account, lambda: account.rows.insert_many([{"description": "New"}] * 9))

    run = account.run(detect_deletions=False)

    assert_complete(run)


# Servers that are not.

LIES: dict[str, dict[str, Any]] = {
    "a row is counted and not given": {"skipped_rows": {"note": (5,)}},
    "a row is given twice": {"repeated_rows": {"note": (5,)}},
    "one more is counted": {"total_off_by": 1},
    "one less is counted": {"total_off_by": -1},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
@pages
@detection
def test_it_disagrees_with_a_server_that_is_not_honest(
    account: WatchedAccount, *, lie: dict[str, Any], page: int, detects: bool
) -> None:
    account.source.behave(page_maximum=page, **lie)
    account.fill(8)

    first = account.run(detect_deletions=detects)
    account.edit(5, 6, 7)
    later = account.run(detect_deletions=detects)

    for run in (first, later):
        assert run.certificate["verdict"] == "incomplete"
        (told,) = [one for one in run.said() if one.startswith("notes is incomplete: Cirqll ")]
        assert run.certificate["reasons"][0] in told


@pages
def test_it_disagrees_where_a_row_that_you_have_is_hidden(
    account: WatchedAccount, page: int
) -> None:
    account.source.behave(page_maximum=page)
    account.fill(7)
    account.run()
    account.source.sandbox.hide("note", 3, counted=False)

    runs = [account.run() for _ in range(2)]

    for run in runs:
        assert run.certificate["verdict"] == "incomplete"
        assert "Cirqll shows 1 row that it does not list" in run.certificate["sentence"]
        assert run.deleted == []
    account.source.sandbox.show_again("note")
    account.run()
    assert_complete(account.run())


@pytest.mark.parametrize("echo", ["missing", "lying"])
@pytest.mark.parametrize("page", [3, 1000])
def test_a_server_that_does_not_count_is_not_known_to_be_complete(
    account: WatchedAccount, echo: Any, page: int
) -> None:
    account.source.behave(page_maximum=page, total_echo=echo)
    account.fill(7)

    run = account.run(detect_deletions=False)

    assert run.said() == []
    why = "Cirqll does not tell how many rows there are" if echo == "missing" else PERHAPS_A_PAGE
    is_one_page_as_counted = echo == "lying" and page == 1000
    assert run.certificate["sentence"] == (
        "complete: 7 rows read, as many as Cirqll counts"
        if is_one_page_as_counted
        else f"unknown: {why}"
    )


# What goes wrong on the way.


def test_where_it_cannot_be_counted_again_it_is_unknown(account: WatchedAccount) -> None:
    account.source.behave(page_maximum=3)
    account.fill(7)
    during(account, 2, lambda: account.rows.insert(description="New"))
    faults = account.source.sandbox.faults
    before_recount(account, lambda: faults.add("418", path=INDEX))

    run = account.run(detect_deletions=False)

    assert run.error is None
    assert run.certificate["sentence"] == (
        "unknown: rows changed while it was read, and could not be counted again"
    )
    (told,) = run.said()
    assert told.startswith("notes: what was read could not be counted again: ")


def test_where_the_account_cannot_be_counted_it_is_unknown(account: WatchedAccount) -> None:
    account.fill(7)
    account.run()
    account.source.sandbox.faults.add("418", path=INDEX, since=2)

    run = account.run()

    assert run.error is None
    assert run.certificate["verdict"] == "unknown"
    assert run.certificate["sentence"].startswith("unknown: the account is not known, since ")


def test_rows_that_the_guard_keeps_are_told(account: WatchedAccount) -> None:
    account.fill(7)
    account.run()
    account.delete(1, 2, 3, 4)

    run = account.run()

    assert run.deleted == []
    assert run.certificate["sentence"].startswith(
        "incomplete: 4 rows gone and not marked, since that is more than 20%"
    )


def test_a_stream_that_failed_is_not_known_to_be_complete(account: WatchedAccount) -> None:
    account.source.behave(page_maximum=3)
    account.fill(7)
    account.source.sandbox.faults.add("418", path=INDEX, since=2)

    run = account.run()

    assert run.error
    assert run.certificate["sentence"] == "unknown: it was not read to its end"


def test_a_stream_that_may_not_be_read_has_none(account: WatchedAccount) -> None:
    account.source.sandbox.take_scopes("note.read.all")
    try:
        run = account.run(catalog=choose(everything(), "notes", "tasks"))
    finally:
        account.source.sandbox.give_scopes("note.read.all")

    assert certificates(run).keys() == {"tasks"}


# Strictly.


@pytest.mark.parametrize("strict", [False, True])
def test_strictly_what_does_not_agree_is_an_error(account: WatchedAccount, *, strict: bool) -> None:
    account.fill(2)
    account.source.behave(total_off_by=1)

    run = account.run(strict=strict, detect_deletions=False)

    assert len(run.said()) == 1
    assert run.records
    assert (str(run.error) if run.error else None) == (
        "Not all agrees with what Cirqll counts: notes, for the reasons told above. "
        "The setting strict makes an error of that."
        if strict
        else None
    )


@pytest.mark.parametrize("strict", [False, True])
def test_what_is_not_known_is_no_error(account: WatchedAccount, *, strict: bool) -> None:
    account.fill(2)
    account.source.behave(total_echo="missing")

    assert account.run(strict=strict, detect_deletions=False).error is None


# Tables of what lies within records, and the company.


def certificates(run: Watched) -> dict[str, dict[str, Any]]:
    """What is certain, by stream."""
    told = [one for one in (getattr(line, "summary", {}) for line in run.log) if "stream" in one]
    return {one["stream"]: one["certificate"] for one in told if one["certificate"]}


def test_what_lies_within_records_is_as_good_as_they_are(account: WatchedAccount) -> None:
    sandbox = account.source.sandbox
    field = sandbox.rows("field").insert(name="Soort", model="customer")["id"]
    sandbox.rows("field_option").insert(name="Groot", field_id=field)
    catalog = choose(everything(), "fields", "field_options", "companies")

    good = account.run(catalog=catalog)
    account.state = {}
    account.source.behave(total_off_by=1)
    bad = account.run(catalog=catalog)

    assert {name: one["sentence"] for name, one in certificates(good).items()} == {
        "companies": "complete",
        "fields": "complete: 1 row read, as many as Cirqll counts",
        "field_options": "complete: came along with fields",
    }
    assert certificates(bad)["companies"]["verdict"] == "complete"
    assert certificates(bad)["field_options"]["sentence"] == (
        "incomplete: fields: Cirqll counts 1 row that did not come"
    )


# The optional stream of certificates.


def test_the_stream_of_certificates_has_a_row_for_each_stream(account: WatchedAccount) -> None:
    account.fill(3)

    run = account.run(catalog=choose(everything(), "notes", "tasks", "_certificates"))

    rows = records(run, "_certificates")
    assert [(one["stream"], one["verdict"]) for one in rows] == [
        ("notes", "complete"),
        ("tasks", "complete"),
    ]
    assert rows[0]["sentence"] == certificates(run)["notes"]["sentence"]
    assert (rows[0]["counted"], rows[0]["rows_read"], rows[0]["known"]) == (3, 3, 3)
    (written,) = past_runs(account)
    assert {one["run_id"] for one in rows} == {written.id}


def test_their_schema_comes_first_and_has_their_key(account: WatchedAccount) -> None:
    run = account.run(catalog=choose(everything(), "notes", "_certificates"))

    schema, record, state = run.messages[-3:]
    assert (schema["type"], schema["stream"]) == ("SCHEMA", "_certificates")
    assert schema["key_properties"] == ["run_id", "stream"]
    assert record["record"].keys() == schema["schema"]["properties"].keys()
    assert (state["type"], "_certificates" in state["value"]["bookmarks"]) == ("STATE", False)


def test_nobody_gets_certificates_who_does_not_select_them(account: WatchedAccount) -> None:
    run = account.run()

    assert {one.get("stream") for one in run.messages} == {"notes", None}


# The list of runs, and programs.


def records(run: Watched, stream: str) -> list[dict[str, Any]]:
    """The records of a stream."""
    of_stream = [one for one in run.messages if one.get("stream") == stream]
    return [one["record"] for one in of_stream if one["type"] == "RECORD"]


def past_runs(account: WatchedAccount) -> list[Run]:
    """What the store knows of past runs, the newest first."""
    settings = ConnectionSettings(api_url=account.source.url)
    with closing(Store(f"sqlite:///{account.store}")) as store:
        return RunHistory(store, account=account_key(settings)).last(most=9)


def test_a_run_is_in_the_list_with_what_it_did(account: WatchedAccount) -> None:
    account.fill(3)
    account.run()
    account.delete(2)

    run = account.run(max_deleted_share=1)

    written = past_runs(account)[0]
    assert (written.program, written.outcome, written.error) == ("tap-cirqll", "done", None)
    assert written.requests == len(run.requests)
    (notes,) = written.streams
    assert (notes.name, notes.stage, notes.rows, notes.deleted) == ("notes", "done", 1, 1)
    assert notes.certificate == json.loads(json.dumps(run.certificate))
    assert notes.sentence == (
        "complete: 1 row read, as many as Cirqll counts; 2 in the account, and you have them all"
    )


def test_a_run_that_failed_is_in_the_list_with_its_sentence(account: WatchedAccount) -> None:
    account.fill(3)
    account.source.sandbox.faults.add("418", path=INDEX)

    run = account.run()

    (written,) = past_runs(account)
    assert (written.outcome, written.error) == ("failed", str(run.error))
    (notes,) = written.streams
    assert (notes.stage, notes.verdict, len(notes.warnings)) == ("failed", "unknown", 1)


def test_a_run_whose_end_cannot_be_written_is_good(account: WatchedAccount) -> None:
    account.fill(3)
    account.run()
    during(account, 1, lambda: lose_the_list(account))

    run = account.run(detect_deletions=False)

    assert run.error is None
    assert run.certificate["verdict"] == "complete"
    (told,) = run.said()
    assert told.startswith("This run is missing in `cirqll runs`, or its end is: ")


def lose_the_list(account: WatchedAccount) -> None:
    """Take the table of runs out of the store."""
    with closing(sqlite3.connect(account.store)) as store:
        store.execute(f"drop table {RUNS.name}")
        store.commit()


def listed_runs(run_tap: TapRuns, source: OneSource) -> list[dict[str, Any]]:
    """What `cirqll runs` prints, the newest first."""
    environment = {"CIRQLL_API_URL": source.url, "CIRQLL_STORE_URL": store_url(run_tap)}
    program = "import sys; from cirqll_client.cli import main; sys.exit(main())"
    command = (sys.executable, "-c", program, "runs", "--json")
    printed = run_tap.command(*command, environment=environment)
    runs: list[dict[str, Any]] = json.loads(printed.output)["runs"]
    return runs


def store_url(run_tap: TapRuns) -> str:
    """A store that the tap and the command share."""
    return f"sqlite:///{run_tap.folder}/store.sqlite"


def test_a_program_tells_it_in_its_log_its_metrics_its_code_and_the_list(
    run_tap: TapRuns, source: OneSource
) -> None:
    source.sandbox.rows("note").insert(description="A")
    source.sandbox.behaviour = replace(source.sandbox.behaviour, total_off_by=1)
    catalog = choose(everything(), "notes", "companies")

    run = run_tap(catalog=catalog, strict=True, store_url=store_url(run_tap))

    assert run.code == 1
    assert run.sentences("ERROR")[-1].startswith("Not all agrees with what Cirqll counts: notes, ")
    verdict = "incomplete: Cirqll counts 1 row that did not come; 1 row read, 2 counted at the end"
    summaries = [one for one in run.sentences("INFO") if one.startswith("Summary: notes: 1 row, ")]
    assert summaries[0].endswith(f", 1 warning; {verdict}.")
    points = [one for one in run.sentences("INFO") if one.startswith("METRIC: ")]
    told = [json.loads(one.removeprefix("METRIC: ")) for one in points]
    gauges = [one for one in told if one["metric"] == "stream_complete"]
    assert {one["tags"]["stream"]: (one["value"], one["tags"]["verdict"]) for one in gauges} == {
        "companies": (1, "complete"),
        "notes": (0, "incomplete"),
    }
    (written,) = listed_runs(run_tap, source)
    assert (written["outcome"], written["is_complete"]) == ("failed", False)
    assert written["error"] == run.sentences("ERROR")[-1]
    assert written["streams"][1]["certificate"]["sentence"] == verdict


@pytest.mark.parametrize(
    ("number", "outcome", "stage"),
    [(signal.SIGTERM, "stopped", "reading"), (signal.SIGKILL, "running", None)],
)
def test_a_run_that_was_stopped_or_killed_is_in_the_list(
    run_tap: TapRuns, source: OneSource, number: signal.Signals, outcome: str, stage: str | None
) -> None:
    source.sandbox.behaviour = replace(source.sandbox.behaviour, page_maximum=2)
    source.sandbox.rows("note").insert_many([{"description": "A"}] * 9)
    catalog = run_tap.file("catalog", choose(everything(), "notes"))
    processes: list[Any] = []
    numbers = count(1)

    def stop(request: Any) -> None:
        if request.path == "/api/note" and next(numbers) == 2:
            processes[0].send_signal(number)
            time.sleep(0.2)

    source.sandbox.before_request(stop)
    processes.append(run_tap.start("--catalog", catalog, store_url=store_url(run_tap)))
    processes[0].communicate(timeout=30)

    (written,) = listed_runs(run_tap, source)
    assert written["outcome"] == outcome
    assert written["error"] is None
    assert [one["stage"] for one in written["streams"]] == ([stage] if stage else [])
    assert all(one["certificate"] is None for one in written["streams"])
