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


def test_a_row_that_comes_back_between_the_list_and_the_look_is_read(
    account: WatchedAccount,
) -> None:
    # Given a row that is gone, and comes back untouched right before it is looked at
    account.run()
    account.delete(3)
    sandbox = account.source.sandbox

    def restore(request: Any) -> None:
        if request.path.endswith("/note/3") and 3 not in account.rows.ids:
            sandbox.restore("note", 3, touches=False)

    sandbox.before_request(restore)
    # When
    run = account.run()
    # Then
    assert (run.deleted, run.certificate["verdict"]) == ([], "complete")
    assert 3 in run.living


def test_a_living_row_that_goes_meanwhile_is_no_proof_against_the_others(
    account: WatchedAccount,
) -> None:
    # Given
    account.run()
    account.delete(3)
    sandbox = account.source.sandbox

    def delete(request: Any) -> None:
        looked_at = request.path.rpartition("/")[2]
        if looked_at.isdigit() and len(account.rows.ids) == 19:
            account.rows.delete_many([one for one in (1, 2) if looked_at == str(one)])

    sandbox.before_request(delete)
    # When
    run = account.run()
    # Then
    assert run.deleted == [3]


def test_one_row_that_can_never_be_shown_stops_no_other_stream(account: WatchedAccount) -> None:
    # Given
    account.run()
    account.delete(3)
    account.source.sandbox.faults.add("500", since=1, path="^/api/note/")
    # When
    run = account.run(give_up_after=1)
    # Then
    assert (run.error, run.deleted) == (None, [])
    assert run.certificate["verdict"] == "incomplete"


def test_hidden_rows_that_a_narrower_reach_denies_are_not_deleted_one_after_the_other(
    account: WatchedAccount,
) -> None:
    # Given rows that are hidden, and known to be
    account.run()
    account.source.sandbox.hide("note", *range(1, 4), counted=False)
    account.run()
    # When the token reaches only others from now on
    account.source.sandbox.faults.add("404", since=1, path="^/api/note/[123]$")
    marked = [one for _ in range(3) for one in account.run().deleted]
    # Then
    assert marked == []


def test_a_row_that_lived_between_two_runs_alone_comes_once_it_is_back(
    account: WatchedAccount,
) -> None:
    # Given a row that no run ever saw
    account.run()
    (new,) = account.fill(1)
    account.edit(1)
    account.delete(new)
    account.run()
    # When it is put back as it was
    account.restore(new)
    account.run()
    # Then
    assert new in account.table.rows


def test_a_lost_store_is_told_with_what_that_means_for_deleted_rows(
    account: WatchedAccount,
) -> None:
    # Given
    account.run()
    account.delete(3)
    account.store.unlink()
    # When
    run = account.run()
    # Then
    (told,) = [said for said in run.said() if said.startswith("The ids of the notes")]
    assert "`cirqll verify` finds it" in told
