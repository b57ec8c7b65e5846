"""Rows that change, in Cirqll or in the table, while they are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.client.verify.books import at, differing, in_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.client.verify.books import Books

ROWS = range(1, 61)
PLACES = range(1, 8)
"""Before which request something happens; the seventh is beyond the last."""


@pytest.fixture
def large(books: Books) -> Iterator[Books]:
    """A table of several pages, which lacks a row and has one that is gone."""
    books.crm.begin()
    books.crm.customers.insert_many({"id": row, "updated_at": at(row)} for row in ROWS)
    books.load()
    books.crm.customers.delete_many([17])
    books.run("delete from customers where id = 44")
    yield books
    books.crm.sandbox.before_request(lambda _: None)


def when(books: Books, place: int, happens: Callable[[], object]) -> None:
    """Let something happen right before a request is answered."""
    asked = iter(range(1, 1000))
    books.crm.sandbox.before_request(lambda _: happens() if next(asked) == place else None)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("row", [5, 30, 58])
def test_an_edit_meanwhile_is_no_difference(large: Books, place: int, row: int) -> None:
    when(large, place, lambda: large.crm.customers.update(row))
    outcome = large.verified(start=20, page_size=10)
    assert differing(outcome) == {"missing": [44], "surplus": [17]}
    assert outcome.unaccounted == 0


@pytest.mark.parametrize("place", PLACES)
def test_a_new_row_meanwhile_is_no_difference(large: Books, place: int) -> None:
    when(large, place, lambda: large.crm.customers.insert(name="nieuw"))
    outcome = large.verified(start=20, page_size=10)
    assert differing(outcome) == {"missing": [44], "surplus": [17]}
    assert outcome.unaccounted == 0


def test_an_account_that_grows_all_the_time_is_not_said_to_count_wrongly(large: Books) -> None:
    large.crm.sandbox.before_request(lambda _: large.crm.customers.insert(name="nieuw"))
    outcome = large.verified(start=20, page_size=10)
    assert differing(outcome) == {"missing": [44], "surplus": [17]}
    assert outcome.unaccounted == 0


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("row", [5, 30, 58])
def test_a_deletion_meanwhile_is_a_surplus_row_or_not_seen_yet(
    large: Books, place: int, row: int
) -> None:
    when(large, place, lambda: large.crm.sandbox.delete("customer", row))
    outcome = large.verified(start=20, page_size=10)
    found = differing(outcome)
    assert found.pop("missing") == [44]
    assert sorted({*found.pop("surplus"), row}) == sorted([17, row])
    assert (found, outcome.unaccounted) == ({}, 0)


@pytest.mark.parametrize("place", PLACES)
def test_what_is_loaded_meanwhile_is_not_reported(large: Books, place: int) -> None:
    # Given a load that makes the table right while it is compared
    def load() -> None:
        large.run(
            f"insert into customers values (44, '{in_utc(at(44))}', null)",  # noqa: S608 - a test's
            "update customers set _sdc_deleted_at = '2026-06-01' where id = 17",
        )

    when(large, place, load)
    # When
    outcome = large.verified(start=20, page_size=10)
    # Then
    is_in_time = place < large.requests - 1
    assert not is_in_time or differing(outcome) == {}
