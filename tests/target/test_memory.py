"""Memory does not grow with the number of rows."""

from __future__ import annotations

import gc
import tracemalloc
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_cirqll.run import Run
    from tests.target.writing_fixtures import Record, Target


def repeated(ids: list[int], number: int) -> Iterator[Record]:
    for one in range(number):
        yield {"id": ids[one % len(ids)], "name": "A"}


def peak(target: Target, ids: list[int], number: int) -> int:
    """The most bytes that a run of so many unchanged rows has at once, beyond its first batches."""

    def measure(_run: Run, so_far: int) -> None:
        if so_far == len(ids) * 2:
            gc.collect()
            tracemalloc.reset_peak()

    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        target(repeated(ids, number), keys=("id",), state_every=100, during=measure)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def compare(target: Target, *, few: int, many: int) -> None:
    ids = target.source.customers.insert_many([{"name": "A"}] * 1000)
    target([], keys=("id",))

    assert peak(target, ids, many) < peak(target, ids, few) + 1_000_000


def test_memory_does_not_grow_with_the_rows(target: Target) -> None:
    compare(target, few=3_000, many=15_000)


@pytest.mark.soak
def test_memory_does_not_grow_with_very_many_rows(target: Target) -> None:
    compare(target, few=10_000, many=100_000)
