"""Going a walk to its end: it asks for pages, and whatever else it takes to be sure of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from cirqll_client.ends import Sequel, rows_left, sequel
from cirqll_client.errors import RequestRefused, ScopeMissing
from cirqll_client.tally import Room
from cirqll_client.walks import NotHonoured, ids_of
from cirqll_client.whole_walk import WholeWalk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cirqll_client.client import CirqllClient
    from cirqll_client.key_walk import KeyWalk
    from cirqll_client.query import IndexQuery
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Page, Rows, RowsReader
    from cirqll_client.tally import Tally


_FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class Step:
    """One page of a walk, checked, and the rows of it that are wanted."""

    page: Page
    rows: Rows
    left: int | None
    """Rows that the server counts behind the page, where it tells."""
    is_as_counted: bool
    """As many rows lay here as were counted behind the page before: nothing changed in between."""
    is_last: bool


class Walker:
    """Walks through one resource.

    ``fields`` limits what is asked for; empty means all. ``relations`` are brought along.
    """

    def __init__(  # noqa: PLR0913 - what, how, and whom to tell
        self,
        client: CirqllClient,
        resource: Resource,
        *,
        fields: tuple[str, ...],
        relations: tuple[str, ...] = (),
        read_rows: RowsReader | None,
        warn: Callable[[str], None],
    ) -> None:
        """Prepare; nothing is asked yet."""
        self._client = client
        self._resource = resource
        self._fields = fields
        self.relations = relations
        """Those that the server brings along; none once it refused to."""
        self._read_rows = read_rows
        self._warn = warn

    def look(self, walk: KeyWalk | WholeWalk) -> None:
        """Ask for the first page, and no more. Raises any ``CirqllError``."""
        self._page(walk)

    def steps(self, walk: KeyWalk | WholeWalk, *, tally: Tally) -> Iterator[Step]:
        """Go page by page, and tell the tally. Raises ``NotHonoured`` and any ``CirqllError``."""
        everything = walk.query()
        tally.is_whole = everything.filter is None
        page = self._next_page(walk, counted=None)
        if page.is_whole and self._resource.key_without_id:
            tally.take(ids_of(page.rows), is_as_counted=True)
            yield Step(page, page.rows, 0, is_as_counted=False, is_last=True)
        elif isinstance(walk, WholeWalk):
            yield from self._passes(walk, page, tally=tally)
        else:
            yield from self._along(walk, page, everything=everything, tally=tally)

    def _passes(self, walk: WholeWalk, page: Page, *, tally: Tally) -> Iterator[Step]:
        """Go over the whole until that is complete; the tally is that of the last pass."""
        while True:
            if walk.is_at_start:
                tally.restart()
                tally.expected = page.total
            rows = walk.take(page)
            is_as_counted = page.total is not None and page.total == tally.expected
            tally.take(page.rows.ids[walk.overlap :], is_as_counted=is_as_counted)
            is_end, left = walk.is_complete, walk.left(page)
            tally.lacking, tally.repeated = walk.lacking, walk.repeated
            if is_end or len(page):
                yield Step(page, rows, left, is_as_counted=is_as_counted, is_last=is_end)
            if is_end:
                return
            page = self._page(walk)

    def _along(
        self, walk: KeyWalk, page: Page, *, everything: IndexQuery, tally: Tally
    ) -> Iterator[Step]:
        """Go along the key until no row is left but such that changed since."""
        room, was_empty = Room(), False
        left: int | None = None
        for number in count():
            rows = walk.take(page)
            counted = None if page.total is None else page.total - walk.overlap
            if number == 0:
                tally.expected = left = counted
            is_as_counted = counted is not None and counted == left
            left = rows_left(page)
            tally.take(page.rows.ids[walk.overlap :], is_as_counted=is_as_counted)
            room.take(page, counted=counted, left=left)
            is_end = self._is_end(walk, page, tally)
            if is_end:
                tally.is_quiet &= left == 0
                tally.lacking = self._lack(walk, everything, tally=tally, room=room)
            elif was_empty and not len(page):
                msg = "its filter did not find rows that are there"
                raise NotHonoured(msg)
            was_empty = not len(page)
            if is_end or not was_empty:
                yield Step(page, rows, left, is_as_counted=is_as_counted, is_last=is_end)
            if is_end:
                return
            page = self._next_page(walk, counted=left)

    def _is_end(self, walk: KeyWalk, page: Page, tally: Tally) -> bool:
        """Tell whether no row is left but such that changed after the reading began."""
        if walk.goal is None:
            what_follows = sequel(
                page,
                read=tally.rows,
                expected=tally.expected,
                is_total_proven=self._client.is_total_proven,
                is_filtered=walk.query().filter is not None,
            )
            if what_follows is not Sequel.DOUBT:
                return what_follows is Sequel.END
        is_arrived = walk.has_arrived
        if walk.goal is None or not len(page) or (is_arrived and not walk.is_order_proven):
            self._aim(walk)
        return is_arrived or walk.has_arrived

    def _next_page(self, walk: KeyWalk | WholeWalk, *, counted: int | None) -> Page:
        """Ask for the page behind the last one, where so many rows were counted."""
        if isinstance(walk, WholeWalk) or walk.key is None:
            return self._page(walk)
        has_count = counted is not None and self._client.is_total_proven
        walk.is_overlapping = not (walk.are_ties_proven or has_count)
        page = self._page(walk)
        if page.total != counted and walk.goal is None and not walk.is_order_proven:
            self._aim(walk)
        if walk.may_miss_ties(page, counted=counted):
            return self._page_with_ties(walk, page)
        return page

    def _page(self, walk: KeyWalk | WholeWalk) -> Page:
        """Ask for a page, with less and less around it where the server refuses that."""
        query = walk.query()
        fields, relations = self._fields, self.relations
        choices = [(fields, relations), (fields, ()), ((), relations), ((), ())]
        refusals: list[RequestRefused | ScopeMissing] = []
        for show, along in dict.fromkeys(choices):
            try:
                page = self._ask(replace(query, show=show, relations=along))
            except RequestRefused as error:
                refusals.append(error)
            except ScopeMissing as error:
                # A guess: a relation may take a scope that the resource does not.
                refusals.append(error)
                if not along:
                    raise
            else:
                # What was left out was refused, and not the walk, which is the same in all.
                if refusals:
                    self._do_without(refusals[0], fields=show, relations=along)
                return page
        raise refusals[0]

    def _do_without(
        self,
        refusal: RequestRefused | ScopeMissing,
        *,
        fields: tuple[str, ...],
        relations: tuple[str, ...],
    ) -> None:
        """Ask no more for what was refused, and say so."""
        if self._fields != fields:
            self._warn(
                f"Cirqll refused to show only some fields of {self._resource.stream} with "
                f"{_status(refusal)}. All fields are asked for instead, which loses nothing."
            )
        if self.relations != relations:
            self._warn(
                f"Cirqll refused to bring {' and '.join(self.relations)} along with "
                f"{self._resource.stream} ({_status(refusal)}), so they are read "
                "without: what is made of it is empty in these rows. Once Cirqll brings it along, "
                "all rows are read again."
            )
        self._fields, self.relations = fields, relations

    def _aim(self, walk: KeyWalk) -> None:
        """See where the way ends now, so that it has an end, however fast rows change.

        An end before the place that was reached is there only if rows were deleted, or if the order
        is not honoured: then the first row is the last one, too. Raises ``NotHonoured``.
        """
        last = self._ask_plainly(walk.last())
        if last.total and not len(last):
            # The last row is counted and not given: the way ends at one before it.
            last = self._ask_plainly(replace(walk.last(), limit=None))
        walk.aim(last.rows)
        if not walk.is_beyond_goal:
            return
        first = self._ask_plainly(walk.first_two())
        if len(first) == 1 or first.rows.ids[:1] != last.rows.ids[:1]:
            return
        # A row may have come in between, behind the one that was the only one.
        if self._ask_plainly(walk.last()).rows.ids[:1] == first.rows.ids[:1]:
            msg = f"it did not honour the order by {walk.along}"
            raise NotHonoured(msg)

    def _lack(self, walk: KeyWalk, everything: IndexQuery, *, tally: Tally, room: Room) -> int:
        """Count the rows that are there and do not come, where fewer came than were counted.

        Most often those were deleted: counted are the rows that are there, less those behind the
        key, and if that is no more than came, nothing lacks. Raises ``NotHonoured`` if a second
        look shows more again and the filter may have passed over them: a server that compares only
        the dates of times would pass over the rest of a day.
        """
        if tally.rows >= (tally.expected or 0):
            return 0
        walk.is_overlapping = False
        lacks: set[int] = set()
        for _ in range(2):
            there = self._ask_plainly(replace(everything, limit=max(1, room.longest)))
            behind = self._ask_plainly(replace(walk.query(), limit=1)).total
            if there.total is None or behind is None or there.total - behind <= tally.rows:
                return 0
            lacks.add(there.total - behind - tally.rows)
            room.look_back(there, behind=behind)
        if len(lacks) == 1 and room.explains_lack:
            return lacks.pop()
        msg = "its filter passed over rows that are there"
        raise NotHonoured(msg)

    def _page_with_ties(self, walk: KeyWalk, page: Page) -> Page:
        """Make sure that rows with the time of the key were not dropped with the ``or``."""
        ties = self._ask_plainly(walk.ties()).rows.ids
        if not ties or ties[0] in page.rows.ids:
            return page
        # The row may have come in between.
        page = self._page(walk)
        if ties[0] not in page.rows.ids:
            msg = "it left out rows that changed at the same moment"
            raise NotHonoured(msg)
        return page

    def _ask(self, query: IndexQuery) -> Page:
        return self._client.index(self._resource, query, read_rows=self._read_rows)

    def _ask_plainly(self, query: IndexQuery) -> Page:
        return self._client.index(self._resource, query)


def _status(refusal: RequestRefused | ScopeMissing) -> int:
    return refusal.status if isinstance(refusal, RequestRefused) else _FORBIDDEN
