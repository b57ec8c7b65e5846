"""The ids of a resource compared with those that are known, in as few requests as that takes.

A server that does not do as it is asked is noticed by its answers; then all ids are read, by the
ways of ``reading``.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from operator import lt
from typing import TYPE_CHECKING

from pyroaring import BitMap64

from cirqll_client.difference_search import DifferenceSearch, KnownIds, Listed, Range
from cirqll_client.ends import LEAST_MAXIMUM
from cirqll_client.errors import RequestRefused
from cirqll_client.few_fields import FewFields
from cirqll_client.query import Condition, IndexQuery, Order, all_of
from cirqll_client.reading import Beginning, Reading
from cirqll_client.tally import LARGEST_ID, trackable
from cirqll_client.walks import NotHonoured, clause_of, ids_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cirqll_client.client import CirqllClient
    from cirqll_client.resources import Resource
    from cirqll_client.timestamps import Timestamps

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Differences:
    """How the ids of a resource differ from those that are known, up to the largest of these."""

    absent: list[int]
    """Known, and not listed."""
    unknown: list[int]
    """Listed, and not known."""
    known: int
    counted: int
    """Rows by the server's own count, when the comparison began."""
    unexplained: int = 0
    """More than those that are listed are counted by so many; negative: fewer."""
    is_steady: bool = True
    """It was the same when that was counted twice."""
    listed: int | None = None
    """One of the ids that are there, if there is any."""

    @classmethod
    def between(cls, known: BitMap64, there: BitMap64) -> Differences:
        """Compare known ids with all that there are."""
        absent, unknown = list(known - there), list(there - known)
        return cls(absent, unknown, len(known), counted=len(there), listed=next(iter(there), None))

    def applied_to(self, known: BitMap64) -> BitMap64:
        """Give the ids that are there."""
        return (known - BitMap64(self.absent)) | BitMap64(self.unknown)


class Listing:
    """The ids of one resource, as the API lists them."""

    def __init__(  # noqa: PLR0913 - of what, which of it, and whom to tell
        self,
        client: CirqllClient,
        resource: Resource,
        *,
        timestamps: Timestamps,
        not_before: datetime | None = None,
        has_untimed: bool = False,
        warn: Callable[[str], None] = logger.warning,
    ) -> None:
        """Prepare; nothing is asked yet. Only rows that changed since ``not_before`` count.

        ``has_untimed``: and those that do not tell when, which no filter by time finds.
        """
        self._client = client
        self._resource = resource
        self._timestamps = timestamps
        self._not_before = not_before if resource.bookmark_field else None
        self._has_untimed = has_untimed and self._not_before is not None
        self._warn = warn
        key = resource.key_without_id
        self._few_fields = FewFields(client, resource, ("id", key) if key else ("id",))

    def compare(self, known: BitMap64, *, last: int = 0, start: int = 0) -> Differences:
        """Compare ids up to the largest known one, or further; the first page is at ``start``.

        Raises any ``CirqllError``; nothing is known then.
        """
        last = max(last, known.max() if known else 0) or LARGEST_ID
        if self._resource.key_without_id:
            return Differences.between(known, self._few())
        if self._has_untimed:
            return Differences.between(known, self._all_ids_until(last))
        try:
            return self._searched_until_sure(known, last=last, start=start)
        except (NotHonoured, RequestRefused) as error:
            self._warn(
                f"{self._resource.stream} could not be counted by ranges of ids, since "
                f"{clause_of(error)}. So all ids are read, which takes more requests and loses "
                "nothing."
            )
        return Differences.between(known, self._all_ids_until(last))

    def all_ids(self) -> BitMap64:
        """Read all ids. Raises any ``CirqllError``."""
        resource = replace(self._resource, bookmark_field=None)
        is_limited = self._not_before is not None
        reading = Reading(
            self._client,
            self._resource if is_limited else resource,
            timestamps=self._timestamps,
            beginning=Beginning(not_before=self._not_before, has_untimed=self._has_untimed),
            is_incremental=is_limited,
            fields=self._few_fields.fields,
            warn=self._warn,
        )
        there = BitMap64()
        for batch in reading.batches():
            there |= trackable(batch.ids)
        return there

    def _all_ids_until(self, last: int) -> BitMap64:
        there = self.all_ids()
        there.remove_range(last + 1, LARGEST_ID + 1)
        return there

    def _few(self) -> BitMap64:
        """Read the ids of rows that may have none of the server's, so that no filter finds them.

        A guess: they are so few that they fit a page.
        """
        page = self._client.index(self._resource, IndexQuery())
        if (page.total or 0) > len(page):
            return self.all_ids()
        return trackable(page.rows.ids)

    def _searched_until_sure(self, known: BitMap64, *, last: int, start: int) -> Differences:
        """Search once more where not all of the count is explained.

        Rows came or went meanwhile; or some are counted and not listed, which stays so.
        """
        found = self._searched(known, last=last, start=start)
        if not found.unexplained:
            return found
        there = found.applied_to(known)
        again = self._searched(there, last=last, start=start)
        now = again.applied_to(there)
        return replace(
            again,
            absent=[*(known - now)],
            unknown=[*(now - known)],
            known=len(known),
            is_steady=again.unexplained == found.unexplained,
        )

    def _searched(self, known: BitMap64, *, last: int, start: int) -> Differences:
        search = DifferenceSearch(KnownIds(known), first=0, last=last, start=start)
        while search.question is not None:
            search.take(self._asked(search.question))
            # The most that a server that does as asked can take, whatever its pages are.
            if search.questions > len(known) + (search.counted or 0) + 2:
                msg = "its counts contradict each other"
                raise NotHonoured(msg)
        counted = search.counted or 0
        return Differences(
            search.absent,
            search.unknown,
            len(known),
            counted,
            search.unexplained,
            listed=search.listed,
        )

    def _asked(self, question: Range) -> Listed:
        """Ask for a range. Raises ``NotHonoured`` and any ``CirqllError``."""
        page = self._few_fields.page(self._query(question))
        keys = ids_of(page.rows)
        is_within = all(question.first <= key <= question.last for key in keys)
        if page.total is None or page.is_whole:
            msg = "it does not tell how many there are"
            raise NotHonoured(msg)
        if not (is_within and all(map(lt, keys, keys[1:]))):
            msg = f"it did not honour the {'order' if is_within else 'filter'} by id"
            raise NotHonoured(msg)
        if keys and question.offset + len(keys) > page.total:
            msg = "it lists more than it counts"
            raise NotHonoured(msg)
        if not keys and page.total - question.offset > (page.limit or 0):
            msg = "it counts rows that it does not list"
            raise NotHonoured(msg)
        # A page may have been cut without a word, unless the total tells, or any page is longer.
        is_told = self._client.is_total_proven or len(keys) < LEAST_MAXIMUM
        size = page.limit if is_told and page.limit else len(keys)
        return Listed(page.total, keys, max(1, size))

    def _query(self, question: Range) -> IndexQuery:
        bounds = []
        if question.first > 0:
            bounds.append(Condition("id", "gte", question.first))
        if question.last < LARGEST_ID:
            bounds.append(Condition("id", "lte", question.last))
        if self._not_before is not None:
            since = self._timestamps.earliest_text(self._not_before)
            bounds.append(Condition(str(self._resource.bookmark_field), "gte", since))
        return IndexQuery(
            offset=question.offset,
            order_by=(Order("id"),),
            filter=all_of(*bounds) if bounds[1:] else next(iter(bounds), None),
        )
