"""The rate limit: a fixed window that starts at its first request (likely: Laravel's way)."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_sandbox.behaviour import Behaviour


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass, and what the headers say of the budget."""

    allowed: bool
    limit: int
    remaining: int
    seconds_until_reset: int


@dataclass(slots=True)
class _Window:
    start: float
    used: int = 0
    foreign: int = 0


class RateLimit:
    """Counts the requests of each client; real seconds, whatever the sandbox's clock says."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._windows: dict[str, _Window] = {}

    def reset(self) -> None:
        """Forget every window."""
        self._windows.clear()

    def eat(self, requests: int, behaviour: Behaviour) -> None:
        """Other programs send this many requests now, in the window of every client."""
        for client in self._windows or ("",):
            self._window(client, behaviour).used += requests

    def hit(self, token: str, behaviour: Behaviour) -> Verdict | None:
        """Count a request; `None` when there is no limit. A refused one is not counted."""
        limit = behaviour.rate_limit
        if limit == 0:
            return None
        window = self._window(token if behaviour.rate_limit_per == "token" else "", behaviour)
        allowed = window.used < limit
        window.used += allowed
        reset_in = window.start + behaviour.rate_window_seconds - self._monotonic()
        told = limit if behaviour.rate_limit_told is None else behaviour.rate_limit_told
        remaining = max(0, limit - window.used)
        return Verdict(allowed, told, remaining, max(1, math.ceil(reset_in)))

    def _window(self, client: str, behaviour: Behaviour) -> _Window:
        now = self._monotonic()
        length, pace = behaviour.rate_window_seconds, behaviour.foreign_requests_per_second
        window = self._windows.get(client)
        while window is None or window.start + length <= now:
            start = window.start + length + 1 / pace if window and pace else now
            window = self._windows[client] = _Window(min(start, now))
        foreign = int((now - window.start) * pace)
        window.used += max(0, foreign - window.foreign)
        window.foreign = max(foreign, window.foreign)
        return window
