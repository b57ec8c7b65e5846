"""One source in one run: what its thread reads, and what is kept of it from run to run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pyroaring import BitMap64

from cirqll_client.errors import CirqllError
from tap_cirqll.arrears import note, settled
from tap_cirqll.bookmarks import forget_stand, remember
from tap_cirqll.certificate import Certificate
from tap_cirqll.certifying import Certifying
from tap_cirqll.compared import Gone
from tap_cirqll.deletions import Deletions, are_wanted
from tap_cirqll.delivered import forget
from tap_cirqll.messages import record_lines
from tap_cirqll.nested_deletions import GoneWithin, NestedDeletions
from tap_cirqll.nested_roll import Told
from tap_cirqll.source_reading import SourceReading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from cirqll_client.connection import Connection
    from cirqll_client.reading import Batch
    from tap_cirqll.conformance import RecordReader
    from tap_cirqll.nested_deletions import Came
    from tap_cirqll.shape import Shape
    from tap_cirqll.source_reading import Portion, SourcePage
    from tap_cirqll.sources import Source
    from tap_cirqll.stream import CirqllStream


@dataclass(frozen=True, slots=True)
class Part:
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
class ReadPage:
    """A page, the parent's rows before those that came with it."""

    batch: Batch | None
    """``None`` for rows that were asked for by their ids: they move no bookmark."""
    parts: list[Part]
    ids: BitMap64
    """Of the parent's rows that are handed out, where these are kept."""
    came: Came
    """Of those that came with it."""


Item = ReadPage | Gone | GoneWithin


class SourceRun:
    """Reads one source once.

    ``items`` is for the thread that reads, the others for the one that writes messages.
    """

    def __init__(
        self, source: Source, connection: Connection, *, warn: Callable[[str, str], None]
    ) -> None:
        """Take up what earlier runs left, and see whether what they lacked can be read now.

        ``warn`` takes the name of a stream and a sentence. Raises any ``CirqllError``.
        """
        self.source = source
        self.has_begun = False
        """Something was handed out."""
        self.has_ended_well = False
        self._connection = connection
        self._warn = partial(warn, source.streams[0].name)
        self._deletions = self._begun_deletions(warn)
        self._within = NestedDeletions(source, connection, warn=warn)
        self._asks_for_custom_fields = not source.is_wanted or settled(
            source.stream, connection.client
        )
        # Told here, since maps are made anew while other threads read.
        self._aliases = {one: _alias(one) for one in source.streams}
        self._reading: SourceReading | None = None
        self._certifying: Certifying | None = None

    @property
    def keeps_ids(self) -> bool:
        """Tell whether there are rolls of what is handed out."""
        return self._deletions is not None or bool(self._within.rolls)

    @property
    def readers(self) -> list[tuple[CirqllStream, RecordReader]]:
        """Who reads the rows of which stream; none before it began."""
        return self._reading.readers if self._reading else []

    @property
    def refused(self) -> set[CirqllStream]:
        """Those whose relation the server does not bring along."""
        return self._reading.refused if self._reading else set()

    def items(self) -> Iterator[Item]:
        """Read pages, then what was missed, then what is gone. Raises any ``CirqllError``."""
        deletions, source = self._deletions, self.source
        reading = self._reading = SourceReading(
            source,
            self._connection,
            warn=self._warn,
            asks_for_custom_fields=self._asks_for_custom_fields,
            handed_out=deletions.handed_out if deletions else None,
        )
        beginning = source.beginning()  # it moves while the pages are written
        last: ReadPage | None = None
        try:
            for page in map(self._read, reading.pages()):
                if last:
                    yield last
                last = page
        except CirqllError:
            if last:
                yield last
            raise
        if not source.is_company:
            certifying = self._certifying = Certifying(
                reading, self._connection, deletions, beginning=beginning, warn=self._warn
            )
            yield from map(self._read, certifying.missed())
        # The bookmark moves with the last page: not before that what was missed is there.
        if last:
            yield last
        yield from self._compared(reading)

    def _compared(self, reading: SourceReading) -> Iterator[Item]:
        gone = BitMap64()
        for step in self._deletions.steps(reading, self._connection) if self._deletions else ():
            gone |= step.ids if isinstance(step, Gone) else BitMap64()
            yield step if isinstance(step, Gone) else self._read(step)
        yield from self._within.steps(reading, gone=gone)

    def hand_out(self, page: ReadPage) -> None:
        """Note rows that are handed out next: one that is loaded and not known stays for ever."""
        self.has_begun = True
        if self._deletions:
            self._deletions.hand_out(page.ids)
        self._within.hand_out(page.came)

    def remember(self, page: ReadPage) -> None:
        """Write down how far each stream is that has all of what it is made of."""
        whole = {part.stream for part in page.parts if part.is_whole}
        for stream in self.source.streams if page.batch else ():
            bookmark = self.source.bookmark_of(stream)
            if stream in whole and page.batch:
                key = stream.replication_key if stream.is_incremental else None
                remember(bookmark, page.batch, replication_key=key)
            else:
                forget_stand(bookmark)
        if self._reading and self._reading.lacks_custom_fields:
            note(self.source.bookmark_of(self.source.stream))

    def told(self, gone: Gone | GoneWithin) -> list[Told]:
        """Give the messages for deleted rows, and for what lay within them; note them as told."""
        if isinstance(gone, GoneWithin):
            return gone.roll.tell(gone.keys, gone.at)
        within = self._within.tell_with(gone)
        lines = self._deletions.tell(gone) if self._deletions else b""
        return [*within, Told(self.source.stream, lines, len(gone.ids))] if lines else within

    def end(self) -> list[Told]:
        """Keep what was handed out, now that it came to its end; give what had to wait."""
        self.has_ended_well = True
        if self._deletions:
            self._deletions.end()
        is_sure = self._deletions is not None and self._deletions.is_sure
        return self._within.end(tells_waiting=is_sure)

    def certificate(self) -> Certificate:
        """Judge the source's own stream."""
        if not self.has_ended_well:
            return Certificate("unknown", ("it was not read to its end",))
        return self._certifying.certificate() if self._certifying else Certificate("complete")

    def _begun_deletions(self, warn: Callable[[str, str], None]) -> Deletions | None:
        """Take up what was handed out of the source's own stream, if that is to be kept."""
        stream = self.source.stream
        if not self.source.is_wanted:
            return None
        if are_wanted(stream):
            return Deletions(stream, self._connection, warn=partial(warn, stream.name))
        forget(self.source.bookmark_of(stream))
        return None

    def _read(self, page: SourcePage) -> ReadPage:
        ids = self._deletions.read(page.ids) if self._deletions else BitMap64()
        if page.batch is None and not all(one.is_whole for one in page.portions):
            ids = BitMap64()  # so that they are asked for again
        came = self._within.read(page)
        parts = [_part(one, self._aliases[one.stream]) for one in page.portions]
        return ReadPage(page.batch, parts, ids, came)


def _alias(stream: CirqllStream) -> str | None:
    """Give the name under which records are written; ``None`` where a stream map makes them."""
    alias: str = stream.stream_maps[0].stream_alias
    return alias if stream.is_written_as_read else None


def _part(portion: Portion, alias: str | None) -> Part:
    stream, rows, count = portion.stream, portion.rows, len(portion.rows)
    lines = None
    if alias is not None:
        lines = record_lines(alias, rows)
        rows.clear()
    return Part(stream, count, rows, lines, portion.shape, portion.is_whole)
