"""What users see before anything is written: help, the settings, and how a command is refused."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.target.target_runs import TARGET, lines, record, schema

if TYPE_CHECKING:
    from tests.tap.conftest import Source
    from tests.target.target_runs import TargetRuns

SNAPSHOTS = Path(__file__).parent / "snapshots"
TAKE_THEIR_TIME = {"sqlalchemy", "oauthlib", "cryptography", "pendulum"}
IMPORTED = """
import sys
from target_cirqll.target import TargetCirqll
sys.argv = ["target-cirqll", "--about"]
try:
    TargetCirqll.cli()
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


def test_help_is_pinned(run_target: TargetRuns) -> None:
    assert_pinned("help.txt", run_target.command(*TARGET, "--help").output)


def test_the_version_is_that_of_the_distribution(run_target: TargetRuns) -> None:
    output = run_target.command(*TARGET, "--version").output

    assert re.fullmatch(r"target-cirqll v\d+\.\d+\.\d+\S*, Meltano SDK v0\.54\.\d+\n", output)


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_about_is_pinned(form: str, run_target: TargetRuns) -> None:
    options = () if form == "text" else ("--format", form)

    run = run_target.command(*TARGET, "--about", *options)

    assert run.code == 0
    assert_pinned(f"about.{form}", without_versions(run.output))


def test_about_imports_nothing_that_takes_its_time(run_target: TargetRuns) -> None:
    run = run_target.command(sys.executable, "-c", IMPORTED)

    imported = set(run.log.splitlines()[-1].split())
    assert "target_cirqll.target" in imported
    assert "target_cirqll.run" not in imported
    assert not imported & TAKE_THEIR_TIME


def test_settings_come_from_the_environment_in_their_types(
    run_target: TargetRuns, source: Source
) -> None:
    settings = {
        "CIRQLL_API_URL": "http://127.0.0.1:9",
        "TARGET_CIRQLL_API_URL": source.url,
        "CIRQLL_ACCESS_TOKEN": source.sandbox.access_token,
        "CIRQLL_MATCH_ON": '{"customers": ["import_id"]}',
        "CIRQLL_MAX_DELETIONS": "0.5",
        "TARGET_CIRQLL_FAIL_ON_REJECTS": "no",
        "TARGET_CIRQLL_STREAM_MAPS": '{"people": {"__alias__": "customers"}}',
    }
    rows = lines(schema("people", "name"), record("people", name="Jan", import_id=7))

    run = run_target.command(*TARGET, given=rows, environment=settings)

    assert run.sentences("ERROR") == []
    assert run.code == 0
    assert [row["name"] for row in source.sandbox.rows("customer").all()] == ["Jan"]
    assert source.sandbox.access_token not in run.log


def test_settings_come_from_the_file_env_in_the_folder(
    run_target: TargetRuns, source: Source
) -> None:
    (run_target.folder / ".env").write_text(
        f"CIRQLL_API_URL={source.url}\nCIRQLL_ACCESS_TOKEN={source.sandbox.access_token}\n"
    )

    run = run_target.command(*TARGET, given=lines(schema("notes")))

    assert run.code == 0


def test_where_nobody_has_signed_in_the_command_is_named_before_the_input_is_read(
    run_target: TargetRuns, source: Source
) -> None:
    run = run_target("this would be an error of its own", access_token=None)

    assert run.sentences("ERROR") == [
        (
            f"Nobody has signed in to Cirqll at {source.url} for the account default, so there is "
            "no token: run `cirqll login`, or give the settings refresh_token or access_token."
        )
    ]
    assert run.code == 1


@pytest.mark.parametrize("content", ["not json", "[1]", ""])
def test_a_file_of_settings_that_is_none_is_named(content: str, run_target: TargetRuns) -> None:
    path = run_target.file("broken", content)

    run = run_target.command(*TARGET, "--config", path)

    assert run.code == 2
    assert f"{path}: each must be a file with one JSON object" in run.log
    assert "Traceback" not in run.log


def test_a_file_of_settings_that_is_not_there_is_named(run_target: TargetRuns) -> None:
    run = run_target.command(*TARGET, "--config", "nowhere.json")

    assert run.code == 2
    assert "There is no file nowhere.json, from which --config is to read the settings." in run.log


def test_rows_may_come_from_a_file(run_target: TargetRuns, source: Source) -> None:
    path = run_target.folder / "rows.singer"
    path.write_bytes(lines(schema("notes"), record("notes", description="ë")).encode())

    run = run_target(options=("--input", str(path)))

    assert run.code == 0
    assert len(source.sandbox.rows("note").all()) == 1
