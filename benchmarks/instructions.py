"""Instructions for each record, counted by callgrind: repeatable, so they can be a gate."""

from __future__ import annotations

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from benchmarks.loopback import loopback
from benchmarks.process import RunFailedError, run
from benchmarks.readers import LOOP, OURS, PLAIN, Job, Reader
from benchmarks.report import Gate, Section, Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.plan import Plan
    from benchmarks.rows import Fields

TITLE: Final = "Instructions for each record"
LIMIT_OF_PLAIN: Final = 0.25
RUN_SECONDS: Final = 240
AT_ONCE: Final = 2
READERS: Final = (PLAIN, OURS, LOOP)
_COLLECTED: Final = re.compile(r"Collected : (\d+)")


def measure(plan: Plan) -> Section:
    """Count the instructions of each reader, the start subtracted."""
    if not shutil.which("valgrind"):
        return Section(TITLE, remarks=("Not counted: valgrind is not installed on this machine.",))
    counts = {fields: _per_record(plan, fields) for fields in plan.kinds}
    return Section(
        TITLE,
        tables=(_table(counts),),
        gates=tuple(
            Gate(
                f"instructions a record, {fields} fields: tap-cirqll / plain tap",
                figure=count[OURS.name] / count[PLAIN.name],
                limit=LIMIT_OF_PLAIN,
                repeatable=True,
            )
            for fields, count in counts.items()
        ),
        remarks=(
            (
                f"Counted by callgrind over {_sizes(plan)[0]:,} and {_sizes(plan)[1]:,} customers "
                "in pages of 100; the difference divided by the number of customers leaves the "
                "start out. The counts repeat within one or two in a hundred."
            ),
        ),
    )


def count_instructions(command: Sequence[str], folder: Path, *, stdin: Path | None = None) -> int:
    """Count the instructions of a command and of all its threads, from its start to its end."""
    log = folder / "callgrind.log"
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    run(
        [*valgrind, *command],
        timeout_seconds=RUN_SECONDS,
        stdin=stdin,
        stderr=log,
        environment={"PYTHONHASHSEED": "0"},
    )
    found = _COLLECTED.search(log.read_text())
    if not found:
        msg = f"callgrind told no count of instructions in {log}."
        raise RunFailedError(msg)
    return int(found[1])


def _sizes(plan: Plan) -> tuple[int, int]:
    return plan.size(quick=500, full=1000), plan.size(quick=2500, full=6000)


def _per_record(plan: Plan, fields: Fields) -> dict[str, float]:
    sizes = _sizes(plan)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        pending = {
            reader.name: [pool.submit(_count, plan, reader, fields, rows) for rows in sizes]
            for reader in READERS
        }
        return {
            name: (more.result() - less.result()) / (sizes[1] - sizes[0])
            for name, (less, more) in pending.items()
        }


def _count(plan: Plan, reader: Reader, fields: Fields, rows: int) -> int:
    folder = plan.folder / f"instructions-{reader.name}-{fields}-{rows}"
    folder.mkdir()
    with loopback(rows=rows, fields=fields) as server:
        return count_instructions(reader.command(Job(server.root, folder)), folder)


def _table(counts: dict[Fields, dict[str, float]]) -> Table:
    kinds = tuple(counts)
    header = [column for fields in kinds for column in (f"{fields} fields", "of the plain tap")]
    rows = [
        (reader.name, *(cell for fields in kinds for cell in _cells(counts[fields], reader)))
        for reader in READERS
    ]
    return Table(("instructions a record", *header), tuple(rows))


def _cells(count: dict[str, float], reader: Reader) -> tuple[str, str]:
    own = count[reader.name]
    return f"{own:,.0f}", f"{own / count[PLAIN.name]:.3f}"
