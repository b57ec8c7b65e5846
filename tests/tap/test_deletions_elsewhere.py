"""Deleted rows where a stream is read in another way, from another date, or by somebody else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.tap.watched_account import WatchedAccount

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reading_fixtures import Source


@pytest.fixture
def account(crm: Source, tmp_path: Path) -> WatchedAccount:
    """Twenty notes, not read yet."""
    account = WatchedAccount(crm, tmp_path)
    account.fill(20)
    return account


@pytest.mark.parametrize(
    "behaviour", [{"filter_mode": "ignore"}, {"unfilterable_fields": ("updated_at",)}]
)
def test_a_row_comes_back_where_no_filter_by_time_finds_it(
    account: WatchedAccount, behaviour: dict[str, Any]
) -> None:
    # Given a row that was deleted and marked
    account.source.behave(**behaviour)
    account.run()
    account.delete(5)
    account.run()
    assert account.table.marked == {5}
    # When it is put back as it was
    account.restore(5)
    account.run()
    # Then
    assert account.table.marked == set()


def test_a_later_start_date_makes_no_older_row_absent(account: WatchedAccount) -> None:
    # Given all rows
    account.run()
    account.delete(3)
    # When only the newer half is wanted from now on
    newer = account.source.sandbox.clock.now() - timedelta(minutes=10)
    run = account.run(start_date=newer.isoformat())
    # Then what is gone is told, and nothing else is said
    assert (run.deleted, run.said()) == ([3], [])
    assert run.certificate["verdict"] == "complete"


def test_an_earlier_start_date_brings_no_warning(account: WatchedAccount) -> None:
    # Given the newer rows
    now = account.source.sandbox.clock.now()
    account.run(start_date=(now - timedelta(minutes=10)).isoformat())
    account.delete(18)
    # When
    run = account.run(start_date=(now - timedelta(minutes=18)).isoformat())
    # Then
    assert (run.deleted, run.said()) == ([18], [])


def test_new_rows_do_not_make_room_for_deletions(account: WatchedAccount) -> None:
    # Given all rows
    account.run()
    # When all of them go and as many others come, as by the token of another company
    account.rows.delete_many(range(1, 21))
    account.fill(100)
    run = account.run()
    # Then
    assert run.deleted == []
    assert "that is all of them" in " ".join(run.said())


def test_rows_that_an_interrupted_run_had_read_are_not_read_twice(account: WatchedAccount) -> None:
    # Given a first run that ended after a page, without deletions being looked for
    account.source.behave(page_maximum=5)
    account.run(writes=4, detect_deletions=False)
    # When the next one goes on while every row changes
    account.source.sandbox.before_request(lambda _request: account.edit(1, 2, 3))
    run = account.run(detect_deletions=False)
    # Then nothing is asked for by its id
    assert not [one for one in run.lists if "id:in" in str(one.query)]
