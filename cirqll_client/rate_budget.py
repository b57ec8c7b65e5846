"""The rate budget: never more requests than the limit in any window, over all processes.

A request takes a permit before it is sent and settles it after the answer; ``pace`` has the law and
decides. Here its tally is read, changed and written in one transaction of the store, so that all
processes and threads see one budget, and time is waited out.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sql

from cirqll_client.pace import WINDOW_SECONDS, Tally
from cirqll_client.store import BUDGETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cirqll_client.responses import RateLimit
    from cirqll_client.store import Store

DEFAULT_LIMIT = 60
"""Requests a minute for each client [doc], until the server tells otherwise."""
LONGEST_REQUEST_SECONDS = 60.0
ANNOUNCED_SECONDS = 2.0
"""Shorter waits are the pace itself, and not worth a line."""
_LONGEST_SLEEP_SECONDS = 1.0
"""Another process may give room back earlier than the tally can know."""

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Tally)
_CLIENT = sql.bindparam("budget_of", type_=sql.String)
_WRITE = sql.update(BUDGETS).where(BUDGETS.c.client == _CLIENT).values(tally=sql.bindparam("text"))

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Opened:
    """The tally while its row is locked."""

    tally: Tally
    now: float


class RateBudget:
    """The budget of one client of the API, kept in a store. Threads may share it."""

    def __init__(  # noqa: PLR0913 - the seams of a window, a wait and a listener
        self,
        store: Store,
        *,
        client: str,
        limit: int | None = None,
        window_seconds: float = WINDOW_SECONDS,
        longest_request_seconds: float = LONGEST_REQUEST_SECONDS,
        sleep: Callable[[float], object] = time.sleep,
        on_wait: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        """Share the budget of this client; without a limit, the server's word is followed."""
        self._store = store
        self._client = client
        self._limit = limit
        self._window = window_seconds
        self._counted_unanswered = longest_request_seconds + window_seconds
        self._sleep = sleep
        self._on_wait = on_wait
        self._turn = threading.Lock()
        clock = [] if store.now_expression is None else [store.now_expression.label("now")]
        self._read = sql.select(BUDGETS.c.tally, *clock).where(BUDGETS.c.client == _CLIENT)
        self._read = self._read.with_for_update()
        store.insert_unless_there(BUDGETS, {"client": client, "tally": "{}"})

    def take(self) -> int:
        """Wait until a request may be sent; give the permit to ``settle`` afterwards.

        The whole wait is announced once. Threads of a process take turns.
        """
        with self._turn:
            seconds, permit = self._look()
            if seconds >= ANNOUNCED_SECONDS:
                logger.info("The budget of requests is used up; waiting %.0f s.", seconds)
            while seconds:
                nap = min(seconds, _LONGEST_SLEEP_SECONDS)
                self._on_wait(nap)
                self._sleep(nap)
                seconds, permit = self._look()
            return permit

    def settle(self, permit: int, told: RateLimit) -> None:
        """Count the permit from now on for a window, and follow what the headers told."""
        with self._opened() as opened:
            tally, now = opened.tally, opened.now
            if told.limit and told.remaining is not None:
                used = told.limit - told.remaining
                tally.hear(permit, used=used, now=now, window=self._window)
            tally.answer(permit, now=now, window=self._window)
            if told.limit:
                self._follow(tally, told.limit)

    def block(self, seconds: float) -> None:
        """Let no process send anything for so long: the server said 429."""
        with self._opened() as opened:
            opened.tally.block(seconds, now=opened.now)

    def _look(self) -> tuple[float, int]:
        """Give seconds to wait, or 0 and a permit."""
        with self._opened() as opened:
            tally, now = opened.tally, opened.now
            limit = self._limit or tally.limit or DEFAULT_LIMIT
            seconds = tally.seconds_until_free(limit=limit, now=now, window=self._window)
            if seconds > 0:
                return max(seconds, 0.001), 0
            return 0.0, tally.begin(now=now, counts_until=now + self._counted_unanswered)

    def _follow(self, tally: Tally, limit: int) -> None:
        if limit == (tally.limit or DEFAULT_LIMIT):
            return
        tally.limit = limit
        if self._limit is None:
            logger.info("Cirqll allows %d requests a minute; the budget follows.", limit)

    @contextmanager
    def _opened(self) -> Iterator[_Opened]:
        """Lock the tally, bring it up to the present, and write it if it was changed."""
        with self._store.transaction() as connection:
            row = connection.execute(self._read, {"budget_of": self._client}).one()
            now = self._store.now() if len(row) == 1 else row[1]
            opened = _Opened(_DECODER.decode(row[0]), now)
            opened.tally.pass_time(now=now, window=self._window)
            yield opened
            text = _ENCODER.encode(opened.tally).decode()
            if text != row[0]:
                connection.execute(_WRITE, {"budget_of": self._client, "text": text})
