"""How many requests a read takes: each costs a second at 60 a minute."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from benchmarks.agreement import records
from benchmarks.loopback import Loopback, loopback
from benchmarks.process import RunFailedError, run
from benchmarks.readers import OURS, Job
from benchmarks.report import Gate, Section, Table
from cirqll_client.ends import LEAST_MAXIMUM

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.plan import Plan

TITLE: Final = "Requests"
RUN_SECONDS: Final = 60
PAGE_SIZE: Final = 1000  # the setting's default
CUSTOMERS: Final = "/api/customer"
FULL_READS: Final = (
    *((1000, rows) for rows in (0, 1, 999, 1000, 1001, 2500, 3000)),
    *((100, rows) for rows in (250, 300)),
    (500, 2500),
)
MESSAGES: Final = "messages.jsonl"
DEFINITIONS: Final = "/api/field"
ROWS_OF_EACH_STREAM: Final = 250


@dataclass(frozen=True, slots=True)
class _FullRead:
    """A read of so many rows from a server with so large a page, and the requests it took."""

    rows: int
    page: int
    requests: int

    @property
    def needed(self) -> int:
        """The pages that hold the rows; an empty answer takes a request too."""
        return max(-(-self.rows // self.page), 1)

    @property
    def is_doubtful(self) -> bool:
        """Whether no answer has proven `total` when the last page does not tell the end by itself.

        It does not if it is full, or if it is the first and holds more than any server's least.
        """
        is_full = self.rows > 0 and self.rows % self.page == 0
        return is_full or LEAST_MAXIMUM <= self.rows <= self.page


def measure(plan: Plan) -> Section:
    """Count the requests of full reads and of an incremental run with nothing new."""
    reads = [_full_read(plan, rows=rows, page=page) for page, rows in FULL_READS]
    first, again = _full_and_incremental(plan)
    return Section(
        TITLE,
        tables=(_table(reads), _streams_table(first, again)),
        gates=(*_full_gates(reads), _incremental_gate(again)),
        remarks=(
            (
                f"Every read asks for pages of {PAGE_SIZE:,}, the default; how many the server "
                "gives it finds out by itself, each time with a new store. Where the last page is "
                "full, or is the only one and not small, a reader that has no reason yet to trust "
                "`total` needs one request more to see the end; the store remembers the reason."
            ),
            (
                f"The incremental run goes over all streams of {ROWS_OF_EACH_STREAM} rows each, "
                "from the STATE of the full run, with nothing new."
            ),
        ),
    )


def _full_read(plan: Plan, *, rows: int, page: int) -> _FullRead:
    folder = plan.folder / f"requests-{rows}-{page}"
    folder.mkdir()
    with loopback(rows=rows, page_maximum=page) as server:
        counts = _counted(server, Job(server.root, folder, page_size=PAGE_SIZE))
    came = len(records(folder / MESSAGES))
    if came != rows:
        msg = f"{came} of {rows} customers came, so the requests for them mean nothing."
        raise RunFailedError(msg)
    return _FullRead(rows, page, counts[CUSTOMERS])


def _full_and_incremental(plan: Plan) -> tuple[Counter[str], Counter[str]]:
    folder = plan.folder / "requests-incremental"
    folder.mkdir()
    with loopback(rows=ROWS_OF_EACH_STREAM) as server:
        job = Job(server.root, folder, page_size=PAGE_SIZE, streams=())
        first = _counted(server, job)
        state = folder / "state.json"
        state.write_text(_last_state(folder / MESSAGES))
        return first, _counted(server, replace(job, state=state))


def _counted(server: Loopback, job: Job) -> Counter[str]:
    run(OURS.command(job), timeout_seconds=RUN_SECONDS, stdout=job.folder / MESSAGES)
    return server.take_counts()


def _last_state(messages: Path) -> str:
    for line in reversed(messages.read_text().splitlines()):
        message = json.loads(line)
        if message["type"] == "STATE":
            return json.dumps(message["value"])
    msg = "The full run wrote no STATE, so no incremental run can follow it."
    raise RunFailedError(msg)


def _table(reads: list[_FullRead]) -> Table:
    return Table(
        ("full read", "page of the server", "requests", "rows / page, rounded up"),
        tuple(
            (f"{read.rows:,} rows", f"{read.page:,}", str(read.requests), str(read.needed))
            for read in reads
        ),
    )


def _streams_table(first: Counter[str], again: Counter[str]) -> Table:
    return Table(
        ("all streams", "streams", "requests"),
        (
            ("full run", str(len(first)), str(first.total())),
            ("incremental run, nothing new", str(len(again)), str(again.total())),
        ),
    )


def _full_gates(reads: list[_FullRead]) -> tuple[Gate, Gate]:
    partial = max(read.requests - read.needed for read in reads if not read.is_doubtful)
    exact = max(read.requests - read.needed for read in reads if read.is_doubtful)
    return (
        Gate("requests of a full read beyond its pages", partial, 0, repeatable=True),
        Gate("the same where nothing has proven `total`", exact, 1, repeatable=True),
    )


def _incremental_gate(again: Counter[str]) -> Gate:
    # The definitions of custom fields are read for their columns, besides their own stream.
    most = max((again - Counter({DEFINITIONS: 1})).values(), default=0)
    return Gate("requests a stream with nothing new", most, 1, repeatable=True)
