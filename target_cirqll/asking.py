"""One filter asked until its answer is complete, whatever a server withholds.

That a row is absent from an answer decides whether a record is created. So an answer is complete
only with proof: a ``total`` that is proven to count what matches, or a walk behind the last row
that finds nothing more.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from cirqll_client.errors import AnswerUnexpected, RequestRefused
from cirqll_client.query import Condition, IndexQuery, Order, all_of
from cirqll_client.refusals import is_too_long

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.client import CirqllClient
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Page, Record

_MOST_WALKS = 3
"""So often is a walk begun anew, because the row that it stood on has gone meanwhile."""

logger = logging.getLogger(__name__)


class _Moved(Exception):
    """The row that a walk stood on is not there any more."""


class Asking:
    """Asks the Index of one account's resources, and remembers for the run what it learned."""

    def __init__(self, client: CirqllClient) -> None:
        """Ask through this client."""
        self.page_size = 1000
        """The page size in force as far as it is known: the largest that the tap asks for."""
        self._client = client
        self._shown_whole: set[str] = set()
        self._has_tried_total = False

    def page(self, resource: Resource, query: IndexQuery) -> Page:
        """Ask once. Without the choice of fields from then on, if that is what is refused.

        Some of our fields are guesses, and what an unknown one does is unknown (cirqll-api.md).
        Raises ``RequestRefused`` about the rest, and any other ``CirqllError``.
        """
        page = self._with_fewest_fields(resource, query)
        if page.limit is not None and query.limit is None:
            # A server that tells less than it gives is no reason to ask more often.
            self.page_size = max(page.limit, len(page), 1)
        return page

    def rows(
        self,
        resource: Resource,
        query: IndexQuery,
        *,
        check: Callable[[Page], None],
        has_all: Callable[[Page], bool],
    ) -> dict[int, Record]:
        """Give all rows that match, by id.

        ``check`` sees each page and raises what is wrong with it. Where ``has_all`` says that
        nothing is absent from a page, its ``total`` is believed without proof.
        """
        page = self.page(resource, query)
        check(page)
        if self._is_whole(page) or (_is_as_told(page) and has_all(page)):
            return rows_by_id(resource, page)
        self._prove_total(resource, page)
        if self.is_complete(page):
            return rows_by_id(resource, page)
        return self._walked(resource, replace(query, order_by=(Order("id"),)), check)

    def is_complete(self, page: Page) -> bool:
        """Tell whether a page holds all that matches, by a ``total`` that is proven to count it."""
        return self._client.is_total_proven and _is_as_told(page)

    def _is_whole(self, page: Page) -> bool:
        """Tell whether nothing was withheld: no maximum makes an answer empty."""
        return self.is_complete(page) or (not len(page) and not page.total)

    def _prove_total(self, resource: Resource, page: Page) -> None:
        """Have the client see a page that is smaller than its ``total``; once, it remembers."""
        if page.total is None or self._client.is_total_proven or self._has_tried_total:
            return
        self._has_tried_total = True
        self._client.index(resource, IndexQuery(limit=1))

    def _walked(
        self, resource: Resource, query: IndexQuery, check: Callable[[Page], None]
    ) -> dict[int, Record]:
        for _ in range(_MOST_WALKS):
            try:
                return self._walk(resource, query, check)
            except _Moved:
                continue
            except RequestRefused:
                break
        raise AnswerUnexpected(_incomplete(resource))

    def _walk(
        self, resource: Resource, query: IndexQuery, check: Callable[[Page], None]
    ) -> dict[int, Record]:
        """Go along the ids; each page begins with the last row of the one before, as proof."""
        found: dict[int, Record] = {}
        page, last, floor = self.page(resource, query), None, 0
        while True:
            check(page)
            ids = _ascending_ids(resource, page, floor=floor)
            if last is not None and floor < last and ids[:1] != [last]:
                raise _Moved
            has_news = not found.keys() >= set(ids)
            found.update(rows_by_id(resource, page))
            if not has_news or self.is_complete(page):
                return found
            last = ids[-1]
            floor = last - 1 if len(set(ids)) > 1 else last
            page = self.page(resource, _behind(query, floor))

    def _with_fewest_fields(self, resource: Resource, query: IndexQuery) -> Page:
        plain = replace(query, show=())
        if plain == query or resource.name in self._shown_whole:
            return self._client.index(resource, plain)
        try:
            return self._client.index(resource, query)
        except RequestRefused as refusal:
            if is_too_long(refusal.status):
                raise
        page = self._client.index(resource, plain)
        self._shown_whole.add(resource.name)
        logger.info(
            "Cirqll refuses to show only some fields of %s; all fields are asked for from now on.",
            resource.stream,
        )
        return page


def row_id(value: object) -> int | None:
    """Give the id of a row, which may come as text; ``None`` for what is none."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    return value if type(value) is int else None


def row_ids(resource: Resource, page: Page) -> list[int]:
    """Give the ids of a page. Raises ``AnswerUnexpected`` where one is no whole number."""
    ids = [one for one in map(row_id, page.rows.ids) if one is not None]
    if len(ids) < len(page):
        msg = (
            f"Cirqll answered records of {resource.stream} without a usable id, so they cannot be "
            "told apart, and nothing can be written there. Report it with the version of this "
            "program."
        )
        raise AnswerUnexpected(msg)
    return ids


def rows_by_id(resource: Resource, page: Page) -> dict[int, Record]:
    """Give the rows of a page by id, which is a number in them. Raises ``AnswerUnexpected``."""
    pairs = zip(row_ids(resource, page), page.rows.rows, strict=True)
    return {one: {**row, "id": one} for one, row in pairs}


def _is_as_told(page: Page) -> bool:
    """Tell whether as many rows came as are told to match; one that is repeated counts once."""
    return page.total is not None and page.total <= len(set(map(str, page.rows.ids)))


def _ascending_ids(resource: Resource, page: Page, *, floor: int) -> list[int]:
    ids = row_ids(resource, page)
    if ids != sorted(ids) or (ids and ids[0] <= floor):
        raise AnswerUnexpected(_incomplete(resource))
    return ids


def _behind(query: IndexQuery, floor: int) -> IndexQuery:
    further = Condition("id", "gt", floor)
    return replace(query, filter=all_of(query.filter, further) if query.filter else further)


def _incomplete(resource: Resource) -> str:
    return (
        f"Cirqll did not list the records of {resource.stream} that were looked up to their end, "
        "in the order of their ids, so it is not certain which of them are there. Nothing was "
        "written for these rows. Write rows with an id instead, and report this with the version "
        "of this program."
    )
