"""Sandboxes to read from, and the tap as a program with files and a home of its own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_sandbox import Behaviour, Sandbox
from tests.tap.tap_runs import TapRuns

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Source:
    """A running sandbox and where it answers."""

    sandbox: Sandbox
    url: str

    @property
    def settings(self) -> dict[str, Any]:
        """What the tap needs to read it, as fast as it can."""
        return {
            "api_url": self.url,
            "access_token": self.sandbox.access_token,
            "requests_per_minute": 100_000,
        }


@pytest.fixture
def source() -> Iterator[Source]:
    """A sandbox without rows and without a rate limit."""
    sandbox = Sandbox(size=0, behaviour=Behaviour(rate_limit=0))
    with sandbox.running() as url:
        yield Source(sandbox, url)


@pytest.fixture(scope="session")
def company() -> Iterator[Source]:
    """A small company with undocumented fields, on several pages, that no test changes."""
    behaviour = Behaviour(rate_limit=0, page_maximum=40)
    sandbox = Sandbox(size=0.1, behaviour=behaviour, undocumented_fields=True)
    with sandbox.running() as url:
        yield Source(sandbox, url)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a program that knows nothing of the developer's own files."""
    return environment_in(tmp_path)


def environment_in(folder: Path) -> dict[str, str]:
    """Variables that lead a program away from the developer's own files and settings."""
    home = folder / "home"
    home.mkdir()
    kept = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE")}
    return {
        **kept,
        "HOME": str(home),
        "XDG_STATE_HOME": str(home),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "100",
    }


@pytest.fixture
def run_tap(tmp_path: Path, source: Source, environment: dict[str, str]) -> TapRuns:
    """Run the tap on the sandbox without rows."""
    return TapRuns(tmp_path, environment, source.settings)


@pytest.fixture
def run_on_company(tmp_path: Path, company: Source, environment: dict[str, str]) -> TapRuns:
    """Run the tap on the company that no test changes."""
    return TapRuns(tmp_path, environment, company.settings)
