"""The targets that are compared, each as the command that runs it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from benchmarks.process import MODULE
from benchmarks.readers import UNLIMITED_REQUESTS_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class WriteJob:
    """Where to write to; `settings` are those of our target alone. The folder keeps its store."""

    url: str
    token: str
    folder: Path
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Writer:
    """A target and its name in the tables."""

    name: str
    command: Callable[[WriteJob], list[str]]


def _plain_command(job: WriteJob) -> list[str]:
    settings = {"api_url": job.url, "access_token": job.token}
    return [*MODULE, "benchmarks.plain_target", "--config", _config(job, "plain", settings)]


def _unvalidated_command(job: WriteJob) -> list[str]:
    settings = {"api_url": job.url, "access_token": job.token, "validate_records": False}
    return [*MODULE, "benchmarks.plain_target", "--config", _config(job, "plain", settings)]


def _our_command(job: WriteJob) -> list[str]:
    settings = {
        "api_url": job.url,
        "access_token": job.token,
        "requests_per_minute": UNLIMITED_REQUESTS_PER_MINUTE,
        "store_url": f"sqlite:///{job.folder / 'store.db'}",
        "rejects_path": str(job.folder / "rejects.jsonl"),
        **job.settings,
    }
    return [*MODULE, "target_cirqll", "--config", _config(job, "ours", settings)]


OURS: Final = Writer("target-cirqll", _our_command)
PLAIN: Final = Writer("plain SDK sink", _plain_command)
PLAIN_UNVALIDATED: Final = Writer("plain SDK sink, not validating", _unvalidated_command)


def _config(job: WriteJob, name: str, settings: Mapping[str, Any]) -> str:
    path = job.folder / f"target-{name}.json"
    path.write_text(json.dumps(settings))
    return str(path)
