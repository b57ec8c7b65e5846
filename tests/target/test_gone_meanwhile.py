"""What happens at the worst moment: a record is deleted, a run is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cirqll_sandbox.request_log import RequestRecord
    from target_cirqll.run import Run
    from tests.target.writing_fixtures import Record, Target


def test_an_update_of_a_record_that_was_just_deleted_rejects_that_row_only(target: Target) -> None:
    # Given
    first, second = target.source.customers.insert_many([{"name": "A"}, {"name": "B"}])

    def delete(request: RequestRecord) -> None:
        if request.method == "PATCH" and target.source.customers.find(first):
            target.source.customers.delete(first)

    end = target.source.sandbox.before_request(delete)
    # When
    rows = [{"id": first, "name": "C"}, {"id": second, "name": "D"}]
    written = target(rows, keys=("id",), concurrency=1)
    end()
    # Then
    assert [(one["kind"], one["position"]) for one in written.rejects] == [("refused", 1)]
    assert [one["name"] for one in target.rows()] == ["D"]


def test_a_deletion_of_a_record_that_was_just_deleted_is_done(target: Target) -> None:
    # Given
    there = target.source.customers.insert(name="A")["id"]

    def delete(request: RequestRecord) -> None:
        if request.method == "DELETE" and target.source.customers.find(there):
            target.source.customers.delete(there)

    end = target.source.sandbox.before_request(delete)
    # When
    row = {"id": there, "_sdc_deleted_at": "2026-05-01T10:00:00Z"}
    written = target([row], keys=("id",), on_delete="delete", max_deletions=1)
    end()
    # Then
    assert written.rejects == []
    assert written.counts["customers"]["deleted"] == 1


@pytest.mark.parametrize("match_on", [{}, {"customer": ("email",)}])
def test_a_row_without_a_key_is_made_anew_when_its_record_is_gone(
    target: Target, match_on: dict[str, Any]
) -> None:
    # Given
    rows = [{"name": "A", "email": "a@example.com"}]
    target(rows, keys=(), match_on=match_on)
    target.source.customers.delete(target.rows()[0]["id"])
    # When
    second, third = (target(rows, keys=(), match_on=match_on) for _ in range(2))
    # Then
    assert [method for method, *_ in second.writes] == ["POST"]
    assert third.writes == []


@pytest.mark.parametrize("at", [1, 7])
@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_run_that_is_stopped_within_a_batch_ends_what_is_in_flight_and_begins_no_more(
    target: Target, at: int, concurrency: int
) -> None:
    # Given
    rows: list[Record] = [{"no": one, "name": f"Klant {one}"} for one in range(1, 31)]
    runs: list[Run] = []

    def stop(_request: object) -> None:
        if sum(one.method == "POST" for one in target.source.sandbox.requests) >= at:
            runs[0].stop()

    end = target.source.sandbox.before_request(stop)
    # When
    stopped = target(
        rows, concurrency=concurrency, state_every=1, during=lambda run, _: runs.append(run)
    )
    end()
    # Then
    sent = len(stopped.writes)
    assert at <= sent <= at + concurrency
    assert stopped.counts["customers"]["created"] == sent == len(target.rows())
    settled = stopped.states[-1]["rows"] if stopped.states else 0
    assert settled <= sent
    # And the next run goes on from there
    again = target(rows[settled:])
    assert sorted(one["name"] for one in target.rows()) == sorted(one["name"] for one in rows)
    assert len(again.writes) == 30 - sent


def test_a_run_that_is_stopped_while_it_waits_for_a_lost_create_leaves_it_to_the_next(
    target: Target,
) -> None:
    # Given a create of which is not certain for minutes that it will not be carried out any more
    target.source.sandbox.faults.add("cut-before", method="POST", times=1)
    runs: list[Run] = []

    def stop(request: RequestRecord) -> None:
        if request.method == "GET" and any(
            one.method == "POST" for one in target.source.sandbox.requests
        ):
            runs[0].stop()

    end = target.source.sandbox.before_request(stop)
    # When
    stopped = target(
        [{"no": 1, "name": "A"}],
        settings={"request_timeout": 200},
        state_every=1,
        during=lambda run, _: runs.append(run),
    )
    end()
    # Then
    assert [method for method, *_ in stopped.writes] == ["POST"]
    assert (stopped.rejects, stopped.states, target.rows()) == ([], [], [])
    # And what was in doubt may have been carried out since: the next run finds it
    there = target.source.customers.insert(name="A")
    again = target([{"no": 1, "name": "A"}], settings={"request_timeout": 200})
    assert (again.writes, again.rejects) == ([], [])
    assert [one["id"] for one in target.rows()] == [there["id"]]
