"""A PostgreSQL with a database for each test, a sandbox, and folders of their own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_sandbox import Behaviour, Sandbox
from demo.embedded_postgres import EmbeddedPostgres, running_postgres
from demo.meltano_project import MeltanoProject, new_project
from tests.pipeline.pipes import Pipe

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg


@dataclass(frozen=True, slots=True)
class Database:
    """An empty database: its address, and a connection to look at it."""

    url: str
    connection: psycopg.Connection


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox without rows and without a rate limit, and where it answers."""

    sandbox: Sandbox
    url: str


@pytest.fixture(scope="session")
def database_folder() -> Iterator[Path]:
    """Where databases lie. Root runs PostgreSQL as another user, and pytest's own folders are shut
    to others each time another session of pytest begins.
    """
    with TemporaryDirectory(prefix="tap-cirqll-tests-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres(database_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server for all tests."""
    with running_postgres(database_folder / "data") as server:
        with server.connect() as connection:  # these data need not outlive a power cut
            connection.execute("alter system set fsync = off")
            connection.execute("select pg_reload_conf()")
        yield server


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """The database of this test. Its time zone is not UTC: that must make no difference."""
    url = postgres.new_database("warehouse")
    with postgres.connect() as connection:
        connection.execute("alter database warehouse set timezone = 'Europe/Amsterdam'")
    with postgres.connect("warehouse") as connection:
        yield Database(url, connection)


@pytest.fixture
def source() -> Iterator[RunningSandbox]:
    """A small company, with fields that nobody documented."""
    sandbox = Sandbox(
        seed=7,
        size=0.25,
        undocumented_fields=True,
        behaviour=Behaviour(rate_limit=0, page_maximum=100),
    )
    with sandbox.running() as url:
        yield RunningSandbox(sandbox, url)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables that lead every program away from the developer's own files."""
    home = tmp_path / "home"
    home.mkdir()
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "XDG_DATA_HOME": str(home),
        "XDG_STATE_HOME": str(home),
        "PATH": os.environ["PATH"],
        "PGTZ": "UTC",
    }


@pytest.fixture
def project(
    tmp_path: Path, source: RunningSandbox, database: Database, environment: dict[str, str]
) -> MeltanoProject:
    """The repository's Meltano project with this test's settings."""
    settings = {
        **environment,
        "CIRQLL_API_URL": source.url,
        "CIRQLL_ACCESS_TOKEN": source.sandbox.access_token,
        "CIRQLL_REQUESTS_PER_MINUTE": "100000",
        "DATABASE_URL": database.url,
        "TARGET_JSONL_DESTINATION_PATH": str(tmp_path / "output"),
        "TARGET_JSONL_DO_TIMESTAMP_FILE": "false",
    }
    return new_project(tmp_path / "project", settings)


@pytest.fixture
def pipe(
    tmp_path: Path, source: RunningSandbox, database: Database, environment: dict[str, str]
) -> Pipe:
    """The tap and target-postgres as plain processes, set as in `meltano.yml`."""
    return Pipe(tmp_path, environment, tap=tap_settings(source), target=target_settings(database))


def tap_settings(source: RunningSandbox) -> dict[str, Any]:
    """What the tap needs to read this sandbox as fast as it can."""
    return {
        "api_url": source.url,
        "access_token": source.sandbox.access_token,
        "requests_per_minute": 100_000,
    }


def target_settings(database: Database) -> dict[str, Any]:
    """The settings of `meltano.yml`."""
    return {
        "sqlalchemy_url": database.url,
        "default_target_schema": "cirqll",
        "validate_records": False,
    }
