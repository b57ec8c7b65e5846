"""How many requests writing back takes, next to a sink that sends every row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from benchmarks.crm import Counts, Crm, crm
from benchmarks.process import RunFailedError, run
from benchmarks.report import Gate, Section, Table
from benchmarks.warehouse import SOURCE_KEY, STREAM, write_rows
from benchmarks.writers import OURS, PLAIN, WriteJob

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.plan import Plan

TITLE: Final = "Writing back: requests"
ROWS: Final = 10_000
PLAIN_ROWS: Final = 500
PAGE: Final = 1000
CHANGED_EVERY: Final = 100
REQUESTS_A_MINUTE: Final = 60
RUN_SECONDS: Final = 240
READS_BEFORE_CREATES: Final = 5
"""Once a run: the newest id, the proof that nothing is there yet, and three to make sure that the
filter finds what it is asked for, since no look-up found anything."""
BY_IMPORT_ID: Final = {"match_on": {STREAM: ["import_id"]}}
HEADER: Final = (
    "rows",
    "reads",
    "writes",
    "who am I",
    f"at {REQUESTS_A_MINUTE} a minute",
    "plain SDK sink",
    f"at {REQUESTS_A_MINUTE} a minute",
)


@dataclass(frozen=True, slots=True)
class _Case:
    """Rows that are written to what the cases before it in its series left."""

    name: str
    key: str
    is_new: bool = False
    changed_every: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)


IN_CIRQLL: Final = (
    _Case("unchanged, by id", "id"),
    _Case("unchanged, by match_on", "import_id", settings=BY_IMPORT_ID),
    _Case("1 % changed, by id", "id", changed_every=CHANGED_EVERY),
)
WITH_SOURCE_KEYS: Final = (
    _Case("new, by a key of the source", SOURCE_KEY, is_new=True),
    _Case("unchanged, by a key of the source", SOURCE_KEY),
)
WITH_MATCH_KEYS: Final = (
    _Case("new, by match_on", "import_id", is_new=True, settings=BY_IMPORT_ID),
)


@dataclass(frozen=True, slots=True)
class _Written:
    """A case, and the requests that it took."""

    case: _Case
    rows: int
    requests: Counts

    @property
    def reads_beyond(self) -> int:
        """Reads beyond a page for each thousand rows that are looked up."""
        is_asked = not self.case.is_new or self.case.settings
        return self.requests.reads - (-(-self.rows // PAGE) if is_asked else 0)

    @property
    def writes_beyond(self) -> int:
        """Writes beyond one for each row that is new or has changed; fewer would be wrong too."""
        changed = self.rows // self.case.changed_every if self.case.changed_every else 0
        return abs(self.requests.writes - (self.rows if self.case.is_new else changed))


def measure(plan: Plan) -> Section:
    """Count the requests for rows that are there, that changed and that are new."""
    new = plan.size(quick=1000, full=ROWS)
    written = [
        *_series(plan, IN_CIRQLL, rows=ROWS, there=ROWS),
        *_series(plan, WITH_SOURCE_KEYS, rows=new, there=0),
        *_series(plan, WITH_MATCH_KEYS, rows=new, there=0),
    ]
    _check_plain(plan)
    return Section(
        TITLE,
        tables=(Table(HEADER, tuple(map(_cells, written))),),
        gates=_gates(written),
        remarks=(
            (
                f"Customers; a page has {PAGE:,}. The time is computed from all requests. A token "
                "from the settings is asked once for its owner, whose ledger it is. The plain "
                f"sink sends each row (counted over {PLAIN_ROWS}); a row without an id it can "
                "only POST, which doubles what is there already."
            ),
        ),
    )


def _series(plan: Plan, cases: tuple[_Case, ...], *, rows: int, there: int) -> list[_Written]:
    folder = plan.folder / f"write-requests-{cases[0].key}-{there}"
    folder.mkdir()
    with crm(rows=there) as server:
        return [_Written(case, rows, _counted(server, folder, case, rows=rows)) for case in cases]


def _counted(server: Crm, folder: Path, case: _Case, *, rows: int) -> Counts:
    path = write_rows(
        folder / "rows.jsonl", count=rows, key=case.key, changed_every=case.changed_every
    )
    job = WriteJob(server.url, server.token, folder, case.settings)
    run(OURS.command(job), stdin=path, timeout_seconds=RUN_SECONDS)
    return server.take_counts()


def _check_plain(plan: Plan) -> None:
    """Make sure that the plain sink sends what the table says."""
    folder = plan.folder / "write-requests-plain"
    folder.mkdir()
    with crm(rows=PLAIN_ROWS) as server:
        for key in ("id", "import_id"):
            path = write_rows(folder / "rows.jsonl", count=PLAIN_ROWS, key=key)
            job = WriteJob(server.url, server.token, folder)
            run(PLAIN.command(job), stdin=path, timeout_seconds=RUN_SECONDS)
            sent = server.take_counts()
            if sent.writes != PLAIN_ROWS or sent.total != PLAIN_ROWS:
                msg = f"The plain sink sent {sent.total} requests for {PLAIN_ROWS} rows."
                raise RunFailedError(msg)


def _cells(written: _Written) -> tuple[str, ...]:
    requests, rows = written.requests, written.rows
    return (
        f"{rows:,} {written.case.name}",
        f"{requests.reads:,}",
        f"{requests.writes:,}",
        str(requests.identities),
        _time(requests.total),
        f"{rows:,}",
        _time(rows),
    )


def _time(requests: int) -> str:
    seconds = requests * 60 // REQUESTS_A_MINUTE
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{seconds // 60} min {seconds % 60:02} s"


def _gates(written: list[_Written]) -> tuple[Gate, ...]:
    there = [one for one in written if not one.case.is_new]
    new = [one for one in written if one.case.is_new]
    return (
        _gate("reads beyond a page for 1,000 rows that are there", _most_reads(there), 0),
        _gate("reads beyond that of a run that creates", _most_reads(new), READS_BEFORE_CREATES),
        _gate("writes beyond one a changed row", max(one.writes_beyond for one in there), 0),
        _gate("writes beyond one a new row", max(one.writes_beyond for one in new), 0),
        _gate("questions for the token's owner", max(one.requests.identities for one in written)),
    )


def _most_reads(written: list[_Written]) -> int:
    return max(one.reads_beyond for one in written)


def _gate(promise: str, figure: int, limit: int = 1) -> Gate:
    return Gate(promise, figure, limit, repeatable=True)
