"""Whoever runs these tests needs no browser set up: it is found, installed, or plainly missed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.chromium import ChromiumMissingError, chromium_on

_ROOT = Path(__file__).parents[2]
_ALONE = ("--confcutdir=tests/browser", "-p", "no:cacheprovider")
_A_BROWSER_TEST = "tests/browser/test_consent.py::test_two_tabs_do_not_disturb_each_other"


def program(folder: Path, name: str, script: str = "exit 0") -> Path:
    """A program of this name that does as the script says."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_it_is_found_under_each_of_its_names(name: str, tmp_path: Path) -> None:
    there = program(tmp_path, name)
    program(tmp_path, "apt-get", "echo not needed; exit 9")
    assert chromium_on(str(tmp_path), may_install=True) == str(there)


def test_it_is_installed_where_that_is_allowed(tmp_path: Path) -> None:
    chromium = tmp_path / "chromium"
    program(
        tmp_path,
        "apt-get",
        f'[ "$1" = update ] || {{ echo "$@" > {chromium}; /bin/chmod 755 {chromium}; }}',
    )
    assert chromium_on(str(tmp_path), may_install=True) == str(chromium)
    asked = chromium.read_text().split()
    assert (asked[0], asked[-1]) == ("install", "chromium")


def test_it_is_not_installed_by_somebody_who_is_not_root(tmp_path: Path) -> None:
    program(tmp_path, "apt-get", f"echo > {tmp_path / 'tried'}")
    with pytest.raises(ChromiumMissingError, match=r"Install one.*only for root"):
        chromium_on(str(tmp_path), may_install=False)
    assert not (tmp_path / "tried").exists()


def test_a_failed_installation_says_what_happened(tmp_path: Path) -> None:
    program(tmp_path, "apt-get", "echo There is no space left.; exit 7")
    with pytest.raises(ChromiumMissingError, match=r"ended with 7 and said:\nThere is no space"):
        chromium_on(str(tmp_path), may_install=True)


@pytest.mark.parametrize(("ci", "outcome"), [("", "1 skipped"), ("1", "1 error")])
def test_without_it_tests_are_skipped_but_not_in_ci(ci: str, outcome: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *_ALONE, _A_BROWSER_TEST],
        cwd=_ROOT,
        env={"PATH": str(tmp_path), "HOME": str(tmp_path), "CI": ci},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert outcome in done.stdout.splitlines()[-1]
    assert "The browser tests need Chromium" in done.stdout
    assert "Install one, on Debian by: apt-get install chromium" in done.stdout
