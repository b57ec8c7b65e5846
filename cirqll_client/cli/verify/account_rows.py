"""Asking for the rows of one resource: their ids, and the times of their changes."""

from __future__ import annotations

from operator import gt, lt
from typing import TYPE_CHECKING

from cirqll_client.cli.verify import listed_rows
from cirqll_client.cli.verify.change_keys import (
    FIRST_KEY,
    LAST_KEY,
    in_range,
    key_of,
    time_of,
)
from cirqll_client.cli.verify.verdicts import Version
from cirqll_client.difference_search import Listed, Range
from cirqll_client.errors import RequestRefused
from cirqll_client.few_fields import FewFields
from cirqll_client.query import Condition, IndexQuery, Order
from cirqll_client.reading import Beginning, Reading
from cirqll_client.walks import NotHonoured, ids_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from cirqll_client.cli.verify.change_keys import ApiTimes
    from cirqll_client.cli.verify.listed_rows import Seen
    from cirqll_client.client import CirqllClient
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Page


class AccountRows:
    """Asks for one resource; with ``since``, only for what changed from then on."""

    def __init__(
        self,
        client: CirqllClient,
        resource: Resource,
        *,
        times: ApiTimes,
        since: datetime | None = None,
        has_times: bool = True,
    ) -> None:
        """Prepare; nothing is asked yet. Without times, rows are told apart by their ids only."""
        self._client = client
        self.resource = resource
        self._field = str(resource.bookmark_field)
        self._times = times
        self._since = since
        self._has_times = has_times
        fields = ("id", self._field) if has_times else ("id",)
        self._few_fields = FewFields(client, resource, fields)
        self.first = FIRST_KEY if since is None else key_of(times.earliest(since), 0)
        """No row that is asked for has a smaller key."""
        self.now: datetime | None = None
        """The server's clock at its last answer."""

    def newest(self, *, before: int | None = None, expected: int) -> Seen:
        """List rows, those that changed last first: all, or those with smaller keys.

        Rows that do not tell when they changed come last, and only if all are asked for. Raises
        ``NotHonoured``, also where more are ``expected`` than a count shows that nothing has
        proven, and any ``CirqllError``.
        """
        last = LAST_KEY if before is None else before - 1
        is_all = before is None and self.first == FIRST_KEY
        page = self._page(
            IndexQuery(
                order_by=(Order(self._field, descending=True), Order("id", descending=True)),
                filter=None if is_all else in_range(self._field, self.first, last),
            )
        )
        rows = listed_rows.seen(page, self._times)
        if page.is_whole:
            return rows
        listed_rows.check_order(rows.keys, gt)
        listed_rows.check_range(rows, self.first, last, may_be_untimed=is_all)
        if page.rows.ids[len(rows.keys) :] != rows.untimed:
            msg = "it did not put the rows without a time last"
            raise NotHonoured(msg)
        is_full = len(page) >= rows.page_size
        if is_full and not rows.left and expected > len(page) and not self._client.is_total_proven:
            raise listed_rows.not_counted()
        return rows

    def listed(self, question: Range) -> Listed:
        """Answer the question of a search. Raises ``NotHonoured`` and any ``CirqllError``."""
        page = self._page(
            IndexQuery(
                offset=question.offset,
                order_by=(Order(self._field), Order("id")),
                filter=in_range(self._field, question.first, question.last),
            )
        )
        rows = listed_rows.seen(page, self._times)
        listed_rows.check_order(rows.keys, lt)
        listed_rows.check_range(rows, question.first, question.last, may_be_untimed=False)
        if question.offset + len(page) > rows.total:
            raise listed_rows.more_than_counted()
        return Listed(rows.total, rows.keys, rows.page_size)

    def everything(self, *, warn: Callable[[str], None]) -> Iterator[tuple[list[int], list[int]]]:
        """Read all rows, in the best way that works: keys, and ids of those without one.

        Raises any ``CirqllError``.
        """
        reading = Reading(
            self._client,
            self.resource,
            timestamps=self._times.timestamps,
            beginning=Beginning(not_before=self._since),
            fields=("id", self._field),
            warn=warn,
        )
        for batch in reading.batches():
            rows = ((row["id"], row.get(self._field)) for row in batch.rows)
            yield listed_rows.sorted_out(rows, self._times)

    def count(self, *, is_timed: bool = False) -> int | None:
        """Count the rows, or those that tell when they changed; ``None`` where nobody tells.

        Raises any ``CirqllError``.
        """
        condition = None
        if is_timed or self.first != FIRST_KEY:
            condition = in_range(self._field, self.first, LAST_KEY)
        try:
            page = self._page(IndexQuery(limit=1, filter=condition))
        except RequestRefused:
            return None
        if page.is_whole:
            return len(page)
        return page.total if self._client.is_total_proven else None

    def by_id(self, ids: Sequence[int]) -> dict[int, Version]:
        """Look at some rows, in one request. Raises ``NotHonoured`` and any ``CirqllError``."""
        page = self._page(
            IndexQuery(order_by=(Order("id"),), filter=Condition("id", "in", tuple(ids)))
        )
        there = ids_of(page.rows)
        has_more = page.total is not None and page.total > len(page) >= (page.limit or len(page))
        if has_more or len(set(there)) < len(there) or not set(there) <= set(ids):
            msg = "it did not honour the filter by id"
            raise NotHonoured(msg)
        return {
            row_id: self._version(text) for row_id, text in zip(there, page.rows.times, strict=True)
        }

    def shown(self, row_id: int) -> Version:
        """Look at one row directly. Raises ``NotFound`` and any other ``CirqllError``."""
        return self._version(self._client.show(self.resource, row_id).get(self._field))

    def version_of(self, key: int) -> Version:
        """Give what a key says of its row."""
        text = time_of(key).isoformat(sep=" ")
        return Version(self._times.instant(text), time_of(key))

    def counts(self, version: Version | None, row_id: int) -> bool:
        """Tell whether a row is one of those that are asked for."""
        if version is None or version.local is None:
            return version is not None and self.first == FIRST_KEY
        return key_of(version.local, row_id) >= self.first

    def _version(self, text: object) -> Version:
        if not self._has_times:
            return Version()
        return Version(self._times.instant(text), self._times.of_text(text))

    def _page(self, query: IndexQuery) -> Page:
        """Ask, and look at the clock. Raises any ``CirqllError``."""
        page = self._few_fields.page(query)
        self.now = page.server_time or self.now
        return page
