"""Ids compared with a listing over HTTP: what is asked, and what is found on odd servers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pyroaring import BitMap64

from cirqll_client.client import CirqllClient
from cirqll_client.errors import (
    AnswerUnexpected,
    CirqllError,
    NotFound,
    ScopeMissing,
    Unavailable,
)
from cirqll_client.listing import Differences, Listing
from cirqll_client.resources import resource_of_stream
from cirqll_client.tally import LARGEST_ID, may_be_tracked
from cirqll_client.timestamps import Timestamps
from tests.client.asking import asking_for
from tests.client.raw_server import answer
from tests.reading_fixtures import NOON

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.reading_fixtures import Source

NOT_COUNTED = "customers could not be counted by ranges of ids"
A_RANGE = re.compile(r"\(id:gte:\d+,and,id:lte:\d+\)|id:lte:\d+")


@dataclass
class Comparison:
    """What came of one, and what it took."""

    found: Differences
    queries: list[dict[str, str]]
    warnings: list[str] = field(default_factory=list)

    @property
    def differences(self) -> tuple[list[int], list[int]]:
        """What is absent and what is unknown, in order."""
        return sorted(self.found.absent), sorted(self.found.unknown)


def listing(
    crm: Source, *, stream: str = "customers", warnings: list[str], **options: Any
) -> Listing:
    """List with a client that gives up at once."""
    resource = resource_of_stream(stream)
    assert resource
    one = crm.connection(give_up_after=0)
    return Listing(one.client, resource, timestamps=one.timestamps, warn=warnings.append, **options)


def compare(crm: Source, known: Iterable[int], *, start: int = 0, **options: Any) -> Comparison:
    """Compare, and remember what was asked and said."""
    warnings: list[str] = []
    crm.sandbox.forget_requests()
    found = listing(crm, warnings=warnings, **options).compare(BitMap64(known), start=start)
    return Comparison(found, crm.queries, warnings)


def customers(crm: Source, number: int) -> list[int]:
    """Add so many."""
    return list(crm.customers.insert_many([{"name": "Klant"}] * number))


def test_where_nothing_differs_one_question_tells_it(crm: Source) -> None:
    crm.begin(page_maximum=10)
    known = customers(crm, 95)

    comparison = compare(crm, known)

    assert comparison.queries == [
        {"filter": "id:lte:95", "order_by": "id", "show": "id", "limit": "1000"}
    ]
    assert comparison.found == Differences([], [], known=95, counted=95, listed=1)


def test_it_begins_with_the_first_page(crm: Source) -> None:
    crm.begin(page_maximum=10)
    known = customers(crm, 95)

    assert listing(crm, warnings=[]).compare(BitMap64(known)).listed == known[0]


def test_the_first_page_is_read_anywhere(crm: Source) -> None:
    crm.begin(page_maximum=10)
    known = customers(crm, 95)

    comparison = compare(crm, known, start=40)

    (query,) = comparison.queries
    assert query["offset"] == "40"
    assert comparison.found.listed == 41


def test_what_is_new_behind_the_last_known_id_is_left_to_the_next_run(crm: Source) -> None:
    known = customers(crm, 5)
    customers(crm, 5)

    assert compare(crm, known).found == Differences([], [], known=5, counted=5, listed=1)


def test_ids_that_went_or_came_back_are_found_by_ranges(crm: Source) -> None:
    crm.begin(page_maximum=10)
    known = set(customers(crm, 400)) - {222}
    crm.customers.delete_many([7, 333, 334])

    comparison = compare(crm, known)

    assert comparison.differences == ([7, 333, 334], [222])
    assert len(comparison.queries) <= 20
    assert comparison.warnings == []
    for query in comparison.queries:
        assert A_RANGE.fullmatch(query.pop("filter"))
        assert query == {"order_by": "id", "show": "id", "limit": "1000"}


def test_a_range_is_written_as_a_group(crm: Source) -> None:
    crm.begin(page_maximum=2)
    known = customers(crm, 8)
    crm.customers.delete(4)

    comparison = compare(crm, known)

    filters = [query["filter"] for query in comparison.queries]
    assert filters == ["id:lte:8", "(id:gte:3,and,id:lte:4)"]


@pytest.mark.parametrize("is_gone", [False, True])
def test_rows_before_the_start_date_do_not_count(crm: Source, is_gone: bool) -> None:  # noqa: FBT001 - a parameter of the test
    crm.begin(page_maximum=2)
    ids = crm.fill(12, seconds_apart=3600)
    crm.sandbox.delete("customer", 2, *([7] if is_gone else []))

    since = NOON - timedelta(hours=7)
    comparison = compare(crm, ids[4:], not_before=since)

    clause = 'updated_at:gte:"2026-06-01 05:00:00"'
    assert comparison.queries[0]["filter"] == f"(id:lte:12,and,{clause})"
    assert all(clause in query["filter"] for query in comparison.queries)
    assert comparison.differences == ([7] if is_gone else [], [])
    assert comparison.found.counted == 8 - is_gone


def test_a_start_date_limits_nothing_where_rows_do_not_tell_when_they_changed(crm: Source) -> None:
    ids = crm.fill(12, seconds_apart=3600)
    customer = resource_of_stream("customers")
    assert customer
    one = crm.connection()
    timeless = replace(customer, bookmark_field=None)

    there = Listing(one.client, timeless, timestamps=one.timestamps, not_before=NOON).all_ids()

    assert list(there) == ids


def test_where_nothing_is_known_all_is_unknown(crm: Source) -> None:
    ids = customers(crm, 5)

    comparison = compare(crm, [])

    assert comparison.found == Differences([], ids, known=0, counted=5, listed=1)
    assert comparison.queries == [{"order_by": "id", "show": "id", "limit": "1000"}]


def test_where_nothing_is_there_all_is_absent(crm: Source) -> None:
    comparison = compare(crm, [3, 5, 9])

    assert comparison.found == Differences([3, 5, 9], [], known=3, counted=0)
    assert len(comparison.queries) == 1


@pytest.mark.parametrize("mode", ["cap", "cap_silently", "refuse", "obey"])
@pytest.mark.parametrize("limit", ["true", "missing", "wrong"])
@pytest.mark.parametrize("start", [0, 200])
def test_pages_may_be_shorter_than_was_asked_for(
    crm: Source, mode: str, limit: str, start: int
) -> None:
    crm.begin(page_maximum=100, page_maximum_mode=mode, limit_echo=limit)
    known = customers(crm, 450)
    crm.customers.delete_many([7, 333])

    comparison = compare(crm, known, start=start)

    assert comparison.differences == ([7, 333], [])
    assert comparison.warnings == []
    assert len(comparison.queries) <= 4


@pytest.mark.parametrize("rows", [20, 95])
@pytest.mark.parametrize("start", [0, 10])
@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ({"filter_mode": "refuse"}, "Cirqll refused it with 400"),
        ({"order_mode": "refuse"}, "Cirqll refused it with 400"),
        ({"total_echo": "missing"}, "it does not tell how many there are"),
        ({"total_off_by": -2}, "it lists more than it counts"),
    ],
)
def test_a_server_that_cannot_be_asked_for_ranges_is_read_whole(
    crm: Source, rows: int, start: int, server: dict[str, Any], reason: str
) -> None:
    crm.begin(page_maximum=10, **server)
    known = set(customers(crm, rows)) - {5}
    crm.customers.delete_many([3, 7])
    customers(crm, 5)

    comparison = compare(crm, known, start=start)

    assert comparison.differences == ([3, 7], [5])
    assert comparison.found.known == rows - 1
    assert comparison.found.counted == rows - 2
    assert comparison.found.listed == 1
    assert comparison.warnings[0].startswith(f"{NOT_COUNTED}, since {reason}")


def test_a_filter_that_is_ignored_shows_by_ids_that_were_not_asked_for(crm: Source) -> None:
    crm.begin(page_maximum=10, filter_mode="ignore")
    known = customers(crm, 95)
    crm.customers.delete_many([3, 55])
    customers(crm, 5)

    comparison = compare(crm, known)

    assert comparison.differences == ([3, 55], [])
    assert comparison.warnings[0] == (
        f"{NOT_COUNTED}, since it did not honour the filter by id. So all ids are read, which "
        "takes more requests and loses nothing."
    )


def test_a_row_that_is_listed_twice_shows_by_the_order(crm: Source) -> None:
    crm.begin(repeated_rows={"customer": (2,)})
    known = customers(crm, 3)
    customers(crm, 2)

    comparison = compare(crm, known)

    assert comparison.differences == ([], [])
    assert comparison.warnings[0].startswith(
        f"{NOT_COUNTED}, since it did not honour the order by id"
    )


def test_a_total_that_counts_the_page_alone_costs_two_questions_a_page(crm: Source) -> None:
    crm.begin(page_maximum=10, total_echo="lying")
    known = customers(crm, 95)
    crm.customers.delete_many([3, 55])

    comparison = compare(crm, known)

    assert comparison.differences == ([3, 55], [])
    assert len(comparison.queries) == 20


@pytest.mark.parametrize("start", [0, 10])
def test_all_fields_are_asked_for_where_showing_one_is_refused(crm: Source, start: int) -> None:
    crm.begin(page_maximum=10, show_mode="refuse")
    known = customers(crm, 95)
    crm.customers.delete_many([3, 55])

    comparison = compare(crm, known, start=start)

    shown = ["show" in query for query in comparison.queries]
    assert comparison.differences == ([3, 55], [])
    assert comparison.warnings == []
    # Once with the largest page, once with the documented one, and not again.
    assert shown == [True, True] + [False] * (len(shown) - 2)


def test_fields_that_were_not_asked_for_do_no_harm(crm: Source) -> None:
    crm.begin(show_mode="ignore")
    known = customers(crm, 20)
    crm.customers.delete(3)

    comparison = compare(crm, known)

    assert comparison.differences == ([3], [])
    assert len(comparison.queries) == 1


def test_a_row_that_is_counted_and_not_listed_stays_unexplained(crm: Source) -> None:
    crm.begin(page_maximum=10)
    known = customers(crm, 95)
    crm.sandbox.hide("customer", 5)

    found = compare(crm, known).found

    assert (found.absent, found.unknown) == ([5], [])
    assert (found.counted, found.unexplained) == (95, 1)


def test_a_row_that_is_neither_counted_nor_listed_is_absent(crm: Source) -> None:
    crm.begin(page_maximum=10)
    known = customers(crm, 95)
    crm.sandbox.hide("customer", 55, counted=False)

    found = compare(crm, known).found

    assert (found.absent, found.unknown) == ([55], [])
    assert (found.counted, found.unexplained) == (94, 0)


def test_a_total_that_is_one_too_many_makes_nothing_absent(crm: Source) -> None:
    crm.begin(page_maximum=10, total_off_by=1)
    known = customers(crm, 95)

    found = compare(crm, known).found

    assert (found.absent, found.unknown, found.unexplained) == ([], [], 1)


@pytest.mark.parametrize("server", [{}, {"filter_mode": "refuse"}])
def test_settings_are_compared_where_they_have_ids(crm: Source, server: dict[str, Any]) -> None:
    crm.begin(**server)
    known = crm.sandbox.rows("setting").insert_many([{"key": f"k{n}"} for n in range(9)])
    crm.sandbox.rows("setting").delete(known[4])

    assert compare(crm, known, stream="settings").differences == ([known[4]], [])


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("500", Unavailable),
        ("cut-before", Unavailable),
        ("cut-middle", Unavailable),
        ("truncated", Unavailable),
        ("502-html", Unavailable),
        ("html-200", CirqllError),
        ("403", ScopeMissing),
        ("404", NotFound),
    ],
)
def test_an_error_at_any_request_is_told_and_nothing_is_found(
    crm: Source, fault: str, error: type[CirqllError]
) -> None:
    crm.begin(page_maximum=10)
    known = customers(crm, 95)
    crm.customers.delete_many([3, 33, 55])
    needed = len(compare(crm, known).queries)
    assert needed > 3

    for position in range(1, needed + 1):
        crm.sandbox.faults.clear()
        crm.sandbox.faults.add(fault, since=position, path="^/api/customer$")
        with pytest.raises(error):
            compare(crm, known)
        assert len(crm.queries) >= position


def test_an_error_while_all_ids_are_read_is_told(crm: Source) -> None:
    crm.begin(page_maximum=10, total_echo="missing")
    known = customers(crm, 95)
    crm.sandbox.faults.add("403", since=4, path="^/api/customer$")

    with pytest.raises(ScopeMissing):
        compare(crm, known)


def test_a_refusal_at_any_request_leads_to_all_ids(crm: Source) -> None:
    crm.begin(page_maximum=10)
    known = customers(crm, 95)
    crm.customers.delete_many([3, 33, 55])

    for position in range(1, 5):
        crm.sandbox.faults.clear()
        crm.sandbox.faults.add("behaviour", since=position, filter_mode="refuse")
        comparison = compare(crm, known)
        assert comparison.differences == ([3, 33, 55], [])
        assert comparison.warnings[0].startswith(NOT_COUNTED)


def test_rows_without_ids_are_no_listing(crm: Source) -> None:
    crm.begin(hidden_fields=("id",))
    customers(crm, 5)

    with pytest.raises(AnswerUnexpected, match="could not be read safely"):
        compare(crm, [1, 2, 3])


def test_settings_without_ids_are_told_apart_by_their_keys(crm: Source) -> None:
    # Given settings that were read, one of which is gone by now
    crm.begin(hidden_fields=("id",))
    rows = crm.sandbox.rows("setting")
    ids = rows.insert_many([{"key": f"k{n}"} for n in range(5)])
    known = crm.read(stream="settings").ids
    rows.delete_many(ids[:1])
    # When
    comparison = compare(crm, known, stream="settings")
    # Then it is found in one request, without a warning
    assert comparison.differences == ([known[0]], [])
    assert (len(crm.queries), comparison.warnings) == (1, [])


def test_ids_out_of_order_show_that_the_order_was_not_honoured() -> None:
    disordered = answer(200, '{"data": [{"id": 3}, {"id": 1}], "limit": 100, "total": 2}')
    warnings: list[str] = []

    with asking_for(disordered) as (one, _server):
        client = CirqllClient(one.session, store=one.store, account="one", page_size=1000)
        customer = resource_of_stream("customers")
        assert customer
        one_page = Listing(client, customer, timestamps=Timestamps(UTC), warn=warnings.append)
        with pytest.raises(AnswerUnexpected):
            one_page.compare(BitMap64([1, 2, 3]))

    assert warnings[0].startswith(f"{NOT_COUNTED}, since it did not honour the order by id")


def test_all_ids_take_a_request_a_page_and_show_nothing_else(crm: Source) -> None:
    crm.begin(page_maximum=10)
    ids = customers(crm, 95)
    crm.sandbox.forget_requests()

    there = listing(crm, warnings=[]).all_ids()

    assert list(there) == ids
    assert len(crm.queries) == 10
    assert {(query["order_by"], query["show"]) for query in crm.queries} == {("id", "id")}


def test_all_ids_are_those_since_the_start_date(crm: Source) -> None:
    crm.begin(page_maximum=3)
    ids = crm.fill(12, seconds_apart=3600)

    there = listing(crm, warnings=[], not_before=NOON - timedelta(hours=7)).all_ids()

    assert list(there) == ids[4:]


@pytest.mark.parametrize(
    ("row_id", "may_be"),
    [(-1, False), (0, True), (1, True), (LARGEST_ID, True), (LARGEST_ID + 1, False)],
)
def test_only_ids_that_a_column_can_hold_are_tracked(row_id: int, *, may_be: bool) -> None:
    assert may_be_tracked(row_id) is may_be


def test_ids_that_cannot_be_tracked_are_left_out(crm: Source) -> None:
    for row_id in (1, LARGEST_ID, LARGEST_ID + 1):
        crm.customers.insert(id=row_id, name="Klant")

    assert list(listing(crm, warnings=[]).all_ids()) == [1, LARGEST_ID]


def test_a_page_of_nothing_but_hidden_rows_makes_no_others_absent(crm: Source) -> None:
    # Given
    crm.begin(page_maximum=100)
    ids = customers(crm, 1_000)
    crm.sandbox.hide("customer", *ids[:100])
    # When, Then
    comparison = compare(crm, ids)
    assert comparison.differences == (ids[:100], [])


@pytest.mark.parametrize(
    "behaviour", [{"page_maximum_mode": "cap_silently"}, {"limit_echo": "wrong"}]
)
def test_pages_that_are_cut_without_a_word_and_not_counted_make_none_absent(
    crm: Source, behaviour: dict[str, Any]
) -> None:
    # Given
    crm.begin(page_maximum=100, total_echo="lying", **behaviour)
    ids = customers(crm, 450)
    # When, Then
    assert compare(crm, ids).differences == ([], [])


def test_where_few_rows_remain_few_questions_are_asked(crm: Source) -> None:
    # Given
    crm.begin(page_maximum=100)
    ids = customers(crm, 20_000)
    crm.customers.delete_many(ids[100:-101])
    # When
    comparison = compare(crm, ids)
    # Then
    assert comparison.differences == (ids[100:-101], [])
    assert len(comparison.queries) < 20


def test_many_rows_that_nobody_knew_take_a_page_each_hundred(crm: Source) -> None:
    # Given
    crm.begin(page_maximum=100)
    ids = customers(crm, 3_000)
    # When
    comparison = compare(crm, [ids[0], ids[-1]])
    # Then
    assert comparison.differences == ([], ids[1:-1])
    assert (len(comparison.queries), comparison.warnings) == (30, [])


def test_a_page_that_begins_behind_all_rows_that_are_left_only_counts_them(crm: Source) -> None:
    # Given
    crm.begin(page_maximum=100)
    ids = customers(crm, 1_000)
    crm.customers.delete_many(ids[:700])
    # When
    comparison = compare(crm, ids, start=900)
    # Then
    assert comparison.differences == (ids[:700], [])
    assert comparison.warnings == []
