"""Two runs of one input at the same time, with one store, write each row once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from target_cirqll.policy import Policy
from tests.target.killing import LOST, SETTINGS
from tests.target.schedules import assert_each_once
from tests.target.target_runs import lines, record, schema, state
from tests.target.writing_runs import Ended, Writing

if TYPE_CHECKING:
    from tests.reading_fixtures import Source as Crm
    from tests.tap.conftest import Source
    from tests.target.target_runs import TargetRuns

ROWS = [{"no": number, "name": f"Zaak {number}"} for number in range(1, 13)]
_LONGEST_RUN_SECONDS = 60


def both(writing: Writing, *, rows: list[dict[str, object]]) -> list[Ended]:
    """Write the rows twice at once, as two processes would: they share nothing but the store."""
    barrier = Barrier(2)

    def write(one: Writing) -> Ended:
        barrier.wait()
        return one.run(rows)

    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(write, [writing, replace(writing)]))


@pytest.fixture
def writing(crm: Crm, store_url: str) -> Writing:
    """Customers with a key, in stores of each kind; waits take their time."""
    crm.begin(latency_seconds=0.005)
    crm.sandbox.faults.clear()
    return Writing(crm, store_url, is_waiting=True, request_timeout=1)


@pytest.mark.parametrize("has_keys", [True, False])
def test_each_row_is_sent_by_one_of_them(writing: Writing, *, has_keys: bool) -> None:
    rows = ROWS if has_keys else [{"name": row["name"]} for row in ROWS]
    chosen = replace(writing, keys=("no",) if has_keys else (), batch_size=4)

    ended = both(chosen, rows=rows)

    assert all(one.is_whole and not one.rejects for one in ended), ended
    assert_each_once(writing.source.sandbox, ROWS)


def test_where_answers_are_lost_too(writing: Writing) -> None:
    writing.source.sandbox.faults.add("lost-answer", method="POST", probability=0.3)
    writing.source.sandbox.faults.add("cut-before", method="POST", at=3)

    ended = both(replace(writing, policy=Policy(concurrency=2)), rows=ROWS)

    assert all(one.is_whole and not one.rejects for one in ended), ended
    assert_each_once(writing.source.sandbox, ROWS)
    writing.source.sandbox.faults.clear()


def test_two_processes_write_each_row_once(source: Source, run_target: TargetRuns) -> None:
    for kind in ("lost-answer", "500-after-commit"):
        source.sandbox.faults.add(kind, method="POST", **LOST[kind])
    rows = [record("customers", **row) for row in ROWS]
    messages = [schema("customers", "name", keys=["no"]), *rows, state(position=len(rows))]

    processes = [run_target.start(**SETTINGS) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        told = list(
            threads.map(
                lambda one: one.communicate(lines(*messages), timeout=_LONGEST_RUN_SECONDS),
                processes,
            )
        )

    assert [process.returncode for process in processes] == [0, 0], told
    assert_each_once(source.sandbox, ROWS)
