"""Runs of the target within a test: the real parts, whose waits take no time and may be killed."""

from __future__ import annotations

import random
import time
from contextlib import closing
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from cirqll_client.connection import connect
from cirqll_client.errors import CirqllError
from cirqll_client.ledger import Ledger
from cirqll_client.resources import resource_of_stream
from cirqll_client.settings import ConnectionSettings
from cirqll_client.store import Store
from target_cirqll.batch import Batches, Done, Refused
from target_cirqll.creating import Creating
from target_cirqll.deletions import DeletionGuard
from target_cirqll.lookups import Lookups
from target_cirqll.newest import Newest
from target_cirqll.permissions import Permissions
from target_cirqll.policy import Policy
from target_cirqll.row_reader import RowReader
from target_cirqll.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cirqll_client.connection import Connection
    from cirqll_client.ledger import Entry
    from target_cirqll.rows import Row
    from tests.reading_fixtures import Source

SourceRow = dict[str, Any]

KILL_POINTS = (
    "before the entry",
    "between the entry and the sending",
    "between the answer and the settling",
    "after the settling",
)


class Killed(BaseException):
    """The process ends here: nothing that handles errors takes it for one."""


class SkippingTime:
    """The time of day, but waits are skipped: they only move it."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def now(self) -> float:
        return time.time() + self.skipped

    def sleep(self, seconds: float) -> None:
        self.skipped += seconds


class MortalLedger(Ledger):
    """A ledger whose user may be killed at certain points, and once dead does nothing more."""

    kill: Callable[[str], None] = staticmethod(lambda _point: None)

    def begin(self, *given: Any, **named: Any) -> Entry | None:
        self.kill("before the entry")
        entry = super().begin(*given, **named)
        self.kill("between the entry and the sending")
        return entry

    def remember(self, resource: Any, records: Mapping[str, int]) -> None:
        if records:
            self.kill("between the answer and the settling")
        super().remember(resource, records)
        if records:
            self.kill("after the settling")


@dataclass
class Death:
    """Kills at the so-many-th time that any of these points is passed, and ever after."""

    passes: int
    points: tuple[str, ...] = KILL_POINTS
    _turn: Lock = field(default_factory=Lock)

    def __call__(self, point: str) -> None:
        with self._turn:
            self.passes -= point in self.points
            if self.passes <= 0:
                raise Killed


@dataclass(frozen=True)
class Ended:
    """What came of a run: by the position of each row."""

    deeds: dict[int, str] = field(default_factory=dict)
    rejects: dict[int, str] = field(default_factory=dict)
    """The kinds."""
    reasons: list[str] = field(default_factory=list)
    killed: bool = False
    error: CirqllError | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the run went to its end."""
        return not self.killed and self.error is None


@dataclass
class Writing:
    """Rows of one stream that are written to a sandbox, run after run, with one store."""

    source: Source
    store_url: str
    stream: str = "customers"
    keys: tuple[str, ...] = ("no",)
    policy: Policy = field(default_factory=Policy)
    request_timeout: float = 20
    """Nothing takes so long; what is waited for costs no time."""
    batch_size: int = 1000
    is_waiting: bool = False
    """Waits take the time that they take."""
    pause: Callable[[float], object] = time.sleep
    """The waits between the tries of a request."""
    time: SkippingTime = field(default_factory=SkippingTime)
    access_token: str = ""

    def run(self, rows: list[SourceRow], *, kill: Callable[[str], None] | None = None) -> Ended:
        """Write them, as one process does."""
        ended = Ended()
        try:
            with closing(self._connection()) as connection:
                read = list(self._read(connection, rows))
                for begin in range(0, len(read), self.batch_size):
                    batch = read[begin : begin + self.batch_size]
                    self._write(connection, batch, ended, kill)
        except Killed:
            return Ended(ended.deeds, ended.rejects, ended.reasons, killed=True)
        except CirqllError as error:
            return Ended(ended.deeds, ended.rejects, ended.reasons, error=error)
        return ended

    def _connection(self) -> Connection:
        return connect(
            ConnectionSettings(
                api_url=self.source.url,
                access_token=self.access_token or self.source.sandbox.access_token,
                store_url=self.store_url,
                requests_per_minute=1_000_000,
                request_timeout=self.request_timeout,
                give_up_after=5,
            ),
            pause=self.pause,
        )

    def _read(self, connection: Connection, rows: list[SourceRow]) -> Iterator[Row]:
        resource = resource_of_stream(self.stream)
        assert resource
        reader = RowReader(
            resource,
            key_properties=self.keys,
            timestamps=connection.timestamps,
            write_custom_fields=False,
            keeps_record=False,
        )
        return (reader.read(row, position) for position, row in enumerate(rows, 1))

    def _write(
        self,
        connection: Connection,
        rows: list[Row],
        ended: Ended,
        kill: Callable[[str], None] | None,
    ) -> None:
        with closing(Store(self.store_url, clock=self.time.now)) as store:
            ledger = MortalLedger(store, account=connection.account)
            if kill:
                ledger.kill = kill
            for outcome in self._batches(connection, ledger).written(rows[0].resource, rows):
                if isinstance(outcome, Refused):
                    kinds = {row.position: outcome.reject.kind for row in outcome.rows}
                    ended.rejects.update(kinds)
                    ended.reasons.append(outcome.reject.reason)
                if isinstance(outcome, Done):
                    ended.deeds.update({row.position: outcome.deed for row in outcome.rows})

    def _batches(self, connection: Connection, ledger: Ledger) -> Batches:
        live = Lookups(connection.client, timestamps=connection.timestamps)
        creating = Creating(
            connection.client,
            ledger=ledger,
            newest=Newest(connection.client),
            longest_request_seconds=self.request_timeout,
            sleep=time.sleep if self.is_waiting else self.time.sleep,
        )
        permissions = Permissions(
            connection.store, account=connection.account, scopes=connection.scopes
        )
        return Batches(
            policy=self.policy,
            live=live,
            ledger=ledger,
            doing=Writer(
                connection.client, creating=creating, ledger=ledger, permissions=permissions
            ),
            guard=DeletionGuard(live, share=1),
            timestamps=connection.timestamps,
        )


def dice_of(seed: int) -> random.Random:
    """Chance that can be repeated."""
    return random.Random(seed)  # noqa: S311 - no secret
