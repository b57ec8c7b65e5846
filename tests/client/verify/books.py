"""A warehouse beside an account, and streams of it verified over HTTP."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from cirqll_client.cli.verify.stream_check import Sides
from cirqll_client.cli.verify.verification import Meter, outcome_of
from cirqll_client.cli.verify.warehouse import Warehouse
from cirqll_client.connection import connect
from cirqll_client.resources import resource_of_stream
from cirqll_client.settings import ConnectionSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cirqll_client.cli.verify.outcome import StreamOutcome
    from tests.reading_fixtures import Source

COLUMNS = "id integer, updated_at text, _sdc_deleted_at text"


@dataclass(frozen=True)
class Books:
    """Tables in a file of SQLite, as a loader makes them."""

    crm: Source
    file: Path

    @property
    def url(self) -> str:
        """The address of the warehouse."""
        return f"sqlite:///{self.file}"

    def run(self, *statements: str) -> None:
        """Let somebody change the warehouse."""
        with closing(sqlite3.connect(self.file)) as database:
            for statement in statements:
                database.execute(statement)
            database.commit()

    def put(self, rows: Mapping[int, str | None], table: str = "customers") -> None:
        """Make a table of these rows: ids, and times in UTC."""
        self.run(f"drop table if exists {table}", f"create table {table} ({COLUMNS})")
        with closing(sqlite3.connect(self.file)) as database:
            insert = f"insert into {table} (id, updated_at) values (?, ?)"  # noqa: S608 - a table of the test
            database.executemany(insert, rows.items())
            database.commit()

    def load(self, resource: str = "customer", *, zone: str = "UTC") -> None:
        """Load all rows of the account, as they are now."""
        rows = self.crm.sandbox.rows(resource).all()
        times = {row["id"]: in_utc(row["updated_at"], zone) for row in rows}
        self.put(times, f"{resource}s")

    def verified(
        self,
        stream: str = "customers",
        *,
        every_row: bool = False,
        since: datetime | None = None,
        start: int = 0,
        **settings: Any,
    ) -> StreamOutcome:
        """Verify one stream; a search begins at this place."""
        resource = resource_of_stream(stream)
        assert resource
        meter = Meter()
        usual = {"api_url": self.crm.url, "access_token": self.crm.sandbox.access_token}
        chosen = ConnectionSettings(
            store_url="sqlite://", requests_per_minute=1_000_000, **{**usual, **settings}
        )
        self.crm.sandbox.forget_requests()
        with (
            closing(connect(chosen, on_sent=meter.sent)) as connection,
            closing(Warehouse(self.url, schema="cirqll")) as warehouse,
        ):
            sides = Sides(
                client=connection.client,
                timestamps=connection.timestamps,
                warehouse=warehouse,
                choose=lambda number: min(start, number - 1),
                since=since,
                reads_every_row=every_row,
            )
            table = warehouse.tables({stream: resource.bookmark_field})[stream]
            return outcome_of(resource, table, sides=sides, meter=meter)

    @property
    def requests(self) -> int:
        """How many requests the last verification took."""
        return len(self.crm.sandbox.requests)


def in_utc(text: str | None, zone: str = "UTC") -> str | None:
    """Write a time of the API as a loader does."""
    if text is None or text.startswith("0000"):
        return None
    time = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return f"{time:%Y-%m-%d %H:%M:%S}.000000"


def differing(outcome: StreamOutcome) -> dict[str, list[int]]:
    """The ids that were reported, by kind."""
    assert outcome.failure is None, outcome.failure
    return {kind: list(rows.ids) for kind, rows in outcome.differences.items() if rows.number}


def at(second: int) -> str:
    """A time, as the API writes it."""
    return f"{datetime(2026, 5, 1) + timedelta(seconds=second):%F %T}"  # noqa: DTZ001 - as the API's
