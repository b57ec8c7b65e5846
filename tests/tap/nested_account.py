"""Somebody who reads what lies within records again and again, and has deletions told."""

from __future__ import annotations

import io
import json
import logging
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from cirqll_client.errors import CirqllError
from tap_cirqll.catalogs import everything
from tap_cirqll.tap import TapCirqll
from tests.tap.catalog_edits import choose
from tests.tap.taps_in_process import signals_as_before, synced

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reading_fixtures import Source

Message = dict[str, Any]
Key = tuple[Any, ...]
MARK = "_sdc_deleted_at"


@dataclass
class Tables:
    """What target-postgres makes of messages: all columns of the schema in force are written."""

    rows: dict[str, dict[Key, Message]] = field(default_factory=dict)

    def load(self, messages: list[Message]) -> None:
        """Take the messages of one run, or those of its beginning that came."""
        schemas: dict[str, Message] = {}
        told: dict[bool, set[Any]] = {True: set(), False: set()}
        for message in messages:
            if message["type"] == "SCHEMA":
                schemas[message["stream"]] = message
            elif message["type"] == "RECORD":
                name, row = message["stream"], message["record"]
                schema = schemas[name]
                key = tuple(row[one] for one in schema["key_properties"])
                columns = schema["schema"]["properties"]
                assert row.keys() <= columns.keys()
                told[MARK in row].add((name, key))
                rows = self.rows.setdefault(name, {})
                rows.setdefault(key, {}).update({one: row.get(one) for one in columns})
        # The loader may write what it was told of one row in one run in any order.
        assert told[True].isdisjoint(told[False])

    def living(self, stream: str) -> dict[Key, Message]:
        """The rows that are not marked."""
        return {key: row for key, row in self.rows.get(stream, {}).items() if not row.get(MARK)}

    def marked(self, stream: str) -> set[Key]:
        """The keys of the others."""
        return self.rows.get(stream, {}).keys() - self.living(stream).keys()


@dataclass(frozen=True)
class NestedRun:
    """What came of one run."""

    messages: list[Message]
    error: Exception | None
    log: list[logging.LogRecord]
    paths: list[str]

    def deleted(self, stream: str) -> list[Key]:
        """The keys that were told to be deleted, sorted."""
        rows = [one["record"] for one in self.messages if one.get("stream") == stream
                and one["type"] == "RECORD"]  # fmt: skip
        return sorted(tuple(v for k, v in row.items() if k != MARK) for row in rows if MARK in row)

    def said(self, level: int = logging.WARNING) -> list[str]:
        """The sentences of a level."""
        return [one.getMessage() for one in self.log if one.levelno == level]


@dataclass
class NestedAccount:
    """An account in a sandbox, some of its tables in a warehouse, and the state between runs."""

    source: Source
    folder: Path
    streams: tuple[str, ...]
    settings: Message = field(default_factory=dict)
    state: Message = field(default_factory=dict)
    tables: Tables = field(default_factory=Tables)

    def add(self, table: str, **values: Any) -> int:
        """Add a row of the account, and let a minute pass."""
        made: int = self.source.sandbox.rows(table).insert(**values)["id"]
        self.pass_time()
        return made

    def add_all(self, table: str, number: int, **values: Any) -> list[int]:
        """Add several alike."""
        return [self.add(table, name=f"{table} {n}", **values) for n in range(number)]

    def remove(self, table: str, *ids: int) -> None:
        """Take rows away that lie within records, or records."""
        for one in ids:
            self.source.sandbox.rows(table).delete(one)
        self.pass_time()

    def pass_time(self) -> None:
        """Let a minute pass."""
        clock = self.source.sandbox.clock
        clock.set(clock.now() + timedelta(minutes=1), running=False)

    def run(
        self, *, loaded: int | None = None, acknowledged: int | None = None, **settings: Any
    ) -> NestedRun:
        """Read and load. A loader may take the first messages only, and keep an earlier state."""
        self.source.sandbox.forget_requests()
        out = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
        with redirect_stdout(out), signals_as_before():
            tap = TapCirqll(
                config=self._config(settings),
                catalog=_catalog(self.streams),
                state=json.loads(json.dumps(self.state)),
            )
            log, error = synced(tap, CirqllError)
        messages = [json.loads(line) for line in out.buffer.getvalue().splitlines()]
        self._load(messages[:loaded], messages[:loaded][:acknowledged])
        paths = [one.path for one in self.source.sandbox.requests]
        return NestedRun(messages, error, log, paths)

    def _load(self, loaded: list[Message], acknowledged: list[Message]) -> None:
        self.tables.load(loaded)
        states = [one["value"] for one in acknowledged if one["type"] == "STATE"]
        self.state = json.loads(json.dumps(states[-1] if states else self.state))

    def _config(self, settings: Message) -> Message:
        return {
            "api_url": self.source.url,
            "access_token": self.source.sandbox.access_token,
            "requests_per_minute": 1_000_000,
            "store_url": f"sqlite:///{self.folder / 'store.sqlite'}",
            "lookback": 0,
            "detect_deletions": True,
            "give_up_after": 0,
            "custom_fields": "array",
            **self.settings,
            **settings,
        }


@cache
def _everything() -> str:
    return json.dumps(everything())


def _catalog(streams: tuple[str, ...]) -> Message:
    """Select these; the catalog was made without detection, as an old one is."""
    return choose(json.loads(_everything()), *streams)
