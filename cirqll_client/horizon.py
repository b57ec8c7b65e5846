"""Up to which moment a reading may claim that everything is delivered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cirqll_client.timestamps import Timestamps

CLOCK_TOLERANCE = timedelta(minutes=5)
"""Clocks of servers differ by less, time zones by more."""


class Horizon:
    """What a reading learned of times: the server's clock, and the latest change that came."""

    def __init__(
        self, timestamps: Timestamps, *, until: datetime | None = None, newest: str | None = None
    ) -> None:
        """Begin, or go on with what an interrupted reading knew."""
        self._timestamps = timestamps
        self._now: datetime | None = None
        self.until = until
        """The server's time when the reading began. Later changes may have been passed by."""
        self.newest = newest
        """The latest time of change so far that is none of the server's future, as the API writes
        it. A row from the future moves nothing."""
        self.from_future: str | None = None
        """The latest one of the server's future."""
        self.has_untimed = False
        """A row came that does not tell when it changed."""

    def look_at(self, now: datetime) -> None:
        """Note the server's time at an answer."""
        self.until = self.until or now
        self._now = now

    def saw(self, times: Iterable[object]) -> None:
        """Note the times of rows, as they came, at the time of ``look_at``."""
        texts = list(map(self.comparable, times))
        self.has_untimed |= None in texts
        present = self._timestamps.latest_text((self._now or datetime.now(UTC)) + CLOCK_TOLERANCE)
        future = [text for text in texts if text is not None and text > present]
        past = [text for text in texts if text is not None and text <= present]
        self.from_future = max([*future, self.from_future or ""]) or None
        self.newest = max([*past, self.newest or ""]) or None

    def delivered(self, *, was_quiet: bool) -> datetime | None:
        """Give the bookmark of a reading that came to its end; ``None`` where nothing is known.

        Everything up to the latest change is delivered, but for rows that were passed and changed
        while the reading took. They changed after ``until``; and, should the zone of the times not
        be the true one, no earlier than the latest change less the time that the reading took.
        """
        newest = self.instant(self.newest)
        if newest is None or self.until is None or self._now is None:
            return None
        duration = timedelta(0) if was_quiet else max(self._now - self.until, timedelta(0))
        try:
            return min(newest - duration, self.until)
        except OverflowError:
            return None

    def comparable(self, time: object) -> str | None:
        """Give the text by which the API compares a time; ``None`` for what is no time."""
        try:
            return self._timestamps.comparable(time) if isinstance(time, str) else None
        except ValueError:
            return None

    def instant(self, text: str | None) -> datetime | None:
        """Give the moment; ``None`` for what is no time, MySQL's zero date included."""
        try:
            return self._timestamps.instant(text) if text else None
        except ValueError:
            return None
