"""What a pipeline has got is known from run to run, whatever is lost on the way."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.tap.watched_account import WatchedAccount

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reading_fixtures import Source

HOMES = ("store", "state")


@pytest.fixture
def account(crm: Source, tmp_path: Path) -> WatchedAccount:
    """Twelve notes that were read and loaded; the first of them is the last that changed."""
    account = WatchedAccount(crm, tmp_path)
    account.fill(12)
    account.edit(1)
    account.run()
    return account


def lines_to_first_deletions(account: WatchedAccount, **settings: Any) -> int:
    """Count the messages of a run up to the first STATE behind a deletion; nothing is kept."""
    messages = account.copied(account.folder / "trial").read(**settings).messages
    told = [n for n, one in enumerate(messages) if "_sdc_deleted_at" in one.get("record", ())]
    return next(n for n in range(told[0], len(messages)) if messages[n]["type"] == "STATE") + 1


@pytest.mark.parametrize("home", HOMES)
def test_a_deletion_whose_state_came_back_is_not_told_again(
    account: WatchedAccount, home: str
) -> None:
    account.settings["delivered_ids"] = home
    account.delete(3)
    assert account.run().deleted == [3]

    assert account.run().deleted == []
    assert account.table.marked == {3}


@pytest.mark.parametrize("home", HOMES)
def test_a_deletion_whose_state_was_lost_is_told_again(account: WatchedAccount, home: str) -> None:
    account.settings["delivered_ids"] = home
    account.run()
    account.delete(3)
    account.run(loaded=0)

    assert account.run().deleted == [3]
    assert account.table.marked == {3}


def test_of_many_deletions_those_are_told_again_whose_state_was_lost(
    crm: Source, tmp_path: Path
) -> None:
    # Given more than are looked at and told at once
    account = WatchedAccount(crm, tmp_path, {"max_deleted_share": 0.9})
    account.fill(120)
    account.run()
    account.delete(*range(1, 61))
    first = account.run(loaded=lines_to_first_deletions(account))
    assert 0 < len(account.table.marked) < len(first.deleted) == 60

    account.run()

    assert account.table.marked == set(range(1, 61))


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("row", [3, 12])
def test_a_restored_row_whose_state_was_lost_comes_again(
    account: WatchedAccount, home: str, row: int
) -> None:
    account.settings["delivered_ids"] = home
    account.delete(row)
    account.run()
    account.restore(row)
    assert row in account.run(loaded=0).living

    account.run()

    account.assert_equal()


def test_a_row_that_was_restored_before_its_deletion_was_settled_lives_again(
    account: WatchedAccount,
) -> None:
    # Given a loader that wrote the deletion and died before it gave the state back
    account.delete(3)
    account.run(acknowledged=0)
    assert account.table.marked == {3}
    account.restore(3)

    account.run()

    account.assert_equal()


def test_a_row_that_was_deleted_in_the_first_run_whose_state_was_lost_is_marked(
    crm: Source, tmp_path: Path
) -> None:
    # Given a loader that wrote the first page and gave back no state but the one before it
    account = WatchedAccount(crm, tmp_path)
    account.fill(12)
    account.run(acknowledged=1)
    account.delete(3)

    account.run()

    assert account.table.marked == {3}


@pytest.mark.parametrize("writes", range(8))
def test_a_process_that_dies_at_any_of_its_writes_loses_nothing(
    account: WatchedAccount, writes: int
) -> None:
    account.delete(2, 7)
    account.run()
    account.restore(7)
    account.delete(5)
    account.edit(9)
    account.run(writes=writes)

    account.run()

    account.assert_equal()
    assert account.table.marked == {2, 5}
