"""The command `cirqll verify`: what it prints, and what it ends with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.client.verify.books import Books, at
from tests.reading_fixtures import Source

if TYPE_CHECKING:
    from click.testing import Result

    from tests.client.token_desk import Desk

PASSWORD = "geheim-verzonnen"


class Clerk:
    """Runs the command at a desk, beside a small warehouse."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.books = Books(Source(desk.sandbox, desk.url), desk.folder / "warehouse.sqlite")
        self.books.crm.begin()
        for resource in ("customer", "note"):
            rows = ({"id": row, "updated_at": at(row)} for row in range(1, 51))
            desk.sandbox.rows(resource).insert_many(rows)
            self.books.load(resource)

    def run(self, *arguments: str, **more: str) -> Result:
        variables = {
            "CIRQLL_ACCESS_TOKEN": self.desk.sandbox.access_token,
            "DATABASE_URL": self.books.url,
            **more,
        }
        return self.desk.run("verify", *arguments, **variables)

    def told(self, *arguments: str, **more: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.run("--json", *arguments, **more).stdout)
        return told


@pytest.fixture
def clerk(desk: Desk) -> Clerk:
    return Clerk(desk)


def test_tables_that_agree_are_said_to(clerk: Clerk) -> None:
    # When
    done = clerk.run()
    # Then
    assert done.exit_code == 0
    assert done.stderr == (
        f"Comparing 2 tables of the database {clerk.books.file} with the account default at "
        f"{clerk.desk.url}; nothing is changed on either side.\n"
    )
    assert done.stdout == (
        "Table          Rows  In Cirqll  One by one  Not loaded yet  Missing  Stale  Surplus  "
        "Requests\n"
        "customers  ok  50    50         all                                                  1\n"
        "notes      ok  50    50         all                                                  1\n"
        "\n"
        "All 2 tables agree with Cirqll. 2 requests were sent.\n"
    )


def test_what_differs_is_named_and_what_to_do(clerk: Clerk) -> None:
    # Given
    clerk.books.run(
        "delete from customers where id in (7, 9)",
        "update customers set updated_at = '2026-04-01 00:00:00' where id = 30",
    )
    clerk.desk.sandbox.delete("note", 12)
    clerk.desk.sandbox.rows("note").insert(name="nieuw")
    # When
    done = clerk.run()
    # Then
    assert done.exit_code == 1
    head, ids, advice, end = done.stdout.split("\n\n")
    assert [line.split() for line in head.splitlines()[1:]] == [
        ["customers", "DIFFERS", "48", "50", "all", "2", "1", "3"],
        ["notes", "DIFFERS", "50", "50", "all", "1", "1", "4"],
    ]
    assert ids == (
        "Ids of the rows that differ:\n"
        "customers, missing  7, 9\n"
        "customers, stale    30\n"
        "notes, surplus      12"
    )
    assert [line.split(" rows ")[0] for line in advice.splitlines()] == [
        "What to do:", "- Missing", "- Stale", "- Surplus",
    ]  # fmt: skip
    assert "detect_deletions: true" in advice
    assert end == "0 of 2 tables agree with Cirqll. 7 requests were sent.\n"


def test_json_has_keys_that_stay(clerk: Clerk) -> None:
    # Given
    clerk.books.run("delete from customers where id = 7")
    # When
    told = clerk.told("--stream", "customers")
    # Then
    assert told == {
        "account": "default",
        "api_url": clerk.desk.url,
        "database": str(clerk.books.file),
        "schema": "cirqll",
        "agrees": False,
        "requests": 3,
        "streams": [
            {
                "stream": "customers",
                "result": "different",
                "rows": 49,
                "counted": 50,
                "compared": 50,
                "is_whole": True,
                "not_loaded": 0,
                "missing": {"number": 1, "ids": [7]},
                "stale": {"number": 0, "ids": []},
                "surplus": {"number": 0, "ids": []},
                "unlisted": {"number": 0, "ids": []},
                "unaccounted": 0,
                "found_once": 0,
                "repeated": 0,
                "hours_off": None,
                "requests": 3,
                "notes": [],
                "failure": None,
            }
        ],
    }


def test_all_ids_are_shown_where_they_are_asked_for(clerk: Clerk) -> None:
    clerk.books.run("delete from customers where id <= 30")
    few, all_of_them = clerk.run(), clerk.run("--ids")
    assert "19, 20 and 10 more: see --ids\n" in few.stdout
    assert "28, 29, 30\n" in all_of_them.stdout
    assert len(clerk.told()["streams"][0]["missing"]["ids"]) == 20
    assert len(clerk.told("--ids")["streams"][0]["missing"]["ids"]) == 30


def test_a_stream_that_may_not_be_read_is_told_and_the_others_go_on(clerk: Clerk) -> None:
    # Given
    token = clerk.desk.sandbox.grant(["note.read.all", "user.read.all"]).access_token
    # When
    done = clerk.run(CIRQLL_ACCESS_TOKEN=token)
    only_notes = clerk.run("--stream", "notes", CIRQLL_ACCESS_TOKEN=token)
    # Then a table that could not be compared is no proof
    assert (done.exit_code, only_notes.exit_code) == (1, 0)
    assert "notes      ok  50" in done.stdout
    assert "customer.read.all" in done.stdout
    assert "1 of 2 tables agree with Cirqll." in done.stdout
    assert only_notes.stdout.endswith("It agrees with Cirqll. 1 request was sent.\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--stream", "clients"), "There is no stream 'clients'. The streams are users, roles"),
        (("--start-date", "gisteren"), "The start date is not a date; write it like 2026-01-31"),
    ],
)
def test_wrong_use_is_refused(clerk: Clerk, arguments: tuple[str, ...], words: str) -> None:
    done = clerk.run(*arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert not clerk.desk.sandbox.requests


def test_a_warehouse_must_be_named(clerk: Clerk) -> None:
    done = clerk.run(DATABASE_URL="")
    assert done.exit_code == 2
    assert (
        "Name the warehouse, best by the variable DATABASE_URL, else by --against." in done.stderr
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "There is no table of a stream of tap-cirqll"),
        (("--stream", "notes"), "no table notes"),
    ],
)
def test_no_table_at_all_is_told(clerk: Clerk, arguments: tuple[str, ...], words: str) -> None:
    clerk.books.run("drop table customers", "drop table notes")
    done = clerk.run(*arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    assert words in done.stderr
    assert "--schema" in done.stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"postgresql://u:{PASSWORD}@127.0.0.1:1/none", "could not be read (OperationalError"),
        (f"postgresql+psycopg2://u:{PASSWORD}@127.0.0.1:1/none", "could not be read (Operation"),
        (f"nosuchdb://u:{PASSWORD}@127.0.0.1/none", "database driver"),
        (f"postgresql://u:{PASSWORD}@127.0.0.1:port/none", "is not a database URL"),
        (f"postgresql://127.0.0.1:1/none?user=u&password={PASSWORD}", "could not be read"),
        (PASSWORD, "is not a database URL"),
        (f"sqlite:////nowhere/{PASSWORD}", "could not be read (OperationalError: unable to open"),
    ],
)
def test_a_database_that_cannot_be_read_is_told_without_its_password(
    clerk: Clerk, url: str, words: str
) -> None:
    done = clerk.run("--against", url)
    assert (done.exit_code, done.stdout) == (1, "")
    assert words in done.stderr
    assert PASSWORD not in done.output
    assert "Traceback" not in done.output


def test_help_shows_no_url(clerk: Clerk) -> None:
    done = clerk.run("--help", DATABASE_URL=f"postgresql://u:{PASSWORD}@127.0.0.1/none")
    assert done.exit_code == 0
    assert "DATABASE_URL" in done.stdout
    assert PASSWORD not in done.output
    assert "verify   Compare a warehouse with the account" in clerk.desk.run("--help").stdout


@pytest.mark.parametrize("way", ["option", "variable"])
def test_a_start_date_is_taken_as_the_tap_has_it(clerk: Clerk, way: str) -> None:
    clerk.books.run("delete from customers where id <= 30")
    given = "2026-05-01T00:00:31Z"
    if way == "option":
        done = clerk.run("--start-date", given)
    else:
        done = clerk.run(CIRQLL_START_DATE=given)
    assert done.exit_code == 0
    assert "customers  ok  20    20 " in done.stdout


def test_the_zone_is_the_taps(clerk: Clerk) -> None:
    clerk.books.crm.customers.insert(updated_at=at(20_000))
    clerk.books.load("customer", zone="Europe/Amsterdam")
    clerk.books.load("note", zone="Europe/Amsterdam")
    assert clerk.run(CIRQLL_API_TIMEZONE="Europe/Amsterdam").exit_code == 0
    assert clerk.run().exit_code == 1


@pytest.mark.parametrize("number", ["0", "-5", "veel", "1.5"])
def test_settings_of_the_tap_must_be_numbers(clerk: Clerk, number: str) -> None:
    done = clerk.run(CIRQLL_PAGE_SIZE=number)
    assert done.exit_code == 1
    assert "The variable CIRQLL_PAGE_SIZE must be a whole number above 0." in done.stderr


def test_the_page_size_is_the_taps(clerk: Clerk) -> None:
    clerk.run("--every-row", "--stream", "customers", CIRQLL_PAGE_SIZE="10")
    assert len(clerk.desk.sandbox.requests) == 6


def test_every_row_is_compared_where_that_is_asked_for(clerk: Clerk) -> None:
    done = clerk.run("--every-row", "--stream", "customers")
    assert done.exit_code == 0
    assert len(clerk.desk.sandbox.requests) == 2


def test_a_part_that_was_compared_by_number_is_said_to_be(clerk: Clerk) -> None:
    clerk.books.crm.behave(page_maximum=20)
    done = clerk.run("--stream", "customers")
    assert done.exit_code == 0
    assert "two differences may cancel each other out: --every-row compares all." in done.stdout
