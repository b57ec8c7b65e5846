"""A clock that moves only when somebody sleeps, and what is to happen while they do."""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class FakeTime:
    """Call it for the time; sleeping lets what is due happen."""

    def __init__(self) -> None:
        self.now = 1_750_000_000.0
        self.naps: list[float] = []
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.naps.append(seconds)
        self.pass_until(self.now + seconds)

    def at(self, moment: float, event: Callable[[], object]) -> None:
        """Let something happen then."""
        heapq.heappush(self._due, (moment, next(self._order), event))

    def pass_until(self, moment: float) -> None:
        """Let everything happen up to then."""
        while self._due and self._due[0][0] <= moment:
            then, _, event = heapq.heappop(self._due)
            self.now = max(self.now, then)
            event()
        self.now = max(self.now, moment)

    def run_out(self) -> None:
        """Let everything happen that is due at all."""
        while self._due:
            self.pass_until(self._due[0][0])
