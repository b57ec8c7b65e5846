"""How far a run is: facts by stream, and the lines that tell them to a log."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from cirqll_client.amounts import counted, duration

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from cirqll_client.session import Sent
    from tap_cirqll.certificate import Certificate

LINE_EVERY_SECONDS = 30.0

Stage = Literal["waiting", "reading", "done", "skipped", "failed"]


@dataclass(slots=True)
class StreamProgress:
    """How far one stream is."""

    name: str
    stage: Stage = "waiting"
    rows: int = 0
    left: int | None = None
    """Rows that the API counts behind those that were read."""
    deleted: int = 0
    """Rows that were told to be deleted."""
    requests: int = 0
    seconds_waited: float = 0.0
    warnings: list[str] = field(default_factory=list)
    started: float = 0.0
    certificate: Certificate | None = None

    @property
    def total(self) -> int | None:
        """Rows of this run, as far as the API tells."""
        return None if self.left is None else self.rows + self.left

    def rate(self, now: float) -> float:
        """Rows a second so far."""
        return self.rows / (now - self.started) if self.started and now > self.started else 0.0

    def seconds_left(self, now: float) -> float | None:
        """Seconds until the end at the rate so far, where that can be told."""
        rate = self.rate(now)
        return self.left / rate if self.left and rate else None

    def facts(self, now: float) -> dict[str, Any]:
        """Give all of it for a structured log."""
        left = self.seconds_left(now)
        return {
            "stream": self.name,
            "stage": self.stage,
            "rows": self.rows,
            "of": self.total,
            "deleted": self.deleted,
            "requests": self.requests,
            "seconds_waited": round(self.seconds_waited, 1),
            "rows_per_second": round(self.rate(now), 1),
            "seconds_left": None if left is None else round(left),
            "warnings": len(self.warnings),
            "certificate": self.certificate.facts() if self.certificate else None,
        }


class Progress:
    """How far the run is. Threads may tell it at the same time."""

    def __init__(
        self,
        streams: dict[str, str],
        *,
        logger: logging.Logger,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Follow streams, given as path of the resource → name of the stream."""
        self.streams = {name: StreamProgress(name) for name in streams.values()}
        self.clock = clock
        self.started = clock()
        self.requests = 0
        self.seconds_waited = 0.0
        self._by_path = streams
        self._by_thread: dict[int, str] = {}
        self._logger = logger
        self._lock = threading.Lock()
        self._last_line = self.started

    @property
    def certificates(self) -> dict[str, Certificate]:
        """Give the certificates of those streams that came to their end."""
        return {one.name: one.certificate for one in self.streams.values() if one.certificate}

    @property
    def rows(self) -> int:
        """Rows of all streams so far."""
        return sum(one.rows for one in self.streams.values())

    def sent(self, request: Sent) -> None:
        """Count a request."""
        with self._lock:
            self.requests += 1
            # A record is asked for by the path of its resource with its id behind.
            of_record = request.path[: request.path.rfind("/")]
            stream = self._by_path.get(request.path) or self._by_path.get(of_record)
            if stream is not None:
                self.streams[stream].requests += 1

    def waited(self, seconds: float) -> None:
        """Count a wait, for the budget or after a failure, of the stream that this thread reads."""
        with self._lock:
            self.seconds_waited += seconds
            stream = self._by_thread.get(threading.get_ident())
            if stream is not None:
                self.streams[stream].seconds_waited += seconds

    def began(self, name: str) -> None:
        """Note that a stream is being read, by this thread, and perhaps by others too."""
        self._by_thread[threading.get_ident()] = name
        stream = self.streams[name]
        stream.stage = "reading"
        stream.started = stream.started or self.clock()

    def delivered(self, name: str, *, rows: int, left: int | None) -> None:
        """Count the rows of a page."""
        stream = self.streams[name]
        stream.rows += rows
        stream.left = left

    def deleted(self, name: str, *, rows: int) -> None:
        """Count rows that were told to be deleted."""
        self.streams[name].deleted += rows

    def certified(self, name: str, certificate: Certificate) -> None:
        """Note what is certain of a stream."""
        self.streams[name].certificate = certificate

    def ended(self, name: str, stage: Stage) -> None:
        """Note how a stream ended."""
        stream = self.streams[name]
        stream.stage = stage
        stream.left = 0 if stage == "done" else stream.left

    def warn(self, name: str, sentence: str) -> None:
        """Log a warning and keep it for the summary."""
        self._logger.warning("%s", sentence)
        self.streams[name].warnings.append(sentence)

    def log_line(self) -> None:
        """Log how far the run is, if the last line is some time ago."""
        now = self.clock()
        if now - self._last_line < LINE_EVERY_SECONDS:
            return
        self._last_line = now
        reading = [one for one in self.streams.values() if one.stage == "reading"]
        done = sum(one.stage == "done" for one in self.streams.values())
        self._logger.info(
            "Progress: %d of %s done, %s in %s, %s waited; reading %s.",
            done,
            counted(len(self.streams), "stream"),
            counted(self.rows, "row"),
            counted(self.requests, "request"),
            duration(self.seconds_waited),
            "; ".join(_line(one, now) for one in reading) or "nothing",
            extra={"progress": [one.facts(now) for one in reading]},
        )

    def _streams_done(self) -> str:
        done = sum(one.stage == "done" for one in self.streams.values())
        all_of_them = counted(len(self.streams), "stream")
        return all_of_them if done == len(self.streams) else f"{done} of {all_of_them}"

    def log_summary(self, *, by_stream: bool) -> None:
        """Log what the run did, a line for all, and before it one for each stream."""
        now = self.clock()
        for one in self.streams.values() if by_stream else ():
            self._logger.info(
                "Summary: %s: %s.", one.name, _summary(one), extra={"summary": one.facts(now)}
            )
        warnings = sum(len(one.warnings) for one in self.streams.values())
        seconds = now - self.started
        self._logger.info(
            "Summary: %s of %s in %s; %s, %s waited, %s.",
            counted(self.rows, "row"),
            self._streams_done(),
            duration(seconds),
            counted(self.requests, "request"),
            duration(self.seconds_waited),
            counted(warnings, "warning"),
            extra={
                "summary": {
                    "rows": self.rows,
                    "seconds": round(seconds, 1),
                    "requests": self.requests,
                    "seconds_waited": round(self.seconds_waited, 1),
                    "warnings": warnings,
                }
            },
        )


def _line(one: StreamProgress, now: float) -> str:
    of = f" of {one.total:,}" if one.total is not None else ""
    left = one.seconds_left(now)
    rest = f", {duration(left)} left" if left is not None else ""
    return f"{one.name} {one.rows:,}{of} ({one.rate(now):,.0f}/s{rest})"


def _summary(one: StreamProgress) -> str:
    words = [counted(one.rows, "row"), counted(one.requests, "request")]
    if one.deleted:
        words.insert(1, f"{one.deleted:,} deleted")
    if one.seconds_waited >= 1:
        words.append(f"{duration(one.seconds_waited)} waited")
    if one.warnings:
        words.append(counted(len(one.warnings), "warning"))
    told = ", ".join([*words, *_ENDINGS[one.stage]])
    return f"{told}; {one.certificate.sentence}" if one.certificate else told


_ENDINGS: dict[Stage, list[str]] = {
    "done": [],
    "reading": ["not finished"],
    "waiting": ["not begun"],
    "skipped": ["not readable"],
    "failed": ["failed"],
}
