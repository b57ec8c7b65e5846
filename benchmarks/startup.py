"""How long the tap takes to start, against the import of the SDK alone."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Final

from benchmarks.process import MODULE, Usage, run
from benchmarks.report import Gate, Section, Table
from benchmarks.rounds import cpu_seconds, in_rounds, wall_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.plan import Plan

TITLE: Final = "Start"
LIMIT: Final = 1.15
RUN_SECONDS: Final = 30
IMPORT: Final = "import singer_sdk"
DISCOVER: Final = "tap-cirqll --discover"


def measure(plan: Plan) -> Section:
    """Discover without settings, and import the SDK, many times in turn."""
    rounds = plan.size(quick=7, full=21)
    runs = {
        IMPORT: partial(_run, (sys.executable, "-c", IMPORT)),
        DISCOVER: partial(_run, (*MODULE, "tap_cirqll", "--discover")),
    }
    in_rounds(runs, rounds=1)  # compiles what was never imported
    usages = in_rounds(runs, rounds=rounds)
    wall, cpu = wall_seconds(usages), cpu_seconds(usages)
    ratio = wall[DISCOVER].over(wall[IMPORT])
    return Section(
        TITLE,
        tables=(
            Table(
                ("start", "wall seconds", "ratio", "CPU seconds", "ratio"),
                tuple(
                    (
                        name,
                        wall[name].text(3),
                        wall[name].over(wall[IMPORT]).text(),
                        cpu[name].text(3),
                        cpu[name].over(cpu[IMPORT]).text(),
                    )
                    for name in runs
                ),
            ),
        ),
        gates=(Gate(f"wall seconds: {DISCOVER} / {IMPORT}", ratio.median, LIMIT),),
        remarks=(f"Without settings. Median (least-most) of {rounds} rounds.",),
    )


def _run(command: Sequence[str]) -> Usage:
    return run(command, timeout_seconds=RUN_SECONDS)
