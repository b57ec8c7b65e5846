"""The commands `cirqll ledger list`, `settle` and `forget`."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from cirqll_client.connection import account_key
from cirqll_client.ledger import Ledger
from cirqll_client.resources import resource_of_stream
from cirqll_client.settings import ConnectionSettings
from cirqll_client.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.client.token_desk import Desk

SENT_AT = 1_763_800_000.0
ONE = "3f9a01c2b7d4" + "5" * 52
OTHER = "3f9bffffffff" + "6" * 52
WHAT_TO_DO = """
Leave them to a run that is still going on; the next one looks them up. A row of which it cannot
tell is a reject of the kind unknown: look in Cirqll yourself. If its record is there, run
`cirqll ledger settle ENTRY ID`, if it is not, `cirqll ledger forget ENTRY`; then run again.
"""


@contextmanager
def ledger_of(desk: Desk, *, now: float = SENT_AT) -> Iterator[Ledger]:
    """The ledger that a run at this desk has."""
    settings = ConnectionSettings(api_url=desk.url)
    with closing(Store(desk.store_url, clock=lambda: now)) as store:
        yield Ledger(store, account=account_key(settings))


def lose(
    desk: Desk,
    identity: str = ONE,
    name: str = "customer",
    *,
    floor: int | None = 7,
    later: float = 0,
) -> None:
    """Let the answer to a create be lost."""
    resource = resource_of_stream(name)
    assert resource
    with ledger_of(desk, now=SENT_AT + later) as ledger:
        assert ledger.begin(resource, identity, floor_id=floor, sent={"name": "digest"})


def became(desk: Desk, **records: int) -> None:
    """Let rows be known, by their identity."""
    resource = resource_of_stream("customer")
    assert resource
    with ledger_of(desk) as ledger:
        ledger.remember(resource, records)


def open_entries(desk: Desk) -> list[tuple[str, str]]:
    """Of which resource, and the name of each."""
    told = json.loads(desk.run("ledger", "list", "--json").stdout)
    return [(one["resource"], one["entry"]) for one in told["open_entries"]]


def refused(desk: Desk, *arguments: str) -> str:
    """The sentence in which a command ends that changes nothing."""
    before = open_entries(desk)
    done = desk.run("ledger", *arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    assert open_entries(desk) == before
    return done.stderr.removeprefix("Error: ").rstrip()


def test_a_store_that_knows_no_row_says_where_else_they_may_be(desk: Desk, tmp_path: Path) -> None:
    done = desk.run("ledger", "list", "--account", "bakery")
    assert done.exit_code == 0
    assert done.stdout == (
        f"The store knows no row that was written for the account bakery at {desk.url}.\n"
        "If there are some, they are known by another name or in another store: give --account,\n"
        "--api-url and the variable CIRQLL_STORE_URL as target-cirqll has them.\n"
    )
    assert str(tmp_path) not in done.output


def test_rows_and_open_creates_are_listed_and_nobody_is_asked(desk: Desk) -> None:
    # Given
    became(desk, **{f"row {number}": number for number in range(1, 1235)})
    lose(desk)
    lose(desk, OTHER, "contact", floor=None, later=60)
    # When
    done = desk.run("ledger", "list")
    # Then
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == (
        "Resource  Known rows\n"
        "customer  1,234\n"
        "\n"
        "Sent, and no answer is noted:\n"
        "Entry         Resource  Sent                  Its ID, if it is there\n"
        "3f9a01c2b7d4  customer  2025-11-22 08:26 UTC  above 7\n"
        "3f9bffffffff  contact   2025-11-22 08:27 UTC  any\n" + WHAT_TO_DO
    )
    assert not desk.sandbox.requests


@pytest.mark.parametrize(("has_rows", "first"), [(True, "Resource"), (False, "Sent, and")])
def test_what_there_is_none_of_has_no_heading(desk: Desk, *, has_rows: bool, first: str) -> None:
    became(desk, row=1) if has_rows else lose(desk)
    told = desk.run("ledger", "list").stdout
    assert told.startswith(first)
    assert ("ledger settle" in told) is not has_rows


def test_json_has_names_that_stay(desk: Desk) -> None:
    # Given
    empty = json.loads(desk.run("ledger", "list", "--json").stdout)
    became(desk, row=12, another=13)
    lose(desk)
    # When
    told = json.loads(desk.run("ledger", "list", "--json").stdout)
    # Then
    about = {"account": "default", "api_url": desk.url}
    assert empty == {**about, "known_rows": {}, "open_entries": []}
    assert told == {
        **about,
        "known_rows": {"customer": 2},
        "open_entries": [
            {
                "entry": "3f9a01c2b7d4",
                "resource": "customer",
                "sent_at": "2025-11-22T08:26:40Z",
                "id_above": 7,
            }
        ],
    }


@pytest.mark.parametrize("entry", ["3f9a", "3f9a01c2b7d4", " 3F9A01C2B7D4 "])
def test_an_entry_is_forgotten_by_the_beginning_of_its_name(desk: Desk, entry: str) -> None:
    lose(desk)
    lose(desk, OTHER)

    done = desk.run("ledger", "forget", entry)

    assert done.stdout == "Forgotten. The next run that reads the row creates the customer.\n"
    assert open_entries(desk) == [("customer", OTHER[:12])]


def test_an_entry_is_settled_by_the_id_of_its_record(desk: Desk) -> None:
    # Given
    lose(desk)
    # When
    done = desk.run("ledger", "settle", "3f9a01c2b7d4", "5120")
    # Then
    assert done.stdout == (
        "Settled: the row is customer 5120. The next run that reads it goes on from there.\n"
    )
    customer = resource_of_stream("customer")
    assert customer
    with ledger_of(desk) as ledger:
        assert ledger.known(customer, [ONE])[ONE].record_id == 5120
    assert not desk.sandbox.requests


def test_another_account_has_other_entries(desk: Desk) -> None:
    lose(desk)
    sentence = refused(desk, "forget", "3f9a", "--account", "bakery")
    assert sentence.endswith("It may be settled already, or be another account's: see --account.")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("4",), "No open entry begins with '4': `cirqll ledger list` shows those that there are."),
        (("",), "No open entry begins with '': `cirqll ledger list` shows"),
        (("3f9a", "--resource", "contact"), "No open entry begins with '3f9a' of contact: "),
        (("3f9a", "--resource", "nothing"), "No open entry begins with '3f9a' of nothing: "),
    ],
)
def test_a_name_that_no_entry_has_is_refused(
    desk: Desk, arguments: tuple[str, ...], sentence: str
) -> None:
    lose(desk)
    assert refused(desk, "forget", *arguments).startswith(sentence)


@pytest.mark.parametrize("command", [("forget", "3f9"), ("settle", "3f9", "5120")])
def test_a_name_that_two_entries_have_is_refused(desk: Desk, command: tuple[str, ...]) -> None:
    lose(desk)
    lose(desk, OTHER)
    assert refused(desk, *command) == (
        "2 open entries begin with '3f9': give more of the name that `cirqll ledger list` shows."
    )


def test_rows_of_two_resources_that_have_one_key_are_told_apart_by_the_resource(desk: Desk) -> None:
    # Given
    lose(desk)
    lose(desk, ONE, "contact")
    # When
    sentence = refused(desk, "forget", ONE[:12])
    done = desk.run("ledger", "forget", ONE[:12], "--resource", "contacts")
    # Then
    assert sentence == (
        f"Several open entries begin with '{ONE[:12]}', one of contact and one of customer: add "
        "--resource."
    )
    assert done.exit_code == 0
    assert open_entries(desk) == [("customer", ONE[:12])]


def test_a_record_that_was_there_before_is_not_what_was_created(desk: Desk) -> None:
    lose(desk, floor=7)
    assert refused(desk, "settle", "3f9a", "7") == (
        "The row did not become customer 7, which was there before it was sent: the ID is above 7. "
        "If you want the row to update customer 7, forget the entry and let match_on find the "
        "record."
    )
    assert desk.run("ledger", "settle", "3f9a", "8").exit_code == 0


def test_a_record_that_another_row_became_is_not_what_was_created(desk: Desk) -> None:
    became(desk, other=12)
    lose(desk)
    assert refused(desk, "settle", "3f9a", "12") == (
        "The row did not become customer 12, for another row did. Check the ID in Cirqll."
    )


@pytest.mark.parametrize("record_id", ["0", "-1", "many"])
def test_an_id_is_a_whole_number_from_1(desk: Desk, record_id: str) -> None:
    lose(desk)
    done = desk.run("ledger", "settle", "--", "3f9a", record_id)
    assert done.exit_code == 2
    assert open_entries(desk)


def test_a_store_that_cannot_be_opened_is_told_in_a_sentence(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = desk.run("ledger", "list", CIRQLL_STORE_URL=f"sqlite:///{tmp_path}/file/store.sqlite")
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: ")
    assert "store_url" in done.stderr


HELP = """\
Usage: cirqll ledger [OPTIONS] COMMAND [ARGS]...

  Look into what target-cirqll remembers of the rows that it wrote.

  The ledger keeps which record a row became, and each create that was sent and
  of which nobody knows what became of it. Such a row is a reject of the kind
  unknown until it is looked up.

Options:
  -h, --help  Show this message and exit.

Commands:
  forget   Forget a create that, as you know, did not happen.
  list     Show how many rows are known, and which creates are open.
  release  Forget which rows became a record, or all of a resource.
  settle   Say which record in Cirqll a create made whose answer was lost.
"""


def test_help_names_the_commands(desk: Desk) -> None:
    assert desk.run("ledger", "--help").stdout == HELP


@pytest.mark.parametrize(
    ("command", "usage"),
    [
        ("list", "Usage: cirqll ledger list [OPTIONS]\n"),
        ("forget", "Usage: cirqll ledger forget [OPTIONS] ENTRY\n"),
        ("release", "Usage: cirqll ledger release [OPTIONS] RESOURCE [ID]\n"),
        ("settle", "Usage: cirqll ledger settle [OPTIONS] ENTRY ID\n"),
    ],
)
def test_each_command_has_help_that_fits_a_terminal(desk: Desk, command: str, usage: str) -> None:
    told = desk.run("ledger", command, "--help").stdout
    assert told.startswith(usage)
    assert max(map(len, told.splitlines())) <= 80
    assert ("Example:\n    cirqll ledger" in told) is (command != "list")


@pytest.mark.parametrize(
    ("record_id", "said", "left"),
    [
        (["7"], "Forgot which rows are customer 7: 1 row.\n", {"customer": 1, "note": 1}),
        (["8"], "Forgot which rows are customer 8: 0 rows.\n", {"customer": 2, "note": 1}),
        ([], "Forgot which rows are customers: 2 rows.\n", {"note": 1}),
    ],
)
def test_release_forgets_which_rows_became_a_record(
    desk: Desk, record_id: list[str], said: str, left: dict[str, int]
) -> None:
    # Given
    customer, note = (resource_of_stream(name) for name in ("customer", "note"))
    assert customer
    assert note
    with ledger_of(desk) as ledger:
        ledger.remember(customer, {"a": 7, "b": 9})
        ledger.remember(note, {"c": 7})
    # When
    done = desk.run("ledger", "release", "customers", *record_id)
    # Then
    assert (done.exit_code, done.stdout) == (0, said)
    with ledger_of(desk) as ledger:
        assert ledger.counts() == left


def test_release_of_what_is_no_resource_is_one_sentence(desk: Desk) -> None:
    done = desk.run("ledger", "release", "clients")

    assert done.exit_code == 1
    assert "There is no resource clients in Cirqll: name one such as customer." in done.stderr
