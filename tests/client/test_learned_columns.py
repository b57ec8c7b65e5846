"""Learned columns: the first one counts, for all processes and for good."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sql
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cirqll_client.errors import Unavailable
from cirqll_client.kinds import Kind
from cirqll_client.learned_columns import LearnedColumn, LearnedColumns
from cirqll_client.store import LEARNED_COLUMNS, Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cirqll_client.learned_columns import Columns

AT_ONCE = 6

LEARNS = """
import json, pathlib, sys, time
from cirqll_client.kinds import Kind
from cirqll_client.learned_columns import LearnedColumns
from cirqll_client.store import Store
import sqlalchemy, psycopg
ready, go, url, kind = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), *sys.argv[3:]
store = Store(url)
columns = LearnedColumns(store, account="a")
fields = [f"field {n}" for n in range(30)]
wanted = dict.fromkeys(reversed(fields) if kind == "string" else fields, Kind(kind))
ready.touch()
while not go.exists():
    time.sleep(0.001)
learned = columns.add("customers", wanted, name_of=lambda field, _: field.replace(" ", "_"))
print(json.dumps({field: [one.name, one.kind.value] for field, one in sorted(learned.items())}))
"""


def own_name(field: str, _columns: Columns) -> str:
    return field


def numbered(field: str, columns: Columns) -> str:
    """A name that no other column has yet: all fields want the same."""
    del field
    return f"name_{len(columns)}"


def lowered(field: str, columns: Columns) -> str:
    """The field's own name, with a number where another has it, upper and lower case being one."""
    taken = {one.name.lower() for one in columns.values()}
    return field if field.lower() not in taken else f"{field}_{len(taken)}"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store of each kind."""
    with closing(Store(store_url)) as one:
        yield one


def columns_of(store: Store, account: str = "a") -> LearnedColumns:
    return LearnedColumns(store, account=account)


def test_what_was_learned_is_known_to_all_who_open_the_store(store: Store, store_url: str) -> None:
    given_now = columns_of(store).add("customers", {"Größe": Kind.DATE}, name_of=lambda *_: "size")

    with closing(Store(store_url)) as another:
        assert columns_of(another).of("customers") == given_now
    assert given_now == {"Größe": LearnedColumn("Größe", "size", Kind.DATE)}


def test_a_column_never_changes(store: Store) -> None:
    columns = columns_of(store)
    first = columns.add("customers", {"a": Kind.NUMBER, "b": Kind.TIME}, name_of=own_name)

    wanted = {"b": Kind.STRING, "c": Kind.JSON, "a": Kind.JSON}
    second = columns.add("customers", wanted, name_of=lambda field, _: f"{field}_other")

    assert second == first | {"c": LearnedColumn("c", "c_other", Kind.JSON)}
    assert columns.of("customers") == second


def test_columns_keep_the_order_in_which_they_were_given(store_url: str) -> None:
    times = iter([100.0, 200.0, 300.0])
    with closing(Store(store_url, clock=lambda: next(times))) as store:
        for field in ("c", "a", "b"):
            columns_of(store).add("customers", {field: Kind.JSON}, name_of=own_name)

        assert list(columns_of(store).of("customers")) == ["c", "a", "b"]


def test_streams_and_accounts_know_nothing_of_each_other(store: Store) -> None:
    columns_of(store).add("customers", {"a": Kind.NUMBER}, name_of=own_name)

    columns_of(store).add("contacts", {"a": Kind.STRING}, name_of=own_name)
    columns_of(store, "b").add("customers", {"a": Kind.DATE}, name_of=own_name)

    kinds = {
        (account, stream): columns_of(store, account).of(stream)["a"].kind
        for account, stream in [("a", "customers"), ("a", "contacts"), ("b", "customers")]
    }
    assert list(kinds.values()) == [Kind.NUMBER, Kind.STRING, Kind.DATE]
    assert columns_of(store, "b").of("contacts") == {}


def test_names_that_differ_only_by_case_are_one(store: Store) -> None:
    wanted = {"Naam": Kind.STRING, "naam": Kind.STRING, "NAAM": Kind.STRING}

    learned = columns_of(store).add("customers", wanted, name_of=lowered)

    assert {field: one.name for field, one in learned.items()} == {
        "Naam": "Naam",
        "naam": "naam_1",
        "NAAM": "NAAM_2",
    }


def test_a_field_whose_name_is_taken_for_good_goes_without(store: Store) -> None:
    columns = columns_of(store)
    columns.add("customers", {"a": Kind.NUMBER}, name_of=lambda *_: "Same")

    learned = columns.add("customers", {"b": Kind.NUMBER}, name_of=lambda *_: "same")

    assert list(learned) == ["a"]


def test_a_name_that_another_process_takes_meanwhile_is_not_taken_twice(store: Store) -> None:
    """Given one who learns a field while another is looking for a name for theirs."""
    columns = columns_of(store)

    def too_late(field: str, known: Columns) -> str:
        if not known:
            columns.add("customers", {"other": Kind.DATE}, name_of=lambda *_: "name_0")
        return numbered(field, known)

    learned = columns.add("customers", {"mine": Kind.NUMBER}, name_of=too_late)

    assert {field: one.name for field, one in learned.items()} == {
        "other": "name_0",
        "mine": "name_1",
    }


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200),
        st.sampled_from(list(Kind)),
        max_size=5,
    )
)
def test_fields_of_any_name_are_known_again(store: Store, wanted: dict[str, Kind]) -> None:
    with store.transaction() as connection:
        connection.execute(sql.delete(LEARNED_COLUMNS))

    columns_of(store).add("customers", wanted, name_of=numbered)

    known = columns_of(store).of("customers")
    assert {field: one.kind for field, one in known.items()} == wanted
    assert [one.field for one in known.values()] == list(known)


def test_threads_that_learn_at_once_agree(store: Store) -> None:
    columns = columns_of(store)
    together = Barrier(AT_ONCE)

    def learn(number: int) -> Columns:
        kinds = list(Kind)
        fields = [f"Field {n}" for n in range(8)]
        wanted = {
            field: kinds[(number + n) % len(kinds)]
            for n, field in enumerate(fields if number % 2 else reversed(fields))
        }
        together.wait()
        return columns.add("customers", wanted, name_of=numbered)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = list(threads.map(learn, range(AT_ONCE)))

    known = columns.of("customers")
    assert len(known) == 8
    assert len({one.name for one in known.values()}) == 8
    assert found == [known] * AT_ONCE


def test_processes_that_learn_at_once_agree(tmp_path: Path, store_url: str) -> None:
    """And each in its own order: where others hold a row, nobody may wait for ever."""
    go = tmp_path / "go"
    ready = [tmp_path / f"ready-{n}" for n in range(AT_ONCE)]
    kinds = ["string", "number", "json"] * (AT_ONCE // 3)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", LEARNS, str(one), str(go), store_url, kind],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        for one, kind in zip(ready, kinds, strict=True)
    ]
    while not all(one.exists() for one in ready):
        assert all(process.poll() is None for process in processes)
    go.touch()

    ended = [(process.communicate(timeout=60), process.returncode) for process in processes]

    assert [code for _, code in ended] == [0] * AT_ONCE, [err[-300:] for (_, err), _ in ended]
    assert len({out for (out, _), _ in ended}) == 1


def test_a_store_that_fails_is_named_and_no_field(store: Store) -> None:
    with store.transaction() as connection:
        connection.execute(sql.text("DROP TABLE learned_columns"))

    for action in (_read, _learn):
        with pytest.raises(Unavailable, match="store of tokens") as caught:
            action(columns_of(store))
        assert "canary" not in str(caught.value)


def _read(columns: LearnedColumns) -> Mapping[str, LearnedColumn]:
    return columns.of("customers")


def _learn(columns: LearnedColumns) -> Mapping[str, LearnedColumn]:
    return columns.add("customers", {"canary": Kind.JSON}, name_of=own_name)


def test_nothing_new_writes_nothing(store: Store) -> None:
    columns = columns_of(store)
    known = columns.add("customers", {"a": Kind.NUMBER}, name_of=own_name)
    asked: list[str] = []

    def name_of(field: str, _columns: Columns) -> str:
        asked.append(field)
        return field

    assert columns.add("customers", {"a": Kind.JSON}, name_of=name_of) == known
    assert asked == []
