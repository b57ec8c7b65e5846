"""The record of API requests, for tests to look at."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from typing import Any


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


class RequestLog:
    """Requests in order of arrival."""

    def __init__(self) -> None:
        self._records: list[RequestRecord] = []
        self._generation = 0

    def all(self) -> tuple[RequestRecord, ...]:
        """Every request since the start or the last `forget`."""
        return tuple(self._records)

    def forget(self) -> None:
        """Start anew."""
        self._records = []
        self._generation += 1

    def arrived(self, record: RequestRecord) -> tuple[int, int]:
        """Keep the request; the key is for `answered`."""
        self._records.append(record)
        return self._generation, len(self._records) - 1

    def answered(self, key: tuple[int, int], **facts: Any) -> None:
        """Add what is known only at the end."""
        generation, place = key
        if generation == self._generation:
            self._records[place] = replace(self._records[place], **facts)

    def most_in_any_window(self, seconds: float = 60) -> int:
        """The largest number of requests that arrived in any window of this length."""
        times = sorted(record.time for record in self._records)
        return max(
            (bisect_right(times, time) - bisect_right(times, time - seconds) for time in times),
            default=0,
        )
