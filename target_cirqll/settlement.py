"""When a STATE message may be passed on: as soon as every row before it is settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

State = dict[str, Any]


class _Stretch:
    """The rows between two STATE messages; a link of a ring.

    Closed by the message behind it, it stays in the ring for as long as one of its rows is
    unsettled. Then its message takes the place of the one before, as no unsettled row lies between.
    """

    __slots__ = ("before", "behind", "state", "unsettled")

    def __init__(self) -> None:
        """Begin alone, without rows or a message."""
        self.before = self.behind = self
        self.unsettled = 0
        self.state: State | None = None

    def put_behind(self, other: _Stretch) -> None:
        """Join the ring behind another one."""
        self.before, self.behind = other, other.behind
        other.behind.before = self
        other.behind = self

    def fold(self) -> None:
        """Leave the ring; the one before takes the message, which is newer than its own."""
        self.before.state = self.state
        self.before.behind = self.behind
        self.behind.before = self.before


class Settlement:
    """Rows that wait, and the STATE messages that wait for them. For one thread.

    A row is settled when it was written, rejected or left, durably. Each step takes the same time
    however much waits, and memory holds the unsettled rows and no more messages than there are of
    these, plus one.
    """

    def __init__(self) -> None:
        """Begin before the first row."""
        self._begin = _Stretch()
        """Has no rows: its message is what is due."""
        self._stretch_of: dict[int, _Stretch] = {}
        self._given: State | None = None
        self._open()

    def received(self, position: int) -> None:
        """Note that a row came; each comes once, in the order of the input."""
        self._stretch_of[position] = self._last
        self._last.unsettled += 1

    def settled(self, positions: Iterable[int]) -> None:
        """Note that rows are settled, in any order; one that is already changes nothing."""
        for position in positions:
            stretch = self._stretch_of.pop(position, None)
            if stretch is None:
                continue
            stretch.unsettled -= 1
            if not stretch.unsettled and stretch is not self._last:
                stretch.fold()

    def offer(self, state: State) -> None:
        """Note that a STATE message came, behind all rows so far; it is kept, not copied."""
        if self._last.unsettled:
            self._last.state = state
            self._open()
        else:
            self._last.before.state = state

    def due(self) -> State | None:
        """Give the newest message all of whose rows are settled, unless it says nothing new."""
        state, self._begin.state = self._begin.state, None
        if state is None or state == self._given:
            return None
        self._given = state
        return state

    def _open(self) -> None:
        """Begin the stretch behind the newest message."""
        self._last = _Stretch()
        self._last.put_behind(self._begin.before)
