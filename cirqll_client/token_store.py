"""The accounts of a store: their token pairs, and how far a renewal has come.

It knows tables, transactions and encryption, and nothing of OAuth. Whoever renews writes a mark
before the refresh token is sent; only the writer of the mark may say how it ended. All change the
row of the account before those of its tokens, so that no two wait for each other.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sql

from cirqll_client.sealing import Unsealed
from cirqll_client.store import ACCOUNTS, SEEN_TOKENS
from cirqll_client.token_life import Mark, StoredAccount
from cirqll_client.tokens import TokenPair, fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Connection

    from cirqll_client.sealing import Sealing
    from cirqll_client.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a pair comes from, and whose it is; no secret."""

    client_id: str | None = None
    token_url: str | None = None
    signed_in_as: str | None = None
    company_id: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """An account, and what else must be known at the same moment."""

    stored: StoredAccount
    now: float
    """By the clock that all who share the store have in common."""
    has_seen: bool
    """Whether the token that was asked for is or was one of an account's, of this or another."""


class TokenStore:
    """The accounts of one API. Threads may share it."""

    def __init__(self, store: Store, *, api_url: str, sealing: Sealing | None = None) -> None:
        """Keep the accounts of this API in the store."""
        self._store = store
        self._api_url = api_url
        self._sealing = sealing or Unsealed()

    def read(self, account: str) -> StoredAccount | None:
        """Give an account. Raises ``SettingInvalid`` if it cannot be decrypted."""
        with self._store.transaction() as connection:
            return self._read(connection, account)

    def accounts(self) -> list[StoredAccount]:
        """Give all accounts by name. Raises ``SettingInvalid`` if one cannot be decrypted."""
        question = _READ.where(ACCOUNTS.c.api_url == self._api_url)
        with self._store.transaction() as connection:
            rows = connection.execute(question.order_by(ACCOUNTS.c.account)).mappings().all()
        return [self._account(row) for row in rows]

    def look(self, account: str, *, token: str | None = None) -> Look:
        """Give what a decision takes. Raises ``SettingInvalid`` if it cannot be decrypted."""
        with self._store.transaction() as connection:
            # In this order: a token that is seen meanwhile is refused by ``begin_renewal``.
            has_seen = token is not None and self._has_seen(connection, token)
            stored = self._read(connection, account) or StoredAccount(account, version=0)
            return Look(stored, self._store.time_in(connection), has_seen)

    def now(self) -> float:
        """Give the time by the clock that all who share the store have in common."""
        with self._store.transaction() as connection:
            return self._store.time_in(connection)

    def save(self, account: str, pair: TokenPair | None, origin: Origin) -> None:
        """Put the tokens of a sign-in in place of whatever was there.

        Raises ``SettingInvalid`` rather than to write over what another key has encrypted.
        """
        with self._store.transaction(is_durable=True) as connection:
            while self._locked_version(connection, account) is None:
                # Again and again: a logout may remove the row before it is locked.
                self._open_row(connection, account)
            self._read(connection, account)
            values = {**self._values(pair), **_marked(Mark()), **_origin(origin), "mark_by": None}
            self._update(connection, account, {**values, "version": _another_version()})
            if pair is not None and pair.refresh_token:
                self._see(connection, account, pair.refresh_fingerprint)
                # Whoever gives a token once more wants it to be used.
                self._set_sent(connection, pair.refresh_fingerprint, is_sent=False)

    def forget(self, account: str) -> bool:
        """Remove an account; tell whether there was one.

        That a refresh token was sent stays known, unless the service gives it back each time.
        """
        with self._store.transaction(is_durable=True) as connection:
            question = sql.select(ACCOUNTS.c.is_reusable).where(*self._key(account))
            is_reusable = bool(connection.execute(question.with_for_update()).scalar())
            gone = connection.execute(sql.delete(ACCOUNTS).where(*self._key(account)))
            seen = sql.delete(SEEN_TOKENS).where(
                SEEN_TOKENS.c.api_url == self._api_url,
                SEEN_TOKENS.c.account == account,
                *([] if is_reusable else [SEEN_TOKENS.c.is_sent.is_(False)]),
            )
            connection.execute(seen)
            return gone.rowcount > 0

    def has_seen(self, account: str, refresh_token: str) -> bool:
        """Tell whether a refresh token is or was one of this account's."""
        question = sql.select(SEEN_TOKENS.c.account).where(
            *self._seen_key(fingerprint(refresh_token))
        )
        with self._store.transaction() as connection:
            return connection.execute(question).scalar() == account

    def begin_renewal(  # noqa: PLR0913 - what the mark says
        self,
        account: str,
        *,
        version: int,
        refresh_token: str,
        by: str,
        seconds: float,
        even_if_sent: bool = False,
    ) -> bool:
        """Write the mark before a refresh token is sent; false if it is not to be sent.

        It is not if somebody else was quicker: ``version`` is that of the account as it was read,
        0 if there was none. Nor, in any case, if it was sent before and may have been taken, unless
        ``even_if_sent``. A token that the account did not have before is one of its own from here.
        """
        with self._store.transaction(is_durable=True) as connection:
            if version == 0:
                self._open_row(connection, account)
            if self._locked_version(connection, account) != version:
                return False
            token = fingerprint(refresh_token)
            self._see(connection, account, token)
            is_new = self._set_sent(connection, token, is_sent=True)
            if not is_new and not even_if_sent:
                return False
            until = self._store.time_in(connection) + seconds
            mark = Mark("sent", until=until, token=token)
            values = {**_marked(mark), "mark_by": by, "version": _another_version()}
            return self._update(connection, account, values)

    def finish_renewal(self, account: str, pair: TokenPair, *, by: str, origin: Origin) -> bool:
        """Put the new pair in place of the old one; false if the account changed meanwhile.

        Whose the new one is stays known, unless it came of a token from the settings.
        """
        told = {name: value for name, value in _origin(origin).items() if value is not None}
        values = {**self._values(pair), **_marked(Mark()), **_OWNER, **told, "mark_by": None}
        change = {**values, "version": _another_version()}
        with self._store.transaction(is_durable=True) as connection:
            is_saved = self._update(connection, account, change, ACCOUNTS.c.mark_by == by)
            if is_saved and pair.refresh_token:
                self._see(connection, account, pair.refresh_fingerprint)
            return is_saved

    def end_renewal(self, account: str, mark: Mark, *, by: str) -> None:
        """Note that a renewal ended without a new pair; nothing if the account changed meanwhile.

        ``ready`` says that the refresh token was certainly not taken: it may be sent again. If it
        came from the settings, it is forgotten, so that they may offer it again.
        """
        row = sql.select(ACCOUNTS.c.mark_token, ACCOUNTS.c.refresh_fingerprint).where(
            *self._key(account), ACCOUNTS.c.mark_by == by
        )
        change = {**_marked(mark), "mark_by": None, "version": _another_version()}
        with self._store.transaction(is_durable=True) as connection:
            sent = connection.execute(row.with_for_update()).first()
            if sent is None:
                return
            self._update(connection, account, change)
            if mark.state == "ready" and sent.mark_token == sent.refresh_fingerprint:
                self._set_sent(connection, sent.mark_token, is_sent=False)
            elif mark.state == "ready":
                seen = sql.delete(SEEN_TOKENS).where(*self._seen_key(sent.mark_token))
                connection.execute(seen)

    def _read(self, connection: Connection, account: str) -> StoredAccount | None:
        row = connection.execute(_READ.where(*self._key(account))).mappings().first()
        return self._account(row) if row else None

    def _has_seen(self, connection: Connection, token: str) -> bool:
        question = sql.select(sql.true()).where(*self._seen_key(fingerprint(token)))
        return connection.execute(question).first() is not None

    def _key(self, account: str) -> list[sql.ColumnElement[bool]]:
        return [ACCOUNTS.c.api_url == self._api_url, ACCOUNTS.c.account == account]

    def _seen_key(self, token: str) -> list[sql.ColumnElement[bool]]:
        return [SEEN_TOKENS.c.api_url == self._api_url, SEEN_TOKENS.c.fingerprint == token]

    def _open_row(self, connection: Connection, account: str) -> None:
        row = {"api_url": self._api_url, "account": account, "version": 0}
        self._store.insert_within(connection, ACCOUNTS, {**row, **_marked(Mark())})

    def _see(self, connection: Connection, account: str, token: str) -> None:
        key = {"api_url": self._api_url, "account": account, "fingerprint": token}
        self._store.insert_within(connection, SEEN_TOKENS, {**key, "is_sent": False})

    def _set_sent(self, connection: Connection, token: str, *, is_sent: bool) -> bool:
        """Say whether a token was sent; tell whether that was said otherwise before."""
        known = sql.update(SEEN_TOKENS).where(*self._seen_key(token))
        change = known.where(SEEN_TOKENS.c.is_sent.is_not(is_sent)).values(is_sent=is_sent)
        return connection.execute(change).rowcount > 0

    def _locked_version(self, connection: Connection, account: str) -> int | None:
        question = sql.select(ACCOUNTS.c.version).where(*self._key(account)).with_for_update()
        return connection.execute(question).scalar()

    def _update(
        self,
        connection: Connection,
        account: str,
        values: Mapping[str, Any],
        *where: sql.ColumnElement[bool],
    ) -> bool:
        change = sql.update(ACCOUNTS).where(*self._key(account), *where).values(dict(values))
        return connection.execute(change).rowcount > 0

    def _values(self, pair: TokenPair | None) -> dict[str, Any]:
        if pair is None:
            return {"secret": None, **dict.fromkeys(("refresh_fingerprint", *_PAIR_COLUMNS))}
        tokens = {"access_token": pair.access_token, "refresh_token": pair.refresh_token}
        return {
            "secret": self._sealing.seal(json.dumps(tokens)),
            "refresh_fingerprint": pair.refresh_fingerprint or None,
            **{name: getattr(pair, name) for name in _PAIR_COLUMNS},
            "scopes": None if pair.scopes is None else " ".join(sorted(pair.scopes)),
        }

    def _account(self, row: Mapping[Any, Any]) -> StoredAccount:
        return StoredAccount(
            account=row["account"],
            version=row["version"],
            pair=self._pair(row),
            is_sent=bool(row["is_sent"]),
            mark=Mark(row["mark"], row["mark_until"], row["mark_words"], row["mark_token"]),
            **{name: row[name] for name in Origin.__slots__},
        )

    def _pair(self, row: Mapping[Any, Any]) -> TokenPair | None:
        if row["secret"] is None:
            return None
        scopes = row["scopes"]
        facts = {name: row[name] for name in _PAIR_COLUMNS}
        facts["scopes"] = None if scopes is None else frozenset(scopes.split())
        return TokenPair(**json.loads(self._sealing.open(row["secret"])), **facts)


_IS_SENT = sql.exists().where(
    SEEN_TOKENS.c.api_url == ACCOUNTS.c.api_url,
    SEEN_TOKENS.c.fingerprint == ACCOUNTS.c.refresh_fingerprint,
    SEEN_TOKENS.c.is_sent,
)
_READ = sql.select(ACCOUNTS, _IS_SENT.label("is_sent")).where(ACCOUNTS.c.version != 0)
"""A row of version 0 was opened and not filled: it is none."""
_OWNER = {
    column.name: sql.case(
        (ACCOUNTS.c.mark_token == ACCOUNTS.c.refresh_fingerprint, column), else_=None
    )
    for column in (ACCOUNTS.c.signed_in_as, ACCOUNTS.c.company_id)
}
_PAIR_COLUMNS = ("obtained_at", "expires_at", "refresh_expires_at", "scopes", "is_reusable")


def _marked(mark: Mark) -> dict[str, Any]:
    return {
        "mark": mark.state,
        "mark_until": mark.until,
        "mark_words": mark.words,
        "mark_token": mark.token,
    }


def _origin(origin: Origin) -> dict[str, Any]:
    return {name: getattr(origin, name) for name in Origin.__slots__}


def _another_version() -> int:
    """Give a version that no reader has in hand, also where the account was removed meanwhile."""
    return 1 + secrets.randbelow(2**31 - 1)
