"""Rows with odd times of change: from the future, exactly at the beginning, or without one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from cirqll_client.reading import Beginning
from tests.reading_fixtures import NOON

if TYPE_CHECKING:
    from tests.reading_fixtures import Outcome, Source


def _next(outcome: Outcome) -> Beginning:
    last = outcome.batches[-1]
    return replace(outcome.beginning, has_untimed=last.has_untimed)


def test_a_row_from_the_future_moves_no_bookmark_whatever_the_zone_is(crm: Source) -> None:
    # Given a zone that is ahead of the server's, and a row of the year 2099
    crm.begin()
    crm.fill(3)
    crm.customers.insert(name="morgen", updated_at="2099-01-01 00:00:00")
    first = crm.read(api_timezone="Europe/Amsterdam")
    # When rows change later
    crm.sandbox.clock.move(600)
    changed = crm.customers.insert(name="nu")["id"]
    # Then the next reading finds them
    assert changed in crm.read(first.beginning, api_timezone="Europe/Amsterdam").ids


def test_ties_exactly_at_the_beginning_prove_nothing(crm: Source) -> None:
    # Given rows that share a time, and a server that drops the clause for ties
    crm.begin(page_maximum=4)
    for number in range(10):
        crm.customers.insert(name=f"{number}", updated_at="2026-05-01 00:00:00")
    start = NOON.replace(month=5, day=1, hour=0)
    # When the reading begins at that very time
    outcome = crm.read(Beginning(bookmark=start))
    # Then all of them come, and the second question has a clause for ties
    assert sorted(set(outcome.ids)) == list(range(1, 11))
    assert "updated_at:eq:" in outcome.queries[1]["filter"]


def test_rows_without_a_time_are_found_also_when_they_come_later(crm: Source) -> None:
    # Given an account in which some rows do not tell when they changed
    crm.begin()
    crm.fill(3)
    crm.customers.insert(name="zonder tijd", updated_at=None)
    first = crm.read()
    # When another one is added
    crm.sandbox.clock.move(600)
    late = crm.customers.insert(name="ook zonder", updated_at=None)["id"]
    second = crm.read(_next(first))
    # Then it comes, with a warning that tells what that costs
    assert late in second.ids
    assert ["empty" in warning for warning in second.warnings] == [True]


def test_rows_are_read_by_change_again_once_all_of_them_have_a_time(crm: Source) -> None:
    # Given a reading that met a row without a time
    crm.begin()
    crm.fill(3)
    odd = crm.customers.insert(name="zonder tijd", updated_at=None)["id"]
    first = crm.read()
    # When that row is changed, and read twice
    crm.sandbox.clock.move(600)
    crm.customers.update(odd, name="met tijd")
    second = crm.read(_next(first))
    third = crm.read(replace(_next(second), lookback=timedelta(seconds=60)))
    # Then the third reading asks for changes only
    assert odd in second.ids
    assert third.warnings == []
    assert third.queries[0]["filter"].startswith("updated_at:gte:")
