"""What users see before anything is read: discovery, help, the settings."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cirqll_client.nested import TABLES
from tests.tap.catalog_edits import choose

if TYPE_CHECKING:
    from tests.tap.tap_runs import TapRuns

SNAPSHOTS = Path(__file__).parent / "snapshots"
CATALOGS = Path(__file__).parents[2] / "catalogs"
TAP = (sys.executable, "-m", "tap_cirqll")

TAKE_THEIR_TIME = {
    "sqlalchemy",
    "oauthlib",
    "cryptography",
    "pendulum",
    "rich",
    "tap_cirqll.sync",
}
IMPORTED = """
import sys
from tap_cirqll.tap import TapCirqll
sys.argv = ["tap-cirqll", "--discover"]
try:
    TapCirqll.cli()
except SystemExit:
    pass
print(*sorted(sys.modules), file=sys.stderr)
"""


def assert_pinned(name: str, text: str) -> None:
    """Compare with the snapshot; with UPDATE_SNAPSHOTS=1 it is written first."""
    text = re.sub(r"(?m)[ \t]+$", "", text)
    path = SNAPSHOTS / name
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


def without_versions(text: str) -> str:
    """Versions and Pythons are the installation's, not ours."""
    text = re.sub(r"\d+\.\d+\.\d+\S*?(?=[\"\s]|$)", "<version>", text)
    text = re.sub(
        r'"supported_python_versions": \[[^]]*\]', '"supported_python_versions": []', text
    )
    return re.sub(r"(?m)^(\W*\w*[Pp]ython [Vv]ersions\W*).*$", r"\1<versions>", text)


def test_discovery_needs_neither_settings_nor_a_server(run_tap: TapRuns) -> None:
    run = run_tap.command(*TAP, "--discover")

    assert run.code == 0
    everything = json.loads((CATALOGS / "everything.json").read_text("utf-8"))
    by_default = [table.stream for table in TABLES if table.is_read_by_default]
    assert json.loads(run.output) == choose(everything, *by_default)
    assert [one["tap_stream_id"] for one in json.loads(run.output)["streams"]] == sorted(
        [*(table.stream for table in TABLES), "_certificates"]
    )


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"store_url": "sqlite:////nowhere/store.sqlite"},
        {"store_url": "sqlite://"},
    ],
)
def test_discovery_imports_nothing_that_takes_its_time(
    settings: dict[str, str], run_tap: TapRuns
) -> None:
    environment = {f"TAP_CIRQLL_{name.upper()}": value for name, value in settings.items()}

    run = run_tap.command(sys.executable, "-c", IMPORTED, environment=environment)

    imported = set(run.log.splitlines()[-1].split())
    assert "singer_sdk.tap_base" in imported
    assert not imported & TAKE_THEIR_TIME


def test_help_is_pinned(run_tap: TapRuns) -> None:
    assert_pinned("help.txt", run_tap.command(*TAP, "--help").output)


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_about_is_pinned(form: str, run_tap: TapRuns) -> None:
    options = () if form == "text" else ("--format", form)

    run = run_tap.command(*TAP, "--about", *options)

    assert run.code == 0
    assert_pinned(f"about.{form}", without_versions(run.output))
