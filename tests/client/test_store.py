"""The store: private, made anew where it is missing, whole after a kill, plain about what fails."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sql

from cirqll_client.errors import SettingInvalid, Unavailable
from cirqll_client.settings import default_store_url
from cirqll_client.store import ACCOUNTS, LEARNED, SEEN_TOKENS, Store
from cirqll_client.token_store import Origin, TokenStore
from cirqll_client.tokens import TokenPair

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET = "hunter2-canary"

OPENS = """
import sys, time, pathlib
from cirqll_client.rate_budget import RateBudget
from cirqll_client.store import Store
ready, go, url = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
import sqlalchemy, psycopg
ready.touch()
while not go.exists():
    time.sleep(0.001)
store = Store(url)
store.learn("account", "page_size", 100)
RateBudget(store, client="one").take()
"""
WRITES = """
import itertools, sys
from cirqll_client.store import Store
store = Store(sys.argv[1])
for number in itertools.count():
    store.learn("account", f"fact {number % 50}", "x" * 5000)
    if number == 3:
        print("writing", flush=True)
"""


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def refusal(url: str) -> str:
    """The one sentence for a store that cannot be opened; it holds no password."""
    with pytest.raises(SettingInvalid) as caught:
        Store(url)
    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None
    return caught.value.sentence


def test_the_file_and_the_folder_it_makes_are_readable_by_their_owner_only(
    sqlite_url: str, tmp_path: Path
) -> None:
    with closing(Store(sqlite_url)) as store:
        store.learn("account", "fact", 1)
        modes = {file.name: mode(file) for file in (tmp_path / "state").iterdir()}
    assert mode(tmp_path / "state") == 0o700
    assert modes == dict.fromkeys(["store.sqlite", "store.sqlite-shm", "store.sqlite-wal"], 0o600)


def test_a_folder_that_is_there_keeps_its_mode_and_a_file_that_is_there_loses_readers(
    sqlite_url: str, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir(mode=0o755)
    (tmp_path / "state" / "store.sqlite").touch(mode=0o644)
    Store(sqlite_url).close()
    assert mode(tmp_path / "state") == 0o755
    assert mode(tmp_path / "state" / "store.sqlite") == 0o600


def test_the_default_is_a_file_in_the_state_folder_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_store_url().startswith("sqlite:///")
    assert default_store_url().endswith("store.sqlite")


def test_what_was_learned_is_there_for_the_next_one_until_it_is_too_old(store_url: str) -> None:
    with closing(Store(store_url, clock=lambda: 1000.0)) as store:
        store.learn("account", "page_size_refused", 500)
        store.learn("account", "page_size_refused", 400)
    with closing(Store(store_url)) as store:
        assert store.learned("account", "page_size_refused") == 400
        assert store.learned("account", "page_size_refused", not_before=1001) is None
        assert store.learned("other", "page_size_refused") is None


def test_it_is_made_anew_after_it_was_deleted(sqlite_url: str, tmp_path: Path) -> None:
    Store(sqlite_url).close()
    for file in (tmp_path / "state").iterdir():
        file.unlink()
    (tmp_path / "state").rmdir()
    with closing(Store(sqlite_url)) as store:
        assert store.learned("account", "fact") is None


def test_eight_processes_may_open_a_new_store_at_the_same_moment(
    store_url: str, tmp_path: Path
) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPENS, tmp_path / f"ready-{number}", tmp_path / "go", store_url],
            stderr=subprocess.PIPE,
        )
        for number in range(8)
    ]
    while len(list(tmp_path.glob("ready-*"))) < 8:
        time.sleep(0.01)
    (tmp_path / "go").touch()
    said = [process.communicate(timeout=60)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, "\n".join(said)


def test_a_kill_in_the_middle_of_writing_leaves_it_usable(sqlite_url: str) -> None:
    for _ in range(5):
        command = [sys.executable, "-c", WRITES, sqlite_url]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.readline()
            os.kill(process.pid, signal.SIGKILL)
        with closing(Store(sqlite_url)) as store:
            store.learn("account", "after", "whole")
            assert store.learned("account", "fact 0") == "x" * 5000


def test_a_store_in_memory_serves_all_threads() -> None:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only here

    with closing(Store("sqlite://")) as store, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.learn("account", str(number), number), range(40)))
        assert store.learned("account", "39") == 39


def test_a_url_that_is_none_is_named() -> None:
    assert refusal(f"no url {SECRET}") == (
        "The setting store_url is not a database URL; write it like "
        "sqlite:////var/lib/cirqll/store.sqlite or postgresql://user@host/database."
    )
    assert refusal(f"postgresql://u:{SECRET}@host:port/db").startswith("The setting store_url is")


@pytest.mark.parametrize("scheme", ["mysql+mysqldb", "nosuchdatabase"])
def test_a_driver_that_is_missing_is_named(scheme: str) -> None:
    assert refusal(f"{scheme}://user:{SECRET}@host/db") == (
        "The database driver that the setting store_url names is not installed; for PostgreSQL, "
        "install the extra: `pip install '.[postgres]'`."
    )


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, but long enough to be looked at" * 100)
    assert refusal(f"sqlite:///{tmp_path / 'text'}") == (
        "The store could not be opened (DatabaseError: file is not a database); check the setting "
        "store_url, and that its folder can be written to by this user."
    )


@pytest.mark.parametrize(
    "place", ["/proc/store.sqlite", "/proc/folder/store.sqlite", "/dev/null/x"]
)
def test_a_place_that_cannot_be_written_to_is_named(place: str) -> None:
    sentence = refusal(f"sqlite:///{place}")
    assert sentence.startswith("The store could not be opened (")
    assert sentence.endswith(
        "check the setting store_url, and that its folder can be written to by this user."
    )


def test_a_database_that_cannot_be_reached_is_named_without_its_password() -> None:
    assert "could not be opened (OperationalError:" in refusal(
        f"postgresql://user:{SECRET}@127.0.0.1:1/db"
    )


def test_a_password_is_hidden_however_it_is_written_in_the_message() -> None:
    odd = "p%40ss word-canary"
    with pytest.raises(SettingInvalid) as caught:
        Store(f"postgresql://user:{odd.replace(' ', '%20')}@127.0.0.1:1/p@ss word-canary")
    assert "word-canary" not in caught.value.sentence


def test_a_database_that_fails_in_the_middle_is_one_sentence_and_no_traceback(
    sqlite_url: str, tmp_path: Path
) -> None:
    with closing(Store(sqlite_url)) as store:
        with closing(sqlite3.connect(tmp_path / "state" / "store.sqlite")) as other:
            other.execute("drop table learned")
        with pytest.raises(Unavailable) as caught:
            store.learned("account", "fact")
    assert caught.value.sentence == (
        "The store of tokens and of the rate budget failed (OperationalError). Check the database "
        "or the disk that the setting store_url names, then run again; the next run continues "
        "where this one stopped."
    )


def test_a_transaction_is_all_or_nothing(store_url: str) -> None:
    row = {"account": "a", "fact": "f", "value": 1, "learned_at": 0.0}

    def fail() -> None:
        with store.transaction() as connection:
            connection.execute(LEARNED.insert().values(row))
            raise KeyboardInterrupt

    with closing(Store(store_url)) as store:
        with pytest.raises(KeyboardInterrupt):
            fail()
        assert store.learned("a", "f") is None


@pytest.mark.parametrize(
    ("chosen", "seconds"), [("", "1min"), ("&options=-clock_timeout%3D5s", "5s")]
)
def test_nobody_waits_for_ever_for_another_ones_lock(
    new_postgres_url: Callable[[], str], chosen: str, seconds: str
) -> None:
    with closing(Store(new_postgres_url() + chosen)) as store, store.transaction() as connection:
        assert connection.execute(sql.text("show lock_timeout")).scalar() == seconds
        driver: Any = connection.connection.driver_connection
        assert driver.info.get_parameters()["keepalives_idle"] == "30"


def test_postgresql_tells_the_time_for_all_machines(new_postgres_url: Callable[[], str]) -> None:
    with closing(Store(new_postgres_url())) as store:
        assert store.now_expression is not None


def test_a_store_from_before_there_were_sign_ins_gets_their_tables_and_keeps_its_rows(
    store_url: str,
) -> None:
    with closing(Store(store_url)) as store:
        store.learn("account", "fact", 7)
        with store.transaction() as connection:
            SEEN_TOKENS.drop(connection)
            ACCOUNTS.drop(connection)
    with closing(Store(store_url)) as store:
        tokens = TokenStore(store, api_url="https://api.example")
        tokens.save("default", TokenPair("access", "refresh", obtained_at=0.0), Origin())
        assert tokens.has_seen("default", "refresh")
        assert store.learned("account", "fact") == 7


def test_what_must_outlive_a_power_cut_waits_for_the_disk(sqlite_url: str) -> None:
    full, normal = 2, 1
    with closing(Store(sqlite_url)) as store:
        for is_durable in (True, False, True):
            with store.transaction(is_durable=is_durable) as connection:
                level = connection.exec_driver_sql("PRAGMA synchronous").scalar()
                assert level == (full if is_durable else normal)


def test_a_row_that_is_there_is_left_as_it_is_in_the_middle_of_a_transaction(
    store_url: str,
) -> None:
    row = {"account": "a", "fact": "f", "value": 1, "learned_at": 0.0}
    with closing(Store(store_url)) as store, store.transaction() as connection:
        store.insert_within(connection, LEARNED, row)
        store.insert_within(connection, LEARNED, {**row, "value": 2})
        assert connection.execute(sql.select(LEARNED.c.value)).scalars().all() == [1]
