"""A sync: readings of the selected streams side by side, their records and states on stdout."""

from __future__ import annotations

import logging
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from cirqll_client.amounts import counted
from cirqll_client.connection import connect
from cirqll_client.errors import (
    AnswerUnexpected,
    CirqllError,
    NotFound,
    RequestRefused,
    ScopeMissing,
)
from cirqll_client.singer_settings import connection_settings
from tap_cirqll.bookmarks import remember
from tap_cirqll.messages import record_lines, state_line, write
from tap_cirqll.meters import Meters
from tap_cirqll.offer import with_scopes
from tap_cirqll.progress import Progress
from tap_cirqll.side_by_side import Ended, SideBySide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from singer_sdk.tap_base import Tap

    from cirqll_client.connection import Connection
    from cirqll_client.reading import Batch
    from cirqll_client.resources import Resource
    from cirqll_client.session import Sent
    from tap_cirqll.conformance import RecordReader
    from tap_cirqll.stream import CirqllStream

_NOT_READABLE = (ScopeMissing, NotFound)
"""The stream is not there for this token: nothing is wrong with the run."""
_OF_ONE_STREAM = (AnswerUnexpected, RequestRefused)
"""The stream could not be read, which need not stop the others."""
_MOST_NAMES = 20


@dataclass(frozen=True, slots=True)
class _ReadPage:
    """A page on its way from its reader to stdout."""

    batch: Batch
    """Its rows are gone where the lines hold them, which take a third of the memory."""
    count: int
    lines: bytes | None
    """The RECORD messages; ``None`` where a stream map makes them."""


class Sync:
    """One run over some streams. Use once."""

    def __init__(
        self,
        tap: Tap,
        streams: list[CirqllStream],
        *,
        out_of_scope: list[CirqllStream],
        is_choice: bool,
    ) -> None:
        """Prepare; nothing is sent yet.

        The streams are a choice if others were left out: then each of them is wanted. Who takes all
        there are, as Meltano does by default, wants what the token may read. What is out of scope
        was selected like the streams, and is known not to be readable without asking.
        """
        self._tap = tap
        self._streams = streams
        self._is_choice = is_choice
        paths = {stream.resource.path: stream.name for stream in streams + out_of_scope}
        self._is_watched = sys.stderr.isatty() and tap.logger.isEnabledFor(logging.INFO)
        self._progress = Progress(paths, logger=tap.logger)
        self._meters = Meters({} if self._is_watched else paths)  # they are for machines
        self._readers: dict[str, RecordReader] = {}
        self._begun: set[str] = set()
        self._not_readable: dict[CirqllStream, CirqllError] = {}
        self._failed: dict[CirqllStream, CirqllError] = {}
        for stream in out_of_scope:
            self._progress.ended(stream.name, "skipped")
            self._not_readable[stream] = ScopeMissing(_out_of_scope([stream.resource]))

    def run(self, *, is_stopping: Callable[[], bool]) -> None:
        """Read all streams to their end, unless it is stopping.

        Raises the ``CirqllError`` that ended the run, or that of a stream at its end; the state
        that came out before stays good.
        """
        connection = connect(
            connection_settings(self._tap.config),
            on_sent=self._sent,
            on_wait=self._progress.waited,
        )
        try:
            with self._shown():
                self._run(connection, is_stopping)
        finally:
            connection.close()
            if self._not_readable and self._may_do_without:
                self._tap.logger.warning("%s", not_readable(self._not_readable))
            self._progress.log_summary(by_stream=not self._is_watched)
        self._conclude()

    def _run(self, connection: Connection, is_stopping: Callable[[], bool]) -> None:
        side_by_side = SideBySide(
            self._streams,
            partial(self._pages, connection),
            at_once=self._tap.config["concurrency"],
            is_stopping=is_stopping,
            on_idle=self._progress.log_line,
        )
        for event in side_by_side:
            if isinstance(event, Ended):
                self._end(event.source, event.error)
            else:
                self._deliver(event.source, event.item)
            self._progress.log_line()

    def _sent(self, request: Sent) -> None:
        self._progress.sent(request)
        self._meters.sent(request)

    def _pages(self, connection: Connection, stream: CirqllStream) -> Iterator[_ReadPage]:
        """Read one stream; runs in a thread of its own."""
        self._progress.began(stream.name)
        self._meters.began(stream.name)
        reader = stream.record_reader(connection)
        self._readers[stream.name] = reader
        warn = partial(self._progress.warn, stream.name)
        alias = stream.stream_maps[0].stream_alias if stream.is_written_as_read else None
        for batch in stream.reading(connection, reader, warn=warn).batches():
            if alias is None:
                yield _ReadPage(batch, len(batch.rows), None)
            else:
                page = _ReadPage(batch, len(batch.rows), record_lines(alias, batch.rows))
                batch.rows.clear()
                yield page

    def _deliver(self, stream: CirqllStream, page: _ReadPage) -> None:
        if stream.name not in self._begun:
            self._begun.add(stream.name)
            stream._write_schema_message()  # noqa: SLF001 - the SDK's own step, which sync() would take
        if page.lines is None:
            stream.write_one_by_one(page.batch.rows)
        else:
            write(page.lines)
        remember(stream.stream_state, page.batch, replication_key=stream.replication_key)
        write(state_line(self._tap.state))
        self._progress.delivered(stream.name, rows=page.count, left=page.batch.left)
        self._meters.delivered(stream.name, rows=page.count)

    def _end(self, stream: CirqllStream, error: Exception | None) -> None:
        """Note the end of a stream. Raises what should stop the others too."""
        self._meters.ended(stream.name, is_complete=error is None)
        self._report_findings(stream)
        if error is None:
            self._progress.ended(stream.name, "done")
        elif isinstance(error, _NOT_READABLE) and stream.name not in self._begun:
            self._progress.ended(stream.name, "skipped")
            self._not_readable[stream] = error
        elif isinstance(error, _OF_ONE_STREAM + _NOT_READABLE):
            self._progress.ended(stream.name, "failed")
            self._progress.warn(stream.name, error.sentence)
            self._failed[stream] = error
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
            kept = ", and what came is kept in _nonconforming"
            self._progress.warn(
                stream.name,
                f"{stream.name}: {counted(misfits.total(), 'value')} did not fit the column "
                f"({_listed([f'{name}: {count:,}' for name, count in misfits.most_common()])}); "
                f"the column is null there{kept if reader.shape.keeps_nonconforming else ''}.",
            )
        names = sorted(reader.findings.undocumented)
        if names:
            stream.logger.info(
                "%s: %s without a column, kept in _undocumented: %s.",
                stream.name,
                counted(len(names), "field"),
                _listed(names),
            )

    @property
    def _may_do_without(self) -> bool:
        """Tell whether the run is good without the streams that are not there for this token."""
        return bool(self._begun) and not self._is_choice

    def _conclude(self) -> None:
        """Raise if a stream that was wanted could not be read."""
        if self._failed:
            names = _listed([stream.name for stream in self._failed])
            msg = f"Not everything was read: {names} failed, for the reasons told above."
            raise AnswerUnexpected(msg)
        errors = list(self._not_readable.values())
        if not errors or self._may_do_without:
            return
        if not self._begun and all(type(error) is NotFound for error in errors):
            raise errors[0]
        raise ScopeMissing(not_readable(self._not_readable))

    def _shown(self) -> AbstractContextManager[None]:
        """Show the live view where somebody looks at a terminal."""
        if not self._is_watched:
            return nullcontext()
        from tap_cirqll.live_view import shown  # noqa: PLC0415 - takes its time to import

        return shown(self._progress)


def not_readable(errors: Mapping[CirqllStream, CirqllError]) -> str:
    """Tell which streams this token cannot read, and what to do."""
    beyond = [one.resource for one, error in errors.items() if isinstance(error, ScopeMissing)]
    absent = [
        f"{stream.name} ({stream.resource.path})"
        for stream, error in sorted(errors.items(), key=lambda item: item[0].name)
        if isinstance(error, NotFound)
    ]
    sentences = []
    if beyond:
        sentences.append(_out_of_scope(beyond))
    if absent:
        sentences.append(
            f"Not read, because the account has no such thing: {', '.join(absent)}. Deselect the "
            "streams."
        )
    return " ".join(sentences)


def _out_of_scope(resources: Iterable[Resource]) -> str:
    return (
        f"Not read, because the access token lacks the scope: {with_scopes(resources)}. Sign in "
        "again with these scopes, or deselect the streams."
    )


def _listed(names: list[str]) -> str:
    """Join names; a great many are cut short."""
    more = len(names) - _MOST_NAMES
    rest = [f"and {more:,} more"] if more > 0 else []
    return ", ".join([*names[:_MOST_NAMES], *rest])
