"""The store: a small database that all processes of an account share.

It keeps what was learned about an API, and the rate budget. A SQLite file in the user's state
folder by default, readable by its owner only; any SQLAlchemy URL for a store that several machines
share. The store knows tables and transactions; what they mean is decided by its users.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sql
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from cirqll_client.errors import SettingInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection

BUSY_SECONDS = 60
"""How long a process waits for another one's transaction, each of which lasts milliseconds."""

_METADATA = sql.MetaData()

LEARNED = sql.Table(
    "learned",
    _METADATA,
    sql.Column("account", sql.String(512), primary_key=True),
    sql.Column("fact", sql.String(128), primary_key=True),
    sql.Column("value", sql.JSON, nullable=False),
    sql.Column("learned_at", sql.Float, nullable=False),
)
BUDGETS = sql.Table(
    "budgets",
    _METADATA,
    sql.Column("client", sql.String(512), primary_key=True),
    sql.Column("requests_per_minute", sql.Integer, nullable=False),
    sql.Column("blocked_until", sql.Float, nullable=False),
)
PERMITS = sql.Table(
    "permits",
    _METADATA,
    sql.Column("id", sql.Integer, primary_key=True, autoincrement=True),
    sql.Column("client", sql.String(512), nullable=False),
    sql.Column("counts_until", sql.Float, nullable=False),
    sql.Index("permits_by_client", "client", "counts_until"),
)


class Store:
    """An open store. Threads may share it."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.time) -> None:
        """Open the store and make its tables. Raises ``SettingInvalid`` where that fails."""
        self._clock = clock
        try:
            self._engine = _engine(url)
            _METADATA.create_all(self._engine)
        except (SQLAlchemyError, ImportError, OSError) as error:
            raise SettingInvalid(_why_not_opened(error)) from error
        self.now_expression: sql.ColumnElement[float] | None = (
            sql.cast(sql.func.extract("epoch", sql.func.clock_timestamp()), sql.Float)
            if self._engine.dialect.name == "postgresql"
            else None
        )
        """The database's own clock, where several machines may share it."""

    def now(self) -> float:
        """Give seconds since the epoch by the clock of this machine."""
        return self._clock()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing. The first statement should be a write: it takes the lock."""
        with self._engine.begin() as connection:
            yield connection

    def learned(self, account: str, fact: str, *, not_before: float = 0.0) -> Any:  # noqa: ANN401
        """Give what was learned about an account, ``None`` if nothing or only long ago."""
        question = sql.select(LEARNED.c.value).where(
            LEARNED.c.account == account,
            LEARNED.c.fact == fact,
            LEARNED.c.learned_at >= not_before,
        )
        with self._engine.connect() as connection:
            return connection.execute(question).scalar()

    def learn(self, account: str, fact: str, value: Any) -> None:  # noqa: ANN401
        """Remember a fact, in place of what was known."""
        key = (LEARNED.c.account == account) & (LEARNED.c.fact == fact)
        with self.transaction() as connection:
            connection.execute(sql.delete(LEARNED).where(key))
            connection.execute(
                sql.insert(LEARNED).values(
                    account=account, fact=fact, value=value, learned_at=self.now()
                )
            )

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


def default_store_url() -> str:
    """Name the SQLite file in the user's state folder."""
    import platformdirs  # noqa: PLC0415 - not needed where store_url is set

    return f"sqlite:///{platformdirs.user_state_path('cirqll') / 'store.sqlite'}"


def _engine(url_text: str) -> sql.Engine:
    url = sql.make_url(url_text)
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url)
    if url.drivername in {"postgres", "postgresql"}:
        url = url.set(drivername="postgresql+psycopg")
    return sql.create_engine(url, pool_pre_ping=True, hide_parameters=True)


def _sqlite_engine(url: sql.URL) -> sql.Engine:
    from pathlib import Path  # noqa: PLC0415 - only here

    if url.database and url.database != ":memory:":
        _make_private(Path(url.database).expanduser())
    engine = sql.create_engine(url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _make_private(path: Path) -> None:
    """Make the file before SQLite does, so that there is no moment in which others may read it."""
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True)
    path.touch(mode=0o600)
    path.chmod(0o600)


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's object
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _why_not_opened(error: Exception) -> str:
    if isinstance(error, ArgumentError):
        return (
            "The setting store_url is not a database URL; write it like "
            "sqlite:////var/lib/cirqll/store.sqlite or postgresql://user@host/database."
        )
    if isinstance(error, (NoSuchModuleError, ImportError)):
        return (
            "The database driver that the setting store_url names is not installed; "
            "for PostgreSQL, install tap-cirqll[postgres]."
        )
    cause = getattr(error, "orig", None) or error
    words = " ".join(str(cause).split())
    return (
        f"The store could not be opened ({type(cause).__name__}: {words}); check the setting "
        "store_url, and that its folder can be written to by this user."
    )
