"""What goes wrong on the way: nothing is lost, and a sentence says what to do."""

from __future__ import annotations

import time
from threading import Thread, Timer
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.errors import CirqllError, ScopeMissing, SignInRequired, Unavailable

if TYPE_CHECKING:
    from target_cirqll.run import Run
    from tests.target.writing_fixtures import Record, Target, Written

HASTY = {"give_up_after": 0.2, "request_timeout": 1}
READ = ["user.read.all", "customer.read.all"]


def rows(number: int) -> list[Record]:
    return [{"no": one, "name": f"Klant {one}"} for one in range(1, number + 1)]


def settled(written: Written) -> int:
    """How many rows lie before the last state."""
    return written.states[-1]["rows"] if written.states else 0


def replayed(target: Target, given: list[Record], written: Written, **options: Any) -> Written:
    """Send what lies behind the last state, as the next run of a pipeline does."""
    return target(given[settled(written) :], **options)


def names(target: Target) -> list[str]:
    return sorted(one["name"] for one in target.rows())


@pytest.mark.parametrize(
    ("missing", "given", "remedy"),
    [
        ("create", [{"no": 1, "name": "A"}], "Grant it the scope customer.create.all"),
        ("update", [{"id": 1, "name": "B"}], "Grant it the scope customer.update.all"),
        ("delete", [{"id": 1, "_sdc_deleted_at": "2026-01-01"}], "the scope customer.delete.all"),
    ],
)
def test_a_missing_scope_ends_the_run_with_the_remedy(
    target: Target, missing: str, given: list[Record], remedy: str
) -> None:
    target.source.customers.insert(name="A", id=1)
    scopes = [f"customer.{one}.all" for one in {"create", "update", "delete"} - {missing}]
    token = target.source.sandbox.grant([*READ, *scopes]).access_token

    written = target(
        given,
        settings={"access_token": token},
        may_fail=True,
        on_delete="delete",
        max_deletions=1,
    )

    assert isinstance(written.error, ScopeMissing)
    assert remedy in written.sentence
    assert (written.states, written.rejects) == ([], [])


def test_after_the_scope_is_granted_the_rest_is_written(target: Target) -> None:
    given = rows(20)
    token = target.source.sandbox.grant(READ).access_token

    failed = target(given, settings={"access_token": token}, may_fail=True)
    replayed(target, given, failed)

    assert len(failed.writes) <= 8
    assert len(target.rows()) == 20


def test_a_dead_token_ends_the_run_with_the_remedy(target: Target) -> None:
    written = target(rows(1), settings={"access_token": "dead"}, may_fail=True)

    assert isinstance(written.error, SignInRequired)
    assert "sign in" in written.sentence or "access_token" in written.sentence
    assert written.states == []


def test_a_token_that_dies_in_mid_run_loses_nothing(target: Target) -> None:
    given = rows(40)
    token = target.source.sandbox.grant().access_token

    def revoke(_run: Run, number: int) -> None:
        if number == 20:
            target.source.sandbox.revoke_everything()

    failed = target(
        given,
        settings={"access_token": token},
        during=revoke,
        batch=10,
        state_every=10,
        may_fail=True,
    )
    replayed(target, given, failed)

    assert isinstance(failed.error, SignInRequired)
    assert settled(failed) == 20
    assert names(target) == sorted(one["name"] for one in given)


@pytest.mark.parametrize("fault", ["500", "502-html", "503", "cut-before", "500-after-commit"])
def test_a_server_that_dies_in_mid_run_loses_nothing_and_doubles_nothing(
    target: Target, fault: str
) -> None:
    given = rows(40)

    def die(_run: Run, number: int) -> None:
        if number == 20:
            target.source.sandbox.faults.add(fault)

    failed = target(given, settings=HASTY, during=die, batch=10, state_every=10, may_fail=True)
    target.source.sandbox.faults.clear()
    replayed(target, given, failed, settings=HASTY)

    assert isinstance(failed.error, Unavailable)
    assert settled(failed) == 20
    assert names(target) == sorted(one["name"] for one in given)


@pytest.mark.parametrize("fault", ["500", "502-html", "cut-before", "lost-answer", "truncated"])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_fault_that_passes_is_waited_for(target: Target, fault: str, method: str) -> None:
    there = target.source.customers.insert(name="A")
    target.source.sandbox.faults.add(fault, method=method, times=1, path="/api/customer")

    written = target([{"id": there["id"], "name": "B"}], keys=("id",))

    assert written.rejects == []
    assert target.source.customers.get(there["id"])["name"] == "B"


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_429_is_waited_for_and_doubles_nothing(target: Target, method: str) -> None:
    there = target.source.customers.insert(name="A")
    target.source.sandbox.faults.add("429", method=method, times=1, seconds=1, path="customer")
    given = [{"id": there["id"], "name": "B"}, {"no": "K1", "name": "New"}]

    written = target(given)

    assert written.rejects == []
    assert names(target) == ["B", "New"]


def test_429_without_a_time_is_waited_for_only_as_long_as_the_settings_say(target: Target) -> None:
    target.source.sandbox.faults.add("429-without-retry-after", method="POST")

    written = target(rows(3), settings=HASTY, may_fail=True)
    target.source.sandbox.faults.clear()
    replayed(target, rows(3), written)

    assert isinstance(written.error, Unavailable)
    assert written.states == []
    assert len(target.rows()) == 3


@pytest.mark.parametrize("at", [1, 2, 7, 19])
@pytest.mark.parametrize("fault", ["lost-answer", "500-after-commit", "empty", "502-after-commit"])
def test_a_lost_answer_to_a_create_doubles_nothing(target: Target, fault: str, at: int) -> None:
    target.source.sandbox.faults.add(fault, method="POST", at=at)

    written = target(rows(20), settings={"request_timeout": 1})

    assert written.rejects == []
    assert len(target.rows()) == 20
    assert written.counts["customers"]["created"] == 20


def test_the_state_after_an_error_holds_no_row_that_was_not_settled(target: Target) -> None:
    given = rows(30)
    sandbox = target.source.sandbox

    def die_after_some(_request: object) -> None:
        if sum(one.method == "POST" for one in sandbox.requests) >= 12:
            sandbox.faults.add("503", times=1)

    end = sandbox.before_request(die_after_some)
    failed = target(given, settings=HASTY, batch=30, state_every=1, may_fail=True)
    end()

    done = {one["name"] for one in target.rows()}
    assert isinstance(failed.error, CirqllError)
    assert {one["name"] for one in given[: settled(failed)]} <= done


def test_two_writers_share_one_budget(target: Target) -> None:
    limit, seconds = 20, 2.0
    target.source.behave(rate_limit=limit, rate_window_seconds=seconds)
    target.source.customers.insert_many([{"name": "A", "import_id": one} for one in range(40)])
    pace = {"requests_per_minute": limit}
    written: list[Written] = []

    threads = [Thread(target=_read_some, args=(target, pace)) for _ in range(2)]
    for thread in threads:
        thread.start()
    written.append(target([{"no": 1, "name": "B"}], settings=pace))
    for thread in threads:
        thread.join()

    assert 429 not in {one.status for one in target.source.sandbox.requests}


def _read_some(target: Target, pace: dict[str, Any]) -> None:
    from cirqll_client.connection import connect  # noqa: PLC0415
    from cirqll_client.query import IndexQuery  # noqa: PLC0415
    from tests.target.writing_fixtures import resource  # noqa: PLC0415

    connection = connect(target.connection(**pace))
    for _ in range(6):
        connection.client.index(resource("customers"), IndexQuery(limit=1))
    connection.close()


def test_a_run_that_is_stopped_gives_out_what_is_settled(target: Target) -> None:
    given = rows(30)

    def stop(run: Run, number: int) -> None:
        if number == 20:
            run.stop()

    stopped = target(given, during=stop, batch=10, state_every=10)
    target(given[settled(stopped) :])

    assert settled(stopped) == 20
    assert names(target) == sorted(one["name"] for one in given)


def test_a_run_that_is_stopped_does_not_wait_for_its_next_try(target: Target) -> None:
    there = target.source.customers.insert(name="A")
    target.source.sandbox.faults.add("429", method="PATCH", seconds=60)

    def stop_soon(run: Run, _number: int) -> None:
        Timer(0.5, run.stop).start()

    started = time.monotonic()
    stopped = target([{"id": there["id"], "name": "B"}], keys=("id",), during=stop_soon)

    assert time.monotonic() - started < 5
    assert (stopped.states, stopped.rejects) == ([], [])
