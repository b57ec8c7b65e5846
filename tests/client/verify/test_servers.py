"""Servers that do not do as they are asked: never silently wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest

from cirqll_client.cli.verify.printed import notes_on
from tests.client.raw_server import answer, serving
from tests.client.verify.books import at, differing

if TYPE_CHECKING:
    from tests.client.verify.books import Books

DISHONEST: list[tuple[dict[str, Any], str]] = [
    ({"total_echo": "missing"}, "it does not tell how many there are"),
    ({"total_echo": "lying"}, "it does not tell how many there are"),
    ({"filter_mode": "ignore"}, "it did not honour the filter by the time of change and id"),
    ({"filter_mode": "refuse"}, "Cirqll refused it with 400"),
    ({"order_mode": "ignore"}, "it did not honour the order by the time of change and id"),
    ({"order_mode": "refuse"}, "Cirqll refused it with 400"),
    ({"filter_mode": "ignore", "order_mode": "ignore"}, "it did not honour the order by the time"),
    ({"filter_mode": "ignore", "total_echo": "lying"}, "it does not tell how many there are"),
    ({"quotes": "literal"}, "it lists more than it counts"),
]


def arrange(books: Books, **behaviour: Any) -> None:
    """A table of several pages with a difference of each kind, none of which hides another."""
    books.crm.begin()
    books.crm.customers.insert_many({"id": row, "updated_at": at(row)} for row in range(1, 301))
    books.load()
    books.crm.customers.delete_many([290])
    books.run(
        "delete from customers where id = 100",
        "update customers set updated_at = '2026-04-01' where id = 150",
    )
    books.crm.behave(page_maximum=50, **behaviour)


@pytest.mark.parametrize(("behaviour", "reason"), DISHONEST)
def test_a_server_that_does_not_do_as_asked_is_read_whole_with_one_warning(
    books: Books, behaviour: dict[str, Any], reason: str
) -> None:
    arrange(books, **behaviour)
    outcome = books.verified(start=70)
    assert differing(outcome) == {"missing": [100], "stale": [150], "surplus": [290]}
    assert len(outcome.warnings) == 1
    assert reason in outcome.warnings[0]
    assert (outcome.is_whole, outcome.unaccounted, outcome.found_once) == (True, 0, 0)


@pytest.mark.parametrize(
    "behaviour",
    [{}, {"limit_echo": "missing"}, {"limit_echo": "wrong"}, {"show_mode": "refuse"}],
)
def test_small_oddities_need_no_warning(books: Books, behaviour: dict[str, Any]) -> None:
    arrange(books, **behaviour)
    outcome = books.verified(start=70)
    assert differing(outcome) == {"missing": [100], "stale": [150], "surplus": [290]}
    assert outcome.warnings == ()


@pytest.mark.parametrize(("off", "words"), [(1, "1 row more"), (-2, "2 rows fewer")])
def test_a_total_that_lies_is_told(books: Books, off: int, words: str) -> None:
    arrange(books, total_off_by=off)
    outcome = books.verified(start=70)
    assert differing(outcome) == {"missing": [100], "stale": [150], "surplus": [290]}
    assert f"Cirqll counts {words} than it lists." in list(notes_on(outcome))


def test_a_row_that_is_counted_and_never_listed_is_told(books: Books) -> None:
    # Given a row that no reading finds, so that the table lacks it
    books.crm.begin()
    books.crm.customers.insert_many({"id": row, "updated_at": at(row)} for row in range(1, 301))
    books.load()
    books.crm.sandbox.hide("customer", 99)
    books.run("delete from customers where id = 99")
    # When
    outcome = books.verified(page_size=50)
    # Then
    assert (outcome.result, differing(outcome), outcome.unaccounted) == ("different", {}, 1)


@pytest.mark.parametrize("counted", [True, False])
def test_a_row_that_is_there_and_not_listed_is_not_called_surplus(
    books: Books, *, counted: bool
) -> None:
    # Given
    books.crm.begin()
    books.crm.customers.insert_many({"id": row, "updated_at": at(row)} for row in range(1, 301))
    books.load()
    books.crm.sandbox.hide("customer", 290, counted=counted)
    # When
    outcome = books.verified(page_size=50)
    # Then
    assert (outcome.result, outcome.unlisted.ids) == ("equal", (290,))
    assert "can be looked at in Cirqll" in " ".join(notes_on(outcome))


def test_a_row_that_may_not_be_looked_at_directly_stays_surplus(books: Books) -> None:
    arrange(books)
    books.crm.sandbox.faults.add("403", since=1, path="^/api/customer/")
    outcome = books.verified(start=70)
    assert outcome.surplus.ids == (290,)


def test_a_stream_without_its_scope_is_told(books: Books) -> None:
    arrange(books)
    books.crm.sandbox.faults.add("403", since=1, path="^/api/customer$")
    outcome = books.verified()
    assert outcome.result == "unknown"
    assert "customer.read.all" in (outcome.failure or "")


def test_settings_that_are_one_object_are_compared_whole(books: Books) -> None:
    # Given an API that answers an object whose entries are the rows, whatever it is asked
    ids = {name: crc32(name.encode()) for name in ("thema", "taal")}
    books.put(dict.fromkeys(ids.values()), "settings")
    with serving(answer(200, '{"thema": "donker", "taal": "nl"}')) as server:
        # When
        right = books.verified("settings", api_url=server.url)
        books.run(f"delete from settings where id = {ids['taal']}")  # noqa: S608 - a test's
        wrong = books.verified("settings", api_url=server.url)
    # Then a row of which there is no direct look is reported as it was found
    assert (right.result, right.is_whole, right.requests) == ("equal", True, 1)
    assert (differing(wrong), wrong.found_once) == ({"missing": [ids["taal"]]}, 1)


def test_a_time_that_may_not_be_filtered_by_leaves_a_start_date_to_us(books: Books) -> None:
    # Given
    arrange(books, unfilterable_fields=("updated_at",))
    since = datetime(2026, 5, 1, tzinfo=UTC) + timedelta(seconds=90)
    # When
    outcome = books.verified(since=since)
    # Then
    assert differing(outcome) == {"missing": [100], "stale": [150], "surplus": [290]}
    assert "Cirqll refused it with 400" in outcome.warnings[0]
