"""The memory that a read takes at its peak, for more and more rows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from benchmarks.figures import megabytes
from benchmarks.loopback import loopback
from benchmarks.process import run
from benchmarks.readers import OURS, Job
from benchmarks.report import Gate, Section, Table

if TYPE_CHECKING:
    from benchmarks.plan import Plan

TITLE: Final = "Memory"
LIMIT_BYTES: Final = 80e6
LIMIT_OF_GROWTH: Final = 1.1
PAGE_SIZE: Final = 1000  # the setting's default
RUN_SECONDS: Final = 240
FEW, MANY, VERY_MANY = 10_000, 100_000, 1_000_000


def measure(plan: Plan) -> Section:
    """Take the peak of the tap for few rows and for many."""
    sizes = (FEW, MANY, VERY_MANY) if plan.long else (FEW, MANY)
    peaks = {rows: _peak(plan, rows) for rows in sizes}
    sdk = run((sys.executable, "-c", "import singer_sdk"), timeout_seconds=RUN_SECONDS).peak_bytes
    return Section(
        TITLE,
        tables=(
            Table(
                ("peak", "MB"),
                (
                    ("import singer_sdk", megabytes(sdk)),
                    *((f"{OURS.name}, {rows:,} rows", megabytes(peaks[rows])) for rows in sizes),
                ),
            ),
        ),
        gates=(
            Gate("peak memory in MB", max(peaks.values()) / 1e6, LIMIT_BYTES / 1e6),
            Gate(
                f"peak memory: {sizes[-1]:,} rows / {sizes[0]:,} rows",
                peaks[sizes[-1]] / peaks[sizes[0]],
                LIMIT_OF_GROWTH,
            ),
        ),
        remarks=(
            f"Customers with undocumented fields in pages of {PAGE_SIZE:,} (the default); the "
            "largest resident size that the system saw, in millions of bytes."
            + ("" if plan.long else f" `--long` adds {VERY_MANY:,} rows."),
        ),
    )


def _peak(plan: Plan, rows: int) -> int:
    folder = plan.folder / f"memory-{rows}"
    folder.mkdir()
    with loopback(rows=rows, fields="undocumented") as server:
        command = OURS.command(Job(server.root, folder, page_size=PAGE_SIZE))
        return run(command, timeout_seconds=RUN_SECONDS).peak_bytes
