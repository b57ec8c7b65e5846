"""Deleted rows are found, and told in a form that keeps what the warehouse has of them."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from tap_cirqll.catalogs import everything
from tap_cirqll.tap import TapCirqll
from tests.reading_fixtures import Source
from tests.tap.catalog_edits import choose, deselect, entry_of
from tests.tap.loaded_table import LoadedTable
from tests.tap.watched_account import WatchedAccount, one_stream

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tap.conftest import Source as AnySource
    from tests.tap.watched_account import Message, Watched

NARROW = {"id", "_sdc_deleted_at"}
NOTHING_MARKED = "None of them is marked as deleted"


@pytest.fixture
def empty(crm: Source, tmp_path: Path) -> WatchedAccount:
    """An account without notes."""
    return WatchedAccount(crm, tmp_path)


@pytest.fixture
def account(empty: WatchedAccount) -> WatchedAccount:
    """Twelve notes that were read and loaded; the first of them is the last that changed."""
    empty.fill(12)
    empty.edit(1)
    empty.run()
    return empty


def new_catalog() -> Message:
    """A catalog of the notes that was made with detection."""
    config = {"store_url": "sqlite://", "detect_deletions": True}
    tap = TapCirqll(config=config, validate_config=False, setup_mapper=False)
    return choose(json.loads(json.dumps(tap.catalog_dict)), "notes")


def columns(run: Watched) -> list[set[str]]:
    """The columns of each SCHEMA, in their order."""
    return [set(m["schema"]["properties"]) for m in run.messages if m["type"] == "SCHEMA"]


def test_a_deleted_row_comes_with_nothing_but_its_key_and_a_time(account: WatchedAccount) -> None:
    account.delete(3)

    run = account.run()

    (told,) = [one for one in run.records if one["id"] == 3]
    assert told.keys() == NARROW
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["_sdc_deleted_at"])


def test_a_schema_of_these_two_columns_goes_before_it_and_a_state_behind(
    account: WatchedAccount,
) -> None:
    account.delete(3)

    *_, schema, told, first, last = account.run().messages

    assert [m["type"] for m in (schema, told, first, last)] == [
        "SCHEMA",
        "RECORD",
        "STATE",
        "STATE",
    ]
    assert schema["schema"]["properties"].keys() == NARROW == told["record"].keys()
    assert schema["key_properties"] == ["id"]
    assert "required" not in schema["schema"] or set(schema["schema"]["required"]) <= {"id"}


def test_the_row_keeps_what_it_last_said(account: WatchedAccount) -> None:
    account.delete(3)

    account.run()

    assert account.table.marked == {3}
    assert account.table.rows[3]["description"] == "Number 2"


@pytest.mark.parametrize("catalog", [one_stream("notes"), new_catalog()], ids=["old", "new"])
@pytest.mark.parametrize("detects", [True, False])
def test_the_streams_own_schema_has_the_column_where_deletions_are_found(
    empty: WatchedAccount,
    catalog: Message,
    detects: bool,  # noqa: FBT001 - a parameter of the test's
) -> None:
    empty.fill(1)

    run = empty.run(catalog=catalog, detect_deletions=detects)

    is_old = "_sdc_deleted_at" not in entry_of(catalog, "notes")["schema"]["properties"]
    assert [len(found & NARROW) for found in columns(run)] == [2 if detects or not is_old else 1]


def test_where_the_column_is_deselected_nothing_is_found_or_asked(account: WatchedAccount) -> None:
    catalog = new_catalog()
    deselect(catalog, "notes", "_sdc_deleted_at")
    account.delete(3)

    run = account.run(catalog=catalog)

    assert run.deleted == []
    assert len(run.requests) == 1


def test_stream_maps_that_rename_and_leave_out_hold_for_deleted_rows_too(
    account: WatchedAccount,
) -> None:
    account.settings["stream_maps"] = {"notes": {"__alias__": "remarks", "description": None}}
    account.table = LoadedTable("remarks")
    account.delete(3)

    run = account.run()

    assert run.deleted == [3]
    assert account.table.marked == {3}


def test_a_stream_map_that_computes_with_other_fields_is_told_of_and_the_row_waits(
    account: WatchedAccount,
) -> None:
    maps = {"notes": {"description": "description.upper()"}}
    account.delete(3)

    run = account.run(stream_maps=maps)

    assert run.deleted == []
    assert any("Change the map so that it takes a row with" in said for said in run.said())
    assert run.certificate["deleted"] == 0
    assert account.run().deleted == [3]


def test_a_stream_map_that_drops_deleted_rows_is_obeyed(account: WatchedAccount) -> None:
    account.delete(3)

    run = account.run(stream_maps={"notes": {"__filter__": "'description' in record"}})

    assert run.error is None
    assert run.deleted == []


def test_without_deletions_it_costs_one_request(account: WatchedAccount) -> None:
    without = account.copied(account.folder / "without").run(detect_deletions=False)

    run = account.run()

    assert len(run.requests) == len(without.requests) + 1
    assert run.deleted == []
    assert run.certificate["verdict"] == "complete"


def test_where_all_was_read_just_now_it_costs_none(empty: WatchedAccount) -> None:
    empty.fill(12)

    run = empty.run()

    assert len(run.requests) == 1
    assert run.certificate["verdict"] == "complete"
    assert run.certificate["known"] == 12


def test_few_deletions_in_many_rows_cost_few_requests_and_a_look_at_each(
    empty: WatchedAccount,
) -> None:
    # Given a hundred pages
    empty.rows.insert_many([{"description": "A note"}] * 1_000)
    empty.pass_time()
    empty.edit(1)
    empty.source.behave(page_maximum=10)
    empty.run()
    empty.delete(123, 456, 789)

    run = empty.run()

    assert run.deleted == [123, 456, 789]
    assert len(run.lists) <= 1 + 1 + 3 * 7
    assert len(run.looks) == 3 + 1  # the last at a row that is there


def test_every_deletion_is_looked_at_by_itself_and_then_a_row_that_lives(
    account: WatchedAccount,
) -> None:
    account.delete(3, 4)

    run = account.run()

    assert sorted(run.looks[:2]) == [3, 4]
    assert run.looks[2:]
    assert set(run.looks[2:]) <= set(account.rows.ids)


@pytest.mark.parametrize("touches", [True, False])
@pytest.mark.parametrize("row", [3, 12])
def test_a_restored_row_comes_again_as_a_living_one(
    account: WatchedAccount,
    row: int,
    touches: bool,  # noqa: FBT001 - a parameter of the test's
) -> None:
    account.delete(row)
    account.run()
    account.restore(row, touches=touches)

    run = account.run()

    assert row in run.living
    account.assert_equal()


def test_a_restored_row_comes_in_time_though_another_one_went_for_it(
    empty: WatchedAccount,
) -> None:
    # Given 30 pages of ten, where one row went and one came again, which no count shows
    empty.fill(300)
    empty.edit(1)
    empty.source.behave(page_maximum=10)
    empty.run()
    empty.delete(155)
    empty.run()
    empty.restore(155)
    empty.delete(255)

    runs = 0
    while not (empty.table.marked == {255} or runs == 200):
        empty.run()
        runs += 1

    assert empty.table.marked == {255}


def test_a_row_that_went_and_came_between_two_runs_was_never_gone(account: WatchedAccount) -> None:
    account.delete(3)
    account.restore(3)

    run = account.run()

    assert run.deleted == []
    assert run.living == [1]


def test_a_row_can_go_twice(account: WatchedAccount) -> None:
    for _ in range(2):
        account.delete(3)
        assert account.run().deleted == [3]
        account.restore(3)
        account.run()
        account.assert_equal()


def test_archived_rows_are_not_deleted(crm: Source, tmp_path: Path) -> None:
    account = WatchedAccount(
        crm, tmp_path, table=LoadedTable("customers"), resource="customer", column="name"
    )
    account.fill(5)
    account.run()
    account.rows.update(3, archived_at="2026-06-01 12:30:00")
    account.pass_time()
    account.run()

    assert account.run().deleted == []
    assert account.table.living[3]["archived_at"] == "2026-06-01T12:30:00Z"


def test_archived_rows_that_the_index_does_not_list_are_not_deleted(
    crm: Source, tmp_path: Path
) -> None:
    account = WatchedAccount(
        crm, tmp_path, table=LoadedTable("customers"), resource="customer", column="name"
    )
    account.fill(12)
    account.run()
    account.rows.update(3, archived_at="2026-06-01 12:30:00")
    crm.behave(archived_in_index="hidden")

    run = account.run()

    assert run.deleted == []
    assert run.certificate["unlisted"] == 1


def test_a_row_that_comes_and_goes_while_it_is_read_is_told_by_the_next_run(
    account: WatchedAccount,
) -> None:
    """A loader may write both in any order, if they come in one run."""
    account.edit(5)
    requests = iter(range(100))
    end = account.source.sandbox.before_request(
        lambda _: account.source.sandbox.delete("note", 5) if next(requests) == 1 else None
    )

    run = account.run()
    end()

    assert 5 in run.living
    assert run.deleted == []
    assert account.run().deleted == [5]


def test_more_than_the_share_is_not_told_until_somebody_says_so(account: WatchedAccount) -> None:
    account.delete(2, 3, 4)

    run = account.run()

    assert run.deleted == []
    (warning,) = [said for said in run.said() if NOTHING_MARKED in said]
    assert "notes: 3 rows that you have can no longer be found in Cirqll" in warning
    assert "run once with max_deleted_share set to 1" in warning
    assert run.certificate["verdict"] == "incomplete"
    assert account.run(max_deleted_share=1).deleted == [2, 3, 4]


def test_the_share_itself_is_not_too_much(account: WatchedAccount) -> None:
    account.delete(2, 3, 4)

    assert account.run(max_deleted_share=0.25).deleted == [2, 3, 4]


def test_one_row_of_three_may_go(empty: WatchedAccount) -> None:
    empty.fill(3)
    empty.run()
    empty.delete(1)

    assert empty.run().deleted == [1]


@pytest.mark.parametrize("rows", [1, 3])
def test_all_rows_are_not_believed_to_be_gone(empty: WatchedAccount, rows: int) -> None:
    empty.fill(rows)
    empty.run()
    empty.delete(*empty.rows.ids)

    run = empty.run(max_deleted_share=0.99)

    assert run.deleted == []
    assert any("that is all of them" in said for said in run.said())
    assert empty.run(max_deleted_share=1).deleted == list(range(1, rows + 1))


def test_all_rows_but_one_that_came_just_now_are_all_of_them(account: WatchedAccount) -> None:
    account.delete(*account.rows.ids)
    account.fill(1)

    run = account.run(max_deleted_share=0.95)

    assert run.deleted == []
    assert any("that is all of them" in said for said in run.said())


def test_a_share_of_nothing_lets_nothing_through(account: WatchedAccount) -> None:
    account.delete(3)

    run = account.run(max_deleted_share=0)

    assert run.deleted == []
    assert any(NOTHING_MARKED in said for said in run.said())


def test_hidden_rows_are_no_reason_to_speak_of_lost_scopes(empty: WatchedAccount) -> None:
    empty.fill(12)
    empty.source.sandbox.hide("note", 5, counted=False)
    both = scoped(empty, "note.read.all", "note.read.team")
    empty.run(access_token=both)
    empty.source.sandbox.show_again("note", 5)
    empty.edit(5)
    empty.run(access_token=both)
    empty.source.sandbox.hide("note", 5, counted=False)
    empty.run(access_token=both)

    run = empty.run(access_token=scoped(empty, "note.read.all"))

    assert run.certificate["unlisted"] == 1
    assert not any("scopes" in said for said in run.said())


def scoped(account: WatchedAccount, *scopes: str) -> str:
    token: str = account.source.sandbox.grant(scopes).access_token
    return token


def test_with_fewer_scopes_than_before_nothing_is_told(empty: WatchedAccount) -> None:
    empty.fill(12)
    empty.run(access_token=scoped(empty, "note.read.all", "note.read.team"))
    empty.delete(3)

    run = empty.run(access_token=scoped(empty, "note.read.all"))

    assert run.deleted == []
    assert any("the access token has fewer scopes than before" in said for said in run.said())


def test_it_stays_so_until_somebody_says_so_or_the_scope_is_back(empty: WatchedAccount) -> None:
    both = scoped(empty, "note.read.all", "note.read.team")
    one = scoped(empty, "note.read.all")
    empty.fill(12)
    empty.run(access_token=both)
    empty.delete(3)
    empty.run(access_token=one)

    assert empty.run(access_token=one).deleted == []
    with_scope = empty.copied(empty.folder / "back").run(access_token=both)
    told = empty.run(access_token=one, max_deleted_share=1)

    assert with_scope.deleted == told.deleted == [3]
    empty.delete(4)
    assert empty.run(access_token=one).deleted == [4]


def test_other_scopes_may_come_and_go(empty: WatchedAccount) -> None:
    empty.fill(12)
    empty.run(access_token=scoped(empty, "note.read.all", "contact.read.all", "note.create.all"))
    empty.delete(3)

    assert empty.run(access_token=scoped(empty, "note.read.all")).deleted == [3]


def test_rows_out_of_reach_are_too_many_to_believe(account: WatchedAccount) -> None:
    for row in range(1, 10):
        account.rows.update(row, user_id=3)
    account.run()
    account.source.behave(reach={"note": (3,)})

    run = account.run()

    assert run.deleted == []
    assert any(NOTHING_MARKED in said for said in run.said())


def test_rows_that_came_into_reach_again_are_living_ones(account: WatchedAccount) -> None:
    """Fewer than the share that answer 404 cannot be told from deleted ones."""
    for row in range(3, 13):
        account.rows.update(row, user_id=3)
    account.run()
    account.source.behave(reach={"note": (3,)})
    assert account.run().deleted == [1, 2]
    account.source.behave(reach={})

    account.run()

    account.assert_equal()


def test_rows_that_the_index_hides_are_not_deleted_but_told_of(account: WatchedAccount) -> None:
    account.source.sandbox.hide("note", 5, counted=False)

    run = account.run()

    assert run.deleted == []
    assert run.certificate["verdict"] == "incomplete"
    assert run.certificate["unlisted"] == 1
    assert any("1 row that it does not list" in said for said in run.said())


def test_they_come_again_once_they_are_listed(account: WatchedAccount) -> None:
    account.source.sandbox.hide("note", 5, counted=False)
    account.run()
    account.edit(5)
    account.source.sandbox.show_again("note", 5)

    run = account.run()

    account.assert_equal()
    assert run.certificate["verdict"] == "complete"


def test_one_of_them_that_is_deleted_is_found(account: WatchedAccount) -> None:
    account.source.sandbox.hide("note", 5, counted=False)
    account.run()
    account.source.sandbox.show_again("note", 5)
    account.delete(5)

    run = account.run()

    assert run.deleted == [5]
    assert run.certificate["unlisted"] == 0
    assert account.run().deleted == []


def test_hidden_rows_do_not_keep_others_from_being_told(account: WatchedAccount) -> None:
    account.source.sandbox.hide("note", 5, 6, counted=False)
    account.run()
    account.delete(9)

    assert account.run().deleted == [9]


def test_hidden_rows_are_not_asked_for_without_end(empty: WatchedAccount) -> None:
    empty.fill(400)
    empty.run()
    empty.source.sandbox.hide("note", *range(1, 70), counted=False)

    runs = [empty.run() for _ in range(3)]

    assert [run.deleted for run in runs] == [[], [], []]
    assert all(len(run.looks) <= 55 for run in runs)
    assert all(run.certificate["verdict"] == "incomplete" for run in runs)


@pytest.mark.parametrize("pages", [1000, 3])
def test_rows_that_are_counted_and_not_given_are_not_deleted(
    empty: WatchedAccount, pages: int
) -> None:
    """On many pages they are seen by whoever looks at theirs, since the counts agree."""
    empty.fill(30)
    empty.edit(1)
    empty.run()
    empty.source.behave(page_maximum=pages)
    empty.source.sandbox.hide("note", 5, 6)
    empty.delete(9)

    runs = [empty.run(), empty.run()]

    assert {one for run in runs for one in run.deleted} == {9}
    assert pages == 3 or runs[1].certificate["verdict"] == "incomplete"
    assert all(len(run.requests) <= 25 for run in runs)


@pytest.mark.parametrize(
    "behaviour",
    [
        {"filter_mode": "ignore"},
        {"filter_mode": "refuse"},
        {"order_mode": "ignore"},
        {"order_mode": "refuse"},
        {"show_mode": "ignore"},
        {"show_mode": "refuse"},
        {"unfilterable_fields": ("id",)},
        {"unorderable_fields": ("id",)},
        {"total_echo": "lying"},
        {"total_echo": "missing"},
        {"total_off_by": 1},
        {"total_off_by": -2},
        {"limit_echo": "wrong"},
        {"limit_echo": "missing"},
        {"repeated_rows": {"note": (5,)}},
        {"ties": "shuffled"},
        {"wrap_single": True},
        {"page_maximum_mode": "refuse"},
    ],
    ids=lambda one: ":".join(map(str, *one.items())),
)
@pytest.mark.parametrize("pages", [1000, 3])
def test_a_server_that_does_otherwise_has_no_living_row_marked(
    account: WatchedAccount, behaviour: dict[str, Any], pages: int
) -> None:
    account.source.behave(page_maximum=pages, **behaviour)
    account.delete(4, 9)

    runs = [account.run(), account.run()]

    account.assert_nothing_false()
    assert all(len(run.requests) <= 40 for run in runs)
    assert account.table.marked == {4, 9} or any(run.said() for run in runs)


def test_settings_have_no_show_and_are_asked_for_by_their_ids(crm: Source, tmp_path: Path) -> None:
    account = WatchedAccount(
        crm, tmp_path, table=LoadedTable("settings"), resource="setting", column="value"
    )
    account.fill(8)
    account.run()
    account.delete(3)

    run = account.run()

    assert run.deleted == [3]
    assert run.looks == []
    account.assert_equal()


def test_a_full_table_has_its_deletions_told_without_another_list(account: WatchedAccount) -> None:
    catalog = one_stream("notes")
    entry_of(catalog, "notes")["replication_method"] = "FULL_TABLE"
    root = next(one for one in entry_of(catalog, "notes")["metadata"] if not one["breadcrumb"])
    root["metadata"]["replication-method"] = "FULL_TABLE"
    account.run(catalog=catalog)
    account.delete(3)

    run = account.run(catalog=catalog)

    assert run.deleted == [3]
    assert len(run.lists) == 1
    account.assert_equal()


def test_rows_older_than_the_start_date_are_neither_missed_nor_deleted(
    account: WatchedAccount, tmp_path: Path
) -> None:
    young = WatchedAccount(account.source, tmp_path / "young", {"start_date": "2026-06-01T12:05Z"})
    young.folder.mkdir()
    first = young.run()
    account.delete(2, 8)

    run = young.run()

    assert set(first.living) == {1, *range(6, 13)}
    assert run.deleted == [8]
    assert run.living == [1]
    assert run.certificate["verdict"] == "complete"


def test_a_later_start_date_changes_nothing_for_rows_that_were_read(
    account: WatchedAccount,
) -> None:
    account.delete(2, 9)

    run = account.run(start_date="2026-06-01T12:05Z")

    assert run.deleted == [2, 9]
    assert run.said() == []
    assert len(run.looks) == 2 + 1


def test_a_stream_that_is_selected_later_begins_like_any_other(account: WatchedAccount) -> None:
    account.source.sandbox.rows("todo").insert_many([{"name": "One"}, {"name": "Two"}])
    todos = WatchedAccount(
        account.source, account.folder, table=LoadedTable("todos"), resource="todo", column="name"
    )
    todos.state = account.state
    todos.pass_time()
    todos.run()
    todos.delete(1)

    assert todos.run().deleted == [1]
    todos.assert_equal()


def test_a_stream_that_is_read_for_others_alone_goes_on_where_it_was(
    crm: Source, tmp_path: Path
) -> None:
    account = WatchedAccount(
        crm, tmp_path, table=LoadedTable("roles"), resource="role", column="name"
    )
    account.fill(12)
    account.run()
    account.delete(3)
    account.run(catalog=one_stream("role_permissions"))

    assert account.run().deleted == [3]


def test_the_summary_counts_what_was_deleted(account: WatchedAccount) -> None:
    account.delete(3)

    run = account.run()

    assert any("Summary: notes: 1 row, 1 deleted, " in said for said in run.said(logging.INFO))
    assert run.certificate["deleted"] == 1
    assert run.certificate["known"] == 11


def test_of_all_streams_each_costs_one_request(company: AnySource, tmp_path: Path) -> None:
    source = Source(company.sandbox, company.url)
    account = WatchedAccount(source, tmp_path, {"lookback": 60})
    first = account.run(catalog=everything())
    without = account.copied(tmp_path / "without")
    requests = without.run(catalog=everything(), detect_deletions=False).requests

    run = account.run(catalog=everything())

    assert first.deleted == run.deleted == []
    assert len(run.requests) - len(requests) <= 20
    assert {one["verdict"] for one in run.certificates.values()} == {"complete"}
