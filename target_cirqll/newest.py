"""What was created since: the newest records, or that it cannot be told.

It tells whether a create whose answer was lost has happened. A guess, and only here: ids grow with
time, as those of MySQL do, so a record that is created later has a higher one.
"""

from __future__ import annotations

from operator import gt, lt
from typing import TYPE_CHECKING

from cirqll_client.client import SAFE_PAGE_SIZE
from cirqll_client.errors import AnswerUnexpected, RequestRefused
from cirqll_client.query import Condition, IndexQuery, Order
from target_cirqll.asking import Asking, rows_by_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from cirqll_client.client import CirqllClient
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Page, Record

MOST_PAGES = 20
_FEW = 10
"""Rows by which an order shows; one of them would do if servers did as they are asked."""
_ASCENDING = (Order("id"),)
_DESCENDING = (Order("id", descending=True),)
_OUT_OF_ORDER = "Cirqll does not list records in the order of their ids"


class CannotTell(Exception):
    """The answers do not prove which records are the newest. The first argument says why."""


class Newest:
    """Reads the newest records of one account. Threads may share it."""

    def __init__(self, client: CirqllClient) -> None:
        """Ask through this client."""
        self._client = client
        self._asking = Asking(client)
        self._ordered: set[str] = set()

    def newest_id(self, resource: Resource) -> int:
        """Give the highest id there is, 0 where there are no records.

        Raises ``CannotTell`` and any ``CirqllError``.
        """
        query = IndexQuery(limit=_FEW, order_by=_DESCENDING, show=("id",))
        page = self._first_page(resource, query, was_filled=False)
        ids = list(_descending(resource, page, below=None))
        if not ids:
            return 0
        if len(ids) == 1:
            _check_is_only_one(page)
        return ids[0]

    def since(self, resource: Resource, floor_id: int, *, fields: Collection[str]) -> list[Record]:
        """Give all live records with an id above the floor, the newest first.

        Raises ``CannotTell`` and any ``CirqllError``.
        """
        show = ("id", *sorted({*fields} - {"id"}))
        seen: dict[int, Record] = {}
        for rows in self._pages(resource, show, floor_id):
            seen |= rows
        if len(seen) > 1:
            self._check_order(resource, highest=max(seen))
        return [record for one, record in seen.items() if one > floor_id]

    def _pages(
        self, resource: Resource, show: tuple[str, ...], floor_id: int
    ) -> Iterator[dict[int, Record]]:
        """Go down from the newest to the floor, or to an end that is certain.

        The first page has no filter that could be misread; each of the others begins with the last
        row of the one before, as proof that its filter was not.
        """
        query = IndexQuery(limit=SAFE_PAGE_SIZE, order_by=_DESCENDING, show=show)
        page = self._first_page(resource, query, was_filled=floor_id > 0)
        if not len(page):
            return
        below: int | None = None
        for _ in range(MOST_PAGES):
            rows = _descending(resource, page, below=below)
            yield rows
            last = min(rows)
            if len(rows) == 1 and below is None:
                _check_is_only_one(page)
                return
            if last <= floor_id or last + 1 == below or self._asking.is_complete(page):
                return
            below = last + 1
            page = self._page(
                resource,
                IndexQuery(order_by=_DESCENDING, show=show, filter=Condition("id", "lt", below)),
            )
        msg = f"there are more than {MOST_PAGES} pages of newer records"
        raise CannotTell(msg)

    def _first_page(self, resource: Resource, query: IndexQuery, *, was_filled: bool) -> Page:
        """Ask for the newest records; an empty page is certain.

        A doubt is asked about once more: somebody may have created the first one meanwhile.
        """
        page = self._page(resource, query)
        if len(page):
            return page
        try:
            self._check_is_empty(resource, page, was_filled=was_filled)
        except CannotTell:
            again = self._page(resource, query)
            if len(again) > 1 or len(again) == again.total == 1:
                return again
            raise
        return page

    def _page(self, resource: Resource, query: IndexQuery) -> Page:
        try:
            return self._asking.page(resource, query)
        except RequestRefused:
            msg = "Cirqll refuses to list records by id"
            raise CannotTell(msg) from None

    def _check_order(self, resource: Resource, *, highest: int) -> None:
        """Make sure, once, that the other order gives the other end.

        Rows that come in the order of their last change may have descending ids by chance.
        """
        if resource.name in self._ordered:
            return
        page = self._page(resource, IndexQuery(limit=_FEW, order_by=_ASCENDING, show=("id",)))
        ids = list(_rows(resource, page))
        if not (all(map(lt, ids, ids[1:])) and ids and ids[0] < highest):
            raise CannotTell(_OUT_OF_ORDER)
        self._ordered.add(resource.name)

    def _check_is_empty(self, resource: Resource, page: Page, *, was_filled: bool) -> None:
        """Believe that there are no records only if a question without an order says so, too."""
        plain = self._page(resource, IndexQuery(limit=1))
        is_empty = not (len(plain) or page.total or plain.total)
        is_counted = page.total == 0 and plain.total == 0
        if not is_empty or (was_filled and not is_counted):
            msg = "Cirqll lists no records where there must be some"
            raise CannotTell(msg)


def _descending(resource: Resource, page: Page, *, below: int | None) -> dict[int, Record]:
    """Give the rows by id, in their order. Raises ``CannotTell`` for another order."""
    rows = _rows(resource, page)
    ids = list(rows)
    is_below = below is None or all(one < below for one in ids)
    if len(ids) < len(page) or not all(map(gt, ids, ids[1:])) or not is_below:
        raise CannotTell(_OUT_OF_ORDER)
    if below is not None and ids[:1] != [below - 1]:
        msg = "the record at which the list was to go on is not there any more"
        raise CannotTell(msg)
    return rows


def _rows(resource: Resource, page: Page) -> dict[int, Record]:
    try:
        return rows_by_id(resource, page)
    except AnswerUnexpected:
        msg = "records came without a usable id"
        raise CannotTell(msg) from None


def _check_is_only_one(page: Page) -> None:
    """Make sure that there is no other row: a single one proves no order."""
    if page.total != 1 or page.limit == 1:
        msg = "Cirqll lists a single record and does not say that it is the only one"
        raise CannotTell(msg)
