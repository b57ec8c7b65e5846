"""What counts against the limit of requests, and how long until there is room: decisions only.

The law: a server that counts a request at any moment between its sending and its answer never
counts more than the limit in any window. So a request counts from the moment it is begun until one
window after it was answered. One that is never answered, because its process died, counts from its
beginning for the longest that a request takes, and a window more.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec

WINDOW_SECONDS = 60.0
LONGEST_BLOCK_SECONDS = 3600.0
"""What asks for more was told by a clock that was wrong."""
_STEPS_IN_WINDOW = 1000
"""Answered requests are counted by the thousandth of a window, rounded to the safe side, so that a
limit of a million a minute costs no more than one of a thousand."""


class UnderWay(NamedTuple):
    """A request that is not answered yet."""

    began: float
    counts_until: float
    """If no answer ever comes."""


class Tally(msgspec.Struct, omit_defaults=True):
    """The requests that count. All times are seconds by the clock of the store."""

    limit: int | None = None
    """Requests in a window, as the server tells it."""
    blocked_until: float = 0.0
    last_number: int = 0
    under_way: dict[int, UnderWay] = msgspec.field(default_factory=dict)
    """By the number of their permit."""
    answered: dict[int, int] = msgspec.field(default_factory=dict)
    """How many count until when, in steps of the window."""
    others: int = 0
    """Requests of other programs, which nobody began here."""
    others_until: float = 0.0

    def seconds_until_free(self, *, limit: int, now: float, window: float) -> float:
        """Tell how long no request may be begun; 0 where one may be now."""
        if self.blocked_until > now:
            return self.blocked_until - now
        ends = [(end, number) for end, number in self._ends(window) if end > now]
        too_many = sum(number for _, number in ends) - limit + 1
        for end, number in sorted(ends):
            if too_many <= 0:
                break
            too_many -= number
            if too_many <= 0:
                return min(end, now + window) - now
        return 0.0

    def begin(self, *, now: float, counts_until: float) -> int:
        """Count a request that is about to be sent; give the number of its permit."""
        self.last_number += 1
        self.under_way[self.last_number] = UnderWay(now, counts_until)
        return self.last_number

    def answer(self, permit: int, *, now: float, window: float) -> None:
        """Count an answered request for one window more."""
        self.under_way.pop(permit, None)
        step = math.ceil((now + window) * _STEPS_IN_WINDOW / window)
        self.answered[step] = self.answered.get(step, 0) + 1

    def hear(self, permit: int, *, used: int, now: float, window: float) -> None:
        """Count other programs: what the server counted that none of ours can have been.

        When it counted is not known, so all of ours count that did at any time since this request
        began. Those of others are no more than the rest of what it counted.
        """
        request = self.under_way.get(permit)
        if request is None:
            return
        ends = sum(number for end, number in self._own_ends(window) if end > request.began)
        if used - ends > self._others_at(now):
            self.others, self.others_until = used - ends, now + window
        self.others = min(self.others, max(0, used - 1))

    def block(self, seconds: float, *, now: float) -> None:
        """Let nothing begin for so long."""
        self.blocked_until = max(self.blocked_until, now + min(seconds, LONGEST_BLOCK_SECONDS))

    def pass_time(self, *, now: float, window: float) -> None:
        """Forget what counts no more, and what only a clock that was wrong can have written."""
        self.under_way = {
            permit: _not_later(one, now)
            for permit, one in self.under_way.items()
            if one.counts_until > now
        }
        since = min((one.began for one in self.under_way.values()), default=now)
        self._forget_answered(since=since, now=now, window=window)
        self.others = self._others_at(now)
        self.others_until = min(self.others_until, now + window)
        self.blocked_until = min(self.blocked_until, now + LONGEST_BLOCK_SECONDS)

    def _forget_answered(self, *, since: float, now: float, window: float) -> None:
        first = math.floor(since * _STEPS_IN_WINDOW / window)
        last = math.ceil((now + window) * _STEPS_IN_WINDOW / window)
        kept: dict[int, int] = {}
        for step, number in self.answered.items():
            if step > first:
                step_in_time = min(step, last)
                kept[step_in_time] = kept.get(step_in_time, 0) + number
        self.answered = kept

    def _ends(self, window: float) -> list[tuple[float, int]]:
        return [*self._own_ends(window), (self.others_until, self.others)]

    def _own_ends(self, window: float) -> list[tuple[float, int]]:
        step_seconds = window / _STEPS_IN_WINDOW
        ends = [(step * step_seconds, number) for step, number in self.answered.items()]
        return ends + [(one.counts_until, 1) for one in self.under_way.values()]

    def _others_at(self, now: float) -> int:
        return self.others if self.others_until > now else 0


def _not_later(one: UnderWay, now: float) -> UnderWay:
    """Give a request that began no later than now."""
    if one.began <= now:
        return one
    return UnderWay(now, now + one.counts_until - one.began)
