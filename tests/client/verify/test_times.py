"""Times: zones, the hour that autumn repeats, rows without one, start dates, the future."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cirqll_client.cli.verify.change_keys import ApiTimes, id_of, key_of, time_of
from cirqll_client.cli.verify.printed import notes_on
from cirqll_client.connection import timestamps_in
from tests.client.verify.books import at, differing, in_utc

if TYPE_CHECKING:
    from tests.client.verify.books import Books

AMSTERDAM = "Europe/Amsterdam"
moments = st.datetimes(datetime(1950, 1, 1), datetime(2090, 1, 1))  # noqa: DTZ001 - as keys have them


@given(moments, moments, st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_keys_are_in_the_order_of_times_then_ids(
    one: datetime, other: datetime, first: int, second: int
) -> None:
    keys = key_of(one, first), key_of(other, second)
    assert (keys[0] < keys[1]) == ((one, first) < (other, second))
    assert (time_of(keys[0]), id_of(keys[0])) == (one, first)


@given(moments)
@example(datetime(2026, 10, 25, 0, 30))  # noqa: DTZ001 - the hour that autumn repeats, twice
@example(datetime(2026, 10, 25, 1, 30))  # noqa: DTZ001
@example(datetime(2026, 3, 29, 0, 59, 59))  # noqa: DTZ001 - before the hour that spring leaves out
@example(datetime(1937, 6, 30, 23, 40, 28))  # noqa: DTZ001 - a change of some seconds
@pytest.mark.parametrize("zone", ["UTC", AMSTERDAM, "Asia/Kathmandu"])
def test_a_moment_becomes_the_time_that_the_api_writes(zone: str, moment: datetime) -> None:
    timestamps = timestamps_in(zone)
    written = timestamps.local_text(moment.replace(tzinfo=UTC))
    assert ApiTimes(timestamps).of_instant(moment) == datetime.fromisoformat(written)


@pytest.mark.parametrize("start", [0, 30, 60])
def test_the_hour_that_autumn_repeats_is_compared_without_loss(books: Books, start: int) -> None:
    # Given rows around the change of the clock, written in local time, and one that is stale
    first = datetime(2026, 10, 25, 1, 0)  # noqa: DTZ001 - as the API writes it
    texts = {row: f"{first + timedelta(minutes=row):%F %T}" for row in range(1, 241)}
    books.crm.begin(at=datetime(2026, 10, 26, tzinfo=UTC))
    books.crm.customers.insert_many({"id": row, "updated_at": one} for row, one in texts.items())
    books.load(zone=AMSTERDAM)
    # When
    right = books.verified(api_timezone=AMSTERDAM, page_size=20, start=start)
    books.run("update customers set updated_at = '2026-10-24 12:00:00' where id = 100")
    wrong = books.verified(api_timezone=AMSTERDAM, page_size=20, start=start)
    # Then
    assert (right.result, right.requests) == ("equal", 2)
    assert differing(wrong) == {"stale": [100]}


def test_a_time_that_spring_leaves_out_is_no_difference(books: Books) -> None:
    # Given a time that no clock in Amsterdam shows, which the tap takes for an hour later
    books.crm.begin()
    texts = {1: "2026-03-29 01:59:00", 2: "2026-03-29 02:30:00", 3: "2026-03-29 03:10:00"}
    books.crm.customers.insert_many({"id": row, "updated_at": one} for row, one in texts.items())
    books.put({1: "2026-03-29 00:59:00", 2: "2026-03-29 01:30:00", 3: "2026-03-29 01:10:00"})
    # When, then
    assert books.verified(api_timezone=AMSTERDAM).result == "equal"


def test_another_zone_than_the_taps_is_guessed(books: Books) -> None:
    # Given a table that was loaded with the right zone
    books.crm.begin()
    books.crm.customers.insert_many({"id": row, "updated_at": at(row)} for row in range(1, 30))
    books.crm.customers.insert(id=30, updated_at=at(20_000))
    books.load(zone=AMSTERDAM)
    # When it is verified with another one
    outcome = books.verified()
    # Then
    assert "differ by 2 h: the tap most likely runs with another api_timezone" in " ".join(
        notes_on(outcome)
    )


@pytest.mark.parametrize("page_size", [4, 1000])
@pytest.mark.parametrize("odd", [None, "0000-00-00 00:00:00"])
def test_rows_without_a_time_are_compared_by_their_ids(
    books: Books, odd: str | None, page_size: int
) -> None:
    # Given
    books.crm.begin()
    times = {row: odd if row % 4 == 0 else at(row) for row in range(1, 21)}
    books.crm.customers.insert_many({"id": row, "updated_at": one} for row, one in times.items())
    books.load()
    right = books.verified(page_size=page_size)
    # When one of them is missing, one is too many, and one has got a time
    books.run(
        "delete from customers where id = 8",
        "insert into customers values (30, null, null)",
        f"update customers set updated_at = '{in_utc(at(3))}' where id = 12",  # noqa: S608 - a test's
    )
    wrong = books.verified(page_size=page_size, every_row=page_size < 1000)
    # Then
    assert (right.result, right.unaccounted) == ("equal", 0)
    assert differing(wrong) == {"missing": [8], "surplus": [30], "stale": [12]}


def test_a_missing_row_without_a_time_shows_in_the_count(books: Books) -> None:
    # Given
    books.crm.begin()
    books.crm.customers.insert_many(
        {"id": row, "updated_at": None if row % 4 == 0 else at(row)} for row in range(1, 21)
    )
    books.load()
    books.run("delete from customers where id = 8")
    # When, then every row is read where the count is wrong
    outcome = books.verified(page_size=4)
    assert (differing(outcome), outcome.is_whole) == ({"missing": [8]}, True)


def test_what_changed_before_the_start_date_is_left_out(books: Books) -> None:
    # Given a table that was loaded from a start date on, and a row missing on each side of it
    books.crm.begin()
    books.crm.customers.insert_many({"id": row, "updated_at": at(row)} for row in range(1, 101))
    books.put({row: in_utc(at(row)) for row in [*range(60, 70), *range(71, 101)]})
    since = datetime(2026, 5, 1, tzinfo=UTC) + timedelta(seconds=60)
    # When
    outcome = books.verified(since=since, page_size=20)
    # Then
    assert (differing(outcome), outcome.loaded, outcome.counted) == ({"missing": [70]}, 40, 41)


def test_a_row_from_the_future_does_not_make_later_changes_old(books: Books) -> None:
    # Given
    books.crm.begin()
    books.crm.customers.insert(updated_at="2099-01-01 00:00:00")
    books.crm.customers.insert_many({"updated_at": at(row)} for row in range(20))
    books.load()
    # When rows change after the load
    books.crm.customers.insert(name="nieuw")
    books.crm.customers.update(7)
    outcome = books.verified()
    # Then they are not loaded yet
    assert (outcome.result, outcome.not_loaded) == ("equal", 2)
