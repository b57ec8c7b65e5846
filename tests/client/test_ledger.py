"""The ledger: who may send a create, and which record each row became."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.ledger import Entry, Ledger, Written
from cirqll_client.resources import resource_of_stream
from cirqll_client.store import Store
from target_cirqll.identities import content_identity, key_identity, match_identity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cirqll_client.resources import Resource

ROOT = Path(__file__).parents[2]
_AT_ONCE = 8
_ROUNDS = 5
_MANY = 1201
_DYING = """
import os, signal, sys
from cirqll_client.resources import resource_of_stream
from cirqll_client.store import Store
from cirqll_client.ledger import Ledger

ledger = Ledger(Store(sys.argv[1]), account="a")
assert ledger.begin(resource_of_stream("customers"), "row", floor_id=7, sent={"name": "mark"})
os.kill(os.getpid(), signal.SIGKILL)
"""


def resource(stream: str) -> Resource:
    found = resource_of_stream(stream)
    assert found
    return found


CUSTOMER, CONTACT = resource("customers"), resource("contacts")


@pytest.fixture
def ledger(store_url: str) -> Iterator[Ledger]:
    """A ledger without entries, in a store of each kind."""
    with closing(Store(store_url)) as store:
        yield Ledger(store, account="a")


def begun(ledger: Ledger, identity: str = "row", *, seen: Entry | None = None) -> Entry:
    """Begin a create, which must be allowed."""
    entry = ledger.begin(CUSTOMER, identity, floor_id=7, sent={"name": "mark"}, seen=seen)
    assert entry
    return entry


def test_what_is_begun_is_known_to_be_open_with_all_that_was_sent(ledger: Ledger) -> None:
    before = ledger.now()

    entry = begun(ledger)

    assert ledger.known(CUSTOMER, ["row", "other"]) == {"row": entry}
    assert entry.is_open
    assert (entry.floor_id, entry.sent) == (7, {"name": "mark"})
    assert before <= entry.sent_at <= ledger.now()


def test_a_second_one_may_not_send(ledger: Ledger) -> None:
    first = begun(ledger)

    assert ledger.begin(CUSTOMER, "row", floor_id=9, sent={}) is None

    assert ledger.known(CUSTOMER, ["row"]) == {"row": first}


def test_another_resource_another_account_and_another_row_are_no_obstacle(
    ledger: Ledger, store_url: str
) -> None:
    begun(ledger)

    begun(ledger, "another row")
    assert ledger.begin(CONTACT, "row", floor_id=None, sent={})
    with closing(Store(store_url)) as store:
        begun(Ledger(store, account="b"))


def test_of_many_that_begin_at_once_one_may_send(ledger: Ledger, store_url: str) -> None:
    barrier = Barrier(_AT_ONCE)

    def begin(number: int) -> Entry | None:
        with closing(Store(store_url)) as store:
            own = Ledger(store, account="a")
            barrier.wait()
            return own.begin(CUSTOMER, f"row {number}", floor_id=1, sent={})

    for round_ in range(_ROUNDS):
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            entries = list(threads.map(begin, [round_] * _AT_ONCE))

        (winner,) = [entry for entry in entries if entry]
        assert ledger.known(CUSTOMER, [f"row {round_}"]) == {f"row {round_}": winner}


def test_of_many_that_take_over_at_once_one_may_send(ledger: Ledger, store_url: str) -> None:
    seen = begun(ledger)
    barrier = Barrier(_AT_ONCE)

    def take_over(_number: int) -> Entry | None:
        with closing(Store(store_url)) as store:
            own = Ledger(store, account="a")
            barrier.wait()
            return own.begin(CUSTOMER, "row", floor_id=1, sent={}, seen=seen)

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        entries = list(threads.map(take_over, range(_AT_ONCE)))

    (winner,) = [entry for entry in entries if entry]
    assert ledger.known(CUSTOMER, ["row"]) == {"row": winner}


def test_what_was_taken_over_may_not_be_sent_again_by_who_began_it(ledger: Ledger) -> None:
    first = begun(ledger)
    second = begun(ledger, seen=first)

    assert ledger.begin(CUSTOMER, "row", floor_id=1, sent={}, seen=first) is None

    assert ledger.known(CUSTOMER, ["row"]) == {"row": second}


def test_what_is_settled_may_not_be_taken_over(ledger: Ledger) -> None:
    entry = begun(ledger)
    ledger.remember(CUSTOMER, {"row": 12})

    assert ledger.begin(CUSTOMER, "row", floor_id=1, sent={}, seen=entry) is None
    assert ledger.begin(CUSTOMER, "row", floor_id=1, sent={}) is None

    assert ledger.known(CUSTOMER, ["row"])["row"].record_id == 12


def test_what_is_gone_may_not_be_taken_over_but_begun(ledger: Ledger) -> None:
    entry = begun(ledger)
    ledger.forget(CUSTOMER, "row", entry)

    assert ledger.begin(CUSTOMER, "row", floor_id=1, sent={}, seen=entry) is None

    begun(ledger)


def test_only_the_own_open_entry_is_forgotten(ledger: Ledger) -> None:
    first = begun(ledger)
    second = begun(ledger, seen=first)

    ledger.forget(CUSTOMER, "row", first)
    assert ledger.known(CUSTOMER, ["row"]) == {"row": second}

    ledger.remember(CUSTOMER, {"row": 12})
    ledger.forget(CUSTOMER, "row", second)
    assert ledger.known(CUSTOMER, ["row"])["row"].record_id == 12


def test_records_that_rows_became_are_claimed_by_them(ledger: Ledger) -> None:
    begun(ledger)
    ledger.remember(CUSTOMER, {"row": 12, "never begun": 13})

    assert ledger.claims(CUSTOMER, [11, 12, 13]).keys() == {12, 13}
    assert ledger.claims(CONTACT, [12, 13]) == {}


def test_a_record_that_is_gone_frees_its_rows(ledger: Ledger) -> None:
    ledger.remember(CUSTOMER, {"row": 12, "same record": 12, "other": 13})
    ledger.note_written(CUSTOMER, 12, Written({"name": "x"}, {}, ""))

    ledger.forget_record(CUSTOMER, 12)

    assert ledger.known(CUSTOMER, ["row", "same record", "other"]).keys() == {"other"}
    assert ledger.written(CUSTOMER, [12]) == {}
    begun(ledger)


def test_what_was_written_adds_up_field_by_field(ledger: Ledger) -> None:
    ledger.note_written(CUSTOMER, 12, Written({"name": "1", "email": "1"}, {"name": "1"}, "then"))

    ledger.note_written(CUSTOMER, 12, Written({"name": "2"}, {"phone": "2"}, "now"))

    expected = Written({"name": "2", "email": "1"}, {"name": "1", "phone": "2"}, "now")
    assert ledger.written(CUSTOMER, [12, 13]) == {12: expected}


def test_more_rows_than_a_question_may_have_values_are_known(ledger: Ledger) -> None:
    ledger.remember(CUSTOMER, {f"row {number}": number for number in range(1, _MANY)})

    known = ledger.known(CUSTOMER, [f"row {number}" for number in range(_MANY)])

    assert len(known) == _MANY - 1
    assert len(ledger.claims(CUSTOMER, range(_MANY))) == _MANY - 1


def test_what_is_begun_outlives_a_kill(store_url: str) -> None:
    died = subprocess.run(
        [sys.executable, "-c", _DYING, store_url],
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        check=False,
    )

    assert died.returncode == -signal.SIGKILL
    with closing(Store(store_url)) as store:
        assert Ledger(store, account="a").known(CUSTOMER, ["row"])["row"].is_open


def test_the_clock_of_the_store_dates_entries(sqlite_url: str) -> None:
    with closing(Store(sqlite_url, clock=lambda: 1234.5)) as store:
        ledger = Ledger(store, account="a")

        assert begun(ledger).sent_at == ledger.now() == 1234.5


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (key_identity({"no": 7}, source=""), key_identity({"no": "7"}, source="")),
        (key_identity({"a": 1, "b": 2}, source=""), key_identity({"b": 2, "a": 1.0}, source="")),
        (
            content_identity({"a": "1", "b": None}, source=""),
            content_identity({"a": "1"}, source=""),
        ),
    ],
)
def test_rows_that_say_the_same_have_one_identity(one: str, other: str) -> None:
    assert one == other


def test_nothing_else_has() -> None:
    identities: list[Any] = [
        key_identity({"no": 7}, source=""),
        key_identity({"no": 70}, source=""),
        key_identity({"no": True}, source=""),
        key_identity({"nr": 7}, source=""),
        key_identity({"no": 7}, source="other"),
        content_identity({"no": "7"}, source=""),
        content_identity({"no": "7"}, source="other"),
        match_identity("no", "7"),
        match_identity("nr", "7"),
    ]

    assert len(set(identities)) == len(identities)


def test_the_file_of_the_store_holds_an_open_entry(sqlite_url: str) -> None:
    """What the next test searches for content is what is there to be searched."""
    with closing(Store(sqlite_url)) as store:
        begun(Ledger(store, account="a"))

    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as database:
        assert database.execute("SELECT identity, sent FROM written_rows").fetchall() == [
            ("row", '{"name": "mark"}')
        ]
