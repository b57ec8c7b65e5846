"""Tables as loaders leave them: deletions, repeated ids, types, schemas. Nothing is written."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy as sql

from cirqll_client.cli.verify.printed import notes_on
from cirqll_client.cli.verify.warehouse import Table, TableUnreadable, Warehouse
from tests.client.verify.books import at, differing, in_utc

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.client.verify.books import Books

CUSTOMERS = {"customers": "updated_at"}


@pytest.fixture
def loaded(books: Books) -> Books:
    """A table of twenty rows, loaded whole."""
    books.crm.begin()
    books.crm.customers.insert_many({"id": row, "updated_at": at(row)} for row in range(1, 21))
    books.load()
    return books


def test_rows_that_are_marked_as_deleted_do_not_count(loaded: Books) -> None:
    # Given a row that is gone, and one that is wrongly marked
    loaded.crm.sandbox.delete("customer", 3)
    loaded.run("update customers set _sdc_deleted_at = '2026-06-01' where id in (3, 4)")
    # When, then
    assert differing(loaded.verified()) == {"missing": [4]}


def test_what_was_deleted_last_still_tells_how_far_the_load_came(loaded: Books) -> None:
    # Given a newest row that is marked as deleted, and a missing one right before it
    loaded.crm.sandbox.delete("customer", 20)
    loaded.run(
        "update customers set _sdc_deleted_at = '2026-06-01' where id = 20",
        "delete from customers where id = 19",
    )
    # When, then
    assert differing(loaded.verified()) == {"missing": [19]}


def test_rows_that_stand_there_twice_count_once_by_the_newest(loaded: Books) -> None:
    # Given a loader that only adds
    loaded.run(
        f"insert into customers values (5, '{in_utc(at(2))}', null)",  # noqa: S608 - a test's
        f"insert into customers values (6, '{in_utc(at(1))}', null)",  # noqa: S608 - a test's
        "insert into customers values (6, null, null)",
    )
    # When
    outcome = loaded.verified()
    # Then
    assert (outcome.result, outcome.loaded) == ("equal", 20)
    assert "3 rows of the table repeat an id; the newest counts." in list(notes_on(outcome))


def test_the_newest_of_rows_that_stand_there_twice_is_looked_at_again(loaded: Books) -> None:
    # Given a row whose newest time stands between older ones
    loaded.run(f"insert into customers values (5, '{in_utc(at(2))}', null), (5, null, null)")  # noqa: S608 - a test's
    loaded.run(f"insert into customers values (6, '{in_utc(at(9))}', null)")  # noqa: S608 - a test's
    # When
    with closing(Warehouse(loaded.url, schema=None)) as warehouse:
        again = warehouse.again(Table("customers", "updated_at", has_deletions=True), [5, 6, 99])
    # Then
    assert {row: str(time) for row, time in again.items()} == {5: at(5), 6: at(9)}


def test_a_table_without_times_is_compared_by_its_ids(loaded: Books) -> None:
    # Given
    loaded.run("alter table customers drop column updated_at")
    right = loaded.verified()
    loaded.run("delete from customers where id = 7", "insert into customers (id) values (19)")
    loaded.crm.sandbox.delete("customer", 12)
    # When
    wrong = loaded.verified()
    # Then
    assert (right.result, right.requests) == ("equal", 1)
    assert differing(wrong) == {"missing": [7], "surplus": [12]}
    assert "The table has no column updated_at, so only ids were compared." in notes_on(wrong)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("alter table customers rename column id to klant", "it has no column id"),
        ("insert into customers values ('zeven', null, null)", "what is no id of Cirqll's"),
        ("insert into customers values (-1, null, null)", "what is no id of Cirqll's"),
    ],
)
def test_a_table_that_is_none_of_ours_is_told(loaded: Books, statement: str, words: str) -> None:
    loaded.run(statement)
    outcome = loaded.verified()
    assert outcome.result == "unknown"
    assert words in (outcome.failure or "")


def test_a_file_is_not_written_nor_made(loaded: Books) -> None:
    # Given
    content = loaded.file.read_bytes()
    with closing(Warehouse(loaded.url, schema="cirqll")) as warehouse:
        (table,) = warehouse.tables(dict(CUSTOMERS)).values()
        assert table
        assert len([row for part in warehouse.rows(table) for row in part]) == 20
        # When somebody wants to write
        with (
            pytest.raises(sql.exc.OperationalError, match="readonly"),
            warehouse._engine.begin() as connection,
        ):
            connection.execute(sql.text("delete from customers"))
    # Then
    assert loaded.file.read_bytes() == content
    assert [one.name for one in loaded.file.parent.iterdir()] == [loaded.file.name]


@pytest.fixture
def postgres_url(new_postgres_url: Callable[[], str]) -> str:
    """A warehouse in PostgreSQL, whose times have a zone or none."""
    url = new_postgres_url()
    plain = sql.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("create schema crm")
        connection.execute(
            "create table crm.customers (id numeric, updated_at timestamptz, _sdc_deleted_at text)"
        )
        connection.execute("create table crm.notes (id bigint, updated_at timestamp)")
        connection.execute("create view crm.tasks as select id, updated_at from crm.notes")
        connection.execute(
            "insert into crm.customers values (7, '2026-05-01 02:00:00+02', null),"
            "(8, '2026-05-02 00:00:00+00', '2026-06-01')"
        )
        connection.execute("insert into crm.notes values (7, '2026-05-01 00:00:00.25')")
    return url


def test_postgresql_is_read_with_any_type_of_time_and_not_written(postgres_url: str) -> None:
    names = ("customers", "notes", "tasks", "users")
    with closing(Warehouse(postgres_url, schema="crm")) as warehouse:
        tables = warehouse.tables(dict.fromkeys(names, "updated_at"))
        rows = {
            name: [(row, str(time)) for part in warehouse.rows(table) for row, time in part]
            for name, table in tables.items()
            if table
        }
        deleted = warehouse.newest_deleted(Table("customers", "updated_at", has_deletions=True))
        with (
            pytest.raises(sql.exc.InternalError, match="read-only"),
            warehouse._engine.begin() as connection,
        ):
            connection.execute(sql.text("delete from crm.notes"))
    assert rows == {
        "customers": [(7, "2026-05-01 00:00:00")],
        "notes": [(7, "2026-05-01 00:00:00.250000")],
        "tasks": [(7, "2026-05-01 00:00:00.250000")],
    }
    assert str(deleted) == "2026-05-02 00:00:00"


def test_a_table_that_may_not_be_read_is_told_in_the_drivers_words(postgres_url: str) -> None:
    with closing(Warehouse(postgres_url, schema="crm")) as warehouse:
        gone = Table("gone", "updated_at", has_deletions=False)
        with pytest.raises(TableUnreadable, match="UndefinedTable: relation"):
            list(warehouse.rows(gone))
