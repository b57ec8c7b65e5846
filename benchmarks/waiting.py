"""The time that reading several streams takes when every answer comes late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.loopback import loopback
from benchmarks.process import run
from benchmarks.readers import OURS, PLAIN, STREAMS, Job, Reader
from benchmarks.report import Gate, Section, Table
from benchmarks.rounds import Run, in_rounds, wall_seconds

if TYPE_CHECKING:
    from benchmarks.plan import Plan

TITLE: Final = "Waiting"
LIMIT: Final = 1 / 3
LATENCY_SECONDS: Final = 0.1
PAGE: Final = 100
RUN_SECONDS: Final = 120
OURS_ALL_AT_ONCE: Final = f"{OURS.name}, concurrency {len(STREAMS)}"


def measure(plan: Plan) -> Section:
    """Read eight streams from a server that answers after a tenth of a second."""
    pages, rounds = plan.size(quick=10, full=25), plan.size(quick=1, full=3)
    folder = plan.folder / "waiting"
    folder.mkdir()
    with loopback(rows=pages * PAGE, page_maximum=PAGE, latency_seconds=LATENCY_SECONDS) as server:
        job = Job(server.root, folder, streams=STREAMS)
        runs = {
            PLAIN.name: _run(PLAIN, job),
            OURS.name: _run(OURS, job),
            OURS_ALL_AT_ONCE: _run(
                OURS, Job(server.root, folder, streams=STREAMS, settings={"concurrency": 8})
            ),
        }
        seconds = wall_seconds(in_rounds(runs, rounds=rounds))
    ratios = {name: seconds[name].over(seconds[PLAIN.name]) for name in runs}
    return Section(
        TITLE,
        tables=(
            Table(
                ("reader", "wall seconds", "of the plain tap"),
                tuple((name, seconds[name].text(), ratios[name].text()) for name in runs),
            ),
        ),
        gates=(
            Gate(
                "wall seconds of 8 streams at 100 ms: ours / plain", ratios[OURS.name].median, LIMIT
            ),
        ),
        remarks=(
            (
                f"{len(STREAMS)} streams of {pages} pages of {PAGE} rows, "
                f"{LATENCY_SECONDS * 1000:.0f} ms before each answer, no rate limit, the start "
                "included; our tap with its default of four streams side by side, and with eight. "
                f"Rounds: {rounds}."
            ),
        ),
    )


def _run(reader: Reader, job: Job) -> Run:
    return lambda: run(reader.command(job), timeout_seconds=RUN_SECONDS)
