"""Answers that one process leaves for the next in the store, so that nothing is asked twice.

Who discovers reads a page of each resource; a sync that begins a moment later would begin with the
very same questions. An answer is given out once, and only for a short time. It holds records: it is
encrypted where the tokens are, and lies in a file that only its owner may read.
"""

from __future__ import annotations

import base64
import json
import threading
import zlib
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import sqlalchemy as sql

from cirqll_client.errors import SettingInvalid, Unavailable
from cirqll_client.store import HANDED_OVER
from cirqll_client.transport import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cirqll_client.sealing import Sealing
    from cirqll_client.store import Store

GOOD_FOR_SECONDS = 15 * 60.0
"""A reading that begins with an answer of that age is one that was begun then, and took long."""
MOST_BYTES = 8 << 20
"""Of one answer, as it came."""
_KEPT_HEADERS = ("Date", "Content-Type")


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, and with whose token: the answer is for nobody else."""

    path: str
    parameters: Mapping[str, str]
    token_fingerprint: str

    @property
    def digest(self) -> str:
        """Give the words by which the store knows it."""
        words = [self.path, sorted(self.parameters.items()), self.token_fingerprint]
        return sha256(json.dumps(words).encode()).hexdigest()


class HandedOver:
    """The answers that were left for one account. Threads may share it."""

    def __init__(self, store: Store, *, account: str, sealing: Sealing) -> None:
        """Keep them in this store."""
        self._store = store
        self._account = account
        self._sealing = sealing
        self._waiting: set[str] | None = None
        self._turn = threading.Lock()

    def leave(self, question: Question, answer: Answer) -> None:
        """Leave an answer, in place of an older one; a store that fails does no harm.

        One without the server's time is not left: it would not tell when it was true.
        """
        headers = {name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers}
        if "Date" not in headers or len(answer.body) > MOST_BYTES:
            return
        body = base64.b64encode(zlib.compress(answer.body)).decode()
        row = {
            "account": self._account,
            "question": question.digest,
            "answer": self._sealing.seal(json.dumps({"headers": headers, "body": body})),
            "left_at": self._store.now(),
        }
        with suppress(Unavailable), self._store.transaction() as connection:
            connection.execute(sql.delete(HANDED_OVER).where(self._is(row["question"])))
            self._store.insert_within(connection, HANDED_OVER, row)

    def has_any(self) -> bool:
        """Tell whether an answer may be waiting. Raises ``Unavailable``."""
        with self._turn:
            if self._waiting is None:
                self._waiting = self._left()
            return bool(self._waiting)

    def take(self, question: Question) -> Answer | None:
        """Give the answer to this question, if it was left; nobody else gets it then.

        Raises ``Unavailable``.
        """
        with self._turn:
            if self._waiting is None or question.digest not in self._waiting:
                return None
            self._waiting.discard(question.digest)
        mine = self._is(question.digest)
        is_good = HANDED_OVER.c.left_at >= self._oldest()
        with self._store.transaction() as connection:
            answer = sql.select(HANDED_OVER.c.answer).where(mine, is_good)
            text = connection.execute(answer).scalar()
            taken = connection.execute(sql.delete(HANDED_OVER).where(mine))
        return self._opened(text) if text is not None and taken.rowcount else None

    def _oldest(self) -> float:
        return self._store.now() - GOOD_FOR_SECONDS

    def _left(self) -> set[str]:
        """Look what was left, once; what is too old goes, whoever left it."""
        is_old = HANDED_OVER.c.left_at < self._oldest()
        mine = sql.select(HANDED_OVER.c.question).where(HANDED_OVER.c.account == self._account)
        with self._store.transaction() as connection:
            connection.execute(sql.delete(HANDED_OVER).where(is_old))
            return set(connection.execute(mine).scalars())

    def _is(self, question: object) -> sql.ColumnElement[bool]:
        return sql.and_(HANDED_OVER.c.account == self._account, HANDED_OVER.c.question == question)

    def _opened(self, text: str) -> Answer | None:
        """Read an answer; one that was sealed with another key is none."""
        try:
            left = json.loads(self._sealing.open(text))
        except SettingInvalid:
            return None
        return Answer(200, left["headers"], zlib.decompress(base64.b64decode(left["body"])))
