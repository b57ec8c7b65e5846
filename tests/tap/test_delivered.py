"""What a pipeline has got is known from run to run, whatever is lost on the way."""

from __future__ import annotations

import json
import logging
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.errors import SettingInvalid
from tests.tap.loaded_table import LoadedTable
from tests.tap.watched_account import WatchedAccount, one_stream

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reading_fixtures import Source
    from tests.tap.watched_account import Message

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
    assert account.run().living == [1]


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


def test_two_pipelines_on_one_store_are_told_each(account: WatchedAccount) -> None:
    other = WatchedAccount(account.source, account.folder)
    other.run()
    account.delete(3)

    assert account.run().deleted == [3]
    assert other.run().deleted == [3]
    assert account.run().deleted == other.run().deleted == []


def test_two_pipelines_that_began_with_one_state_end_as_the_account_is(
    account: WatchedAccount,
) -> None:
    table = LoadedTable("notes", {key: dict(row) for key, row in account.table.rows.items()})
    other = WatchedAccount(account.source, account.folder, state=account.state, table=table)
    account.delete(3, 5)
    account.run()
    other.run()
    account.restore(5)
    account.run()

    other.run()

    for one in (account, other):
        one.assert_equal()
        assert one.table.marked == {3}


def test_a_state_that_is_older_than_the_store_is_told_of(account: WatchedAccount) -> None:
    # Given a table that was put back with its state, from before a deletion that was settled
    backup = account.copied(account.folder / "backup")
    account.delete(3)
    account.run()
    account.run()
    account.state, account.table = backup.state, backup.table

    run = account.run()

    assert any(
        "The state of notes is older than what the store knows of it" in s for s in run.said()
    )


def test_without_its_state_a_pipeline_begins_anew(account: WatchedAccount) -> None:
    account.state = {}
    account.delete(3)

    run = account.run()

    assert run.deleted == []
    assert len(run.living) == 11


@pytest.mark.parametrize("method", ["INCREMENTAL", "FULL_TABLE"])
def test_without_its_store_it_takes_what_is_there_and_says_so(
    crm: Source, tmp_path: Path, method: str
) -> None:
    account = WatchedAccount(crm, tmp_path)
    catalog = with_method(one_stream("notes"), method)
    account.fill(12)
    account.run(catalog=catalog)
    account.store.unlink()
    account.delete(3)

    run = account.run(catalog=catalog)

    assert run.deleted == []
    told = "notes: from now on, deleted rows are found. 11 rows in Cirqll are taken for rows that"
    assert any(told in said for said in run.said(logging.INFO))
    account.delete(4)
    assert account.run(catalog=catalog).deleted == [4]


@pytest.mark.parametrize("home", HOMES)
def test_switched_on_for_a_stream_that_was_read_before(
    crm: Source, tmp_path: Path, home: str
) -> None:
    account = WatchedAccount(crm, tmp_path, {"delivered_ids": home})
    account.fill(12)
    account.run(detect_deletions=False)

    run = account.run()

    assert any("from now on, deleted rows are found" in said for said in run.said(logging.INFO))
    account.delete(3)
    assert account.run().deleted == [3]
    account.assert_equal()


def test_what_went_while_it_was_off_is_not_told_and_what_came_is_known(
    account: WatchedAccount,
) -> None:
    account.delete(3)
    account.fill(1)
    account.run(detect_deletions=False)

    assert account.run().deleted == []
    account.delete(13)
    assert account.run().deleted == [13]


def test_what_went_while_the_stream_was_not_selected_is_told(account: WatchedAccount) -> None:
    account.delete(3)
    account.run(catalog=one_stream("todos"))

    assert account.run().deleted == [3]


def test_an_interrupted_beginning_begins_once_more(account: WatchedAccount) -> None:
    account.run(detect_deletions=False)
    account.run(writes=3)
    account.delete(5)

    account.run()

    account.delete(6)
    assert account.run().deleted == [6]


def test_in_the_state_no_store_is_needed(account: WatchedAccount) -> None:
    account.settings["delivered_ids"] = "state"
    account.run()
    account.store.unlink()
    account.delete(3)

    assert account.run().deleted == [3]
    account.store.unlink()
    assert account.run().deleted == []


@pytest.mark.parametrize("merges", [False, True])
def test_it_may_move_between_state_and_store(
    account: WatchedAccount,
    merges: bool,  # noqa: FBT001 - a parameter of the test's
) -> None:
    for row, home in enumerate(("state", "store", "state", "state", "store", "store"), start=2):
        account.delete(row)
        before = account.state

        assert account.run(delivered_ids=home, max_deleted_share=1).deleted == [row]
        if merges:
            account.state = merged(before, account.state)
    account.restore(2)
    account.run()
    account.assert_equal()


def merged(old: Any, new: Any) -> Any:
    """A state as a runner merges it: what is absent in the new one stays."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    return old | {key: merged(old.get(key), value) for key, value in new.items()}


def test_what_is_too_large_for_the_state_goes_into_the_store(crm: Source, tmp_path: Path) -> None:
    # Given ids so far apart that each takes more than 16 bytes
    account = WatchedAccount(crm, tmp_path, {"delivered_ids": "state"})
    account.rows.insert_many({"id": n << 17, "description": "A note"} for n in range(1, 7_000))
    account.pass_time()
    account.edit(1 << 17)

    run = account.run()

    (warning,) = run.said()
    assert "take more than 64 KiB, which is too much for the state" in warning
    assert len(json.dumps(account.state)) < 2_000
    account.delete(3 << 17)
    assert account.run().deleted == [3 << 17]
    assert account.run().deleted == []


def test_a_thousand_rows_take_little_of_a_state(crm: Source, tmp_path: Path) -> None:
    account = WatchedAccount(crm, tmp_path, {"delivered_ids": "state"})
    account.rows.insert_many({"description": "A note"} for _ in range(1_000))
    account.pass_time()

    account.run()

    assert len(json.dumps(account.state)) < 1_000


@pytest.mark.parametrize(
    "broken",
    [
        {"roll": "abc"}, {"roll": "abc", "until": "x"}, {"ids": "AQ=="},
        {"ids": "?", "doubtful": "?", "unlisted": "?"},
        {"ids": 7, "doubtful": 7, "unlisted": 7}, {}, [], "abc", 7, True,
    ],
    ids=str,
)  # fmt: skip
def test_a_broken_state_is_told_of_before_anything_is_read(
    account: WatchedAccount, broken: Any
) -> None:
    account.state["bookmarks"]["notes"]["delivered_ids"] = broken

    run = account.run()

    assert isinstance(run.error, SettingInvalid)
    assert str(run.error) == (
        "The state of the stream notes cannot be read: its delivered_ids are not what this tap "
        "wrote. Run again with a state that is, or without one to read the stream from the "
        "beginning."
    )
    assert run.requests == []


def test_a_roll_that_is_not_there_is_no_error(account: WatchedAccount) -> None:
    account.state["bookmarks"]["notes"]["delivered_ids"] = {"roll": "f" * 16, "until": 3}

    run = account.run()

    assert run.error is None
    assert any("from now on, deleted rows are found" in said for said in run.said(logging.INFO))


def test_the_store_does_not_grow_with_every_run(account: WatchedAccount) -> None:
    for row in range(2, 8):
        account.edit(row)
        account.run()
    account.run()

    with closing(sqlite3.connect(account.store)) as database:
        (rolls,) = database.execute("select count(*) from delivered_rolls").fetchone()
        (entries,) = database.execute("select count(*) from delivered_entries").fetchone()
    assert (rolls, entries) == (1, 0)


def test_what_a_state_names_is_not_longer_than_a_line(account: WatchedAccount) -> None:
    known = account.state["bookmarks"]["notes"]["delivered_ids"]

    assert {name for name, value in known.items() if value is not None} == {"roll", "until"}


def with_method(catalog: Message, method: str) -> Message:
    """The catalog with another way to replicate its streams."""
    for one in catalog["streams"]:
        root = next(m for m in one["metadata"] if not m["breadcrumb"])
        root["metadata"]["replication-method"] = one["replication_method"] = method
    return catalog
