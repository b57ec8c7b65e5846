"""Measure and report: `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import (
    agreement,
    chart_svg,
    cpu,
    end_to_end,
    instructions,
    memory,
    requests_needed,
    startup,
    waiting,
    write_cpu,
    write_requests,
    write_speed,
)
from benchmarks.plan import Plan
from benchmarks.process import ROOT, RunFailedError
from benchmarks.report import Section, as_markdown, as_text, gates_section

if TYPE_CHECKING:
    from benchmarks.rows import Fields

Measure = Callable[[Plan], Section]


def _late(module: str) -> Measure:
    """Import a measure when its turn comes.

    It works in this process, which must stay small while others are measured (`process.run`).
    """

    def measure(plan: Plan) -> Section:
        section: Section = import_module(f"benchmarks.{module}").measure(plan)
        return section

    return measure


MEASURES: Final[Mapping[str, Measure]] = {
    "requests": requests_needed.measure,
    "instructions": instructions.measure,
    "cpu": cpu.measure,
    "waiting": waiting.measure,
    "start": startup.measure,
    "memory": memory.measure,
    "end-to-end": end_to_end.measure,
    "write-requests": write_requests.measure,
    "write-speed": write_speed.measure,
    "write-cpu": write_cpu.measure,
    "deletions": _late("deletion_requests"),
    "delivered-ids": _late("delivered_ids_cost"),
}
COMPARING: Final = {"instructions", "cpu"}
RESULTS: Final = Path(__file__).with_name("results.md")
PLUGIN: Final = ROOT / ".meltano/loaders/target-postgres/venv/bin/target-postgres"
NOISE: Final = (
    "Counts (requests, instructions) repeat, so they can be gates. Seconds do not: they vary by a "
    "tenth or two on a machine that does other things too, so contenders run in turn, and ratios "
    "are taken round by round."
)
INTERRUPTED: Final = 130
TERMINATED: Final = 143


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the arguments ask for, and tell whether what is a gate holds."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    names = options.only or list(MEASURES)
    with tempfile.TemporaryDirectory(prefix="cirqll-bench-") as folder:
        plan = Plan(
            folder=Path(folder),
            quick=options.quick,
            long=options.long,
            target_postgres=_target_postgres(options.target_postgres),
            kinds=_kinds(options.fields, quick=options.quick),
        )
        sections = list(_sections(names, plan))
    gates = gates_section(sections)
    print(as_text(gates))
    if options.write:
        RESULTS.write_text(_page([gates, *sections], plan))
        for one in chain.from_iterable(section.charts for section in sections):
            RESULTS.with_name(one.file).write_text(chart_svg.as_svg(one))
    return int(_broken(sections, gate=options.gate))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes: about three minutes")
    parser.add_argument("--long", action="store_true", help="1,000,000 rows for the memory too")
    parser.add_argument(
        "--only", action="append", choices=MEASURES, help="measure this; may be given several times"
    )
    parser.add_argument(
        "--fields", choices=("documented", "undocumented"), help="only customers of this kind"
    )
    parser.add_argument(
        "--gate", action="store_true", help="fail if a count (not a clock) misses its limit"
    )
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name} as well")
    parser.add_argument(
        "--target-postgres",
        metavar="PROGRAM",
        help="the loader; else $TARGET_POSTGRES, Meltano's plugin, or the one on the PATH",
    )
    return parser


def _kinds(option: Fields | None, *, quick: bool) -> tuple[Fields, ...]:
    if option:
        return (option,)
    return ("documented",) if quick else ("documented", "undocumented")


def _sections(names: Sequence[str], plan: Plan) -> Iterator[Section]:
    """Each section, printed as soon as it is there."""
    print(_heading(plan), end="\n\n", flush=True)
    for name in names:
        section = _section(name, plan)
        print(as_text(section), end="\n\n", flush=True)
        yield section


def _section(name: str, plan: Plan) -> Section:
    try:
        if name in COMPARING:
            agreement.check_agreement(plan)
        return MEASURES[name](plan)
    except RunFailedError as error:
        return Section(name.capitalize(), failure=str(error))


def _broken(sections: Sequence[Section], *, gate: bool) -> bool:
    missed = any(one.repeatable and not one.holds for section in sections for one in section.gates)
    return any(section.failure for section in sections) or (gate and missed)


def _target_postgres(option: str | None) -> str | None:
    chosen = option or os.environ.get("TARGET_POSTGRES")
    if chosen or PLUGIN.exists():
        return chosen or str(PLUGIN)
    return shutil.which("target-postgres")


def _heading(plan: Plan) -> str:
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, "
        f"the {'quick' if plan.quick else 'full'} run"
    )


def _page(sections: Sequence[Section], plan: Plan) -> str:
    words = "Written by `python -m benchmarks --write`, not by hand."
    parts = [
        "# What reading from Cirqll and writing to it costs",
        words,
        f"{_heading(plan)}.",
        NOISE,
    ]
    return "\n\n".join([*parts, *map(as_markdown, sections)]) + "\n"


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(INTERRUPTED)
