"""The sandbox's clock: it runs like the real one, and tests may stop, set and move it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


class Clock:
    """Tells the time: writes stamp it on rows, the `Date` header shows it, tokens expire by it.

    The rate limit does not follow it: it counts real seconds.
    """

    def __init__(self, now: datetime | None = None, *, running: bool = True) -> None:
        self._running = running
        self.set(now or datetime.now(UTC))

    @classmethod
    def stopped_at(cls, now: datetime) -> Clock:
        """A clock that stands still until it is moved."""
        return cls(now, running=False)

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        passed = time.monotonic() - self._set_at if self._running else 0
        return self._base + timedelta(seconds=passed)

    def set(self, now: datetime, *, running: bool | None = None) -> None:
        """Jump to a moment; a moment without a zone is UTC."""
        moment = now if now.tzinfo else now.replace(tzinfo=UTC)
        self._base = moment.astimezone(UTC)
        self._set_at = time.monotonic()
        self._running = self._running if running is None else running

    def move(self, seconds: float) -> None:
        """Jump forward, or back when negative."""
        self.set(self.now() + timedelta(seconds=seconds))

    def stop(self) -> None:
        """Stand still from now on."""
        self.set(self.now(), running=False)


def stamp(moment: datetime, timezone: str) -> str:
    """The moment as Cirqll writes it, read on a clock of that zone."""
    return written(moment.astimezone(ZoneInfo(timezone)))


def written(local: datetime) -> str:
    """A time in the form of Cirqll: `2024-05-18 13:38:35`, whole seconds, no zone.

    A year has four digits, as MySQL stores it: `strftime` writes the year 1 as `1`.
    """
    return local.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
