"""What several tests of the client stand on: stores of each kind, programs, people."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from demo.embedded_postgres import running_postgres
from tests.client.connect_service import Person, Service, connect_service
from tests.client.signed_in import Renewers, renewers
from tests.client.token_desk import Desk, at_a_desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def new_postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """Makes an empty database and gives its URL."""
    numbers = count()
    with running_postgres(tmp_path_factory.mktemp("postgres") / "data") as server:
        yield lambda: server.new_database(f"store_{next(numbers)}")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'state' / 'store.sqlite'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty store of each kind."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    return str(request.getfixturevalue("new_postgres_url")())


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A person at a terminal, with a store of their own."""
    with at_a_desk(tmp_path, monkeypatch) as one:
        yield one


@pytest.fixture(scope="session")
def herd() -> Iterator[Renewers]:
    """A program that starts processes, at once or to be killed."""
    with renewers() as program:
        yield program


@pytest.fixture
def service(sqlite_url: str) -> Iterator[Service]:
    """A running server whose store is a file."""
    with connect_service(sqlite_url) as running:
        yield running


@pytest.fixture
def person(service: Service) -> Iterator[Person]:
    """Somebody with a browser."""
    with Person(service) as somebody:
        yield somebody
