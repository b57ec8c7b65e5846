"""The law of reading: whatever happens between requests, no row is lost and none is invented."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from cirqll_client.errors import AnswerUnexpected
from cirqll_client.reading import Batch, Beginning
from tests.client.schedules import Event, Run, Schedule, keep_the_law, schedules
from tests.reading_fixtures import Outcome

if TYPE_CHECKING:
    from tests.reading_fixtures import Source

MINUTES_BEFORE_AUTUMN = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
SERVERS: list[dict[str, Any]] = [
    {"total_echo": "missing"},
    {"total_echo": "lying"},
    {"limit_echo": "missing"},
    {"limit_echo": "wrong"},
    {"total_echo": "missing", "limit_echo": "missing"},
    {"quotes": "literal"},
    {"filter_mode": "ignore"},
    {"filter_mode": "refuse"},
    {"order_mode": "ignore"},
    {"order_mode": "refuse"},
    {"filter_mode": "ignore", "order_mode": "ignore"},
    {"filter_mode": "ignore", "total_echo": "lying"},
    {"filter_mode": "refuse", "total_echo": "missing"},
]
several = settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read(crm: Source, beginning: Beginning, pages: int | None) -> Outcome:
    """Read as the tap does."""
    return crm.read(beginning, pages=pages)


def read_by_offset(crm: Source, beginning: Beginning, pages: int | None) -> Outcome:
    """Read as most taps do: page after page of what changed since the bookmark."""
    rows: list[dict[str, Any]] = []
    parameters: dict[str, Any] = {"order_by": "updated_at,id", "offset": 0}
    if beginning.bookmark:
        parameters["filter"] = f'updated_at:gte:"{beginning.bookmark:%F %T}"'
    while pages is None or pages > 0:
        headers = {"Authorization": f"Bearer {crm.sandbox.access_token}"}
        url = f"{crm.url}/api/customer"
        page = requests.get(url, params=parameters, headers=headers, timeout=10).json()
        rows += page["data"]
        parameters["offset"] += len(page["data"])
        if len(page["data"]) < page["limit"]:
            break
        pages = pages and pages - 1
    times = [datetime.fromisoformat(f"{row['updated_at']}Z") for row in rows]
    bookmark = max(filter(None, (*times, beginning.bookmark)), default=None)
    return Outcome([Batch(rows, bookmark, None, None)], [], [])


@several
@given(schedule=schedules())
def test_whatever_happens_between_requests_no_row_is_lost(crm: Source, schedule: Schedule) -> None:
    crm.begin()

    keep_the_law(crm, read_without_a_warning, schedule)


def read_without_a_warning(crm: Source, beginning: Beginning, pages: int | None) -> Outcome:
    outcome = read(crm, beginning, pages)
    assert outcome.warnings == []
    return outcome


@several
@given(schedule=schedules(smallest_page=2), server=st.sampled_from(SERVERS))
def test_no_row_is_lost_whatever_the_server_does_not_honour(
    crm: Source, schedule: Schedule, server: dict[str, Any]
) -> None:
    crm.begin(**server)

    keep_the_law(crm, read_or_fail, schedule, quiet_runs=2)


def read_or_fail(crm: Source, beginning: Beginning, pages: int | None) -> Outcome:
    """Give up where rows keep moving, as the last of all ways does; the state stays."""
    try:
        return read(crm, beginning, pages)
    except AnswerUnexpected:
        return Outcome([], [], [])


@several
@given(schedule=schedules(longest_pause=1200))
def test_no_row_is_lost_in_the_hour_that_autumn_repeats(crm: Source, schedule: Schedule) -> None:
    crm.begin(at=MINUTES_BEFORE_AUTUMN, timezone="Europe/Amsterdam")

    def in_amsterdam(crm: Source, beginning: Beginning, pages: int | None) -> Outcome:
        return crm.read(beginning, pages=pages, api_timezone="Europe/Amsterdam")

    keep_the_law(crm, in_amsterdam, schedule)


@several
@given(
    schedule=schedules(longest_pause=4000, smallest_page=2),
    zones=st.sampled_from([("UTC", "Europe/Amsterdam"), ("Europe/Amsterdam", "UTC")]),
    server=st.sampled_from([{}, {"filter_mode": "refuse"}, {"order_mode": "ignore"}]),
)
def test_no_row_is_lost_where_the_zone_is_set_wrongly(
    crm: Source, schedule: Schedule, zones: tuple[str, str], server: dict[str, Any]
) -> None:
    theirs, ours = zones
    crm.begin(at=MINUTES_BEFORE_AUTUMN, timezone=theirs, **server)

    def with_our_zone(crm: Source, beginning: Beginning, pages: int | None) -> Outcome:
        return crm.read(beginning, pages=pages, api_timezone=ours)

    keep_the_law(crm, with_our_zone, schedule, quiet_runs=2, is_zone_right=False)


def test_the_law_finds_the_fault_of_reading_by_offset(crm: Source) -> None:
    def breaks_the_law(schedule: Schedule) -> bool:
        crm.begin()
        try:
            keep_the_law(crm, read_by_offset, schedule)
        except AssertionError:
            return True
        return False

    schedule = find(schedules(), breaks_the_law, settings=settings(deadline=None))

    assert schedule.runs


def test_reading_by_offset_loses_the_row_that_slips_back_a_page(crm: Source) -> None:
    fill = (*(Event(kind, 1) for kind in ("insert", "pass") * 6),)
    schedule = Schedule(runs=(Run(before=fill, between=((), (Event("edit", 0),))),), page=3)

    keep_the_law(crm, read, schedule)
    crm.begin()
    with pytest.raises(AssertionError, match=r"lost \{4\}"):
        keep_the_law(crm, read_by_offset, schedule)


@pytest.mark.parametrize("server", [{}, {"total_echo": "missing"}, {"total_echo": "lying"}])
def test_reading_ends_when_rows_change_faster_than_they_are_read(
    crm: Source, server: dict[str, Any]
) -> None:
    crm.begin(page_maximum=10, **server)
    ids = crm.fill(50)

    def change(_: object) -> None:
        crm.sandbox.clock.move(1)
        for row_id in ids[:15]:
            crm.customers.update(row_id, name="again")

    stop = crm.sandbox.before_request(change)
    outcome = crm.read()
    stop()

    assert len(outcome.queries) < 20
    assert set(ids[15:]) <= set(outcome.ids)
    assert set(crm.read(outcome.beginning).ids) >= set(ids[:15])


def test_reading_by_id_ends_when_rows_are_added_faster_than_they_are_read(crm: Source) -> None:
    crm.begin(page_maximum=10)
    ids = crm.fill(30)
    stop = crm.sandbox.before_request(lambda _: crm.fill(15, seconds_apart=0))

    outcome = crm.read(is_incremental=False)
    stop()

    assert len(outcome.queries) < 40
    assert set(ids) <= set(outcome.ids)


def test_reading_page_by_page_ends_when_rows_are_added_faster_than_they_are_read(
    crm: Source,
) -> None:
    crm.begin(page_maximum=10, filter_mode="refuse")
    ids = crm.fill(30)
    stop = crm.sandbox.before_request(lambda _: crm.fill(15, seconds_apart=0))

    outcome = crm.read()
    stop()

    assert len(outcome.queries) < 40
    assert set(ids) <= set(outcome.ids)


def test_a_row_edited_in_the_second_of_the_key_comes_with_the_next_run(crm: Source) -> None:
    crm.begin(page_maximum=2)
    crm.fill(4, seconds_apart=0)
    requests_seen = iter(range(100))

    def edit(_: object) -> None:
        if next(requests_seen) == 1:
            crm.customers.update(1, name="edited")

    stop = crm.sandbox.before_request(edit)
    first = crm.read()
    stop()
    crm.sandbox.clock.move(3600)
    second = crm.read(first.beginning)

    assert first.bookmark == crm.sandbox.clock.now() - timedelta(hours=1)
    assert "edited" in [row["name"] for row in second.rows if row["id"] == 1]
