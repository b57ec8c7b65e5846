"""The history of runs, kept in the store: what each of them did with its streams.

A run is written down when it begins, and once more when it ends. One whose process was killed
never says how it ended, so it stays ``running``; it cannot be told from one that goes on.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sql

from cirqll_client.store import RUNS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.engine import Connection

    from cirqll_client.store import Store

KEPT_DAYS = 90
MOST_RUNS = 1_000
"""So many are kept of an account: three weeks of a run every half hour."""
_SECONDS_OF_DAY = 86_400

Outcome = Literal["running", "done", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class StreamRun:
    """What a run did with one stream; no content of a record is in it."""

    name: str
    stage: str
    """``done``, ``failed``, ``skipped``, ``reading`` (to its end it did not come), ``waiting``."""
    rows: int
    requests: int
    seconds_waited: float
    warnings: tuple[str, ...]
    deleted: int = 0
    """Rows that were told to be deleted."""
    certificate: Mapping[str, Any] | None = None
    """As JSON: ``verdict`` (``complete``, ``incomplete``, ``unknown``), ``sentence``, numbers."""

    @property
    def verdict(self) -> str | None:
        """Tell in a word whether nothing is missing; ``None`` where nobody looked."""
        return self.certificate["verdict"] if self.certificate else None

    @property
    def sentence(self) -> str:
        """Tell what the verdict stands on."""
        return self.certificate["sentence"] if self.certificate else ""


@dataclass(frozen=True, slots=True)
class Run:
    """What is known of a run."""

    id: str
    program: str
    version: str
    started_at: datetime
    """In UTC, by the clock of the store, as all times."""
    ended_at: datetime | None
    outcome: Outcome
    error: str | None
    """The sentence that ended it."""
    streams: tuple[StreamRun, ...]
    requests: int
    """All of them, also those that were sent for no stream."""
    seconds_waited: float

    @property
    def rows(self) -> int:
        """Count the rows of all streams."""
        return sum(one.rows for one in self.streams)

    @property
    def is_complete(self) -> bool:
        """Tell whether it ended well, and no certificate says anything but ``complete``."""
        verdicts = {one.verdict for one in self.streams}
        return self.outcome == "done" and verdicts <= {"complete", None}


class RunHistory:
    """The runs of one account. Threads and processes may share it."""

    def __init__(
        self,
        store: Store,
        *,
        account: str,
        new_id: Callable[[], str] = lambda: secrets.token_hex(4),
    ) -> None:
        """Keep them in this store."""
        self._store = store
        self._account = account
        self._new_id = new_id

    def begin(self, *, program: str) -> str:
        """Note that a run begins, and throw away what is too old; give its id.

        Raises ``Unavailable``.
        """
        with self._store.transaction() as connection:
            now = self._store.time_in(connection)
            row = {
                "account": self._account,
                "id": self._new_id(),
                "program": program,
                "version": version("tap-cirqll"),
                "started_at": now,
                "outcome": "running",
                "streams": [],
                "requests": 0,
                "seconds_waited": 0.0,
            }
            connection.execute(sql.insert(RUNS).values(row))
            self._clear(connection, before=now - KEPT_DAYS * _SECONDS_OF_DAY)
        return str(row["id"])

    def end(  # noqa: PLR0913 - what is told of a run at its end
        self,
        run_id: str,
        *,
        outcome: Outcome,
        streams: Sequence[StreamRun],
        requests: int,
        seconds_waited: float,
        error: str | None = None,
    ) -> None:
        """Note how a run ended; one that was thrown away meanwhile stays so.

        Raises ``Unavailable``.
        """
        with self._store.transaction() as connection:
            values = {
                "ended_at": self._store.time_in(connection),
                "outcome": outcome,
                "error": error,
                "streams": [_as_json(one) for one in streams],
                "requests": requests,
                "seconds_waited": seconds_waited,
            }
            this = sql.update(RUNS).where(self._of_account, RUNS.c.id == run_id)
            connection.execute(this.values(values))

    def last(self, *, most: int) -> list[Run]:
        """Give so many runs, the newest first. Raises ``Unavailable``."""
        return self._found(sql.select(RUNS).limit(most))

    def beginning_with(self, start: str) -> list[Run]:
        """Give the runs whose ids begin so, the newest first. Raises ``Unavailable``."""
        if not start:
            return []
        return self._found(sql.select(RUNS).where(RUNS.c.id.startswith(start, autoescape=True)))

    def run(self, run_id: str) -> Run | None:
        """Give the only run whose id is this, or begins so. Raises ``Unavailable``."""
        found = self.beginning_with(run_id)
        return found[0] if len(found) == 1 else None

    @property
    def _of_account(self) -> sql.ColumnElement[bool]:
        return RUNS.c.account == self._account

    def _found(self, question: sql.Select[Any]) -> list[Run]:
        newest_first = (RUNS.c.started_at.desc(), RUNS.c.id)
        with self._store.transaction() as connection:
            rows = connection.execute(question.where(self._of_account).order_by(*newest_first))
            return [_run(row) for row in rows]

    def _clear(self, connection: Connection, *, before: float) -> None:
        """Throw away the runs that began before this time, and those that are too many."""
        connection.execute(sql.delete(RUNS).where(self._of_account, RUNS.c.started_at < before))
        beyond = (
            sql.select(RUNS.c.id)
            .where(self._of_account)
            .order_by(RUNS.c.started_at.desc())
            .offset(MOST_RUNS)
        )
        ids = connection.execute(beyond).scalars().all()
        if ids:
            connection.execute(sql.delete(RUNS).where(self._of_account, RUNS.c.id.in_(ids)))


def _as_json(stream: StreamRun) -> dict[str, Any]:
    values = {one.name: getattr(stream, one.name) for one in fields(StreamRun)}
    certificate = stream.certificate
    return values | {"certificate": None if certificate is None else dict(certificate)}


def _run(row: sql.Row[Any]) -> Run:
    return Run(
        id=row.id,
        program=row.program,
        version=row.version,
        started_at=datetime.fromtimestamp(row.started_at, UTC),
        ended_at=None if row.ended_at is None else datetime.fromtimestamp(row.ended_at, UTC),
        outcome=row.outcome,
        error=row.error,
        streams=tuple(_stream(one) for one in row.streams),
        requests=row.requests,
        seconds_waited=row.seconds_waited,
    )


def _stream(kept: Mapping[str, Any]) -> StreamRun:
    """Read what is known of it here: a newer version that shares the store may tell more."""
    known = {one.name: kept[one.name] for one in fields(StreamRun) if one.name in kept}
    return StreamRun(**known | {"warnings": tuple(kept["warnings"])})
