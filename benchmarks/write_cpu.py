"""What a row costs that has not changed: CPU seconds, instructions, memory."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.crm import Crm, crm
from benchmarks.figures import Sample, megabytes
from benchmarks.instructions import count_instructions
from benchmarks.process import run
from benchmarks.report import Gate, Section, Table
from benchmarks.rounds import Run, cpu_seconds, in_rounds
from benchmarks.warehouse import write_rows
from benchmarks.writers import OURS, PLAIN, PLAIN_UNVALIDATED, WriteJob, Writer

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.plan import Plan

TITLE: Final = "Writing back: what a row costs that has not changed"
LIMIT_OF_PLAIN: Final = 0.1
LIMIT_BYTES: Final = 90e6
LIMIT_OF_GROWTH: Final = 1.1
RUN_SECONDS: Final = 240
AT_ONCE: Final = 2
MANY, VERY_MANY = 10_000, 100_000
WRITERS: Final = (PLAIN, PLAIN_UNVALIDATED, OURS)
ROWS: Final = {PLAIN: 1000, PLAIN_UNVALIDATED: 1000, OURS: MANY}
FEW_COUNTED: Final = {PLAIN: 100, OURS: 1000}
MORE_COUNTED: Final = {PLAIN: 300, OURS: 3000}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where rows are written, and files lie."""

    server: Crm
    folder: Path

    def command(self, writer: Writer, name: str = "") -> list[str]:
        """Give the command of a writer with a store of its own."""
        folder = self.folder / (name or writer.name)
        folder.mkdir(exist_ok=True)
        return writer.command(WriteJob(self.server.url, self.server.token, folder))

    def rows(self, count: int) -> Path:
        """Give a file of rows that are in Cirqll as they are."""
        path = self.folder / f"rows-{count}.jsonl"
        return path if path.exists() else write_rows(path, count=count)


def measure(plan: Plan) -> Section:
    """Write customers by id as they are."""
    folder = plan.folder / "write-cpu"
    folder.mkdir()
    sizes = (MANY,) if plan.quick else (MANY, VERY_MANY)
    with crm(rows=sizes[-1]) as server:
        place = _Place(server, folder)
        micros = _cpu(place, rounds=plan.size(quick=3, full=5))
        peaks = {rows: _peak(place, rows) for rows in sizes}
        counts = {} if plan.quick or not shutil.which("valgrind") else _instructions(place)
    return Section(
        TITLE,
        tables=(_table(micros, counts), _peaks_table(peaks)),
        gates=_gates(micros, counts, peaks),
        remarks=(
            (
                f"Customers by id, {ROWS[PLAIN]:,} through a plain sink and {ROWS[OURS]:,} through "
                "ours, less a run over one row; the processor's time in the program, not in the "
                "server. The second plain sink has validate_records off. Instructions are counted "
                "by callgrind in the full run."
            ),
        ),
    )


def _cpu(place: _Place, *, rounds: int) -> dict[Writer, Sample]:
    """Give the microseconds a row."""
    runs: dict[str, Run] = {}
    for writer in WRITERS:
        runs[writer.name] = _run(place, writer, ROWS[writer])
        runs[_start(writer)] = _run(place, writer, 1)
    seconds = cpu_seconds(in_rounds(runs, rounds=rounds))
    return {
        writer: Sample(
            tuple(
                (whole - start) / ROWS[writer] * 1e6
                for whole, start in zip(
                    seconds[writer.name].values, seconds[_start(writer)].values, strict=True
                )
            )
        )
        for writer in WRITERS
    }


def _start(writer: Writer) -> str:
    return f"{writer.name}, start"


def _run(place: _Place, writer: Writer, rows: int) -> Run:
    command, path = place.command(writer), place.rows(rows)
    return lambda: run(command, stdin=path, timeout_seconds=RUN_SECONDS)


def _peak(place: _Place, rows: int) -> int:
    return _run(place, OURS, rows)().peak_bytes


def _instructions(place: _Place) -> dict[Writer, float]:
    """Give the instructions a row, the start subtracted."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        pending = {
            writer: [
                pool.submit(_count, place, writer, rows[writer])
                for rows in (FEW_COUNTED, MORE_COUNTED)
            ]
            for writer in FEW_COUNTED
        }
        return {
            writer: (more.result() - less.result()) / (MORE_COUNTED[writer] - FEW_COUNTED[writer])
            for writer, (less, more) in pending.items()
        }


def _count(place: _Place, writer: Writer, rows: int) -> int:
    name = f"{writer.name}-{rows}"
    command = place.command(writer, name)
    return count_instructions(command, place.folder / name, stdin=place.rows(rows))


def _table(micros: dict[Writer, Sample], counts: dict[Writer, float]) -> Table:
    return Table(
        ("a row", "CPU microseconds", "of the plain sink", "instructions", "of the plain sink"),
        tuple(
            (
                writer.name,
                each.text(0),
                each.over(micros[PLAIN]).text(),
                f"{counts[writer]:,.0f}" if writer in counts else "",
                f"{counts[writer] / counts[PLAIN]:.3f}" if writer in counts else "",
            )
            for writer, each in micros.items()
        ),
    )


def _peaks_table(peaks: dict[int, int]) -> Table:
    return Table(
        ("peak", "MB"),
        tuple((f"{OURS.name}, {rows:,} rows", megabytes(peak)) for rows, peak in peaks.items()),
    )


def _gates(
    micros: dict[Writer, Sample], counts: dict[Writer, float], peaks: dict[int, int]
) -> tuple[Gate, ...]:
    cpu = micros[OURS].over(micros[PLAIN]).median
    gates = [
        Gate("CPU an unchanged row: target-cirqll / plain sink", cpu, LIMIT_OF_PLAIN),
        Gate("peak memory of writing in MB", max(peaks.values()) / 1e6, LIMIT_BYTES / 1e6),
    ]
    if counts:
        ratio, name = counts[OURS] / counts[PLAIN], "instructions an unchanged row"
        gates.append(
            Gate(f"{name}: target-cirqll / plain sink", ratio, LIMIT_OF_PLAIN, repeatable=True)
        )
    if VERY_MANY in peaks:
        growth = peaks[VERY_MANY] / peaks[MANY]
        gates.append(
            Gate(f"peak memory: {VERY_MANY:,} rows / {MANY:,} rows", growth, LIMIT_OF_GROWTH)
        )
    return tuple(gates)
