"""The course of an examination: which question is asked when, and of which resource."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cirqll_client import responses
from cirqll_client.cli.doctor import answers, honesty, page_sizes, shapes
from cirqll_client.cli.doctor.answers import Failed, Listing
from cirqll_client.cli.doctor.asking import Ended
from cirqll_client.cli.doctor.evidence import StreamEvidence
from cirqll_client.cli.doctor.honesty import NOT_ASKED, Row, Verdict
from cirqll_client.cli.doctor.page_sizes import Asked
from cirqll_client.cli.doctor.zones import Newest
from cirqll_client.query import Condition, IndexQuery, Order
from cirqll_client.resources import FIELD_VALUES, RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cirqll_client.cli.doctor.asking import Asker
    from cirqll_client.cli.doctor.evidence import Evidence
    from cirqll_client.query import Quoting
    from cirqll_client.resources import Resource
    from cirqll_client.timestamps import Timestamps
    from cirqll_client.transport import Answer

_TRIED_FOR_FIELD_VALUES = 2
_FIELD = next(one for one in RESOURCES if one.name == "field")
_CONVINCING = 2
"""An order by id that so many streams refuse is not asked of the others."""
_ENOUGH_TIMES = 3
"""More different times than that do not make a resource better to try questions on."""


class Examination:
    """Asks everything, and fills the evidence. It ends early where nothing more can be asked."""

    def __init__(self, asker: Asker, evidence: Evidence, *, timestamps: Timestamps) -> None:
        """Prepare; nothing is asked yet."""
        self._asker = asker
        self._evidence = evidence
        self._timestamps = timestamps
        self._order_refusals = 0

    def examine(self, resources: Sequence[Resource]) -> None:
        """Ask: first what all depends on, last what may be left out if requests run short."""
        found = self._evidence
        try:
            self._ask_who()
            for resource in resources:
                stream = self._first_look(resource)
                if stream.first == Failed("not_asked"):
                    break
                found.streams.append(stream)
                found.unasked.remove(resource)
            self._try_on_main()
            self._ask_field_values()
            self._ask_relations()
            self._ask_page_sizes()
            self._ask_definitions()
            for stream in found.streams:
                if stream.resource is not found.main:
                    self._ask_changes(stream)
        except Ended as end:
            found.ended, found.dead = end.sentence, end.dead
        found.heard = self._asker.heard

    def _ask_who(self) -> None:
        """Ask who the token belongs to; the path has two spellings in the documentation."""
        me = self._asker.ask("/auth/me", _record)
        if isinstance(me, Failed) and me.kind == "missing":
            me = self._asker.ask("/user/me", _record)
        self._evidence.me = me

    def _first_look(self, resource: Resource) -> StreamEvidence:
        """Ask for the newest records: whether they may be read, and what they are made of."""
        newest_first = IndexQuery(order_by=(Order("id", descending=True),))
        came: Listing | Failed = Failed("refused")
        verdict = Verdict("refused", "refused for other streams, so not asked here")
        is_asked = self._order_refusals < _CONVINCING
        if is_asked:
            came = self._index(resource, newest_first)
            verdict = _id_verdict(came)
        if isinstance(came, Failed) and came.kind == "refused":
            came = self._index(resource, IndexQuery())
            if not isinstance(came, Listing):
                # It does not work without either, so that says nothing of the order.
                verdict = NOT_ASKED
            elif is_asked:
                self._order_refusals += 1
        stream = StreamEvidence(resource, came, id_order=verdict)
        self._keep(stream, came, is_from_first=True)
        return stream

    def _try_on_main(self) -> None:
        """Try what is the same for all resources on the one that has most to show."""
        found = self._evidence
        main = max(found.streams, key=self._worth, default=None)
        if main is None or not main.rows:
            return
        found.main = main.resource
        self._ask_changes(main, is_main=True)
        self._ask_id_walk(main)
        self._ask_show(main)

    def _ask_changes(self, stream: StreamEvidence, *, is_main: bool = False) -> None:
        """Ask for the latest changes first, then for what changed after one of them."""
        resource, field = stream.resource, stream.resource.bookmark_field
        if field is None or honesty.threshold(self._changes(stream.resource, stream.rows)) is None:
            few = "no two records that differ" if stream.rows else "no records"
            stream.filter = stream.order = Verdict("unknown", few)
            return
        latest = self._index(resource, IndexQuery(order_by=(Order(field, descending=True),)))
        self._keep(stream, latest, is_from_first=True)
        order = _order_of_changes(field, stream) if isinstance(latest, Listing) else ()
        later, stream.filter = self._ask_later(stream, latest, order=order, is_main=is_main)
        if isinstance(later, Failed) and order:
            later = self._index(resource, IndexQuery(order_by=order))
            self._keep(stream, later, is_from_first=True)
        stream.order = honesty.order_verdict(
            self._keys(resource, latest), self._keys(resource, later)
        )

    def _ask_later(
        self,
        stream: StreamEvidence,
        latest: Listing | Failed,
        *,
        order: tuple[Order, ...],
        is_main: bool,
    ) -> tuple[Listing | Failed, Verdict]:
        """Ask for what changed after a certain record, written as is known to be understood.

        Of the main resource both ways of writing a time are tried, which settles it for all.
        """
        known = self._changes(stream.resource, stream.rows)
        behind = honesty.threshold(self._behind(stream.resource, latest, known)) or known[0]
        condition = Condition(stream.resource.bookmark_field or "", "gt", behind.key)
        query = IndexQuery(order_by=order, filter=condition)

        def judged(quoting: Quoting) -> tuple[Listing | Failed, Verdict]:
            came = self._index(stream.resource, query, quoting=quoting)
            self._keep(stream, came)
            verdict = honesty.filter_verdict(
                self._keys(stream.resource, came),
                behind=behind,
                known=known,
                page_rows=_rows(stream.first),
            )
            return came, verdict

        if not is_main:
            return judged(self._evidence.quoting)
        quoted, bare = judged("quoted"), judged("bare_times")
        self._evidence.quoted, self._evidence.bare = quoted[1], bare[1]
        if quoted[1].honesty != "honoured" and bare[1].honesty == "honoured":
            self._evidence.quoting = "bare_times"
            return bare
        return quoted

    def _ask_id_walk(self, main: StreamEvidence) -> None:
        """Ask as a walk along the ids does."""
        ids = _ids(main.first)
        behind = None if isinstance(ids, Failed) else honesty.threshold(ids)
        if behind is None or isinstance(ids, Failed):
            self._evidence.id_order = main.id_order
            return
        order = () if main.id_order.honesty == "refused" else (Order("id"),)
        condition = Condition("id", "gt", behind.key)
        came = self._index(main.resource, IndexQuery(order_by=order, filter=condition))
        self._keep(main, came)
        self._evidence.id_filter = honesty.filter_verdict(
            _ids(came), behind=behind, known=ids, page_rows=len(ids)
        )
        if order and isinstance(came, Failed):
            came = self._index(main.resource, IndexQuery(order_by=order))
        if order:
            main.id_order = honesty.order_verdict(ids, _ids(came))
        self._evidence.id_order = main.id_order

    def _ask_show(self, main: StreamEvidence) -> None:
        """Ask for one record, and for some fields of two."""
        found, resource = self._evidence, main.resource
        if "show" in resource.actions:
            key = next((row["id"] for row in main.rows if type(row.get("id")) is int), None)
            if key is not None:
                found.show = self._asker.ask(f"{resource.path}/{key}", answers.shown)
        fields = tuple(filter(None, ("id", resource.bookmark_field)))
        query = IndexQuery(limit=2, show=fields)
        came = self._index(resource, query)
        known = {name for row in main.rows for name in row}
        found.show_fields = shapes.show_doing(came, fields, known=known)
        if isinstance(came, Listing):
            found.asked.append(Asked(came, 2, there=len(main.ids)))

    def _ask_field_values(self) -> None:
        """Ask for custom fields where they may be, until some are there."""
        with_values = [
            stream
            for stream in self._evidence.streams
            if FIELD_VALUES in stream.resource.to_many and stream.rows
        ]
        for stream in with_values[:_TRIED_FOR_FIELD_VALUES]:
            came = self._index(stream.resource, IndexQuery(relations=(FIELD_VALUES,)))
            self._evidence.values[stream.resource.stream] = came
            if shapes.field_values_shape(came) != "none":
                return

    def _ask_relations(self) -> None:
        """Ask for a relation of each kind, of a resource that has them."""
        for stream in self._evidence.streams:
            to_many = tuple(one for one in stream.resource.to_many if one != FIELD_VALUES)
            names = (*stream.resource.to_one[:1], *to_many[:1])
            if names and stream.rows:
                came = self._index(stream.resource, IndexQuery(limit=2, relations=names))
                known = {name for row in stream.rows for name in row}
                self._evidence.relations = shapes.relation_doing(came, names, known=known)
                if came != Failed("not_asked"):
                    self._evidence.relation_names = names
                return

    def _ask_page_sizes(self) -> None:
        """Ask for a page as large as can be, of the resource with most records."""
        found = self._evidence
        largest = max(found.streams, key=lambda one: _total(one.first), default=None)
        if largest is None or not largest.rows:
            return
        tries: list[tuple[int, Listing | Failed]] = []
        for size in page_sizes.SIZES:
            came = self._index(largest.resource, IndexQuery(limit=size))
            tries.append((size, came))
            if not (isinstance(came, Failed) and came.kind == "refused"):
                break
        size, came = tries[-1]
        self._keep(largest, came)
        there = len(largest.ids)
        if isinstance(came, Listing):
            there = max(there, self._rows_behind(largest.resource, came, size=size))
            found.asked.append(Asked(came, size, there=there))
        found.page_maximum = page_sizes.page_maximum(tries, there=there)

    def _ask_definitions(self) -> None:
        """Ask what custom fields there are, with the options that they may have: one request."""
        found = self._evidence
        streams = [one for one in found.streams if isinstance(one.first, Listing)]
        if not any(FIELD_VALUES in one.resource.to_many for one in streams):
            return
        known = next((one for one in found.streams if one.resource == _FIELD), None)
        if known and isinstance(known.first, Failed):
            found.definitions = known.first
            return
        query = IndexQuery(limit=page_sizes.safe(found.page_maximum), relations=("options",))
        found.definitions = self._index(_FIELD, query)
        if known:
            self._keep(known, found.definitions)

    def _rows_behind(self, resource: Resource, page: Listing, *, size: int) -> int:
        """Count the rows, as far as one question tells: whether one lies behind the page."""
        rows = len(page)
        if not 0 < rows < size or (page.total or 0) > rows:
            return rows
        next_one = self._index(resource, IndexQuery(limit=1, offset=rows))
        has_more = isinstance(next_one, Listing) and _is_other(next_one, page)
        return rows + 1 if has_more else rows

    def _keep(
        self, stream: StreamEvidence, came: Listing | Failed, *, is_from_first: bool = False
    ) -> None:
        """Keep what came of a resource."""
        if isinstance(came, Failed):
            return
        stream.pages.append(came)
        newest = max((row.key for row in self._changes(stream.resource, came.rows)), default=None)
        known = self._evidence.newest
        if newest and came.server_time and (known is None or newest > known.text):
            self._evidence.newest = Newest(newest, came.server_time)
        if is_from_first:
            self._evidence.asked.append(Asked(came, None, there=len(stream.ids)))

    def _index(
        self, resource: Resource, query: IndexQuery, *, quoting: Quoting = "quoted"
    ) -> Listing | Failed:
        read = partial(answers.listing, resource=resource)
        parameters = query.parameters(quoting=quoting)
        return self._asker.ask(resource.path, read, parameters=parameters)

    def _worth(self, stream: StreamEvidence) -> tuple[int, bool, int]:
        """Rate how much a resource has to show: times that differ, then records."""
        times = len({row.key for row in self._changes(stream.resource, stream.rows)})
        return min(times, _ENOUGH_TIMES), "show" in stream.resource.actions, _total(stream.first)

    def _behind(self, resource: Resource, latest: Listing | Failed, known: list[Row]) -> list[Row]:
        """Give the rows among which to set the mark: the latest changes, if these are they."""
        rows = self._keys(resource, latest)
        if isinstance(rows, Failed) or not honesty.is_descending(rows):
            return known
        return rows if len({row.key for row in rows}) > 1 else known

    def _changes(self, resource: Resource, rows: Iterable[dict[str, Any]]) -> list[Row]:
        """Give rows with the time of their last change; the latest of each."""
        keyed = honesty.keyed(
            Listing(list(rows)), partial(self._key, field=resource.bookmark_field)
        )
        return list({row.id: row for row in sorted(keyed, key=lambda row: str(row.key))}.values())

    def _keys(self, resource: Resource, came: Listing | Failed) -> list[Row] | Failed:
        key_of = partial(self._key, field=resource.bookmark_field)
        return came if isinstance(came, Failed) else honesty.keyed(came, key_of)

    def _key(self, row: dict[str, Any], *, field: str | None) -> str | None:
        """Give the time of change as the API compares it; ``None`` for what is no time."""
        time = row.get(field) if field else None
        try:
            return self._timestamps.comparable(time) if isinstance(time, str) else None
        except ValueError:
            return None


def _record(answer: Answer) -> dict[str, Any]:
    return responses.record(answer.body)


def _ids(came: Listing | Failed) -> list[Row] | Failed:
    return came if isinstance(came, Failed) else honesty.keyed(came, lambda row: row.get("id"))


def _id_verdict(came: Listing | Failed) -> Verdict:
    """Judge the order by id, from one direction only."""
    return honesty.order_verdict(_ids(came), Failed("not_asked"))


def _order_of_changes(field: str, stream: StreamEvidence) -> tuple[Order, ...]:
    """Order as a reading does, unless that is known to be refused for the sake of the id."""
    is_refused = stream.id_order.honesty == "refused"
    return (Order(field),) if is_refused else (Order(field), Order("id"))


def _rows(came: Listing | Failed) -> int:
    return 0 if isinstance(came, Failed) else len(came)


def _total(came: Listing | Failed) -> int:
    return 0 if isinstance(came, Failed) else max(len(came), came.total or 0)


def _is_other(one: Listing, page: Listing) -> bool:
    """Tell whether a row came that is none of the page's, so that the offset was honoured."""
    ids = {row.get("id") for row in page.rows}
    return any(row.get("id") not in ids for row in one.rows)
