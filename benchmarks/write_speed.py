"""How many writes a second go out where the limit of requests is raised."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

from benchmarks.crm import crm
from benchmarks.process import Usage, run
from benchmarks.report import Gate, Section, Table
from benchmarks.rounds import Run, in_rounds, wall_seconds
from benchmarks.warehouse import SOURCE_KEY, write_rows
from benchmarks.writers import OURS, PLAIN, WriteJob, Writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.figures import Sample
    from benchmarks.plan import Plan

TITLE: Final = "Writing back: writes a second, the limit raised"
LATENCY_SECONDS: Final = 0.1
RUN_SECONDS: Final = 120
AT_ONCE: Final = (1, 4, 16)
LIMIT_OF_PLAIN: Final = 0.25


def measure(plan: Plan) -> Section:
    """Update where each answer takes a tenth of a second; create where none takes any."""
    updates, creates = plan.size(quick=96, full=320), plan.size(quick=400, full=2000)
    rounds = plan.size(quick=1, full=3)
    waiting = _updates(plan, rows=updates, rounds=rounds)
    creating = _creates(plan, rows=creates, rounds=rounds)
    most = waiting[_name(AT_ONCE[-1])]
    return Section(
        TITLE,
        tables=(
            _table(f"updates, {LATENCY_SECONDS * 1000:.0f} ms each", waiting, rows=updates),
            _table("creates, no latency", creating, rows=creates),
        ),
        gates=(
            Gate(
                f"seconds of updates at 100 ms: {AT_ONCE[-1]} at once / plain sink",
                most.over(waiting[PLAIN.name]).median,
                LIMIT_OF_PLAIN,
            ),
        ),
        remarks=(
            (
                f"{updates:,} changed customers by id; then "
                f"{creates:,} new ones by a key of the source: each is in the ledger, on the disk "
                "(SQLite), before it is sent, and the sandbox runs on the same processors. The "
                "start of the program is included. Median (least-most); rounds: "
                f"{rounds}."
            ),
        ),
    )


def _updates(plan: Plan, *, rows: int, rounds: int) -> dict[str, Sample]:
    folder = plan.folder / "write-speed"
    folder.mkdir()
    numbers = count(1)
    with crm(rows=rows, latency_seconds=LATENCY_SECONDS) as server:
        runs = {
            name: _changing(
                writer, WriteJob(server.url, server.token, folder, settings), rows, numbers
            )
            for name, writer, settings in _contenders()
        }
        return wall_seconds(in_rounds(runs, rounds=rounds))


def _creates(plan: Plan, *, rows: int, rounds: int) -> dict[str, Sample]:
    folder = plan.folder / "create-speed"
    folder.mkdir()
    path = write_rows(folder / "rows.jsonl", count=rows, key=SOURCE_KEY)
    with crm(rows=1) as server:
        runs = {
            name: _creating(writer, WriteJob(server.url, server.token, folder, settings), path)
            for name, writer, settings in _contenders()
        }
        return wall_seconds(in_rounds(runs, rounds=rounds))


def _contenders() -> list[tuple[str, Writer, dict[str, Any]]]:
    ours = [(_name(number), OURS, {"concurrency": number}) for number in AT_ONCE]
    return [(PLAIN.name, PLAIN, {}), *ours]


def _name(at_once: int) -> str:
    return f"{OURS.name}, {at_once} at once"


def _changing(writer: Writer, job: WriteJob, rows: int, numbers: Iterator[int]) -> Run:
    """Change all customers every time, to a name that none of them had."""

    def change() -> Usage:
        name = f"Bakkerij {next(numbers)}"
        path = job.folder / "rows.jsonl"
        write_rows(path, count=rows, changed_every=1, name=name)
        return run(writer.command(job), stdin=path, timeout_seconds=RUN_SECONDS)

    return change


def _creating(writer: Writer, job: WriteJob, path: Path) -> Run:
    """Create every time: the ledger is a new one in each run."""

    def create() -> Usage:
        for part in job.folder.glob("store.db*"):
            part.unlink()
        return run(writer.command(job), stdin=path, timeout_seconds=RUN_SECONDS)

    return create


def _table(title: str, seconds: dict[str, Sample], *, rows: int) -> Table:
    plain = seconds[PLAIN.name]
    return Table(
        (title, "seconds", "of the plain sink", "a second"),
        tuple(
            (name, each.text(), each.over(plain).text(), f"{rows / each.median:,.0f}")
            for name, each in seconds.items()
        ),
    )
