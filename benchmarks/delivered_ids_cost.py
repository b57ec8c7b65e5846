"""What keeping the ids of all delivered rows in the store adds to reading these rows."""

from __future__ import annotations

import random
import time
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pyroaring import BitMap64

from benchmarks.figures import Sample, megabytes
from benchmarks.loopback import loopback
from benchmarks.process import RunFailedError, run
from benchmarks.readers import OURS, Job
from benchmarks.report import Gate, Section, Table
from cirqll_client.delivered_ids import DeliveredIds, Roll
from cirqll_client.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from benchmarks.plan import Plan

TITLE: Final = "Delivered ids: time"
PAGE: Final = 1_000
LIMIT: Final = 0.05
GAPS: Final = 4
"""Of so many ids in a row one is there, at random: the worst that a bitmap meets."""
RUN_SECONDS: Final = 240
ACCOUNT: Final = "benchmark"


@dataclass(frozen=True, slots=True)
class _Kept:
    """The seconds that keeping the ids takes, and the bytes of the file."""

    entering: float
    """In the run that reads the rows."""
    settling: float
    """At the beginning of the next one, which knows that all of it arrived."""
    loading: float
    """At the beginning of each one after that."""
    bytes: int

    @property
    def seconds(self) -> float:
        """All of them."""
        return self.entering + self.settling + self.loading


def measure(plan: Plan) -> Section:
    """Time the store with the ids of many rows, and the tap that reads as many."""
    rows, rounds = plan.size(quick=100_000, full=1_000_000), plan.size(quick=3, full=5)
    reading = _reading_seconds(plan, rows)
    kept = {
        name: [_kept(plan.folder / f"ids-{name}-{number}.db", ids) for number in range(rounds)]
        for name, ids in _ids(rows).items()
    }
    shares = {
        name: Sample(tuple(one.seconds / reading for one in runs)) for name, runs in kept.items()
    }
    return Section(
        TITLE,
        tables=(_table(kept, shares, rows=rows, reading=reading),),
        gates=(
            Gate(
                "time to keep delivered ids: share of reading the rows",
                max(share.median for share in shares.values()),
                LIMIT,
            ),
        ),
        remarks=(
            (
                f"A run that reads all rows enters the ids of each page of {PAGE:,}, in a "
                "transaction of its own. The next run settles these entries, the one after that "
                "finds them settled. The file is the store with both. The tap reads from loopback "
                "without a limit; at Cirqll's 60 requests a minute it would take "
                f"{rows // PAGE / 60:,.0f} minutes."
            ),
        ),
    )


def _ids(rows: int) -> Mapping[str, Sequence[int]]:
    scattered = random.Random(1).sample(range(1, GAPS * rows + 1), rows)  # noqa: S311 - repeatable
    return {"without gaps": range(1, rows + 1), "scattered": sorted(scattered)}


def _reading_seconds(plan: Plan, rows: int) -> float:
    folder = plan.folder / "delivered-ids"
    folder.mkdir()
    with loopback(rows=rows, page_maximum=PAGE) as server:
        command = OURS.command(Job(server.root, folder, page_size=PAGE))
        return run(command, timeout_seconds=RUN_SECONDS).wall_seconds


def _kept(path: Path, ids: Sequence[int]) -> _Kept:
    """Keep them as three runs do. Raises ``RunFailedError`` where they are not there then."""
    with closing(Store(f"sqlite:///{path}")) as store:
        moments = list(_moments(DeliveredIds(store, account=ACCOUNT), ids))
    entered, settled, loaded = (later - earlier for earlier, later in pairwise(moments))
    return _Kept(entered, settled, loaded, path.stat().st_size)


def _moments(rolls: DeliveredIds, ids: Sequence[int]) -> Iterator[float]:
    """Go through the runs, and tell the time before and after each part of them."""
    name, last = rolls.begin("customers", Roll()), 0
    yield time.perf_counter()
    for begin in range(0, len(ids), PAGE):
        last = rolls.enter(name, added=BitMap64(ids[begin : begin + PAGE]))
    yield time.perf_counter()
    rolls.roll(name, until=last)
    yield time.perf_counter()
    roll = rolls.roll(name, until=last)
    yield time.perf_counter()
    if roll is None or len(roll.ids) != len(ids):
        msg = "The store did not keep the ids, so its time means nothing."
        raise RunFailedError(msg)


def _table(
    kept: Mapping[str, list[_Kept]], shares: Mapping[str, Sample], *, rows: int, reading: float
) -> Table:
    header = ("ids", "enter s", "settle s", "load s", "share of reading", "file in MB")
    lines = [
        (
            f"{rows:,} {name}",
            Sample(tuple(one.entering for one in runs)).text(3),
            Sample(tuple(one.settling for one in runs)).text(4),
            Sample(tuple(one.loading for one in runs)).text(4),
            f"{shares[name].median:.2%}",
            megabytes(runs[-1].bytes),
        )
        for name, runs in kept.items()
    ]
    return Table(header, (*lines, ("reading the rows", f"{reading:.1f}", "", "", "", "")))
