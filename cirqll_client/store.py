"""The store: a small database that all processes of an account share.

It keeps the tokens, what was learned about an API, and the rate budget. A SQLite file in the user's
state folder by default, readable by its owner only; any SQLAlchemy URL for a store that several
machines share. The store knows tables and transactions; what they mean is decided by its users.
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
LEARNED_COLUMNS = sql.Table(
    "learned_columns",
    _METADATA,
    sql.Column("account", sql.String(512), primary_key=True),
    sql.Column("stream", sql.String(64), primary_key=True),
    sql.Column("field_digest", sql.String(64), primary_key=True),
    sql.Column("field", sql.Text, nullable=False),
    sql.Column("name", sql.String(64), nullable=False),
    sql.Column("name_key", sql.String(64), nullable=False),
    sql.Column("kind", sql.String(16), nullable=False),
    sql.Column("learned_at", sql.Double, nullable=False),
    sql.UniqueConstraint("account", "stream", "name_key"),
)
"""The columns of fields that nobody documented; ``name_key`` is the name in lower case."""
HANDED_OVER = sql.Table(
    "handed_over",
    _METADATA,
    sql.Column("account", sql.String(512), primary_key=True),
    sql.Column("question", sql.String(64), primary_key=True),
    sql.Column("answer", sql.Text, nullable=False),
    sql.Column("left_at", sql.Double, nullable=False),
)
"""Answers that wait to be used by the next process, for minutes."""
_BITMAP = sql.LargeBinary(1 << 30)
"""The length makes MySQL take a type that is large enough."""
DELIVERED_ROLLS = sql.Table(
    "delivered_rolls",
    _METADATA,
    sql.Column("account", sql.String(512), primary_key=True),
    sql.Column("roll", sql.String(32), primary_key=True),
    sql.Column("stream", sql.String(64), nullable=False),
    sql.Column("ids", _BITMAP, nullable=False),
    sql.Column("doubtful", _BITMAP, nullable=False),
    sql.Column("unlisted", _BITMAP, nullable=False),
    sql.Column("since", sql.String(32)),
    sql.Column("scopes", sql.Text),
    sql.Column("settled", sql.Integer, nullable=False),
    sql.Column("last", sql.Integer, nullable=False),
    sql.Column("saved_at", sql.Double, nullable=False),
)
"""The ids of rows that a pipeline has, by stream, as bitmaps; up to the entry ``settled``."""
DELIVERED_ENTRIES = sql.Table(
    "delivered_entries",
    _METADATA,
    sql.Column("account", sql.String(512), primary_key=True),
    sql.Column("roll", sql.String(32), primary_key=True),
    sql.Column("number", sql.Integer, primary_key=True),
    sql.Column("added", _BITMAP, nullable=False),
    sql.Column("gone", _BITMAP, nullable=False),
)
"""What was handed out, and told to be deleted, since then."""
BUDGETS = sql.Table(
    "rate_budgets",
    _METADATA,
    sql.Column("client", sql.String(512), primary_key=True),
    sql.Column("tally", sql.Text, nullable=False),
)
ACCOUNTS = sql.Table(
    "accounts",
    _METADATA,
    sql.Column("api_url", sql.String(255), primary_key=True),
    sql.Column("account", sql.String(255), primary_key=True),
    sql.Column("version", sql.Integer, nullable=False),
    sql.Column("secret", sql.Text),
    sql.Column("refresh_fingerprint", sql.String(64)),
    sql.Column("obtained_at", sql.Double),
    sql.Column("expires_at", sql.Double),
    sql.Column("refresh_expires_at", sql.Double),
    sql.Column("scopes", sql.Text),
    sql.Column("is_reusable", sql.Boolean),
    sql.Column("mark", sql.String(16), nullable=False),
    sql.Column("mark_until", sql.Double, nullable=False),
    sql.Column("mark_words", sql.Text, nullable=False),
    sql.Column("mark_token", sql.String(64), nullable=False),
    sql.Column("mark_by", sql.String(64)),
    sql.Column("client_id", sql.Text),
    sql.Column("token_url", sql.Text),
    sql.Column("signed_in_as", sql.Text),
    sql.Column("company_id", sql.Text),
)
"""Who signed in, with which tokens, and how far their renewal has come."""
SEEN_TOKENS = sql.Table(
    "seen_tokens",
    _METADATA,
    sql.Column("api_url", sql.String(255), primary_key=True),
    sql.Column("account", sql.String(255), nullable=False),
    sql.Column("fingerprint", sql.String(64), primary_key=True),
    sql.Column("is_sent", sql.Boolean, nullable=False),
)
"""The refresh tokens that were ever an account's, by fingerprints from which none can be made.

What was sent stays known for ever, to all accounts: no token is to be sent twice.
"""
CONNECT_LINKS = sql.Table(
    "connect_links",
    _METADATA,
    sql.Column("token_hash", sql.String(64), primary_key=True),
    sql.Column("id", sql.String(16), nullable=False),
    sql.Column("api_url", sql.String(255), nullable=False),
    sql.Column("account", sql.String(255), nullable=False),
    sql.Column("target_origins", sql.Text, nullable=False),
    sql.Column("callback_message", sql.Text),
    sql.Column("scopes", sql.Text, nullable=False),
    sql.Column("made_at", sql.Double, nullable=False),
    sql.Column("expires_at", sql.Double, nullable=False),
    sql.Column("stage", sql.String(16), nullable=False),
    sql.Column("stage_until", sql.Double, nullable=False),
    sql.Column("state_hash", sql.String(64), index=True),
    sql.Column("browser_hash", sql.String(64), index=True),
    sql.Column("secret", sql.Text),
)
"""The links that lead somebody else to consent, and how far each of them has come."""
WRITTEN_ROWS = sql.Table(
    "written_rows",
    _METADATA,
    sql.Column("account", sql.String(512), primary_key=True),
    sql.Column("resource", sql.String(32), primary_key=True),
    sql.Column("identity", sql.String(64), primary_key=True),
    sql.Column("record_id", sql.BigInteger),
    sql.Column("floor_id", sql.BigInteger),
    sql.Column("sent", sql.JSON, nullable=False),
    sql.Column("sent_at", sql.Double, nullable=False),
    sql.Column("version", sql.String(32), nullable=False),
    sql.Index("written_rows_by_record", "account", "resource", "record_id"),
)
"""The ledger: which record a row of a source became, or that its create was sent and not settled.

Rows and what was sent are kept as hashes, so it holds no content of a record.
"""
WRITTEN_RECORDS = sql.Table(
    "written_records",
    _METADATA,
    sql.Column("account", sql.String(512), primary_key=True),
    sql.Column("resource", sql.String(32), primary_key=True),
    sql.Column("record_id", sql.BigInteger, primary_key=True),
    sql.Column("sent", sql.JSON, nullable=False),
    sql.Column("came", sql.JSON, nullable=False),
    sql.Column("changed_at", sql.String(16), nullable=False),
    sql.Column("last_fields", sql.JSON, nullable=False),
)
"""What was last written to a record, what the API made of it, and when, all as hashes."""
RUNS = sql.Table(
    "run_history",
    _METADATA,
    sql.Column("account", sql.String(512), primary_key=True),
    sql.Column("id", sql.String(16), primary_key=True),
    sql.Column("program", sql.String(64), nullable=False),
    sql.Column("version", sql.String(64), nullable=False),
    sql.Column("started_at", sql.Double, nullable=False),
    sql.Column("ended_at", sql.Double),
    sql.Column("outcome", sql.String(16), nullable=False),
    sql.Column("error", sql.JSON(none_as_null=True)),
    sql.Column("streams", sql.JSON, nullable=False),
    sql.Column("requests", sql.Integer, nullable=False),
    sql.Column("seconds_waited", sql.Double, nullable=False),
)
"""What past runs did, in numbers and sentences. As JSON, a sentence may have any character."""


class Store:
    """An open store. Threads may share it."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.time) -> None:
        """Open the store and make its tables. Raises ``SettingInvalid`` where that fails."""
        self._clock = clock
        self._engine = _opened(url)
        self._durable_engine = self._engine.execution_options(is_durable=True)
        self.now_expression: sql.ColumnElement[float] | None = (
            sql.cast(sql.func.extract("epoch", sql.func.clock_timestamp()), sql.Float)
            if _is_postgresql(self._engine)
            else None
        )
        """The database's own clock, where several machines may share it."""

    def now(self) -> float:
        """Give seconds since the epoch by the clock of this machine."""
        return self._clock()

    def time_in(self, connection: Connection) -> float:
        """Give the time by the clock that all who share the store have in common."""
        if self.now_expression is None:
            return self.now()
        return connection.execute(sql.select(self.now_expression)).scalar_one()

    @contextmanager
    def transaction(self, *, is_durable: bool = False) -> Iterator[Connection]:
        """All or nothing. Raises ``Unavailable`` where the database fails.

        SQLite lets one in at a time; elsewhere, lock the rows that are read to be changed. What is
        durable is on the disk at the end, also if the power fails: tokens must be.
        """
        failure = None
        engine = self._durable_engine if is_durable else self._engine
        try:
            with engine.begin() as connection:
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
        with self.transaction() as connection:
            self.insert_within(connection, table, row)

    def insert_within(
        self, connection: Connection, table: sql.Table, row: Mapping[str, Any]
    ) -> None:
        """Insert a row in a transaction that goes on, or leave the one that has its key."""
        with suppress(IntegrityError), connection.begin_nested():
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
