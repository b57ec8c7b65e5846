"""Going a walk to its end: it asks for pages, and whatever else it takes to be sure of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cirqll_client.ends import Sequel, rows_left, sequel
from cirqll_client.errors import RequestRefused, ScopeMissing
from cirqll_client.walks import NotHonoured, ids_of
from cirqll_client.whole_walk import WholeWalk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cirqll_client.client import CirqllClient
    from cirqll_client.key_walk import KeyWalk
    from cirqll_client.query import IndexQuery
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Page, RowsReader


_FORBIDDEN = 403


@dataclass(frozen=True, slots=True)
class Step:
    """One page of a walk, checked, and the rows of it that are wanted."""

    page: Page
    rows: list[Any]
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

    def steps(self, walk: KeyWalk | WholeWalk) -> Iterator[Step]:
        """Go page by page. Raises ``NotHonoured`` and any ``CirqllError``."""
        everything = walk.query()
        page = self._next_page(walk, counted=None)
        if page.is_whole and self._resource.key_without_id:
            ids_of(page.rows)
            yield Step(page, page.rows.rows, 0, is_as_counted=False, is_last=True)
            return
        counted = expected = page.total
        read, was_empty = 0, False
        while True:
            rows = walk.take(page)
            left = walk.left(page) if isinstance(walk, WholeWalk) else rows_left(page)
            read += len(page)
            is_end = self._is_end(walk, page, read=read, expected=expected)
            if is_end and not isinstance(walk, WholeWalk) and read < (expected or 0):
                self._look_for_gaps(walk, everything, read=read)
            if was_empty and not len(page) and not is_end:
                msg = "its filter did not find rows that are there"
                raise NotHonoured(msg)
            was_empty = not len(page)
            if is_end or not was_empty:
                is_as_counted = page.total is not None and page.total == counted
                yield Step(page, rows, left, is_as_counted=is_as_counted, is_last=is_end)
            if is_end:
                return
            counted = left
            page = self._next_page(walk, counted=left)

    def _is_end(
        self, walk: KeyWalk | WholeWalk, page: Page, *, read: int, expected: int | None
    ) -> bool:
        """Tell whether no row is left but such that changed after the reading began."""
        if isinstance(walk, WholeWalk):
            return walk.is_complete
        if walk.goal is None:
            what_follows = sequel(
                page,
                read=read,
                expected=expected,
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

    def _look_for_gaps(self, walk: KeyWalk, everything: IndexQuery, *, read: int) -> None:
        """Make sure that rows were deleted, not passed over, where fewer came than were counted.

        A server that compares only the dates of times would pass over the rest of a day. Counted
        are the rows that are there, less those behind the key: no more than were read, unless some
        were passed over. Raises ``NotHonoured`` if a second look shows the same.
        """
        walk.is_overlapping = False
        for _ in range(2):
            there = self._ask_plainly(replace(everything, limit=1)).total
            behind = self._ask_plainly(replace(walk.query(), limit=1)).total
            if there is None or behind is None or there - behind <= read:
                return
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
