"""Runs in rounds: each contender has its turn, so that what disturbs one disturbs all."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.figures import Sample
from benchmarks.process import Usage

Run = Callable[[], Usage]


def in_rounds(runs: Mapping[str, Run], *, rounds: int) -> dict[str, tuple[Usage, ...]]:
    """Tell what each run used in each round; the order turns around from round to round."""
    usages: dict[str, list[Usage]] = {name: [] for name in runs}
    for number in range(rounds):
        for name in list(runs)[:: -1 if number % 2 else 1]:
            usages[name].append(runs[name]())
    return {name: tuple(used) for name, used in usages.items()}


def cpu_seconds(usages: Mapping[str, tuple[Usage, ...]]) -> dict[str, Sample]:
    """Give the CPU seconds of each contender."""
    return {
        name: Sample(tuple(usage.cpu_seconds for usage in used)) for name, used in usages.items()
    }


def wall_seconds(usages: Mapping[str, tuple[Usage, ...]]) -> dict[str, Sample]:
    """Give the seconds on the clock of each contender."""
    return {
        name: Sample(tuple(usage.wall_seconds for usage in used)) for name, used in usages.items()
    }
