"""The record of requests, for tests to look at."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One API request, as it arrived. `status` is `None` until, or unless, it is answered."""

    time: float
    """Monotonic seconds at arrival."""
    method: str
    path: str
    query: dict[str, list[str]]
    token: str | None = field(repr=False)
    body: str = field(default="", repr=False)
    status: int | None = None
    faults: tuple[str, ...] = ()


class _Timed(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def time(self) -> float: ...


Record = TypeVar("Record", bound=_Timed)


class RequestLog(Generic[Record]):
    """Requests of one sort in order of arrival."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._generation = 0
        self._lock = Lock()
        self._hooks: list[Callable[[Record], object]] = []

    def all(self) -> tuple[Record, ...]:
        """Every request since the start or the last `forget`."""
        with self._lock:
            return tuple(self._records)

    def forget(self) -> None:
        """Start anew."""
        with self._lock:
            self._records = []
            self._generation += 1

    def clear(self) -> None:
        """Forget the requests, and call nobody from now on."""
        self.forget()
        self._hooks.clear()

    def on_arrival(self, callback: Callable[[Record], object]) -> Callable[[], None]:
        """Call this with every request before it is answered; the result ends that."""
        self._hooks.append(callback)
        return lambda: self._hooks.remove(callback)

    def arrived(self, record: Record) -> tuple[int, int]:
        """Keep the request and tell who wants to know; the key is for `answered`."""
        with self._lock:
            self._records.append(record)
            key = self._generation, len(self._records) - 1
        for hook in tuple(self._hooks):
            hook(record)
        return key

    def answered(self, key: tuple[int, int], **facts: Any) -> None:
        """Add what is known only at the end."""
        generation, place = key
        with self._lock:
            if generation == self._generation:
                self._records[place] = replace(self._records[place], **facts)

    def most_in_any_window(self, seconds: float = 60) -> int:
        """The largest number of requests that arrived in any window of this length."""
        times = sorted(record.time for record in self.all())
        return max(
            (bisect_right(times, time) - bisect_right(times, time - seconds) for time in times),
            default=0,
        )
