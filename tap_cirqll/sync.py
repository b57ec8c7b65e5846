"""A sync: readings of the selected streams side by side, their records and states on stdout."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from singer_sdk import metrics

from cirqll_client.connection import connect
from cirqll_client.errors import AnswerUnexpected, CirqllError, NotFound, ScopeMissing
from cirqll_client.singer_settings import connection_settings
from tap_cirqll.progress import Progress
from tap_cirqll.side_by_side import Ended, SideBySide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from singer_sdk.tap_base import Tap

    from cirqll_client.connection import Connection
    from cirqll_client.reading import Batch
    from tap_cirqll.conformance import RecordReader
    from tap_cirqll.stream import CirqllStream

_UNREADABLE = (ScopeMissing, NotFound)
"""Reasons of one stream, which need not stop the others."""


class Sync:
    """One run over some streams. Use once."""

    def __init__(self, tap: Tap, streams: list[CirqllStream]) -> None:
        """Prepare; nothing is sent yet."""
        self._tap = tap
        self._streams = streams
        paths = {stream.resource.path: stream.name for stream in streams}
        self._progress = Progress(paths, logger=tap.logger)
        self._readers: dict[str, RecordReader] = {}
        self._begun: set[str] = set()
        self._unreadable: dict[str, CirqllError] = {}
        self._failed: dict[str, CirqllError] = {}

    def run(self, *, is_stopping: Callable[[], bool]) -> None:
        """Read all streams to their end, unless it is stopping.

        Raises the ``CirqllError`` that ended the run, or that of a stream at its end; the state
        that came out before stays good.
        """
        connection = connect(
            connection_settings(self._tap.config),
            on_sent=self._progress.sent,
            on_wait=self._progress.waited,
        )
        try:
            with self._shown():
                self._run(connection, is_stopping)
        finally:
            connection.close()
            self._progress.log_summary()
        self._conclude()

    def _run(self, connection: Connection, is_stopping: Callable[[], bool]) -> None:
        side_by_side = SideBySide(
            self._streams,
            partial(self._batches, connection),
            at_once=self._tap.config["concurrency"],
            is_stopping=is_stopping,
        )
        for event in side_by_side:
            if isinstance(event, Ended):
                self._end(event.source, event.error)
            else:
                self._deliver(event.source, event.item)
            self._progress.log_line()

    def _batches(self, connection: Connection, stream: CirqllStream) -> Iterator[Batch]:
        """Read one stream; runs in a thread of its own."""
        self._progress.began(stream.name)
        reader = stream.record_reader(connection)
        self._readers[stream.name] = reader
        warn = partial(self._progress.warn, stream.name)
        yield from stream.reading(connection, reader, warn=warn).batches()

    def _deliver(self, stream: CirqllStream, batch: Batch) -> None:
        if stream.name not in self._begun:
            self._begun.add(stream.name)
            stream._write_schema_message()  # noqa: SLF001 - the SDK's own step, which sync() would take
        stream.deliver(batch)
        self._tap.state_writer.write_state(self._tap.state)
        self._progress.delivered(stream.name, rows=len(batch.rows), left=batch.left)

    def _end(self, stream: CirqllStream, error: Exception | None) -> None:
        """Note the end of a stream. Raises what should stop the others too."""
        self._report_findings(stream)
        if error is None:
            self._progress.ended(stream.name, "done")
            counter = metrics.record_counter(stream.name)
            counter.increment(self._progress.streams[stream.name].rows)
            counter.exit()
        elif isinstance(error, _UNREADABLE):
            self._progress.ended(stream.name, "skipped")
            self._unreadable[stream.name] = error
        elif isinstance(error, AnswerUnexpected):
            self._progress.ended(stream.name, "failed")
            self._progress.warn(stream.name, error.sentence)
            self._failed[stream.name] = error
        else:
            self._progress.ended(stream.name, "failed")
            raise error

    def _report_findings(self, stream: CirqllStream) -> None:
        """Warn of values that did not fit, and name the fields that have no column."""
        reader = self._readers.get(stream.name)
        if reader is None:
            return
        misfits = +reader.findings.nonconforming
        if misfits:
            counts = ", ".join(f"{name} {count:,}" for name, count in misfits.most_common())
            self._progress.warn(
                stream.name,
                f"{stream.name}: {misfits.total():,} values did not fit their column ({counts}); "
                "they are null there and kept as they came in _nonconforming.",
            )
        names = sorted(reader.findings.undocumented)
        if names:
            kept = "kept in _undocumented" if reader.shape.keeps_undocumented else "left out"
            stream.logger.info(
                "%s has %d undocumented fields, %s: %s.",
                stream.name,
                len(names),
                kept,
                ", ".join(names),
            )

    def _conclude(self) -> None:
        """Name the streams that could not be read. Raises if one of them was asked for by name."""
        if self._unreadable:
            self._tap.logger.warning(
                "Not read: %s. %s",
                ", ".join(self._unreadable),
                " ".join(error.sentence for error in self._unreadable.values()),
            )
        asked_for = {stream.name for stream in self._streams if stream.is_chosen_by_name}
        for name, error in (self._failed | self._unreadable).items():
            if name in self._failed or name in asked_for:
                raise error

    def _shown(self) -> AbstractContextManager[None]:
        """Show the live view where somebody looks at a terminal."""
        if not sys.stderr.isatty() or not self._tap.logger.isEnabledFor(20):
            return nullcontext()
        from tap_cirqll.live_view import shown  # noqa: PLC0415 - takes its time to import

        return shown(self._progress)
