"""What a run did: counts by stream, told to a log while it lasts and when it ends."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cirqll_client.amounts import counted, duration

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    from cirqll_client.session import Sent
    from target_cirqll.actions import Deed
    from target_cirqll.rows import RejectKind

LINE_EVERY_SECONDS = 30.0

DONE: dict[Deed, str] = {
    "created": "created",
    "updated": "updated",
    "unchanged": "unchanged",
    "deleted": "deleted",
    "archived": "archived",
    "left": "left alone",
}
PLANNED: dict[Deed, str] = {
    "created": "to create",
    "updated": "to update",
    "deleted": "to delete",
    "archived": "to archive",
    "unchanged": "unchanged",
    "left": "left alone",
}
REJECTED: dict[RejectKind, str] = {
    "invalid": "invalid",
    "refused": "refused by the API",
    "unknown": "of unknown outcome",
    "conflict": "in conflict",
    "ambiguous": "ambiguous",
}


@dataclass(slots=True)
class Tally:
    """What became of the rows of one stream."""

    deeds: Counter[Deed] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    """Those that were left alone, by the reason."""
    rejects: Counter[RejectKind] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        """All rows whose fate is known."""
        return self.deeds.total() + self.rejects.total()

    def did(self, deed: Deed, *, why: str = "") -> None:
        """Count a row; ``why`` it was left alone is one of a few phrases."""
        self.deeds[deed] += 1
        if why:
            self.left[why] += 1

    def rejected(self, kind: RejectKind) -> None:
        """Count a row that was refused."""
        self.rejects[kind] += 1

    def words(self, deeds: Mapping[Deed, str] = DONE) -> str:
        """Tell it in a line: ``120 created, 9,846 unchanged; 3 rejected (3 invalid)``."""
        done = [_part(self.deeds[deed], words) for deed, words in deeds.items() if deed != "left"]
        left = _part(self.deeds["left"], deeds["left"], of=self.left)
        rejects = Counter({REJECTED[kind]: number for kind, number in self.rejects.items()})
        rejected = _part(rejects.total(), "rejected", of=rejects)
        parts = ", ".join(part for part in (*done, left) if part)
        return "; ".join(part for part in (parts, rejected) if part) or "no rows"

    def facts(self) -> dict[str, Any]:
        """Give all of it for a structured log."""
        return {
            "rows": self.rows,
            **{deed: self.deeds[deed] for deed in DONE},
            "left_by_reason": dict(self.left),
            "rejected": self.rejects.total(),
            "rejected_by_kind": dict(self.rejects),
        }


class Summary:
    """What the run did so far. Threads may tell it at the same time."""

    def __init__(
        self,
        *,
        logger: logging.Logger,
        is_dry: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin now; of a dry run it says what is to be done, and not that it was."""
        self._tallies: dict[str, Tally] = {}
        self._reads = self._writes = 0
        self._seconds_waited = 0.0
        self._words = PLANNED if is_dry else DONE
        self._logger = logger
        self._clock = clock
        self._started = self._last_line = clock()
        self._lock = threading.Lock()

    @property
    def rejects(self) -> int:
        """Rows of all streams that were refused."""
        with self._lock:
            return sum(one.rejects.total() for one in self._tallies.values())

    def began(self, stream: str) -> None:
        """Name a stream, so that it is told of even where no row comes."""
        with self._lock:
            self._tally(stream)

    def did(self, stream: str, *, deed: Deed, why: str = "") -> None:
        """Count a row by what became of it."""
        with self._lock:
            self._tally(stream).did(deed, why=why)

    def rejected(self, stream: str, *, kind: RejectKind) -> None:
        """Count a row that was refused."""
        with self._lock:
            self._tally(stream).rejected(kind)

    def sent(self, request: Sent) -> None:
        """Count a request, answered or not."""
        with self._lock:
            if request.method == "GET":
                self._reads += 1
            else:
                self._writes += 1

    def waited(self, seconds: float) -> None:
        """Count a wait, for the budget or after a failure."""
        with self._lock:
            self._seconds_waited += seconds

    def log_line(self) -> None:
        """Log how far the run is, if the last line is some time ago."""
        now = self._clock()
        if now - self._last_line < LINE_EVERY_SECONDS:
            return
        self._last_line = now
        with self._lock:
            facts = self._facts(now)
            requests = self._requests()
        self._logger.info(
            "Progress: %s done, %s a minute; %s.",
            counted(facts["rows"], "row"),
            f"{facts['rows_per_minute']:,}",
            requests,
            extra={"progress": facts},
        )

    def log_summary(self) -> None:
        """Log what the run did: a line for each stream, then one for all."""
        with self._lock:
            facts = self._facts(self._clock())
            requests = self._requests()
            lines = [
                (name, one.words(self._words), one.facts()) for name, one in self._tallies.items()
            ]
        for stream, words, of_stream in lines:
            extra = {"summary": {"stream": stream, **of_stream}}
            self._logger.info("Summary: %s: %s.", stream, words, extra=extra)
        self._logger.info(
            "Summary: %s of %s in %s; %s, %s.",
            counted(facts["rows"], "row"),
            counted(len(lines), "stream"),
            duration(facts["seconds"]),
            requests,
            counted(facts["rejected"], "reject"),
            extra={"summary": facts},
        )

    def _tally(self, stream: str) -> Tally:
        return self._tallies.setdefault(stream, Tally())

    def _requests(self) -> str:
        return (
            f"{counted(self._reads + self._writes, 'request')} ({counted(self._reads, 'read')}, "
            f"{counted(self._writes, 'write')}), {duration(self._seconds_waited)} waited"
        )

    def _facts(self, now: float) -> dict[str, Any]:
        rows = sum(one.rows for one in self._tallies.values())
        seconds = now - self._started
        return {
            "rows": rows,
            "rows_per_minute": round(rows * 60 / seconds) if seconds > 0 else 0,
            "rejected": sum(one.rejects.total() for one in self._tallies.values()),
            "reads": self._reads,
            "writes": self._writes,
            "seconds": round(seconds, 1),
            "seconds_waited": round(self._seconds_waited, 1),
        }


def _part(number: int, words: str, *, of: Counter[str] | None = None) -> str:
    """Write ``3 rejected (2 refused by the API, 1 invalid)``; nothing where there is none."""
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in of.most_common()) if of else ""
    shown = f"{number:,} {words} ({kinds})" if kinds else f"{number:,} {words}"
    return shown if number else ""
