"""Reading several sources at once, each in a thread, and handing out what they give."""

from __future__ import annotations

import queue
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Source = TypeVar("Source")
Item = TypeVar("Item")

_LOOK_EVERY_SECONDS = 0.2
"""How often a thread that waits looks whether it is still wanted."""


@dataclass(frozen=True, slots=True)
class Given(Generic[Source, Item]):
    """One item of a source."""

    source: Source
    item: Item


@dataclass(frozen=True, slots=True)
class Ended(Generic[Source]):
    """A source has nothing more: it came to its end, or to an error."""

    source: Source
    error: Exception | None = None


class SideBySide(Generic[Source, Item]):
    """Iterates over sources, so many at a time; stops all of them when it is left.

    A source reads ahead by one item, so that the next page is fetched while this one is written,
    and no more than that, so that memory stays flat.
    """

    def __init__(
        self,
        sources: list[Source],
        items_of: Callable[[Source], Iterator[Item]],
        *,
        at_once: int,
        is_stopping: Callable[[], bool] = lambda: False,
        on_idle: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare; threads start with the iteration, which ends early once it is stopping.

        While no item comes, ``on_idle`` is called every so often.
        """
        self._is_stopping = is_stopping
        self._on_idle = on_idle
        self._waiting = deque(sources)
        self._number = len(sources)
        self._items_of = items_of
        self._at_once = min(at_once, len(sources))
        self._events: queue.Queue[Given[Source, Item] | Ended[Source]] = queue.Queue(maxsize=1)
        self._is_left = threading.Event()

    def __iter__(self) -> Iterator[Given[Source, Item] | Ended[Source]]:
        """Hand out items as they come, and the end of each source."""
        for number in range(self._at_once):
            threading.Thread(target=self._work, name=f"reader-{number}", daemon=True).start()
        ended = 0
        try:
            while ended < self._number and not self._is_stopping():
                try:
                    event = self._events.get(timeout=_LOOK_EVERY_SECONDS)
                except queue.Empty:
                    self._on_idle()
                    continue
                ended += isinstance(event, Ended)
                yield event
        finally:
            self._is_left.set()

    def _work(self) -> None:
        while not self._is_left.is_set():
            try:
                source = self._waiting.popleft()
            except IndexError:
                return
            self._read(source)

    def _read(self, source: Source) -> None:
        error: Exception | None = None
        try:
            for item in self._items_of(source):
                if not self._put(Given(source, item)):
                    return
        except Exception as caught:  # noqa: BLE001 - told to the one who iterates
            error = caught
        self._put(Ended(source, error))

    def _put(self, event: Given[Source, Item] | Ended[Source]) -> bool:
        """Hand an event over. Tell whether it was taken."""
        while not self._is_left.is_set():
            try:
                self._events.put(event, timeout=_LOOK_EVERY_SECONDS)
            except queue.Full:
                continue
            return True
        return False
