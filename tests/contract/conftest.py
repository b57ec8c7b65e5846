"""What tests of the contract stand on, and what recordings of accounts say, for all to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.judgement import judge
from tests.contract.recordings import SANDBOX, folders
from tests.contract.sandbox_stage import record_sandbox

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the sandbox answers today."""
    folder = tmp_path_factory.mktemp("recordings") / SANDBOX.name
    folder.mkdir()
    record_sandbox(folder)
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what recordings of accounts tell: contradictions of guesses fail no test."""
    for folder in folders():
        lines = judge(folder).lines() if folder != SANDBOX else []
        if lines:
            terminalreporter.section(f"recordings of {folder.name}")
            terminalreporter.write_line("\n".join(lines))
