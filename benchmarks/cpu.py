"""CPU seconds of a full read of the customers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from benchmarks.loopback import loopback
from benchmarks.process import run
from benchmarks.readers import LOOP, OURS, PLAIN, Job, Reader
from benchmarks.report import Gate, Section, Table
from benchmarks.rounds import Run, cpu_seconds, in_rounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.figures import Sample
    from benchmarks.plan import Plan
    from benchmarks.rows import Fields

TITLE: Final = "CPU seconds of a full read"
LIMIT_OF_PLAIN: Final = 0.4
LIMIT_OF_LOOP: Final = 2.0
RUN_SECONDS: Final = 120
ROWS_OF_A_START: Final = 1
LARGE_PAGE: Final = 1000
OURS_LARGE_PAGES: Final = f"{OURS.name}, pages of {LARGE_PAGE:,}"
NAMES: Final = (PLAIN.name, OURS.name, OURS_LARGE_PAGES, LOOP.name)


@dataclass(frozen=True, slots=True)
class _Kind:
    """The seconds of each reader for one kind of customers, and of its start."""

    fields: Fields
    whole: Mapping[str, Sample]
    start: Mapping[str, Sample]


def measure(plan: Plan) -> Section:
    """Read the customers several times with each reader."""
    rows, rounds = plan.size(quick=10_000, full=100_000), plan.size(quick=3, full=5)
    kinds = [_measured(plan, fields, rows=rows, rounds=rounds) for fields in plan.kinds]
    return Section(
        TITLE,
        tables=tuple(_table(kind, rows=rows) for kind in kinds),
        gates=tuple(gate for kind in kinds for gate in _gates(kind, rows=rows)),
        remarks=(
            (
                f"User and system seconds of the process for {rows:,} customers in pages of 100 "
                "(the API's default) unless said otherwise, the start included; then the same less "
                f"the start, a run over one row. Median (least-most) of {rounds} rounds; a ratio "
                "is the median of the rounds' ratios. Seconds vary by a tenth or two on a machine "
                "that others use; ratios vary less."
            ),
        ),
    )


def _measured(plan: Plan, fields: Fields, *, rows: int, rounds: int) -> _Kind:
    folder = plan.folder / f"cpu-{fields}"
    folder.mkdir()
    with (
        loopback(rows=rows, fields=fields) as whole,
        loopback(rows=ROWS_OF_A_START, fields=fields) as start,
    ):
        return _Kind(
            fields,
            whole=cpu_seconds(in_rounds(_runs(Job(whole.root, folder)), rounds=rounds)),
            start=cpu_seconds(in_rounds(_runs(Job(start.root, folder)), rounds=rounds)),
        )


def _runs(job: Job) -> dict[str, Run]:
    return {
        PLAIN.name: _run(PLAIN, job),
        OURS.name: _run(OURS, job),
        OURS_LARGE_PAGES: _run(OURS, replace(job, page_size=LARGE_PAGE)),
        LOOP.name: _run(LOOP, job),
    }


def _run(reader: Reader, job: Job) -> Run:
    return lambda: run(reader.command(job), timeout_seconds=RUN_SECONDS)


def _table(kind: _Kind, *, rows: int) -> Table:
    header = (
        f"CPU seconds, {kind.fields} fields",
        "with start",
        "of the plain tap",
        "times the loop",
        "without start",
        "records a second",
    )
    return Table(header, tuple((name, *_cells(kind, name, rows=rows)) for name in NAMES))


def _cells(kind: _Kind, name: str, *, rows: int) -> tuple[str, ...]:
    whole = kind.whole[name]
    reading = whole.median - kind.start[name].median
    return (
        whole.text(),
        whole.over(kind.whole[PLAIN.name]).text(),
        whole.over(kind.whole[LOOP.name]).text(),
        f"{reading:.2f}",
        f"{rows / reading:,.0f}",
    )


def _gates(kind: _Kind, *, rows: int) -> tuple[Gate, Gate]:
    ours = kind.whole[OURS.name]
    promise = f"CPU seconds, {rows:,} customers, {kind.fields} fields: {OURS.name} / "
    return (
        Gate(f"{promise}plain tap", ours.over(kind.whole[PLAIN.name]).median, LIMIT_OF_PLAIN),
        Gate(f"{promise}loop", ours.over(kind.whole[LOOP.name]).median, LIMIT_OF_LOOP),
    )
