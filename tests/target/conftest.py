"""A sandbox to write to, and the target as a program with files and a home of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cirqll_sandbox import Behaviour, Sandbox
from tests.client.conftest import (  # noqa: F401 - fixtures
    new_postgres_url,
    sqlite_url,
    store_url,
)
from tests.tap.conftest import Source, environment_in
from tests.target.target_runs import TargetRuns
from tests.target.writing_fixtures import Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.reading_fixtures import Source as Crm


@pytest.fixture
def source() -> Iterator[Source]:
    """A sandbox without rows and without a rate limit."""
    sandbox = Sandbox(size=0, behaviour=Behaviour(rate_limit=0))
    with sandbox.running() as url:
        yield Source(sandbox, url)


@pytest.fixture
def run_target(tmp_path: Path, source: Source) -> TargetRuns:
    """Run the target on the sandbox without rows."""
    return TargetRuns(tmp_path, environment_in(tmp_path), source.settings)


@pytest.fixture
def target(tmp_path: Path, crm: Crm) -> Target:
    """The target in this process, on the shared sandbox without rows."""
    return Target(crm, tmp_path)
