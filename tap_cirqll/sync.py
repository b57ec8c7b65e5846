"""A sync: sources of the selected streams read side by side, records and states on stdout."""

from __future__ import annotations

import logging
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pyroaring import BitMap64

from cirqll_client.connection import connect
from cirqll_client.errors import OF_ONE_THING, AnswerUnexpected, NotFound, ScopeMissing
from cirqll_client.nested import COMPANY, ME_PATHS
from cirqll_client.singer_settings import connection_settings
from tap_cirqll.arrears import note, settled
from tap_cirqll.bookmarks import forget_stand, remember
from tap_cirqll.certificate import Certificate, joined
from tap_cirqll.certificates_stream import NAME as CERTIFICATES
from tap_cirqll.certificates_stream import CertificatesStream
from tap_cirqll.certifying import Certifying
from tap_cirqll.compared import Gone
from tap_cirqll.deletions import Deletions, are_wanted
from tap_cirqll.delivered import forget
from tap_cirqll.journal import Journal
from tap_cirqll.messages import record_lines, state_line, write
from tap_cirqll.meters import Meters
from tap_cirqll.nested_deletions import GoneWithin, NestedDeletions
from tap_cirqll.nested_roll import Told
from tap_cirqll.notices import (
    check_strictly,
    fields_told,
    listed,
    merged,
    misfits_told,
    not_complete,
)
from tap_cirqll.outcomes import Outcomes, Skipped, not_readable
from tap_cirqll.progress import Progress
from tap_cirqll.side_by_side import Ended, SideBySide
from tap_cirqll.source_reading import SourceReading
from tap_cirqll.store_mark import check_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from typing import Any, TypeGuard

    from singer_sdk.tap_base import Tap

    from cirqll_client.connection import Connection
    from cirqll_client.reading import Batch
    from cirqll_client.session import Sent
    from tap_cirqll.nested_deletions import Came
    from tap_cirqll.progress import Stage
    from tap_cirqll.shape import Findings, Shape
    from tap_cirqll.source_reading import Portion, SourcePage
    from tap_cirqll.sources import Source
    from tap_cirqll.stream import CirqllStream

_NOT_READABLE = (ScopeMissing, NotFound)
"""The stream is not there for this token: nothing is wrong with the run."""


@dataclass(frozen=True, slots=True)
class _Written:
    """The rows of one stream on their way from their reader to stdout."""

    stream: CirqllStream
    count: int
    rows: list[Any]
    """Gone where the lines hold them, which take a third of the memory."""
    lines: bytes | None
    """The RECORD messages; ``None`` where a stream map makes them."""
    shape: Shape
    is_whole: bool


@dataclass(frozen=True, slots=True)
class _ReadPage:
    """A page, the parent's rows before those that came with it."""

    batch: Batch | None
    parts: list[_Written]
    ids: BitMap64 | None
    """Of the parent's rows, where these are kept."""
    came: Came
    """Of those that came with it."""


class Sync:
    """One run over some sources. Use once."""

    def __init__(
        self,
        tap: Tap,
        sources: list[Source],
        *,
        out_of_scope: list[CirqllStream],
        is_choice: bool,
    ) -> None:
        """Prepare; nothing is sent yet.

        Their streams are a choice if others were left out: then each of them is wanted. Who takes
        all there are, as Meltano does by default, wants what the token may read. What is out of
        scope was selected like the streams, and is known not to be readable without asking.
        """
        self._tap = tap
        self._sources = sources
        self._is_choice = is_choice
        paths = _paths(sources) | {stream.resource.path: stream.name for stream in out_of_scope}
        self._is_watched = sys.stderr.isatty() and tap.logger.isEnabledFor(logging.INFO)
        self._progress = Progress(paths, logger=tap.logger)
        self._meters = Meters({} if self._is_watched else paths)  # they are for machines
        self._findings: dict[str, list[Findings]] = {name: [] for name in paths.values()}
        self._shapes: dict[str, Shape] = {}
        self._begun: set[str] = set()
        self._narrowed: set[str] = set()
        """Streams of which deleted rows were told last, under a SCHEMA of their own."""
        self._sources_begun: set[Source] = set()
        self._readings: dict[Source, SourceReading] = {}
        self._without_custom_fields: set[Source] = set()
        self._deletions: dict[Source, Deletions] = {}
        self._within: dict[Source, NestedDeletions] = {}
        self._certifying: dict[Source, Certifying] = {}
        # Told here, since maps are made anew while other threads read.
        self._aliases = {one.name: _alias(one) for source in sources for one in source.streams}
        self._part_whole: set[CirqllStream] = set()
        """Streams of which not all came along."""
        self._ended_well: set[Source] = set()
        self._outcomes = Outcomes(sources)
        for stream in out_of_scope:
            self._progress.ended(stream.name, "skipped")
            self._outcomes.out_of_scope(stream)

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
        journal = Journal(
            connection, self._progress, is_stopping=is_stopping, logger=self._tap.logger
        )
        try:
            with journal:
                self._read_and_tell(connection, journal, is_stopping)
        finally:
            connection.close()

    def _read_and_tell(
        self, connection: Connection, journal: Journal, is_stopping: Callable[[], bool]
    ) -> None:
        try:
            connection.hand_over(leaves=False)
            check_store(self._tap.state, connection, logger=self._tap.logger)
            self._settle_arrears(connection)
            with self._shown():
                self._run(connection, is_stopping)
        finally:
            if self._outcomes.skipped and self._may_do_without:
                self._tap.logger.warning("%s", not_readable(self._outcomes.skipped))
            self._progress.log_summary(by_stream=not self._is_watched)
        self._write_certificates(journal.run_id)
        self._conclude()

    def _run(self, connection: Connection, is_stopping: Callable[[], bool]) -> None:
        for source in self._sources:
            self._tell_late(source)
            self._keep_ids(source, connection)
        if self._deletions or any(one.rolls for one in self._within.values()):
            # Whoever loads rows and dies is to know the roll that has their ids.
            write(state_line(self._tap.state))
        side_by_side = SideBySide(
            self._sources,
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

    def _tell_late(self, source: Source) -> None:
        names = [stream.name for stream in source.late()]
        if names:
            self._tap.logger.info(
                "%s: read from an earlier moment than their own this time, because %s not all "
                "that came with them.",
                source.stream.name,
                f"{' and '.join(names)} {'have' if len(names) > 1 else 'has'}",
            )

    def _keep_ids(self, source: Source, connection: Connection) -> None:
        """Take up what earlier runs handed out, if deleted rows are to be found."""
        self._within[source] = NestedDeletions(source, connection, warn=self._progress.warn)
        stream = source.stream
        if not source.is_wanted:
            return
        if are_wanted(stream):
            warn = partial(self._progress.warn, stream.name)
            self._deletions[source] = Deletions(stream, connection, warn=warn)
        else:
            forget(source.bookmark_of(stream))

    def _settle_arrears(self, connection: Connection) -> None:
        """See whether what earlier runs could not read can be read now."""
        for source in self._sources:
            if source.is_wanted and not settled(source.stream, connection.client):
                self._without_custom_fields.add(source)

    def _sent(self, request: Sent) -> None:
        self._progress.sent(request)
        self._meters.sent(request)

    def _pages(
        self, connection: Connection, source: Source
    ) -> Iterator[_ReadPage | Gone | GoneWithin]:
        """Read one source; runs in a thread of its own."""
        for stream in reversed(source.streams):
            self._progress.began(stream.name)
            self._meters.began(stream.name)
        warn = partial(self._progress.warn, source.streams[0].name)
        deletions = self._deletions.get(source)
        reading = self._readings[source] = SourceReading(
            source,
            connection,
            warn=warn,
            asks_for_custom_fields=source not in self._without_custom_fields,
            handed_out=deletions.handed_out if deletions else None,
        )
        for stream, reader in reading.readers:
            self._findings[stream.name].append(reader.findings)
        beginning = source.beginning()  # it moves while the pages are written
        for page in reading.pages():
            yield self._read(page, source)
        if source.is_company:
            return
        certifying = self._certifying[source] = Certifying(
            reading,
            connection,
            deletions,
            beginning=beginning,
            warn=warn,
        )
        gone = BitMap64()
        for step in certifying.steps():
            gone |= step.ids if isinstance(step, Gone) else BitMap64()
            yield step if isinstance(step, Gone) else self._read(step, source)
        yield from self._within[source].steps(reading, gone=gone)

    def _read(self, page: SourcePage, source: Source) -> _ReadPage:
        deletions = self._deletions.get(source)
        ids = deletions.read(page.ids) if deletions else None
        if page.batch is None and not all(one.is_whole for one in page.portions):
            ids = None  # so that they are asked for again
        came = self._within[source].read(page)
        parts = [_written(one, self._aliases[one.stream.name]) for one in page.portions]
        return _ReadPage(page.batch, parts, ids, came)

    def _deliver(self, source: Source, page: _ReadPage | Gone | GoneWithin) -> None:
        if isinstance(page, (Gone, GoneWithin)):
            self._write_deletions(self._told(source, page))
            return
        if source.mark_begun():
            write(state_line(self._tap.state))
        self._sources_begun.add(source)
        # Written down first: a row that is loaded and not known would stay for ever.
        if page.ids:
            self._deletions[source].hand_out(page.ids)
        self._within[source].hand_out(page.came)
        for part in page.parts:
            self._write(part)
        if page.batch is not None:
            self._remember(source, page, page.batch)
        self._part_whole |= {part.stream for part in page.parts if not part.is_whole}
        if self._readings[source].lacks_custom_fields:
            note(source.bookmark_of(source.stream))
        write(state_line(self._tap.state))
        for part in page.parts:
            is_own = part.stream is source.stream and page.batch is not None
            left = page.batch.left if is_own and page.batch else None
            self._progress.delivered(part.stream.name, rows=part.count, left=left)
            self._meters.delivered(part.stream.name, rows=part.count)

    def _told(self, source: Source, gone: Gone | GoneWithin) -> list[Told]:
        """Give the messages for deleted rows, and for what lay within them."""
        if isinstance(gone, GoneWithin):
            return gone.roll.tell(gone.keys, gone.at)
        within = self._within[source].tell_with(gone)
        lines = self._deletions[source].tell(gone)
        return [*within, Told(source.stream, lines, len(gone.ids))] if lines else within

    def _write_deletions(self, told: list[Told]) -> None:
        for one in told:
            write(one.lines)
            self._narrowed.add(one.stream.name)
            self._progress.deleted(one.stream.name, rows=one.rows)
        if told:
            write(state_line(self._tap.state))

    def _remember(self, source: Source, page: _ReadPage, batch: Batch) -> None:
        """Write down how far each stream is that has all of what it is made of."""
        whole = {part.stream for part in page.parts if part.is_whole}
        for stream in source.streams:
            bookmark = source.bookmark_of(stream)
            if stream in whole:
                remember(bookmark, batch, replication_key=_replication_key(stream))
            else:
                forget_stand(bookmark)

    def _write(self, part: _Written) -> None:
        stream = part.stream
        is_as_before = self._shapes.get(stream.name) is part.shape
        self._shapes[stream.name] = part.shape
        is_wider = not is_as_before and stream.widen(part.shape)
        if is_wider or stream.name not in self._begun or stream.name in self._narrowed:
            self._begun.add(stream.name)
            self._narrowed.discard(stream.name)
            stream._write_schema_message()  # noqa: SLF001 - the SDK's own step, which sync() would take
        if part.lines is None:
            stream.write_one_by_one(part.rows)
        else:
            write(part.lines)

    def _end(self, source: Source, error: Exception | None) -> None:
        """Note the end of a source. Raises what should stop the others too."""
        if error is None:
            self._ended_well.add(source)
        if error is None and (source in self._deletions or self._within[source].rolls):
            self._end_deletions(source)
        for stream in source.streams:
            self._end_of(stream, source, error)
        if error is None or self._is_skipped(error, source):
            return
        if not isinstance(error, OF_ONE_THING):
            raise error
        self._progress.warn(source.streams[0].name, error.sentence)

    def _end_deletions(self, source: Source) -> None:
        """Keep what was handed out, and tell what had to wait."""
        if source in self._deletions:
            self._deletions[source].end()
        self._write_deletions(self._within[source].end())
        write(state_line(self._tap.state))

    def _is_skipped(
        self, error: Exception | None, source: Source
    ) -> TypeGuard[ScopeMissing | NotFound]:
        return isinstance(error, _NOT_READABLE) and source not in self._sources_begun

    def _end_of(self, stream: CirqllStream, source: Source, error: Exception | None) -> None:
        """Note what it means for one of the streams."""
        resource = source.stream.resource
        reading = self._readings.get(source)
        if error is None and reading is not None and stream in reading.refused:
            self._outcomes.ended(stream, "skipped", Skipped(stream, resource))
        elif self._is_skipped(error, source):
            self._outcomes.ended(stream, "skipped", Skipped(stream, resource, error))
        else:
            self._outcomes.ended(stream, "done" if error is None else "failed")
        stage = self._outcomes.stage(stream)
        if stage == "reading":
            return
        self._certify(stream, stage)
        self._meters.ended(stream.name, is_complete=stage == "done")
        self._progress.ended(stream.name, stage)
        self._report_findings(stream)
        lacking = self._outcomes.missing_parts(stream)
        if lacking:
            self._progress.warn(stream.name, lacking)

    def _certify(self, stream: CirqllStream, stage: Stage) -> None:
        """Say of a stream that came to its end whether all of it came."""
        if stage == "skipped":
            return
        of_sources = {
            source.stream.name: self._certificate(source)
            for source in self._sources
            if stream in source.streams
        }
        one = of_sources.get(stream.name) or joined(of_sources)
        if stream in self._part_whole:
            one = Certificate("incomplete", ("not all of what lies within records came",))
        self._progress.certified(stream.name, one)
        self._meters.certified(stream.name, one)
        if one.verdict == "incomplete":
            self._progress.warn(stream.name, not_complete(stream.name, one))

    def _certificate(self, source: Source) -> Certificate:
        if source not in self._ended_well:
            return Certificate("unknown", ("it was not read to its end",))
        if source.is_company:
            return Certificate("complete")
        return self._certifying[source].certificate()

    def _write_certificates(self, run_id: str | None) -> None:
        """Write the rows of the stream of certificates, where somebody wants them."""
        stream = self._tap.streams.get(CERTIFICATES)
        if isinstance(stream, CertificatesStream) and stream.selected and run_id:
            stream.write_rows(run_id, self._progress.certificates)
            write(state_line(self._tap.state))

    def _report_findings(self, stream: CirqllStream) -> None:
        """Warn of values that did not fit, and name the fields that have a new column, or none."""
        findings = merged(self._findings[stream.name])
        shape = self._shapes.get(stream.name)
        is_kept = shape is not None and shape.keeps_nonconforming
        misfits = misfits_told(stream.name, findings, is_kept=is_kept)
        if misfits:
            self._progress.warn(stream.name, misfits)
        for sentence in fields_told(stream.name, findings):
            stream.logger.info("%s", sentence)

    @property
    def _may_do_without(self) -> bool:
        """Tell whether the run is good without the streams that are not there for this token."""
        # Everybody may know their company, which is no use alone.
        return bool(self._begun - {COMPANY.stream}) and not self._is_choice

    def _conclude(self) -> None:
        """Raise if a stream that was wanted could not be read."""
        if self._outcomes.failed:
            names = listed([stream.name for stream in self._outcomes.failed])
            msg = f"Not everything was read: {names} failed, for the reasons told above."
            raise AnswerUnexpected(msg)
        if self._tap.config["strict"]:
            check_strictly(self._progress.certificates)
        skipped = self._outcomes.skipped
        if not skipped or self._may_do_without:
            return
        first = skipped[0].error
        if not self._begun and first and all(type(one.error) is NotFound for one in skipped):
            raise first
        raise ScopeMissing(not_readable(skipped))

    def _shown(self) -> AbstractContextManager[None]:
        """Show the live view where somebody looks at a terminal."""
        if not self._is_watched:
            return nullcontext()
        from tap_cirqll.live_view import shown  # noqa: PLC0415 - takes its time to import

        return shown(self._progress)


def _paths(sources: list[Source]) -> dict[str, str]:
    """Tell whose requests are those to a path: the resource's own, or what it is read for.

    The last path of a stream is the one that its metrics name.
    """
    paths = {stream.resource.path: stream.name for one in sources for stream in one.streams}
    paths |= {source.stream.resource.path: source.streams[0].name for source in sources}
    company = [source.stream.name for source in sources if source.is_company]
    return paths | {path: name for name in company for path in reversed(ME_PATHS)}


def _alias(stream: CirqllStream) -> str | None:
    """Give the name under which records are written; ``None`` where a stream map makes them."""
    alias: str = stream.stream_maps[0].stream_alias
    return alias if stream.is_written_as_read else None


def _written(portion: Portion, alias: str | None) -> _Written:
    stream, rows, count = portion.stream, portion.rows, len(portion.rows)
    lines = None
    if alias is not None:
        lines = record_lines(alias, rows)
        rows.clear()
    return _Written(stream, count, rows, lines, portion.shape, portion.is_whole)


def _replication_key(stream: CirqllStream) -> str | None:
    return stream.replication_key if stream.is_incremental else None
