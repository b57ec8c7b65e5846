"""The law of verifying: what is reported is exactly what differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.client.verify.books import at, differing, in_utc

if TYPE_CHECKING:
    from tests.client.verify.books import Books

SLOTS = 6
laws = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
slots = st.none() | st.integers(0, SLOTS)
Side = dict[int, int | None]
"""Ids, and when each row changed; null where it does not tell."""


@dataclass(frozen=True)
class Case:
    """A table beside an account."""

    account: Side
    table: Side

    @property
    def newest(self) -> int:
        """The newest change in the table; all are as old if there is none."""
        return max((one for one in self.table.values() if one is not None), default=SLOTS)

    def differences(self) -> dict[str, list[int]]:
        """What is wrong with the table, row by row."""
        found: dict[str, list[int]] = {"missing": [], "stale": [], "surplus": []}
        for row in sorted({*self.account, *self.table}):
            there, here = self.account.get(row, "none"), self.table.get(row, "none")
            if there == here or (isinstance(there, int) and there > self.newest):
                continue
            kind = "surplus" if there == "none" else "missing" if here == "none" else "stale"
            found[kind].append(row)
        return {kind: ids for kind, ids in found.items() if ids}

    def not_loaded(self) -> int:
        """How many rows changed after the newest change in the table."""
        return sum(1 for one in self.account.values() if one is not None and one > self.newest)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A table that is nearly like the account."""
    account = draw(st.dictionaries(st.integers(1, 40), slots, min_size=1, max_size=25))
    changes = draw(st.dictionaries(st.integers(1, 40), slots, max_size=4))
    gone = draw(st.sets(st.integers(1, 40), max_size=4))
    table = {**account, **changes}
    return Case(account, {row: slot for row, slot in table.items() if row not in gone})


def arrange(books: Books, case: Case) -> None:
    books.crm.begin()
    books.crm.customers.insert_many(
        {"id": row, "name": f"Klant {row}", "updated_at": None if slot is None else at(slot)}
        for row, slot in case.account.items()
    )
    books.put({row: None if one is None else in_utc(at(one)) for row, one in case.table.items()})


@laws
@given(cases())
@example(Case({1: 0}, {}))
@example(Case({}, {1: 0}))
def test_a_table_of_one_page_is_judged_exactly(books: Books, case: Case) -> None:
    arrange(books, case)
    outcome = books.verified()
    assert differing(outcome) == case.differences()
    assert (outcome.not_loaded, outcome.unaccounted, outcome.warnings) == (case.not_loaded(), 0, ())
    assert (outcome.result == "equal") is not bool(case.differences())


@laws
@given(cases(), st.integers(1, 6))
def test_reading_every_row_judges_exactly_whatever_a_page_holds(
    books: Books, case: Case, page_size: int
) -> None:
    arrange(books, case)
    outcome = books.verified(every_row=True, page_size=page_size)
    assert differing(outcome) == case.differences()
    assert (outcome.not_loaded, outcome.unaccounted) == (case.not_loaded(), 0)


@laws
@given(cases(), st.integers(1, 6), st.integers(0, 30))
def test_a_search_reports_nothing_that_is_right_and_sees_each_other_number(
    books: Books, case: Case, page_size: int, start: int
) -> None:
    # Given pages that hold less than the table
    arrange(books, case)
    # When
    outcome = books.verified(start=start, page_size=page_size)
    # Then only what cancels out in a count may be overlooked
    found, wrong = differing(outcome), case.differences()
    assert outcome.unaccounted == 0
    if case.table:
        assert all(set(ids) <= set(wrong.get(kind, [])) for kind, ids in found.items())
    if len(wrong.get("missing", [])) != len(wrong.get("surplus", [])):
        assert outcome.result == "different"


@pytest.mark.parametrize("start", range(0, 40, 4))
def test_a_lost_change_is_found_from_any_place_between_its_times(books: Books, start: int) -> None:
    # Given a change that was lost, of a row that was among the first and is among the last
    rows = {row: at(row) for row in range(1, 41)}
    books.crm.begin()
    books.crm.customers.insert_many({"id": row, "updated_at": at(row)} for row in rows)
    books.load()
    books.crm.customers.update(1, updated_at=at(40))
    # When the page at which the search begins lies anywhere
    outcome = books.verified(start=start, page_size=4)
    # Then
    assert differing(outcome) == {"stale": [1]}
