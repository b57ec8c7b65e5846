"""The readers write the same customers: without that their figures compare nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from benchmarks.loopback import loopback
from benchmarks.process import RunFailedError, run
from benchmarks.readers import LOOP, OURS, PLAIN, Job, Reader
from benchmarks.rows import Fields, undocumented_names

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.plan import Plan

ROWS: Final = 250
RUN_SECONDS: Final = 60
KEPT_APART: Final = "_undocumented"


def check_agreement(plan: Plan) -> None:
    """Run each reader over a few rows and compare what it wrote with what the plain tap wrote."""
    for fields in plan.kinds:
        _check(plan.folder, fields)


def _check(folder: Path, fields: Fields) -> None:
    with loopback(rows=ROWS, fields=fields) as server:
        job = Job(server.root, folder)
        expected = _customers(PLAIN, job)
        for reader in (LOOP, OURS):
            if _customers(reader, job) != expected:
                msg = (
                    f"{reader.name} and {PLAIN.name} wrote different customers ({fields} fields), "
                    "so their figures would compare nothing."
                )
                raise RunFailedError(msg)


def records(path: Path) -> list[dict[str, Any]]:
    """Give the records in a file of Singer messages."""
    messages = map(json.loads, path.read_text().splitlines())
    return [message["record"] for message in messages if message["type"] == "RECORD"]


def _customers(reader: Reader, job: Job) -> dict[int, dict[str, Any]]:
    path = job.folder / "messages.jsonl"
    run(reader.command(job), timeout_seconds=RUN_SECONDS, stdout=path)
    return {record["id"]: _as_served(record) for record in records(path)}


def _as_served(record: dict[str, Any]) -> dict[str, Any]:
    """Take away what our tap adds: the column of its own, the zone, null for absent."""
    apart = record.pop(KEPT_APART, None) or {}
    if apart and set(apart) != undocumented_names():
        msg = (
            f"The tap kept {sorted(apart)} apart, but the benchmark takes "
            f"{sorted(undocumented_names())} for undocumented: bring rows.py up to date."
        )
        raise RunFailedError(msg)
    return {
        name: value[:19].replace("T", " ") if name.endswith("_at") else value
        for name, value in (record | apart).items()
        if value is not None
    }
