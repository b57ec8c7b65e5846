"""Somebody who reads a stream of an account again and again, and has deletions told."""

from __future__ import annotations

import io
import json
import logging
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from cirqll_client.errors import CirqllError
from tap_cirqll.catalogs import everything
from tap_cirqll.tap import TapCirqll
from tests.tap.catalog_edits import choose
from tests.tap.loaded_table import LoadedTable
from tests.tap.taps_in_process import signals_as_before, synced

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.reading_fixtures import Source

Message = dict[str, Any]


@dataclass(frozen=True)
class Watched:
    """What came of one run."""

    messages: list[Message]
    error: Exception | None
    log: list[logging.LogRecord]
    requests: list[Any]

    @property
    def records(self) -> list[Message]:
        """The records, in their order."""
        return [one["record"] for one in self.messages if one["type"] == "RECORD"]

    @property
    def deleted(self) -> list[int]:
        """The ids of rows that were told to be deleted, in their order."""
        return [one["id"] for one in self.records if "_sdc_deleted_at" in one]

    @property
    def living(self) -> list[int]:
        """The ids of the other rows."""
        return [one["id"] for one in self.records if "_sdc_deleted_at" not in one]

    def said(self, level: int = logging.WARNING) -> list[str]:
        """The sentences of a level."""
        return [one.getMessage() for one in self.log if one.levelno == level]

    @property
    def certificate(self) -> Message:
        """What is certain of the one stream, by the summary."""
        (found,) = self.certificates.values()
        return found

    @property
    def certificates(self) -> dict[str, Message]:
        """What is certain of each stream, by the summary."""
        told = [getattr(one, "summary", {}) for one in self.log]
        return {one["stream"]: one["certificate"] for one in told if one.get("certificate")}

    @property
    def lists(self) -> list[Any]:
        """The requests that list rows."""
        return [one for one in self.requests if not one.path.rpartition("/")[2].isdigit()]

    @property
    def looks(self) -> list[int]:
        """The ids of rows that were asked for one by one."""
        paths = [one.path.rpartition("/") for one in self.requests]
        return [int(last) for _, _, last in paths if last.isdigit()]


class BrokenOutput(io.BytesIO):
    """An output whose reader goes away after so many writes."""

    def __init__(self, writes: int | None) -> None:
        """Take so many; ``None``: all."""
        super().__init__()
        self._left = writes

    def write(self, data: Any) -> int:
        """Take what is written, or fail."""
        if self._left is not None:
            if not self._left:
                raise BrokenPipeError
            self._left -= 1
        return super().write(data)


@dataclass
class WatchedAccount:
    """An account in a sandbox, a table of one stream, and the state between runs."""

    source: Source
    folder: Path
    settings: Message = field(default_factory=dict)
    state: Message = field(default_factory=dict)
    table: LoadedTable = field(default_factory=lambda: LoadedTable("notes"))
    resource: str = "note"
    column: str = "description"
    """One that is compared."""

    @property
    def rows(self) -> Any:
        """The rows of the account."""
        return self.source.sandbox.rows(self.resource)

    @property
    def store(self) -> Path:
        """Where the store lies."""
        return self.folder / "store.sqlite"

    @property
    def stream(self) -> str:
        """The stream that is read."""
        return f"{self.resource}s"

    def fill(self, number: int) -> list[int]:
        """Add so many rows, each a minute after the one before: runs read the last one again."""
        ids = []
        for n in range(number):
            ids.append(self.rows.insert(**{self.column: f"Number {n}"})["id"])
            self.pass_time()
        return ids

    def delete(self, *ids: int) -> None:
        """Delete rows, and let a minute pass."""
        self.source.sandbox.delete(self.resource, *ids)
        self.pass_time()

    def restore(self, *ids: int, touches: bool = False) -> None:
        """Put rows back, as if nothing had been if they are not touched."""
        self.source.sandbox.restore(self.resource, *ids, touches=touches)
        self.pass_time()

    def edit(self, *ids: int) -> None:
        """Change rows, and let a minute pass."""
        for one in ids:
            self.rows.update(one, **{self.column: "Changed"})
        self.pass_time()

    def pass_time(self) -> None:
        """Let a minute pass."""
        clock = self.source.sandbox.clock
        clock.set(clock.now() + timedelta(minutes=1), running=False)

    def run(
        self,
        *,
        loaded: int | None = None,
        acknowledged: int | None = None,
        is_atomic: bool = False,
        writes: int | None = None,
        catalog: Message | None = None,
        **settings: Any,
    ) -> Watched:
        """Read and load. A loader may take the first messages only, and keep an earlier state.

        One that is atomic takes no more than its state says.
        """
        run = self.read(writes=writes, catalog=catalog, **settings)
        messages = run.messages[:loaded]
        while is_atomic and messages and messages[-1]["type"] != "STATE":
            messages.pop()
        self.table.load(messages)
        states = [m["value"] for m in messages[:acknowledged] if m["type"] == "STATE"]
        self.state = states[-1] if states else self.state
        return run

    def read(
        self, *, writes: int | None = None, catalog: Message | None = None, **settings: Any
    ) -> Watched:
        """Read; nobody loads anything."""
        self.source.sandbox.forget_requests()
        raw = BrokenOutput(writes)
        out = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
        with redirect_stdout(out), signals_as_before():
            tap = TapCirqll(
                config=self._config(settings), catalog=_copy(catalog or one_stream(self.stream)),
                state=_copy(self.state),
            )  # fmt: skip
            log, error = synced(tap, CirqllError, BrokenPipeError)
        lines = raw.getvalue().splitlines()
        messages = [json.loads(line, parse_float=Decimal) for line in lines]
        return Watched(messages, error, log, list(self.source.sandbox.requests))

    def start(self, environment: Mapping[str, str], **settings: Any) -> subprocess.Popen[bytes]:
        """Start the tap as a program, and do not wait for it."""
        self.source.sandbox.forget_requests()
        files = {
            "config": self._config(settings),
            "catalog": one_stream(self.stream),
            "state": self.state,
        }
        command = [sys.executable, "-m", "tap_cirqll"]
        for name, content in files.items():
            path = self.folder / f"{name}.json"
            path.write_text(json.dumps(content), "utf-8")
            command += [f"--{name}", str(path)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=dict(environment), stdout=pipe, stderr=pipe)

    def load(self, output: bytes) -> list[Message]:
        """Load what a program wrote; a line without its end never came."""
        *lines, _ = output.split(b"\n")
        messages = [json.loads(line) for line in lines]
        self.table.load(messages)
        self.state = ([self.state] + [m["value"] for m in messages if m["type"] == "STATE"])[-1]
        return messages

    def assert_equal(self) -> None:
        """Compare the table with the account."""
        rows = {row["id"]: row for row in self.rows.all()}
        assert self.table.living.keys() == rows.keys()
        for key, row in rows.items():
            assert self.table.living[key][self.column] == row[self.column]
            assert self.table.living[key]["updated_at"] == _utc(row["updated_at"])

    def assert_nothing_false(self) -> None:
        """Check that no row that lives is marked."""
        assert self.table.marked.isdisjoint(self.rows.ids)

    def copied(self, folder: Path) -> WatchedAccount:
        """Give one that goes on from here, with all that is kept between runs."""
        folder.mkdir()
        if self.store.exists():
            shutil.copy(self.store, folder / self.store.name)
        rows = {key: dict(row) for key, row in self.table.rows.items()}
        table = LoadedTable(self.table.stream, rows)
        return replace(self, folder=folder, state=_copy(self.state), table=table)

    def _config(self, settings: Message) -> Message:
        config = {
            "api_url": self.source.url,
            "access_token": self.source.sandbox.access_token,
            "requests_per_minute": 1_000_000,
            "store_url": f"sqlite:///{self.store}",
            "lookback": 0,
            "detect_deletions": True,
            "give_up_after": 0,
            **self.settings,
            **settings,
        }
        return {name: value for name, value in config.items() if value is not None}


@cache
def _catalog_text() -> str:
    return json.dumps(everything())


def one_stream(stream: str) -> Message:
    """A catalog of one stream; made without detection, as an old one is."""
    return choose(json.loads(_catalog_text()), stream)


def _copy(message: Message) -> Message:
    copied: Message = json.loads(json.dumps(message))
    return copied


def _utc(text: str) -> str:
    return f"{text[:10]}T{text[11:]}Z"
