"""Opening the database that a ``store_url`` names, and saying why it cannot be opened."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sql
from sqlalchemy import event, pool
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from cirqll_client.redaction import Redaction

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

BUSY_SECONDS = 60
"""How long a process waits for another one's transaction, each of which lasts milliseconds."""
_TRIES_TO_PREPARE = 200
_ALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""libpq's own: a server whose machine is gone is noticed in a minute, and not in two hours."""


def engine_of(url_text: str) -> sql.Engine:
    """Make an engine; a SQLite file is made here, others are not touched yet."""
    url = sql.make_url(url_text)
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url)
    if url.drivername in {"postgres", "postgresql"}:
        url = url.set(drivername="postgresql+psycopg")
    engine = sql.create_engine(
        url,
        connect_args={name: value for name, value in _ALIVE.items() if name not in url.query}
        if url.get_driver_name() == "psycopg"
        else {},
        pool_pre_ping=True,
        hide_parameters=True,
    )
    if url.get_backend_name() == "postgresql":
        event.listen(engine, "connect", _be_patient)
    return engine


def place_of(url: sql.URL) -> str:
    """Name a database on a server; neither user nor password."""
    return f"the database {url.database or ''}" + (f" on {url.host}" if url.host else "")


def sentence_for(error: Exception, url_text: str) -> str:
    """Say why the database could not be opened, without the password of its URL."""
    if isinstance(error, (NoSuchModuleError, ImportError)):
        return (
            "The database driver that the setting store_url names is not installed; "
            "for PostgreSQL, install the extra: `pip install '.[postgres]'`."
        )
    if isinstance(error, (ArgumentError, ValueError)):
        return (
            "The setting store_url is not a database URL; write it like "
            "sqlite:////var/lib/cirqll/store.sqlite or postgresql://user@host/database."
        )
    cause = getattr(error, "orig", None) or error
    words = " ".join(str(cause).split())
    return Redaction(_passwords(url_text))(
        f"The store could not be opened ({type(cause).__name__}: {words}); check the setting "
        "store_url, and that its folder can be written to by this user."
    )


def _passwords(url_text: str) -> list[str]:
    url = sql.make_url(url_text)
    passwords = [url.password, *(url.query.get(name) for name in ("password", "sslpassword"))]
    return [str(password) for password in passwords if password]


def _sqlite_engine(url: sql.URL) -> sql.Engine:
    is_file = bool(url.database) and url.database != ":memory:"
    if is_file:
        path = Path(str(url.database)).expanduser()
        _make_private(path)
        url = url.set(database=str(path))
    engine = sql.create_engine(
        url,
        connect_args={
            "timeout": BUSY_SECONDS,
            "isolation_level": None,
            "check_same_thread": False,
        },
        hide_parameters=True,
        poolclass=pool.QueuePool,
        # What is in memory is in one connection, which threads take turns with.
        **({} if is_file else {"pool_size": 1, "max_overflow": 0}),
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _make_private(path: Path) -> None:
    """Make the file before SQLite does, so that there is no moment in which others may read it."""
    missing = [folder for folder in path.parents if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def _be_patient(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's object
    """Wait for another one's transaction as long as with SQLite, where nobody chose otherwise."""
    cursor = connection.cursor()
    cursor.execute(
        f"SELECT set_config('lock_timeout', '{BUSY_SECONDS}s', false) "
        "WHERE current_setting('lock_timeout') = '0'"
    )
    cursor.close()
    connection.commit()


def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's object
    """Let readers and a writer work side by side, and write without waiting for the disk."""
    for tries_left in reversed(range(_TRIES_TO_PREPARE)):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except connection.OperationalError as error:
            # SQLite does not wait where two processes change the mode at once.
            if "locked" not in str(error) or not tries_left:
                raise
            time.sleep(0.02)
    connection.execute("PRAGMA synchronous=NORMAL")
    # What was deleted, tokens and records among it, is not to be found in the file.
    connection.execute("PRAGMA secure_delete=ON")


def _begin(connection: Connection) -> None:
    """Take the lock at once: a transaction that begins with a read may not be let write later.

    What must outlive a power cut waits for the disk; the rest need not.
    """
    wanted = "FULL" if connection.get_execution_options().get("is_durable") else "NORMAL"
    if connection.info.get("synchronous", "NORMAL") != wanted:
        connection.exec_driver_sql(f"PRAGMA synchronous={wanted}")
        connection.info["synchronous"] = wanted
    connection.exec_driver_sql("BEGIN IMMEDIATE")
