"""How long the tap takes to start, against the import of the SDK alone."""

from __future__ import annotations

import sys
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from benchmarks.process import MODULE, Usage, run
from benchmarks.report import Gate, Section, Table
from benchmarks.rounds import cpu_seconds, in_rounds, wall_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.plan import Plan

TITLE: Final = "Start"
LIMIT: Final = 1.15
RUN_SECONDS: Final = 30
IMPORT: Final = "import singer_sdk"
DISCOVER: Final = "tap-cirqll --discover"


def measure(plan: Plan) -> Section:
    """Discover where nobody is signed in, and import the SDK, in turn.

    Who is signed in has the account looked at, which takes as long as the server does.
    """
    rounds = plan.size(quick=7, full=21)
    discover = (*MODULE, "tap_cirqll", "--discover")
    with TemporaryDirectory() as folder:
        home = {"HOME": folder, "XDG_STATE_HOME": folder}
        runs = {
            IMPORT: partial(_run, (sys.executable, "-c", IMPORT), home),
            DISCOVER: partial(_run, discover, home),
        }
        in_rounds(runs, rounds=1)  # compiles what was never imported
        usages = in_rounds(runs, rounds=rounds)
    wall, cpu = wall_seconds(usages), cpu_seconds(usages)
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
        gates=(
            Gate(
                f"wall seconds: {DISCOVER} / {IMPORT}",
                wall[DISCOVER].over(wall[IMPORT]).median,
                LIMIT,
            ),
        ),
        remarks=(f"Median (least-most) of {rounds} rounds.",),
    )


def _run(command: Sequence[str], environment: Mapping[str, str]) -> Usage:
    return run(command, timeout_seconds=RUN_SECONDS, environment=environment)
