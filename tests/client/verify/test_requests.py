"""What verifying costs in requests."""

from __future__ import annotations

import random
import tracemalloc
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cirqll_client.cli.verify.change_keys import ApiTimes
from cirqll_client.cli.verify.loaded import loaded_from
from cirqll_client.connection import timestamps_in
from tests.client.verify.books import at, differing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cirqll_client.cli.verify.loaded import Stored
    from tests.client.verify.books import Books

MANY = 20_000


def fill(books: Books, number: int = MANY) -> None:
    """An account whose rows changed in another order than that of their ids, loaded whole."""
    chance = random.Random(7)  # noqa: S311 - invented data
    books.crm.begin()
    books.crm.customers.insert_many(
        {"id": row, "updated_at": at(chance.randrange(3 * number))} for row in range(1, number + 1)
    )
    books.load()


@pytest.mark.parametrize(
    ("number", "requests", "is_whole"), [(0, 1, True), (1000, 1, True), (MANY, 2, False)]
)
def test_a_table_that_agrees_costs_a_request_and_a_large_one_two(
    books: Books, number: int, requests: int, *, is_whole: bool
) -> None:
    fill(books, number)
    outcome = books.verified(start=number // 3)
    assert (outcome.result, outcome.is_whole) == ("equal", is_whole)
    assert books.requests == outcome.requests == requests
    assert outcome.compared == min(number, 2000)


def test_changes_since_the_load_cost_a_request_for_each_page_of_them(books: Books) -> None:
    # Given changes all over the table, and rows that are new
    fill(books)
    for row in range(1, 2001):
        books.crm.customers.update(row * 7)
    books.crm.customers.insert_many({"name": "nieuw"} for _ in range(400))
    # When
    outcome = books.verified(start=900)
    # Then
    assert (outcome.result, outcome.not_loaded) == ("equal", 2400)
    assert books.requests == 4


@pytest.mark.parametrize("kind", ["missing", "stale", "surplus"])
def test_a_few_differences_cost_a_few_halves(books: Books, kind: str) -> None:
    # Given
    fill(books)
    rows = [99, 4_444, 12_345]
    listed = ", ".join(map(str, rows))
    if kind == "missing":
        books.run(f"delete from customers where id in ({listed})")  # noqa: S608 - numbers
    elif kind == "stale":
        books.run(f"update customers set updated_at = '2026-04-01' where id in ({listed})")  # noqa: S608 - numbers
    else:
        books.crm.customers.delete_many(rows)
    # When
    outcome = books.verified(start=3_000)
    # Then each costs no more than the halves of twenty pages, and each surplus row a direct look
    assert differing(outcome) == {kind: rows}
    assert books.requests <= 2 + 3 * 5 + 1 + 3


def test_every_row_costs_its_pages_and_a_count(books: Books) -> None:
    fill(books)
    outcome = books.verified(every_row=True)
    assert (outcome.result, outcome.is_whole, books.requests) == ("equal", True, 21)


def test_an_empty_table_costs_one_request_however_much_is_missing(books: Books) -> None:
    # Given
    fill(books)
    books.put({})
    # When
    outcome = books.verified()
    # Then
    assert (outcome.missing.number, outcome.missing.ids) == (MANY, ())
    assert (outcome.result, outcome.unaccounted, books.requests) == ("different", 0, 1)


def test_very_many_differences_are_not_all_looked_at_again(books: Books) -> None:
    # Given a table whose times are all wrong
    fill(books, 5_000)
    books.run("update customers set updated_at = datetime(updated_at, '-2 hours')")
    # When
    outcome = books.verified()
    # Then
    assert outcome.not_loaded + outcome.stale.number == 5_000
    assert outcome.found_once > 0
    assert books.requests < 40


def test_a_hundred_thousand_rows_take_some_ten_megabytes() -> None:
    # Given
    times = ApiTimes(timestamps_in("Europe/Amsterdam"))
    parts = _parts(100_000)
    loaded_from([next(parts)], times=times, first=0, newest_deleted=None)
    # When
    tracemalloc.start()
    loaded = loaded_from(parts, times=times, first=0, newest_deleted=None)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Then
    assert len(loaded.keys) == 99_000
    assert most < 10_000_000


def _parts(number: int) -> Iterator[list[Stored]]:
    first = datetime(2025, 1, 1)  # noqa: DTZ001 - as a database gives it
    for start in range(0, number, 1000):
        yield [
            (row, first + timedelta(seconds=row * 7919 % 30_000_000))
            for row in range(start, start + 1000)
        ]
