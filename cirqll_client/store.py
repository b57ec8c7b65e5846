"""The store: a small database that all processes of an account share.

It keeps what was learned about an API, and the rate budget. A SQLite file in the user's state
folder by default, readable by its owner only; any SQLAlchemy URL for a store that several machines
share. The store knows tables and transactions; what they mean is decided by its users.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from cirqll_client.databases import engine_of, sentence_for
from cirqll_client.errors import SettingInvalid, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy.engine import Connection

_METADATA = sql.MetaData()
_ONE_AT_A_TIME = sql.text("SELECT pg_advisory_xact_lock(20250624)")
"""PostgreSQL's CREATE TABLE IF NOT EXISTS fails if two do it at once. The number is arbitrary."""

LEARNED = sql.Table(
    "learned",
    _METADATA,
    sql.Column("account", sql.String(512), primary_key=True),
    sql.Column("fact", sql.String(128), primary_key=True),
    sql.Column("value", sql.JSON, nullable=False),
    sql.Column("learned_at", sql.Float, nullable=False),
)
BUDGETS = sql.Table(
    "rate_budgets",
    _METADATA,
    sql.Column("client", sql.String(512), primary_key=True),
    sql.Column("tally", sql.Text, nullable=False),
)


class Store:
    """An open store. Threads may share it."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.time) -> None:
        """Open the store and make its tables. Raises ``SettingInvalid`` where that fails."""
        self._clock = clock
        self._engine = _opened(url)
        self.now_expression: sql.ColumnElement[float] | None = (
            sql.cast(sql.func.extract("epoch", sql.func.clock_timestamp()), sql.Float)
            if _is_postgresql(self._engine)
            else None
        )
        """The database's own clock, where several machines may share it."""

    def now(self) -> float:
        """Give seconds since the epoch by the clock of this machine."""
        return self._clock()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing. Raises ``Unavailable`` where the database fails.

        SQLite lets one in at a time; elsewhere, lock the rows that are read to be changed.
        """
        failure = None
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            failure = type(getattr(error, "orig", None) or error).__name__
        if failure:
            msg = (
                f"The store of tokens and of the rate budget failed ({failure}). Check the "
                "database or the disk that the setting store_url names, then run again; the next "
                "run continues where this one stopped."
            )
            raise Unavailable(msg)

    def insert_unless_there(self, table: sql.Table, row: Mapping[str, Any]) -> None:
        """Insert a row, or leave the one that has its key."""
        key = [column == row[column.name] for column in table.primary_key]
        with self.transaction() as connection:
            if connection.execute(sql.select(sql.true()).where(*key)).first():
                return
        with self.transaction() as connection, suppress(IntegrityError), connection.begin_nested():
            connection.execute(sql.insert(table).values(row))

    def learned(self, account: str, fact: str, *, not_before: float = 0.0) -> Any:  # noqa: ANN401
        """Give what was learned about an account, ``None`` if nothing or only long ago."""
        question = sql.select(LEARNED.c.value).where(
            LEARNED.c.account == account,
            LEARNED.c.fact == fact,
            LEARNED.c.learned_at >= not_before,
        )
        with self.transaction() as connection:
            return connection.execute(question).scalar()

    def learn(self, account: str, fact: str, value: Any) -> None:  # noqa: ANN401
        """Remember a fact, in place of what was known."""
        row = {"account": account, "fact": fact, "value": value, "learned_at": self.now()}
        self.insert_unless_there(LEARNED, row)
        with self.transaction() as connection:
            connection.execute(
                sql.update(LEARNED)
                .where(LEARNED.c.account == account, LEARNED.c.fact == fact)
                .values(value=value, learned_at=row["learned_at"])
            )

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


def default_store_url() -> str:
    """Name the SQLite file in the user's state folder."""
    import platformdirs  # noqa: PLC0415 - not needed where store_url is set

    return f"sqlite:///{platformdirs.user_state_path('cirqll') / 'store.sqlite'}"


def _opened(url: str) -> sql.Engine:
    """Open the database and make its tables. Raises ``SettingInvalid``."""
    try:
        engine = engine_of(url)
        _make_tables(engine)
    except (SQLAlchemyError, ImportError, OSError, ValueError) as error:
        sentence = sentence_for(error, url)
    else:
        return engine
    # Raised outside of the handler: the cause may hold the URL with its password.
    raise SettingInvalid(sentence)


def _make_tables(engine: sql.Engine) -> None:
    with engine.begin() as connection:
        if _is_postgresql(engine):
            connection.execute(_ONE_AT_A_TIME)
        _METADATA.create_all(connection)


def _is_postgresql(engine: sql.Engine) -> bool:
    return engine.dialect.name == "postgresql"
