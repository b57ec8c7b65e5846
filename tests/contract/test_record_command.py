"""The command that records an account: what it says, what it asks, and what it leaves alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cirqll_sandbox import Behaviour, Sandbox
from tests.contract.__main__ import main
from tests.contract.recordings import exchanges_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox(
        seed=7, size=0.02, behaviour=Behaviour(rate_limit=100_000), undocumented_fields=True
    )


@pytest.fixture(scope="module")
def url(sandbox: Sandbox) -> Iterator[str]:
    with sandbox.running() as url:
        yield url


def record(url: str, folder: Path, *options: str, answer: str = "") -> Result:
    without = {name: None for name in os.environ if "CIRQLL_" in name}
    environment = {
        **without,
        "CIRQLL_API_URL": url,
        "CIRQLL_ACCESS_TOKEN": Sandbox.access_token,
        "CIRQLL_STORE_URL": f"sqlite:///{folder.parent / 'store.sqlite'}",
    }
    options = ("--into", str(folder), *options)
    return CliRunner().invoke(main, options, env=environment, input=answer)


@pytest.fixture(scope="module")
def read_only(url: str, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    sandbox.rows("field").insert(name="Shoe size", model="customer")
    sandbox.rows("customer").insert(name="Jan", shoe_size=44)
    sandbox.forget_requests()
    folder = tmp_path_factory.mktemp("command") / "account"
    return Recorded(folder, record(url, folder), [one.method for one in sandbox.requests])


def test_an_account_is_only_read(read_only: Recorded) -> None:
    assert set(read_only.methods) == {"GET"}
    assert "Nothing is created, changed or deleted." in read_only.result.output


def test_it_asks_no_more_than_it_said(read_only: Recorded) -> None:
    said = int(read_only.result.output.split("at most ")[1].split()[0])
    assert said - 10 <= len(read_only.methods) <= said


def test_all_that_was_asked_is_in_the_files_but_for_the_names_of_custom_fields(
    read_only: Recorded,
) -> None:
    assert read_only.result.exit_code == 0
    assert len(exchanges_in(read_only.folder)) == len(read_only.methods) - 1


def test_it_says_what_is_new(read_only: Recorded) -> None:
    assert "undocumented fields of customer: " in read_only.result.output
    assert f"The files will be in {read_only.folder}" in read_only.result.output


def test_names_of_custom_fields_are_in_no_file(read_only: Recorded, sandbox: Sandbox) -> None:
    names = [str(row["name"]) for row in sandbox.rows("field").all()]
    texts = "\n".join(file.read_text("utf-8") for file in read_only.folder.iterdir())
    assert names
    assert not [name for name in names if f'"{name}"' in texts]
    assert "shoe_size" not in texts


def test_writing_is_asked_about_first(url: str, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.forget_requests()
    result = record(url, tmp_path / "account", "--writes", answer="n\n")
    assert result.exit_code == 1
    assert not sandbox.requests
    assert not (tmp_path / "account").exists()


def test_a_token_that_is_refused_ends_it_and_old_recordings_stay(
    url: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    # Given
    old = tmp_path / "account" / "old.yaml"
    old.parent.mkdir()
    old.write_text("")
    sandbox.faults.add("401", times=1)
    # When
    result = record(url, old.parent)
    # Then
    assert "did not accept the access token" in result.output
    assert old.exists()


class Recorded:
    """What came of recording an account."""

    def __init__(self, folder: Path, result: Result, methods: list[str]) -> None:
        self.folder, self.result, self.methods = folder, result, methods
