"""Signing in under Meltano, which deletes its configuration after each run: tokens outlive it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from demo.failures import DemoError
from demo.meltano_project import program
from tests.pipeline.comparison import SIXTEEN, arrived_ids, assert_equal, newest_load
from tests.tap.signing_in import Accounts

if TYPE_CHECKING:
    from pathlib import Path

    from demo.meltano_project import MeltanoProject
    from tests.pipeline.conftest import Database, RunningSandbox
    from tests.pipeline.pipes import Pipe

JOB = "cirqll-to-postgres"
SECONDS_FOR_A_TEST = 60
IN_THE_MIDDLE = 9
EMPTY_AS_IN_THE_EXAMPLE = {
    "CIRQLL_ACCESS_TOKEN": "",
    "CIRQLL_REFRESH_TOKEN": "",
    "CIRQLL_TOKEN_URL": "",
    "CIRQLL_ACCOUNT": "",
}


@pytest.fixture
def accounts(source: RunningSandbox, tmp_path: Path) -> Accounts:
    """A store in which nobody is signed in."""
    return Accounts(source.sandbox, source.url, tmp_path / "store" / "store.sqlite")


@pytest.fixture
def signed_out(project: MeltanoProject, accounts: Accounts) -> MeltanoProject:
    """The project with the OAuth client and the store, and without any token."""
    return replace(
        project,
        settings={
            **project.settings,
            **EMPTY_AS_IN_THE_EXAMPLE,
            "CIRQLL_CLIENT_ID": accounts.settings["client_id"],
            "CIRQLL_CLIENT_SECRET": accounts.settings["client_secret"],
            "CIRQLL_STORE_URL": accounts.settings["store_url"],
        },
    )


@pytest.mark.parametrize("begins", ["with a refresh token", "signed in"])
def test_two_runs_with_a_token_that_expires_in_between(
    begins: str,
    signed_out: MeltanoProject,
    accounts: Accounts,
    database: Database,
    tmp_path: Path,
) -> None:
    """Each refresh token is good for one use, and the environment goes on naming the first one."""
    sandbox = accounts.sandbox
    if begins == "signed in":
        project = signed_out
        accounts.sign_in()
    else:
        seed = sandbox.grant().refresh_token
        settings = {**signed_out.settings, "CIRQLL_REFRESH_TOKEN": seed}
        project = replace(signed_out, settings=settings)

    project.run(JOB, log=tmp_path / "1.log")

    assert_equal(database.connection, sandbox)
    refreshes = len(accounts.refreshes)

    sandbox.clock.move(3600)
    sandbox.expire_access_tokens()
    first_load = newest_load(database.connection)
    changed = {name: set(sandbox.edit_rows(name, 3)) for name in SIXTEEN}
    project.run(JOB, log=tmp_path / "2.log")

    assert_equal(database.connection, sandbox)
    for name in SIXTEEN:
        arrived = arrived_ids(database.connection, f"{name}s", after=first_load)
        assert changed[name] <= arrived, name
        assert len(arrived) < max(len(sandbox.rows(name)) / 2, 30), f"{name} came whole again"
    assert accounts.refreshes == ["issued"] * (refreshes + 1)


def test_only_the_streams_that_the_sign_in_allows_are_loaded_and_the_run_is_green(
    signed_out: MeltanoProject, accounts: Accounts, database: Database, tmp_path: Path
) -> None:
    accounts.sign_in(scopes=["customer.read.all", "user.read.all"])

    signed_out.run(JOB, log=tmp_path / "1.log")

    tables = "select table_name from information_schema.tables where table_schema = 'cirqll'"
    assert {row[0] for row in database.connection.execute(tables)} == {
        "companies",
        "customers",
        "users",
    }
    assert {one.path for one in accounts.sandbox.requests} == {
        "/api/auth/me",
        "/api/customer",
        "/api/user",
    }
    assert "Not offered, because the access token lacks the scope" in (
        (tmp_path / "1.log").read_text()
    )


def test_meltano_takes_a_signed_in_account_for_a_configuration(
    signed_out: MeltanoProject, accounts: Accounts
) -> None:
    accounts.sign_in()

    done = subprocess.run(
        [str(program("meltano")), "config", "test", "tap-cirqll"],
        cwd=signed_out.folder,
        env=signed_out.environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS_FOR_A_TEST,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Plugin configuration is valid" in done.stdout + done.stderr


@pytest.mark.parametrize("concurrency", [1, 4])
def test_every_row_arrives_though_the_token_dies_in_mid_run(
    concurrency: int, pipe: Pipe, accounts: Accounts, database: Database
) -> None:
    accounts.sign_in()
    sandbox = accounts.sandbox

    def die(_request: object) -> None:
        if len(sandbox.requests) == IN_THE_MIDDLE:
            sandbox.expire_access_tokens()

    sandbox.before_request(die)
    settings = {**accounts.settings, "concurrency": concurrency}
    signed_in = replace(pipe, tap=settings)

    outcome = signed_in.run()

    assert outcome.succeeded, outcome.log
    assert_equal(database.connection, sandbox)
    assert accounts.refreshes == ["issued"]
    assert any(one.status == 401 for one in sandbox.requests)


def test_a_second_account_needs_bookmarks_and_tables_of_its_own(
    signed_out: MeltanoProject, accounts: Accounts, database: Database, tmp_path: Path
) -> None:
    """With the bookmarks of the first, what did not change since would never be read."""
    accounts.sign_in()
    accounts.sign_in("acme")
    signed_out.run(JOB, log=tmp_path / "1.log")
    schema = {"TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": "acme"}
    acme = replace(signed_out, settings={**signed_out.settings, **schema, "CIRQLL_ACCOUNT": "acme"})

    with pytest.raises(DemoError):
        acme.run(JOB, log=tmp_path / "2.log")
    acme.run("--state-id-suffix", "acme", JOB, log=tmp_path / "3.log")

    assert "The state is of the account default at" in (tmp_path / "2.log").read_text()
    count = database.connection.execute("select count(*) from acme.customers").fetchone()
    assert count == (len(accounts.sandbox.rows("customer").all()),)
