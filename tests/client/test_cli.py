"""The command ``cirqll``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

COMMAND = [str(Path(sys.executable).with_name("cirqll"))]


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)


def test_help_names_each_command_with_its_purpose() -> None:
    # When
    result = _run("--help")
    # Then
    assert result.returncode == 0
    assert "sandbox  Run a local Cirqll with invented data." in result.stdout


def test_an_unknown_command_is_refused_in_a_sentence() -> None:
    # When
    result = _run("login-now")
    # Then
    assert result.returncode == 2
    assert "No such command 'login-now'" in result.stderr


def test_help_imports_no_command() -> None:
    # Given
    code = (
        "import sys; from click.testing import CliRunner; from cirqll_client.cli import main;"
        "CliRunner().invoke(main, ['--version']);"
        "print(sorted({'starlette', 'uvicorn', 'sqlalchemy', 'requests'} & sys.modules.keys()))"
    )
    # When
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    # Then
    assert result.stdout.strip() == "[]"
