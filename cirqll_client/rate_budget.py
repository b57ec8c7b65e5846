"""The rate budget: never more requests than the limit in any 60 seconds, over all processes.

A request takes a permit before it is sent. The permit counts until 60 seconds after the answer
came, so that, whenever in between the server counted the request, no 60 seconds of the server's
hold more than the limit. A process that dies leaves a permit that counts a while longer. What other
programs use shows in ``X-RateLimit-Remaining`` and is counted by permits that nobody took.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sql

from cirqll_client.store import BUDGETS, PERMITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Connection

    from cirqll_client.responses import RateLimit
    from cirqll_client.store import Store

WINDOW_SECONDS = 60.0
LONGEST_REQUEST_SECONDS = 60.0
"""For how long the permit of a process that died is taken to be under way."""
ANNOUNCED_SECONDS = 2.0
"""Shorter waits are the pace itself, and not worth a line."""
_LONGEST_SLEEP_SECONDS = 1.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at the budget: a permit, or how long it takes until there may be one."""

    permit: int | None
    wait_seconds: float = 0.0


class RateBudget:
    """The budget of one client of the API, kept in a store. Threads may share it."""

    def __init__(  # noqa: PLR0913 - the seams of a clock and a listener
        self,
        store: Store,
        *,
        client: str,
        requests_per_minute: int,
        is_limit_fixed: bool,
        sleep: Callable[[float], object] = time.sleep,
        on_wait: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        """Share the budget of this client; a limit that is not fixed follows the server's word."""
        self._store = store
        self._client = client
        self._limit = requests_per_minute
        self._is_limit_fixed = is_limit_fixed
        self._sleep = sleep
        self._on_wait = on_wait
        self._turn = threading.Lock()
        self._enter()

    def take(self) -> int:
        """Wait until a request may be sent; give the permit to ``settle`` afterwards.

        The whole wait is announced once. Threads of a process take turns.
        """
        with self._turn:
            is_announced = False
            while (look := self._look()).permit is None:
                if not is_announced and look.wait_seconds >= ANNOUNCED_SECONDS:
                    is_announced = True
                    self._announce(look.wait_seconds)
                seconds = min(look.wait_seconds, _LONGEST_SLEEP_SECONDS)
                self._on_wait(seconds)
                self._sleep(seconds)
            return look.permit

    def settle(self, permit: int, told: RateLimit) -> None:
        """Count the permit from now on for a window, and follow what the headers told."""
        with self._store.transaction() as connection:
            now = self._locked(connection)[0]
            connection.execute(
                sql.update(PERMITS)
                .where(PERMITS.c.id == permit)
                .values(counts_until=now + WINDOW_SECONDS)
            )
            if told.limit and told.limit != self._limit and not self._is_limit_fixed:
                self._follow_limit(connection, told.limit)
            if told.remaining is not None and told.limit:
                self._count_others(connection, told.limit - told.remaining, now)

    def block(self, seconds: float) -> None:
        """Let no process send anything for so long: the server said 429."""
        with self._store.transaction() as connection:
            now, _, blocked_until = self._locked(connection)
            connection.execute(
                sql.update(BUDGETS)
                .where(BUDGETS.c.client == self._client)
                .values(blocked_until=max(blocked_until, now + seconds))
            )

    def _enter(self) -> None:
        with self._store.transaction() as connection:
            limit = {} if not self._is_limit_fixed else {"requests_per_minute": self._limit}
            found = connection.execute(
                sql.update(BUDGETS)
                .where(BUDGETS.c.client == self._client)
                .values({"client": self._client, **limit})
            )
            if found.rowcount == 0:
                self._make(connection)

    def _make(self, connection: Connection) -> None:
        row = {
            "client": self._client,
            "requests_per_minute": self._limit,
            "blocked_until": 0.0,
        }
        dialect = connection.dialect.name
        if dialect == "postgresql":
            from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - one of the two
        else:
            from sqlalchemy.dialects.sqlite import (  # type: ignore[assignment]  # noqa: PLC0415
                insert,
            )
        connection.execute(insert(BUDGETS).values(row).on_conflict_do_nothing())

    def _locked(self, connection: Connection) -> tuple[float, int, float]:
        """Lock the budget; give the time, the limit and until when nothing may be sent."""
        clock = self._store.now_expression
        columns = [BUDGETS.c.requests_per_minute, BUDGETS.c.blocked_until]
        row = connection.execute(
            sql.update(BUDGETS)
            .where(BUDGETS.c.client == self._client)
            .values(client=self._client)
            .returning(*columns, *([] if clock is None else [clock.label("now")]))
        ).one()
        now = self._store.now() if clock is None else float(row.now)
        return now, row.requests_per_minute, row.blocked_until

    def _look(self) -> _Look:
        with self._store.transaction() as connection:
            now, limit, blocked_until = self._locked(connection)
            self._limit = limit
            if WINDOW_SECONDS * 10 > blocked_until - now > 0:
                return _Look(None, blocked_until - now)
            taken, first_end = self._counted(connection, now)
            if taken >= limit:
                return _Look(None, max(0.01, first_end - now))
            return _Look(self._give(connection, now + LONGEST_REQUEST_SECONDS + WINDOW_SECONDS))

    def _counted(self, connection: Connection, now: float) -> tuple[int, float]:
        """Count the permits in force, after those that have run out are gone.

        A permit that would count for longer than any can was given by a clock that was wrong.
        """
        longest = now + LONGEST_REQUEST_SECONDS + 2 * WINDOW_SECONDS
        connection.execute(
            sql.delete(PERMITS).where(
                PERMITS.c.client == self._client,
                (PERMITS.c.counts_until <= now) | (PERMITS.c.counts_until > longest),
            )
        )
        row = connection.execute(
            sql.select(sql.func.count(), sql.func.min(PERMITS.c.counts_until)).where(
                PERMITS.c.client == self._client
            )
        ).one()
        return row[0], row[1] or now

    def _give(self, connection: Connection, counts_until: float) -> int:
        given = connection.execute(
            sql.insert(PERMITS)
            .values(client=self._client, counts_until=counts_until)
            .returning(PERMITS.c.id)
        )
        return int(given.scalar_one())

    def _follow_limit(self, connection: Connection, limit: int) -> None:
        self._limit = limit
        connection.execute(
            sql.update(BUDGETS)
            .where(BUDGETS.c.client == self._client)
            .values(requests_per_minute=limit)
        )
        logger.info("Cirqll allows %d requests a minute; the budget follows.", limit)

    def _count_others(self, connection: Connection, used: int, now: float) -> None:
        """Count what other programs used: what the server counts beyond our own permits."""
        others = used - self._counted(connection, now)[0]
        if others > 0:
            until = now + WINDOW_SECONDS
            connection.execute(
                sql.insert(PERMITS),
                [{"client": self._client, "counts_until": until}] * others,
            )

    def _announce(self, seconds: float) -> None:
        logger.info(
            "The budget of %d requests a minute is used up; waiting %.0f s.", self._limit, seconds
        )
