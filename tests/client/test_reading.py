"""Reading over HTTP: how many requests it takes, and what comes where the server is odd."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.errors import AnswerUnexpected, SettingInvalid
from cirqll_client.reading import Beginning
from tests.reading_fixtures import NOON

if TYPE_CHECKING:
    from tests.reading_fixtures import Source


@pytest.mark.parametrize("rows", [11, 20, 25, 30])
def test_a_full_read_takes_a_request_for_each_page(crm: Source, rows: int) -> None:
    crm.begin(page_maximum=10)
    ids = crm.fill(rows)

    outcome = crm.read()

    assert outcome.ids == ids
    assert len(outcome.queries) == ceil(rows / 10)


@pytest.mark.parametrize("rows", [0, 1, 9])
def test_what_fits_in_a_page_takes_one_request(crm: Source, rows: int) -> None:
    crm.begin(page_maximum=10)
    ids = crm.fill(rows)

    outcome = crm.read()

    assert outcome.ids == ids
    assert len(outcome.queries) == 1


def test_a_full_page_takes_one_more_while_nothing_proves_that_the_total_counts(
    crm: Source,
) -> None:
    crm.begin(page_maximum=10)
    ids = crm.fill(10)

    outcome = crm.read()

    assert outcome.ids == ids
    assert len(outcome.queries) == 2


def test_a_run_with_nothing_new_takes_one_request(crm: Source) -> None:
    crm.begin(page_maximum=10)
    crm.fill(25, seconds_apart=100)
    first = crm.read()

    second = crm.read(replace(first.beginning, lookback=timedelta(seconds=60)))

    assert len(second.queries) == 1
    assert second.ids == first.ids[-1:]
    assert second.bookmark == first.bookmark == NOON


def test_an_empty_resource_gives_one_empty_batch_and_no_bookmark(crm: Source) -> None:
    outcome = crm.read()

    assert [batch.rows for batch in outcome.batches] == [[]]
    assert outcome.bookmark is None
    assert outcome.beginning.stand is None


def test_thousands_of_rows_of_one_moment_come_once_each(crm: Source) -> None:
    crm.begin(page_maximum=100)
    ids = crm.customers.insert_many([{"name": "import"}] * 3000)

    outcome = crm.read()

    assert outcome.ids == ids
    assert len(outcome.queries) == 30


@pytest.mark.parametrize("mode", ["cap", "cap_silently", "refuse", "obey"])
@pytest.mark.parametrize("total", ["true", "missing", "lying"])
@pytest.mark.parametrize("limit", ["true", "missing"])
@pytest.mark.parametrize("rows", [99, 100, 200, 250])
def test_every_row_comes_whatever_the_server_says_of_pages(
    crm: Source, mode: str, total: str, limit: str, rows: int
) -> None:
    crm.begin(page_maximum=100, page_maximum_mode=mode, total_echo=total, limit_echo=limit)
    ids = crm.customers.insert_many([{"name": "Klant"}] * rows)

    outcome = crm.read()

    assert sorted(set(outcome.ids)) == ids
    assert outcome.warnings == []
    assert len(outcome.queries) <= ceil(rows / 100) + 4


@pytest.mark.parametrize("total", ["true", "missing", "lying"])
def test_a_wrong_echo_of_the_limit_loses_nothing(crm: Source, total: str) -> None:
    crm.begin(page_maximum=100, limit_echo="wrong", total_echo=total)
    ids = crm.customers.insert_many([{"name": "Klant"}] * 250)

    assert sorted(set(crm.read().ids)) == ids


def test_a_reading_goes_on_from_any_page(crm: Source) -> None:
    crm.begin(page_maximum=4)
    ids = crm.fill(22, seconds_apart=0.4)
    beginning, came = Beginning(), []

    for _ in range(30):
        outcome = crm.read(beginning, pages=1)
        came += outcome.ids
        beginning = outcome.beginning
        if beginning.stand is None:
            break

    assert came == ids
    assert beginning.bookmark == NOON


def test_the_bookmark_moves_at_the_end_and_not_before(crm: Source) -> None:
    crm.begin(page_maximum=4)
    crm.fill(10)

    bookmarks = [batch.bookmark for batch in crm.read().batches]

    assert bookmarks == [None, None, NOON]


def test_a_full_table_is_read_by_id_and_goes_on_from_any_page(crm: Source) -> None:
    crm.begin(page_maximum=4)
    ids = crm.fill(10)

    first = crm.read(pages=1, is_incremental=False)
    second = crm.read(first.beginning, is_incremental=False)

    assert first.ids + second.ids == ids
    assert all(query["order_by"] == "id" for query in (*first.queries, *second.queries[:1]))
    assert second.bookmark is None


def test_rows_before_the_start_date_do_not_come(crm: Source) -> None:
    crm.fill(5, seconds_apart=3600)

    outcome = crm.read(Beginning(not_before=NOON - timedelta(hours=1)))

    assert outcome.ids == [4, 5]


def test_a_row_with_a_zero_date_comes_and_stops_nothing(crm: Source) -> None:
    crm.begin(page_maximum=2)
    crm.fill(3)
    crm.customers.insert(name="oud", updated_at="0000-00-00 00:00:00")

    outcome = crm.read()

    assert outcome.ids == [4, 1, 2, 3]
    assert outcome.warnings == []
    assert outcome.bookmark == NOON


@pytest.mark.parametrize("odd", [None, 'a "quoted" text here', "gisteren"])
def test_a_row_without_a_usable_time_comes_by_another_way(crm: Source, odd: str | None) -> None:
    crm.begin(page_maximum=2)
    crm.fill(3)
    crm.customers.insert(name="oud", updated_at=odd)

    outcome = crm.read()

    assert set(outcome.ids) == {1, 2, 3, 4}
    (warning,) = outcome.warnings
    assert warning == (
        "customers could not be read by time of change: a record came without a usable updated_at. "
        "They are read whole, by id, instead, which takes more requests and loses nothing."
    )


def test_rows_that_vanish_leave_the_others(crm: Source) -> None:
    crm.begin(page_maximum=5)
    crm.fill(25)
    deleted: list[int] = []

    def delete(_: object) -> None:
        deleted.append(crm.customers.ids[0])
        crm.customers.delete(deleted[-1])

    stop = crm.sandbox.before_request(delete)
    outcome = crm.read()
    stop()

    assert set(outcome.ids) >= set(crm.customers.ids)
    assert outcome.warnings == []


def test_a_bookmark_in_the_future_is_one_sentence(crm: Source) -> None:
    crm.fill(1)

    with pytest.raises(SettingInvalid, match="run again without the state of this stream") as error:
        crm.read(Beginning(bookmark=NOON + timedelta(days=1)))

    assert str(error.value).startswith("The state says that customers were read up to 2026-06-02")


def test_without_a_clock_of_the_server_the_bookmark_stays_behind_ours(crm: Source) -> None:
    crm.begin(date_header=False)
    crm.fill(3)

    outcome = crm.read()

    assert outcome.bookmark == NOON - timedelta(minutes=5)
    assert outcome.warnings == []


def test_fewer_fields_are_asked_for_where_only_some_are_wanted(crm: Source) -> None:
    crm.fill(1)

    outcome = crm.read(fields=("id", "name"))

    assert outcome.rows == [{"id": 1, "name": "Klant 1", "updated_at": "2026-06-01 12:00:00"}]


BY_ID = "They are read whole, by id, instead"
PAGE_BY_PAGE = "They are read whole, page by page, instead"


@pytest.mark.parametrize(
    ("server", "way"),
    [
        ({"filter_mode": "ignore"}, PAGE_BY_PAGE),
        ({"filter_mode": "refuse"}, PAGE_BY_PAGE),
        ({"filter_mode": "refuse", "total_echo": "missing"}, PAGE_BY_PAGE),
        ({"filter_mode": "ignore", "total_echo": "lying"}, PAGE_BY_PAGE),
        ({"order_mode": "ignore"}, BY_ID),
        ({"order_mode": "ignore", "total_echo": "missing"}, PAGE_BY_PAGE),
        ({"order_mode": "ignore", "total_echo": "lying"}, PAGE_BY_PAGE),
        ({"order_mode": "refuse"}, PAGE_BY_PAGE),
        ({"quotes": "literal"}, BY_ID),
        ({"filter_mode": "ignore", "order_mode": "ignore"}, PAGE_BY_PAGE),
    ],
)
def test_a_server_that_does_not_honour_is_read_another_way_with_one_warning(
    crm: Source, server: dict[str, Any], way: str
) -> None:
    crm.begin(page_maximum=10)
    ids = crm.fill(35)
    crm.customers.update(ids[7], name="edited")
    crm.behave(**server)

    outcome = crm.read()

    assert set(outcome.ids) == set(ids)
    (warning,) = outcome.warnings
    assert warning.startswith("customers could not be read by time of change: ")
    assert way in warning
    assert outcome.bookmark is not None


@pytest.mark.parametrize(
    "server",
    [{"filter_mode": "ignore"}, {"filter_mode": "refuse"}, {"order_mode": "refuse"}],
)
def test_where_all_must_be_read_only_what_changed_is_handed_out(
    crm: Source, server: dict[str, Any]
) -> None:
    crm.begin(page_maximum=10)
    ids = crm.fill(35)
    first = crm.read()
    crm.sandbox.clock.move(100)
    crm.customers.update(ids[7], name="edited")
    crm.behave(**server)

    second = crm.read(first.beginning)

    assert set(second.ids) == {ids[7], ids[-1]}
    assert len(second.warnings) == 1


def test_an_order_that_is_honoured_only_by_chance_is_found_out(crm: Source) -> None:
    crm.begin(page_maximum=10)
    ids = crm.fill(35)
    crm.customers.update(ids[9], name="the last of the first page")
    crm.behave(order_mode="ignore")

    outcome = crm.read()

    assert set(outcome.ids) == set(ids)
    assert "did not honour the order by updated_at and id" in outcome.warnings[0]


def test_a_server_that_refuses_to_show_only_some_fields_is_asked_for_all(crm: Source) -> None:
    crm.begin(page_maximum=10, show_mode="refuse")
    ids = crm.fill(25)

    outcome = crm.read(fields=("id", "name"))

    assert outcome.ids == ids
    (warning,) = outcome.warnings
    assert "only some fields of customers" in warning
    assert len(outcome.queries) == 2 + 3


def test_only_the_resource_that_does_not_honour_is_read_another_way(crm: Source) -> None:
    crm.begin(page_maximum=10)
    crm.fill(15)
    crm.sandbox.rows("contact").insert_many([{"first_name": "A"}] * 15)
    crm.sandbox.faults.add("refuse-filter", path="/customer$")

    customers, contacts = crm.read(), crm.read(stream="contacts")

    assert len(set(customers.ids)) == len(contacts.ids) == 15
    assert len(customers.warnings) == 1
    assert contacts.warnings == []


def test_where_no_way_is_safe_the_stream_fails_and_its_bookmark_stays(crm: Source) -> None:
    crm.begin(page_maximum=1, filter_mode="ignore")
    crm.fill(3)

    with pytest.raises(AnswerUnexpected, match="customers could not be read safely in any way"):
        crm.read()


def test_a_zone_that_the_clock_of_the_server_disproves_is_told_once(crm: Source) -> None:
    crm.begin(page_maximum=3, timezone="Europe/Amsterdam")
    ids = crm.fill(10)

    outcome = crm.read()

    assert outcome.ids == ids
    (warning,) = outcome.warnings
    assert "api_timezone is not the zone of this account" in warning
    assert "Nothing is lost" in warning
    assert "Set api_timezone (Europe/Amsterdam is the likely one)" in warning
    # All of them are of the future, and such rows move no bookmark.
    assert outcome.bookmark is None


def test_a_zone_that_is_wrong_the_other_way_loses_nothing(crm: Source) -> None:
    crm.begin(page_maximum=3)
    crm.fill(5)
    first = crm.read(api_timezone="Europe/Amsterdam")
    crm.sandbox.clock.move(30)
    crm.customers.update(1, name="edited")

    second = crm.read(first.beginning, api_timezone="Europe/Amsterdam")

    assert first.ids == [1, 2, 3, 4, 5]
    assert second.ids == [5, 1]


def test_the_hour_that_autumn_repeats_loses_nothing_within_and_between_runs(crm: Source) -> None:
    crm.begin(
        at=datetime(2026, 10, 25, 0, 59, 50, tzinfo=UTC),
        timezone="Europe/Amsterdam",
        page_maximum=2,
    )
    crm.fill(5)
    minutes = iter((0, 0, 5, 0, 70))

    def pass_time(_: object) -> None:
        crm.sandbox.clock.move(60 * next(minutes, 0))
        crm.customers.update(1, name=f"at {crm.sandbox.clock.now():%T} UTC")

    stop = crm.sandbox.before_request(pass_time)
    first = crm.read(api_timezone="Europe/Amsterdam")
    stop()
    second = crm.read(first.beginning, api_timezone="Europe/Amsterdam")

    names = [row["name"] for row in (*first.rows, *second.rows) if row["id"] == 1]
    assert crm.customers.get(1)["name"] in names
    assert {*first.ids, *second.ids} == {1, 2, 3, 4, 5}
    assert first.warnings == second.warnings == []
