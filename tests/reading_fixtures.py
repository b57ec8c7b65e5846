"""A sandbox to read from, and readings of it over HTTP with everything they did."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from cirqll_client.connection import connect
from cirqll_client.reading import Beginning, Reading
from cirqll_client.resources import resource_of_stream
from cirqll_client.settings import ConnectionSettings
from cirqll_sandbox import Behaviour, Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cirqll_client.connection import Connection
    from cirqll_client.reading import Batch

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Outcome:
    """What came of a reading."""

    batches: list[Batch]
    warnings: list[str]
    queries: list[dict[str, str]]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """All rows, as they came."""
        return [row for batch in self.batches for row in batch.rows]

    @property
    def ids(self) -> list[int]:
        """The ids of all rows, as they came."""
        return [row["id"] for row in self.rows]

    @property
    def bookmark(self) -> datetime | None:
        """The last bookmark."""
        return self.batches[-1].bookmark if self.batches else None

    @property
    def beginning(self) -> Beginning:
        """Where the next reading begins."""
        last = self.batches[-1]
        return Beginning(bookmark=last.bookmark, stand=last.stand)


@dataclass
class Source:
    """A running sandbox, and connections to it."""

    sandbox: Sandbox
    url: str
    connections: dict[tuple[Any, ...], Connection] = field(default_factory=dict)

    @property
    def customers(self) -> Any:
        """The table that most tests read."""
        return self.sandbox.rows("customer")

    def begin(self, *, at: datetime = NOON, **behaviour: Any) -> None:
        """Start anew, without rows, with a clock that stands still."""
        self.sandbox.reset()
        self.sandbox.clock.set(at, running=False)
        self.behave(**behaviour)

    def behave(self, **behaviour: Any) -> None:
        """Change how the sandbox behaves."""
        self.sandbox.behaviour = replace(self.sandbox.behaviour, **behaviour)

    def fill(self, number: int, *, seconds_apart: float = 1) -> list[int]:
        """Add rows, the last of which changed just now."""
        now = self.sandbox.clock.now()
        ids: list[int] = []
        for age in reversed(range(number)):
            self.sandbox.clock.set(now - timedelta(seconds=age * seconds_apart))
            ids.append(self.customers.insert(name=f"Klant {number - age}")["id"])
        return ids

    def read(
        self,
        beginning: Beginning | None = None,
        *,
        stream: str = "customers",
        pages: int | None = None,
        is_incremental: bool = True,
        fields: Sequence[str] = (),
        **settings: Any,
    ) -> Outcome:
        """Read with a client that knows nothing yet; cut off after so many pages."""
        resource = resource_of_stream(stream)
        assert resource
        warnings: list[str] = []
        self.sandbox.forget_requests()
        connection = self.connection(**settings)
        reading = Reading(
            connection.client,
            resource,
            timestamps=connection.timestamps,
            beginning=beginning or Beginning(),
            is_incremental=is_incremental,
            fields=tuple(fields),
            warn=warnings.append,
            clock=self.sandbox.clock.now,
        )
        read = list(islice(reading.batches(), pages))
        return Outcome(read, warnings, self.queries)

    def connection(self, **settings: Any) -> Connection:
        """Connect with these settings; what an answer proved is forgotten, as in a new process."""
        key = tuple(sorted(settings.items()))
        if key not in self.connections:
            chosen = ConnectionSettings(
                api_url=self.url,
                access_token=self.sandbox.access_token,
                store_url="sqlite://",
                requests_per_minute=1_000_000,
                **settings,
            )
            self.connections[key] = connect(chosen)
        self.connections[key].client.is_total_proven = False
        return self.connections[key]

    def close(self) -> None:
        """Close all connections."""
        for connection in self.connections.values():
            connection.close()

    @property
    def queries(self) -> list[dict[str, str]]:
        """What was asked since the requests were last forgotten."""
        return [
            {name: values[-1] for name, values in request.query.items()}
            for request in self.sandbox.requests
        ]


def new_sandbox() -> Sandbox:
    """Make a sandbox without rows and without a rate limit."""
    return Sandbox(size=0, behaviour=Behaviour(rate_limit=0))
