"""The three readers that are compared, each as the command that runs it."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.process import MODULE, run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SETUP_SECONDS: Final = 60
UNLIMITED_REQUESTS_PER_MINUTE: Final = 100_000_000
STREAMS: Final = (
    "customers",
    "contacts",
    "tasks",
    "appointments",
    "chances",
    "assignments",
    "contracts",
    "notes",
)


@dataclass(frozen=True, slots=True)
class Job:
    """What a reader shall read, and from where; `settings` are those of our tap alone."""

    root: str
    folder: Path
    page_size: int = 100
    streams: tuple[str, ...] = ("customers",)
    state: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader and its name in the tables."""

    name: str
    command: Callable[[Job], list[str]]


def _plain_command(job: Job) -> list[str]:
    settings = {
        "api_url": job.root,
        "access_token": "benchmark",
        "page_size": job.page_size,
        "streams": job.streams,
    }
    path = _json_file(job.folder / "plain.json", settings)
    return [*MODULE, "benchmarks.plain_tap", "--config", path]


def _loop_command(job: Job) -> list[str]:
    return [*MODULE, "benchmarks.loop", job.root, str(job.page_size)]


def _our_command(job: Job) -> list[str]:
    settings = {
        "api_url": job.root,
        "access_token": "benchmark",
        "page_size": job.page_size,
        "requests_per_minute": UNLIMITED_REQUESTS_PER_MINUTE,
        "store_url": f"sqlite:///{job.folder / 'store.db'}",
        "undocumented_fields": "json",
        **job.settings,
    }
    command = [*MODULE, "tap_cirqll"]
    command += ["--config", _json_file(job.folder / "ours.json", settings)]
    command += ["--catalog", _json_file(job.folder / "catalog.json", catalog(job.streams))]
    return command + (["--state", str(job.state)] if job.state else [])


OURS: Final = Reader("tap-cirqll", _our_command)
PLAIN: Final = Reader("plain SDK tap", _plain_command)
LOOP: Final = Reader("requests + orjson loop", _loop_command)


def catalog(streams: tuple[str, ...]) -> dict[str, Any]:
    """Our tap's catalog with these streams selected; all of them if none is named."""
    entries = [
        {**entry, "metadata": [_metadata(item, selected=chosen) for item in entry["metadata"]]}
        for entry in _discovered()["streams"]
        for chosen in [not streams or entry["tap_stream_id"] in streams]
    ]
    return {"streams": entries}


def _metadata(item: dict[str, Any], *, selected: bool) -> dict[str, Any]:
    if item["breadcrumb"]:
        return item
    return {**item, "metadata": {**item["metadata"], "selected": selected}}


@cache
def _discovered() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "catalog.json")
        run([*MODULE, "tap_cirqll", "--discover"], timeout_seconds=SETUP_SECONDS, stdout=path)
        discovered: dict[str, Any] = json.loads(path.read_text())
    return discovered


def _json_file(path: Path, content: Mapping[str, Any]) -> str:
    path.write_text(json.dumps(content))
    return str(path)
