"""A target that writes to the shared sandbox, in this process, and all that came of it."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, settings

from cirqll_client.connection import account_key, open_store
from cirqll_client.errors import CirqllError
from cirqll_client.ledger import Ledger
from cirqll_client.resources import Resource, resource_of_stream
from cirqll_client.settings import ConnectionSettings
from target_cirqll.policy import Policy
from target_cirqll.run import Run
from target_cirqll.settings import Reporting
from tests.reading_fixtures import NOON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from cirqll_sandbox.request_log import RequestRecord
    from target_cirqll.rows import Row
    from tests.reading_fixtures import Source

Record = dict[str, Any]


def over_http(examples: int) -> settings:
    """Settings of a law each example of which talks to the sandbox.

    One that fails is told as it was drawn: making it smaller would take thousands of requests,
    minutes, and a gigabyte.
    """
    return settings(
        max_examples=examples,
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


def resource(stream: str) -> Resource:
    """The resource of a stream that is one."""
    found = resource_of_stream(stream)
    assert found
    return found


@dataclass(frozen=True)
class Rows:
    """Rows of one stream, as a tap sends them."""

    rows: Iterable[Record]
    stream: str = "customers"
    keys: tuple[str, ...] = ("no",)


@dataclass(frozen=True)
class Written:
    """What came of a run."""

    requests: list[RequestRecord]
    rejects: list[Record]
    states: list[Record]
    counts: dict[str, Record]
    """By stream: how many rows were created, updated and so on."""
    log: list[str]
    error: CirqllError | None = None

    @property
    def writes(self) -> list[tuple[str, str, Any]]:
        """Method, path and body of what was sent to change something."""
        return [
            (one.method, one.path.removeprefix("/api/"), json.loads(one.body or "null"))
            for one in self.requests
            if one.method != "GET"
        ]

    @property
    def reads(self) -> int:
        """How often records were asked for."""
        return sum(one.method == "GET" and "auth/me" not in one.path for one in self.requests)

    @property
    def sentence(self) -> str:
        """What the run ended with."""
        assert self.error
        return self.error.sentence

    def reasons(self) -> list[tuple[str, str]]:
        """The kind and the reason of each reject."""
        return [(one["kind"], one["reason"]) for one in self.rejects]


@dataclass
class Target:
    """Runs on one sandbox, with a ledger that they share."""

    source: Source
    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    """More connection settings, for all runs."""
    _numbers: count[int] = field(default_factory=count)
    _account: str = "first"

    def begin(self, *, at: datetime = NOON, **behaviour: Any) -> None:
        """Start anew: a sandbox without rows, a ledger without entries."""
        self.source.begin(at=at, **behaviour)
        self.forget()

    def forget(self) -> None:
        """Go on with a ledger without entries."""
        self._account = f"account {next(self._numbers)}"

    def rows(self, stream: str = "customers") -> list[Record]:
        """All records of a resource, as the sandbox has them."""
        found: list[Record] = self.source.sandbox.rows(resource(stream).name).all()
        return found

    def __call__(
        self,
        rows: Iterable[Record],
        *,
        stream: str = "customers",
        keys: tuple[str, ...] = ("no",),
        **options: Any,
    ) -> Written:
        """Write rows of one stream; the options are those of ``take``."""
        return self.take(Rows(rows, stream, keys), **options)

    def take(  # noqa: PLR0913 - the settings of a run
        self,
        *parts: Rows,
        may_fail: bool = False,
        batch: int = 1000,
        state_every: int = 0,
        max_rejects: int | None = None,
        dry_run_path: Path | None = None,
        settings: Mapping[str, Any] | None = None,
        during: Callable[[Run, int], None] = lambda _run, _number: None,
        **policy: Any,
    ) -> Written:
        """Run to the end. States say how many rows came before them: ``{"rows": 5}``.

        ``during`` is called before each row, with the number of rows so far.
        """
        self.source.sandbox.forget_requests()
        rejects = self.folder / f"rejects-{next(self._numbers)}.jsonl"
        states: list[Record] = []
        lines = _Lines()
        error = None
        feed = _Feed(batch, state_every)
        run = Run(
            self.connection(**{**self.settings, **(settings or {})}),
            Policy(**policy),
            Reporting(
                rejects_path=rejects,
                rejects_with_record=True,
                max_rejects=max_rejects,
                dry_run_path=dry_run_path,
            ),
            outlet=states.append,
            logger=lines.logger(),
            drain=feed.drain,
        )
        feed.run, feed.during = run, during
        try:
            feed.all(parts)
        except CirqllError as caught:
            if not may_fail:
                raise
            error = caught
        finally:
            run.close()
        refused = rejects.read_text().splitlines() if rejects.exists() else []
        assert run.has_rejects == bool(refused) or dry_run_path
        return Written(
            list(self.source.sandbox.requests),
            [json.loads(line) for line in refused],
            states,
            lines.counts,
            lines.texts,
            error,
        )

    def release(self, stream: str, record_id: int) -> None:
        """Forget which rows a record is, as `cirqll ledger release` does."""
        settings = self.connection()
        with closing(open_store(settings)) as store:
            ledger = Ledger(store, account=account_key(settings))
            claims = ledger.claims(resource(stream), [record_id])
            ledger.release(resource(stream), claims[record_id])

    def connection(self, **settings: Any) -> ConnectionSettings:
        """The settings of a connection to the sandbox."""
        chosen: dict[str, Any] = {
            "api_url": self.source.url,
            "access_token": self.source.sandbox.access_token,
            "store_url": f"sqlite:///{self.folder}/store.sqlite",
            "requests_per_minute": 1_000_000,
            "request_timeout": 5,
            "account": self._account,
            **settings,
        }
        return ConnectionSettings(**chosen)


class _Feed:
    """Collects rows by resource, as the program's sinks do, and writes full batches."""

    run: Run
    during: Callable[[Run, int], None]

    def __init__(self, batch: int, state_every: int) -> None:
        self._batch = batch
        self._state_every = state_every
        self._waiting: dict[str, list[Row]] = defaultdict(list)
        self._number = 0

    def all(self, parts: Iterable[Rows]) -> None:
        for part in parts:
            self._take(part)
            self._state()
        for name in list(self._waiting):
            self.drain(resource(name))
        self._state()
        self.run.finish()

    def _take(self, part: Rows) -> None:
        to = resource(part.stream)
        entrance = self.run.entrance(part.stream, to, key_properties=part.keys)
        for record in part.rows:
            self.during(self.run, self._number)
            self._number += 1
            row = entrance.read(record)
            if row is not None:
                self._waiting[to.name].append(row)
            if len(self._waiting[to.name]) >= self._batch:
                self.drain(to)
            if self._state_every and self._number % self._state_every == 0:
                self._state()

    def drain(self, to: Resource) -> None:
        """Write what waits for a resource."""
        rows = self._waiting.pop(to.name, [])
        if rows:
            self.run.write(to, rows)

    def _state(self) -> None:
        self.run.state({"rows": self._number})


class _Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.counts: dict[str, Record] = {}

    def logger(self) -> logging.Logger:
        logger = logging.Logger("a run")  # noqa: LOG001 - one that nobody else has
        logger.addHandler(self)
        return logger

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
        summary = getattr(record, "summary", {})
        if "stream" in summary:
            self.counts[summary["stream"]] = summary
