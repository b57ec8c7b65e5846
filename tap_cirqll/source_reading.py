"""A source read page by page: the rows of each stream that its pages are wanted for."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap64

from cirqll_client.errors import AnswerUnexpected, NotFound, ScopeMissing
from cirqll_client.kinds import Kind
from cirqll_client.query import Condition, IndexQuery, Order
from cirqll_client.reading import Batch
from cirqll_client.resources import FIELD_VALUES
from cirqll_client.responses import encoded
from tap_cirqll.bookmarks import has_any_of
from tap_cirqll.conformance import RecordReader
from tap_cirqll.nest import Nest
from tap_cirqll.shape import Shape
from tap_cirqll.sources import sources_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cirqll_client.connection import Connection
    from cirqll_client.reading import Reading
    from cirqll_client.recount import Recount
    from cirqll_client.tally import Tally
    from cirqll_client.timestamps import Timestamps
    from tap_cirqll.conformance import Apart
    from tap_cirqll.sources import Along, Source
    from tap_cirqll.stream import CirqllStream


_IDS_AT_ONCE = 400
"""In one question, so that its URL stays below 8,000 characters, which servers take."""


@dataclass(frozen=True, slots=True)
class Portion:
    """The rows of one stream on a page."""

    stream: CirqllStream
    rows: list[Any]
    shape: Shape
    """What they have; later ones may have more columns."""
    is_whole: bool = True
    """Nothing lacks so far, so that the stream's bookmark may move."""


@dataclass(frozen=True, slots=True)
class SourcePage:
    """A page of a source."""

    batch: Batch | None
    """``None`` for rows that were asked for by their ids: they move no bookmark."""
    portions: list[Portion]
    ids: list[int]
    """Of the rows of the source's own stream."""
    is_cut: bool = False
    """Not all that was asked for came."""


class SourceReading:
    """One source, read from beginning to end. Used by one thread; ``pages`` once."""

    def __init__(
        self,
        source: Source,
        connection: Connection,
        *,
        warn: Callable[[str], None],
        asks_for_custom_fields: bool = True,
        handed_out: BitMap64 | None = None,
    ) -> None:
        """Prepare; nothing is asked yet. ``handed_out``: rows of earlier runs, where known.

        Custom fields are not asked for where it is known that they do not come along.
        """
        self._source = source
        self._handed_out = handed_out
        self._asks_for_custom_fields = asks_for_custom_fields
        self.lacks_custom_fields = False
        """The rows so far came without the custom fields that are wanted of them."""
        self._connection = connection
        self._warn = warn
        self._reader = self._own_reader()
        self._last: Reading | None = None
        self.nests = [
            Nest(
                one.stream,
                one.nested,
                source.stream.resource,
                connection,
                tells_empty=_tells_empty(source, one),
            )
            for one in source.along
        ]

    @property
    def readers(self) -> list[tuple[CirqllStream, RecordReader]]:
        """Who reads the rows of which stream."""
        own = [(self._source.stream, self._reader)] if self._source.is_wanted else []
        return [*own, *((nest.stream, nest.reader) for nest in self.nests)]

    @property
    def stream(self) -> CirqllStream:
        """The source's own stream."""
        return self._source.stream

    @property
    def tally(self) -> Tally | None:
        """What was read, next to what was counted; ``None`` where nothing was."""
        return self._last.tally if self._last else None

    def recount(self) -> Recount | None:
        """Count once more what was read; ``None`` where nothing was. Raises any ``CirqllError``."""
        return self._last.recount() if self._last else None

    @property
    def refused(self) -> set[CirqllStream]:
        """Those whose relation the server does not bring along."""
        return {nest.stream for nest in self.nests if nest.is_refused}

    def pages(self) -> Iterator[SourcePage]:
        """Read page by page. Raises any ``CirqllError``; what was given before stays good."""
        if self._source.is_company:
            yield self._company()
            return
        for batch in self._batches():
            yield self._page(batch)
        for nest in self.nests:
            nest.at_end()
            for sentence in nest.warnings():
                self._warn(sentence)

    def rows_of(self, ids: list[int]) -> Iterator[SourcePage]:
        """Read rows by their ids, however long ago they changed. Raises any ``CirqllError``."""
        left = sorted(ids)
        while left:
            some = left[:_IDS_AT_ONCE]
            page = self._page_of(some)
            yield page
            # A page may hold fewer than were asked for.
            is_cut = page.is_cut and page.ids
            left = left[bisect_right(some, page.ids[-1]) if is_cut else len(some) :]

    def _page_of(self, ids: list[int]) -> SourcePage:
        query = IndexQuery(
            order_by=(Order("id"),),
            filter=Condition("id", "in", tuple(ids)),
            relations=self._last.relations if self._last else (),
        )
        page = self._connection.client.index(self.stream.resource, query, read_rows=self._reader)
        came = BitMap64(page.rows.ids)
        if not came <= BitMap64(ids):
            msg = (
                f"Cirqll answered a question for certain {self.stream.name} with others, so they "
                "were not read. The next run tries again; if it stays so, report it."
            )
            raise AnswerUnexpected(msg)
        apart = self._reader.take_apart()
        return SourcePage(
            None,
            self._portions(page.rows.rows, apart, records=len(page)),
            page.rows.ids,
            is_cut=(page.total or 0) > len(page),
        )

    def look(self) -> None:
        """Ask the first question of all, for what its rows teach. Raises any ``CirqllError``."""
        if self._source.is_company:
            self._company()
            return
        self._reading(self._source.relations).look()
        apart = self._reader.take_apart()
        for nest in self.nests:
            nest.rows(apart, records=0)

    def _page(self, batch: Batch) -> SourcePage:
        """Make portions of a page; its rows are gone from the batch then."""
        apart = self._reader.take_apart()
        number = len(batch.rows)
        rows, ids = self._changed(batch, apart)
        batch.rows.clear()
        return SourcePage(batch, self._portions(rows, apart, records=number), ids)

    def _portions(self, rows: list[Any], apart: list[Apart], *, records: int) -> list[Portion]:
        """Make portions of the source's own rows, and of what came along with its records."""
        portions = []
        if self._source.is_wanted:
            portions.append(Portion(self._source.stream, rows, self._reader.shape))
        for nest in self.nests:
            if nest.is_refused:
                continue
            came = nest.rows(apart, records=records)
            portions.append(Portion(nest.stream, came, nest.reader.shape, is_whole=nest.is_whole))
        return portions

    def _batches(self) -> Iterator[Batch]:
        """Read with what comes along, and without where that is refused."""
        relations = self._source.relations
        reading = self._reading(relations)
        batches = reading.batches()
        try:
            first = next(batches, None)
        except NotFound:
            # A guess: a relation that the account does not have. One without its scope is told of
            # before, by the question without relations.
            if not (relations and self._source.is_wanted):
                raise
            reading = self._reading(())
            batches = reading.batches()
            first = next(batches, None)
        for batch in chain([first] if first else [], batches):
            self.lacks_custom_fields |= self._lacks_custom_fields(reading)
            for nest in self.nests:
                nest.is_refused |= nest.nested.relation not in reading.relations
            if not self._source.is_wanted and all(nest.is_refused for nest in self.nests):
                return
            yield batch

    def _lacks_custom_fields(self, reading: Reading) -> bool:
        is_wanted = self._source.is_wanted and self._reader.shape.custom is not None
        return is_wanted and FIELD_VALUES not in reading.relations

    def _reading(self, relations: tuple[str, ...]) -> Reading:
        self._last = self._source.stream.reading(
            self._connection,
            self._reader,
            warn=self._warn,
            beginning=replace(self._source.beginning(), handed_out=self._handed_out),
            relations=relations,
            asks_for_custom_fields=self._asks_for_custom_fields,
        )
        return self._last

    def _own_reader(self) -> RecordReader:
        """Make the reader of the resource's own rows; of one read for others, only its keys."""
        stream, relations = self._source.stream, self._source.relations
        if self._source.is_wanted:
            return stream.record_reader(self._connection, apart=relations)
        resource = stream.resource
        shape = Shape(
            columns={resource.bookmark_field or "id": Kind.TIME, "id": Kind.INTEGER},
            hidden=frozenset(),
            keeps_undocumented=False,
            keeps_nonconforming=False,
            apart=frozenset(relations),
        )
        return RecordReader(resource, shape, timestamps=self._connection.timestamps)

    def _changed(self, batch: Batch, apart: list[Apart]) -> tuple[list[Any], list[int]]:
        """Leave out what the stream itself would not have asked for; give the ids of the rest."""
        stream, timestamps = self._source.stream, self._connection.timestamps
        if not self._source.is_wanted:
            return [], batch.ids
        own, joint = stream.beginning().since, self._source.beginning().since
        if not stream.is_incremental or own is None or own == joint:
            return [*batch.rows], batch.ids
        since = timestamps.earliest_text(own)
        old = {
            one.record_id
            for one in apart
            if (_comparable(one.changed_at, timestamps) or since) < since
            and (self._handed_out is None or one.record_id in self._handed_out)
        }
        pairs = zip(batch.rows, batch.ids, strict=True)
        kept = [(row, row_id) for row, row_id in pairs if row_id not in old]
        return [row for row, _ in kept], [row_id for _, row_id in kept]

    def _company(self) -> SourcePage:
        user = self._connection.client.me()
        company = user.get("company")
        if not isinstance(company, dict) or type(company.get("id")) is not int:
            msg = (
                "Cirqll did not tell the company of the signed-in user, so companies were not "
                "read. Deselect the stream."
            )
            raise NotFound(msg)
        rows = self._reader(encoded([company])).rows
        batch = Batch(rows, None, None, 0)
        portion = Portion(self._source.stream, rows, self._reader.shape)
        return SourcePage(batch, [portion], [company["id"]])


def _tells_empty(source: Source, one: Along) -> bool:
    """Tell whether rows may be in the warehouse whose values were removed since.

    Not in a first reading of what changed, unless it was interrupted; one that reads all each time
    does not tell which is the first.
    """
    is_incremental = one.stream.is_incremental and source.stream.is_incremental
    return not is_incremental or has_any_of(one.stream.stream_state, source.stream.name)


def rows_alone(
    stream: CirqllStream, connection: Connection, *, readable: Iterable[CirqllStream]
) -> Iterator[Any]:
    """Give the rows of one stream, and read no more than that takes.

    Raises any ``CirqllError``; what is not there for this token only where nothing else is.
    """
    sources = sources_of([stream], readable=readable)
    absent: list[NotFound | ScopeMissing] = []
    for source in sources:
        reading = SourceReading(source, connection, warn=stream.logger.warning)
        try:
            for page in reading.pages():
                for portion in page.portions:
                    yield from portion.rows
        except (NotFound, ScopeMissing) as error:
            absent.append(error)
    if absent and len(absent) == len(sources):
        raise absent[0]


def _comparable(time: object, timestamps: Timestamps) -> str | None:
    try:
        return timestamps.comparable(time) if isinstance(time, str) else None
    except ValueError:
        return None
