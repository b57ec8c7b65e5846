"""What a run measures, told through the metrics of the Singer SDK."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from singer_sdk import metrics
from singer_sdk.metrics import Metric, Point, Status, Tag

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cirqll_client.session import Sent
    from tap_cirqll.certificate import Certificate

_FIRST_ERROR_STATUS = 400


class _OwnMetric(StrEnum):
    """What the SDK has no metric for."""

    COMPLETE = "stream_complete"


@dataclass(frozen=True, slots=True)
class _StreamMeters:
    records: metrics.Counter
    requests: metrics.Counter
    duration: metrics.Timer


class Meters:
    """Measures streams. Threads may tell it at the same time."""

    def __init__(self, streams: Mapping[str, str]) -> None:
        """Measure streams, given as path of the resource → name of the stream, and no others."""
        self._streams = streams
        self._paths = {name: path for path, name in streams.items()}
        self._meters: dict[str, _StreamMeters] = {}
        self._lock = threading.Lock()

    def began(self, stream: str) -> None:
        """Start the clock of a stream, unless it runs."""
        with self._lock:
            if stream in self._paths and stream not in self._meters:
                self._meters[stream] = _StreamMeters(
                    records=metrics.record_counter(stream),
                    requests=metrics.http_request_counter(stream, self._paths[stream]),
                    duration=metrics.sync_timer(stream),
                )

    def sent(self, request: Sent) -> None:
        """Count a request; how long each took is told only where every detail is wanted."""
        stream = self._streams.get(request.path, "")
        if stream not in self._meters:
            return
        with self._lock:
            self._meters[stream].requests.increment()
        logger = metrics.get_metrics_logger()
        if logger.isEnabledFor(logging.DEBUG):
            metrics.log(logger, _duration(request, stream))

    def delivered(self, stream: str, *, rows: int) -> None:
        """Count records."""
        if stream in self._meters:
            self._meters[stream].records.increment(rows)

    def certified(self, stream: str, certificate: Certificate) -> None:
        """Tell whether all of a stream came: 1, or 0."""
        if stream in self._paths:
            tags: dict[str, object] = {Tag.STREAM: stream, "verdict": certificate.verdict}
            is_complete = int(certificate.verdict == "complete")
            point = Point("gauge", _OwnMetric.COMPLETE, is_complete, tags)  # type: ignore[arg-type] # it writes any enum's value
            metrics.log(metrics.get_metrics_logger(), point)

    def ended(self, stream: str, *, is_complete: bool) -> None:
        """Tell what was measured of a stream."""
        meters = self._meters.pop(stream, None)
        if meters is None:
            return
        meters.requests.exit()
        meters.records.exit()
        meters.duration.tags[Tag.STATUS] = Status.SUCCEEDED if is_complete else Status.FAILED
        meters.duration.__exit__(None, None, None)


def _duration(request: Sent, stream: str) -> Point[float]:
    is_ok = request.status is not None and request.status < _FIRST_ERROR_STATUS
    tags: dict[str, object] = {
        Tag.STREAM: stream,
        Tag.ENDPOINT: request.path,
        Tag.HTTP_STATUS_CODE: request.status,
        Tag.STATUS: Status.SUCCEEDED if is_ok else Status.FAILED,
    }
    return Point("timer", Metric.HTTP_REQUEST_DURATION, request.seconds, tags)
