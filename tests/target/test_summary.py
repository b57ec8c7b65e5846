"""What a run tells of what it did, while it lasts and when it ends."""

from __future__ import annotations

import logging
from collections import Counter
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from cirqll_client.session import Sent
from target_cirqll.summary import Summary, Tally
from tests.client.fake_time import FakeTime

if TYPE_CHECKING:
    from target_cirqll.actions import Deed


@pytest.fixture
def clock() -> FakeTime:
    """The clock of `summary`."""
    return FakeTime()


@pytest.fixture
def summary(clock: FakeTime, caplog: pytest.LogCaptureFixture) -> Summary:
    """A run that has done nothing yet."""
    caplog.set_level(logging.INFO)
    return Summary(logger=logging.getLogger("target-cirqll"), clock=clock)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def tally(**deeds: int) -> Tally:
    names: dict[str, Deed] = {"created": "created", "updated": "updated", "unchanged": "unchanged"}
    return Tally(deeds=Counter({names[name]: number for name, number in deeds.items()}))


def test_the_line_of_a_stream_is_in_plain_words() -> None:
    one = tally(created=120, updated=34, unchanged=9846)
    for kind in ("invalid", "refused", "refused"):
        one.rejected(kind)

    assert one.words() == (
        "120 created, 34 updated, 9,846 unchanged; 3 rejected (2 refused by the API, 1 invalid)"
    )


def test_each_fate_has_its_words() -> None:
    one = Tally()
    for deed in ("left", "archived", "deleted", "unchanged", "updated", "created"):
        one.did(deed)
    for kind in ("invalid", "refused", "unknown", "conflict", "ambiguous"):
        one.rejected(kind)

    assert one.words() == (
        "1 created, 1 updated, 1 unchanged, 1 deleted, 1 archived, 1 left alone; 5 rejected "
        "(1 invalid, 1 refused by the API, 1 of unknown outcome, 1 in conflict, 1 ambiguous)"
    )


def test_what_was_left_alone_says_why() -> None:
    one = Tally()
    for why in ("newer in Cirqll", "not in Cirqll", "not in Cirqll"):
        one.did("left", why=why)

    assert one.words() == "3 left alone (2 not in Cirqll, 1 newer in Cirqll)"


def test_a_stream_of_nothing_but_rejects_says_so() -> None:
    one = Tally()
    one.rejected("invalid")

    assert one.words() == "1 rejected (1 invalid)"


def test_the_summary_has_a_line_for_each_stream_and_one_for_all(
    summary: Summary, clock: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    summary.did("customers", deed="created")
    summary.rejected("customers", kind="invalid")
    summary.began("notes")
    for method in ("GET", "POST", "PATCH", "DELETE"):
        summary.sent(Sent(method, "/customer", 200, 0.1))
    summary.waited(45)
    clock.now += 200
    # When
    summary.log_summary()
    # Then
    assert told(caplog) == [
        "Summary: customers: 1 created; 1 rejected (1 invalid).",
        "Summary: notes: no rows.",
        (
            "Summary: 2 rows of 2 streams in 3 min; 4 requests (1 read, 3 writes), "
            "45 s waited, 1 reject."
        ),
    ]
    assert summary.rejects == 1


def test_the_same_facts_are_there_for_structured_logs(
    summary: Summary, clock: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    summary.did("customers", deed="left", why="not in Cirqll")
    summary.rejected("customers", kind="unknown")
    summary.sent(Sent("GET", "/customer", None, 0.1))
    summary.waited(0.25)
    clock.now += 60
    # When
    summary.log_summary()
    # Then
    of_stream, of_all = (record.__dict__["summary"] for record in caplog.records)
    assert of_stream == {
        "stream": "customers", "rows": 2, "created": 0, "updated": 0, "unchanged": 0, "deleted": 0,
        "archived": 0, "left": 1, "left_by_reason": {"not in Cirqll": 1}, "rejected": 1,
        "rejected_by_kind": {"unknown": 1},
    }  # fmt: skip
    assert of_all == {
        "rows": 2, "rows_per_minute": 2, "rejected": 1, "reads": 1, "writes": 0, "seconds": 60.0,
        "seconds_waited": 0.2,
    }  # fmt: skip


def test_of_a_dry_run_it_says_what_is_to_be_done(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    summary = Summary(logger=logging.getLogger("target-cirqll"), is_dry=True)
    summary.did("customers", deed="created")

    summary.log_summary()

    assert told(caplog)[0] == "Summary: customers: 1 to create."


def test_a_line_every_half_minute_tells_how_far_the_run_is(
    summary: Summary, clock: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    for _ in range(1500):
        summary.did("customers", deed="unchanged")
    summary.sent(Sent("GET", "/customer", 200, 0.1))
    summary.waited(7)
    # When
    for seconds in (0, 29, 1, 1, 28):
        clock.now += seconds
        summary.log_line()
    # Then
    assert told(caplog) == [
        ("Progress: 1,500 rows done, 3,000 a minute; 1 request (1 read, 0 writes), 7.0 s waited.")
    ]
    assert caplog.records[0].__dict__["progress"]["rows_per_minute"] == 3000


def test_a_run_that_ends_at_once_has_no_rate(
    summary: Summary, caplog: pytest.LogCaptureFixture
) -> None:
    summary.log_summary()

    assert told(caplog) == [
        (
            "Summary: 0 rows of 0 streams in 0 s; 0 requests (0 reads, 0 writes), 0 s waited, "
            "0 rejects."
        )
    ]


def test_threads_may_tell_it_at_the_same_time(
    summary: Summary, caplog: pytest.LogCaptureFixture
) -> None:
    def work() -> None:
        for _ in range(5000):
            summary.did("customers", deed="created")
            summary.sent(Sent("POST", "/customer", 201, 0.1))

    threads = [Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    summary.log_summary()

    assert told(caplog)[0] == "Summary: customers: 20,000 created."
    assert "20,000 requests (0 reads, 20,000 writes)" in told(caplog)[1]
