"""A sync: sources of the selected streams read side by side, records and states on stdout."""

from __future__ import annotations

import logging
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from cirqll_client.connection import connect
from cirqll_client.errors import OF_ONE_THING, AnswerUnexpected, NotFound, ScopeMissing
from cirqll_client.nested import COMPANY, ME_PATHS
from cirqll_client.singer_settings import connection_settings
from tap_cirqll.certificate import Certificate, joined
from tap_cirqll.certificates_stream import NAME as CERTIFICATES
from tap_cirqll.certificates_stream import CertificatesStream
from tap_cirqll.journal import Journal
from tap_cirqll.meters import Meters
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
from tap_cirqll.source_run import ReadPage, SourceRun
from tap_cirqll.store_mark import check_store
from tap_cirqll.stream_writer import StreamWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from typing import TypeGuard

    from singer_sdk.tap_base import Tap

    from cirqll_client.connection import Connection
    from cirqll_client.session import Sent
    from tap_cirqll.nested_roll import Told
    from tap_cirqll.progress import Stage
    from tap_cirqll.source_run import Item
    from tap_cirqll.sources import Source
    from tap_cirqll.stream import CirqllStream

_NOT_READABLE = (ScopeMissing, NotFound)
"""The stream is not there for this token: nothing is wrong with the run."""


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
        self._writer = StreamWriter(tap.state)
        self._runs: dict[Source, SourceRun] = {}
        self._part_whole: set[CirqllStream] = set()
        """Streams of which not all came along."""
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
            for source in self._sources:
                self._tell_late(source)
                self._runs[source] = SourceRun(source, connection, warn=self._progress.warn)
            with self._shown():
                self._run(is_stopping)
        finally:
            if self._outcomes.skipped and self._may_do_without:
                self._tap.logger.warning("%s", not_readable(self._outcomes.skipped))
            self._progress.log_summary(by_stream=not self._is_watched)
        self._write_certificates(journal.run_id)
        self._conclude()

    def _run(self, is_stopping: Callable[[], bool]) -> None:
        if any(one.keeps_ids for one in self._runs.values()):
            # Whoever loads rows and dies is to know the roll that has their ids.
            self._writer.write_state()
        side_by_side = SideBySide(
            self._sources,
            self._items,
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

    def _sent(self, request: Sent) -> None:
        self._progress.sent(request)
        self._meters.sent(request)

    def _items(self, source: Source) -> Iterator[Item]:
        """Read one source; runs in a thread of its own."""
        for stream in reversed(source.streams):
            self._progress.began(stream.name)
            self._meters.began(stream.name)
        return self._runs[source].items()

    def _deliver(self, source: Source, item: Item) -> None:
        if isinstance(item, ReadPage):
            self._deliver_page(source, item)
        else:
            self._deliver_deletions(self._runs[source].told(item))

    def _deliver_page(self, source: Source, page: ReadPage) -> None:
        if source.mark_begun():
            self._writer.write_state()
        self._runs[source].hand_out(page)
        for part in page.parts:
            self._writer.write_rows(part)
        self._runs[source].remember(page)
        self._part_whole |= {part.stream for part in page.parts if not part.is_whole}
        self._writer.write_state()
        for part in page.parts:
            is_own = part.stream is source.stream
            left = page.batch.left if is_own and page.batch else None
            self._progress.delivered(part.stream.name, rows=part.count, left=left)
            self._meters.delivered(part.stream.name, rows=part.count)

    def _deliver_deletions(self, told: list[Told]) -> None:
        for one in told:
            self._writer.write_deletions(one)
            self._progress.deleted(one.stream.name, rows=one.rows)
        if told:
            self._writer.write_state()

    def _end(self, source: Source, error: Exception | None) -> None:
        """Note the end of a source. Raises what should stop the others too."""
        run = self._runs[source]
        if error is None:
            self._deliver_deletions(run.end())
        if error is None and run.keeps_ids:
            self._writer.write_state()
        for stream in source.streams:
            self._end_of(stream, source, error)
        if error is None or self._is_skipped(error, source):
            return
        if not isinstance(error, OF_ONE_THING):
            raise error
        self._progress.warn(source.streams[0].name, error.sentence)

    def _is_skipped(
        self, error: Exception | None, source: Source
    ) -> TypeGuard[ScopeMissing | NotFound]:
        return isinstance(error, _NOT_READABLE) and not self._runs[source].has_begun

    def _end_of(self, stream: CirqllStream, source: Source, error: Exception | None) -> None:
        """Note what it means for one of the streams."""
        resource = source.stream.resource
        if error is None and stream in self._runs[source].refused:
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
            source.stream.name: run.certificate()
            for source, run in self._runs.items()
            if stream in source.streams
        }
        one = of_sources.get(stream.name) or joined(of_sources)
        if stream in self._part_whole:
            one = Certificate("incomplete", ("not all of what lies within records came",))
        self._progress.certified(stream.name, one)
        self._meters.certified(stream.name, one)
        if one.verdict == "incomplete":
            self._progress.warn(stream.name, not_complete(stream.name, one))

    def _write_certificates(self, run_id: str | None) -> None:
        """Write the rows of the stream of certificates, where somebody wants them."""
        stream = self._tap.streams.get(CERTIFICATES)
        if isinstance(stream, CertificatesStream) and stream.selected and run_id:
            stream.write_rows(run_id, self._progress.certificates)
            self._writer.write_state()

    def _report_findings(self, stream: CirqllStream) -> None:
        """Warn of values that did not fit, and name the fields that have a new column, or none."""
        readers = [pair for run in self._runs.values() for pair in run.readers]
        findings = merged(reader.findings for one, reader in readers if one is stream)
        shape = self._writer.shapes.get(stream.name)
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
        return bool(self._writer.begun - {COMPANY.stream}) and not self._is_choice

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
        if not self._writer.begun and first and all(type(one.error) is NotFound for one in skipped):
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
