"""Reading a resource whole, or what changed in it, without losing a row.

The law: whatever is inserted, changed or deleted between requests, every row that changed since the
last bookmark is either handed out in its newest state or still lies at or behind the new bookmark.
Where the server does not honour filter or order, the next of the ways in ``walks`` is taken, with
one warning.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from cirqll_client.errors import AnswerUnexpected, RequestRefused, SettingInvalid
from cirqll_client.walks import ChangesWalk, IdWalk, NotHonoured, Walk, WayName, WholeWalk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cirqll_client.client import CirqllClient
    from cirqll_client.query import IndexQuery
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Page, RowsReader
    from cirqll_client.timestamps import Timestamps

CLOCK_TOLERANCE = timedelta(minutes=5)
"""Clocks of servers differ by less, time zones by more."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a reading stands in the middle: all it takes to go on from there."""

    way: WayName
    last_id: int
    until: str
    """UTC: the server's time when the reading began."""
    time: str | None = None
    """Way ``changes``: the time of the last row, as the API writes it."""
    newest: str | None = None
    """Way ``id``: the latest time of change so far, as the API writes it."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is wanted of a reading, all times in UTC."""

    bookmark: datetime | None = None
    """All rows that changed before were handed out by earlier readings."""
    not_before: datetime | None = None
    """Rows that changed before are not wanted: ``start_date``."""
    lookback: timedelta = timedelta(0)
    """How much before the bookmark to begin, for rows that became visible late."""
    stand: Stand | None = None
    """Where the last reading was interrupted."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one page, and what may be remembered once they are delivered."""

    rows: list[Any]
    """In the form that the reader of rows makes."""
    bookmark: datetime | None
    stand: Stand | None
    """``None`` once the reading is complete."""
    left: int | None
    """Rows that the server counts behind these, where it tells."""


class Reading:
    """One resource, read from beginning to end. Iterate over ``batches`` once."""

    def __init__(  # noqa: PLR0913 - what, how, from where, and whom to tell
        self,
        client: CirqllClient,
        resource: Resource,
        *,
        timestamps: Timestamps,
        beginning: Beginning,
        is_incremental: bool = True,
        fields: tuple[str, ...] = (),
        read_rows: RowsReader | None = None,
        warn: Callable[[str], None] = logger.warning,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Prepare; nothing is asked yet. ``fields`` limits what is asked for; empty means all."""
        self._client = client
        self._resource = resource
        self._timestamps = timestamps
        self._beginning = beginning
        self._field = resource.bookmark_field if is_incremental else None
        self._fields = fields
        self._read_rows = read_rows
        self._warn = warn
        self._clock = clock
        self._since = self._first_text() if is_incremental else None
        stand = beginning.stand
        self._until = datetime.fromisoformat(stand.until) if stand else None
        self._newest = stand.newest if stand else None
        self._has_warned_of_zone = False

    def batches(self) -> Iterator[Batch]:
        """Read page by page. Raises any ``CirqllError``; what was handed out before stays good."""
        walks = self._walks()
        for walk, next_walk in zip_longest(walks, walks[1:]):
            try:
                yield from self._walked(walk)
            except (NotHonoured, RequestRefused) as error:
                if next_walk is None:
                    raise self._at_wits_end(error) from error
                self._warn(self._other_way(error, next_walk))
            else:
                return

    def _walks(self) -> list[Walk]:
        stand = self._beginning.stand
        last_id = stand.last_id if stand and stand.way == "id" else 0
        walks: list[Walk] = [
            IdWalk(last_id=last_id, is_wanted=self._is_wanted),
            WholeWalk(is_wanted=self._is_wanted, is_ordered=True),
            WholeWalk(is_wanted=self._is_wanted, is_ordered=False),
        ]
        if self._field is not None and not last_id:
            walks.insert(0, self._changes_walk(self._field, stand))
        return walks

    def _changes_walk(self, field: str, stand: Stand | None) -> ChangesWalk:
        key = (stand.time, stand.last_id) if stand and stand.time else None
        comparable = self._timestamps.comparable
        return ChangesWalk(field=field, comparable=comparable, key=key, since=self._since)

    def _first_text(self) -> str | None:
        """Give the time from which on changes are wanted, as the API writes it."""
        beginning = self._beginning
        moments = [
            beginning.not_before,
            beginning.bookmark and beginning.bookmark - beginning.lookback,
        ]
        first = max((moment for moment in moments if moment), default=None)
        return None if first is None else self._timestamps.earliest_text(first)

    def _walked(self, walk: Walk) -> Iterator[Batch]:
        read = 0
        page = self._page(walk)
        expected = page.total
        self._begin(page)
        while True:
            rows = page.rows.rows if page.is_whole else walk.take(page)
            self._watch_times(walk, page)
            read += len(page)
            left = 0 if page.is_whole else walk.left(page)
            is_end = self._is_end(walk, page, left)
            following = None
            if is_end and self._is_doubtful(page, read=read, expected=expected):
                following = self._overlooked(walk)
                is_end = following is None
            is_end = is_end or self._is_past_the_window(walk, read=read, expected=expected)
            if is_end:
                yield Batch(rows, self._bookmark(walk, is_end=True), None, 0)
                return
            yield Batch(rows, self._bookmark(walk, is_end=False), self._stand(walk), left)
            page = following or self._next_page(walk, left)

    def _page(self, walk: Walk) -> Page:
        try:
            return self._ask(replace(walk.query(), show=self._fields))
        except RequestRefused:
            if not self._fields:
                raise
        # The fields may be what was refused; all of them never are.
        self._fields = ()
        return self._ask(walk.query())

    def _next_page(self, walk: Walk, left: int | None) -> Page:
        page = self._page(walk)
        if left is not None and page.total is not None and page.total < left:
            self._check_ties(walk, page)
        return page

    def _ask(self, query: IndexQuery) -> Page:
        return self._client.index(self._resource, query, read_rows=self._read_rows)

    def _check_ties(self, walk: Walk, page: Page) -> None:
        """Make sure that rows with the time of the key were not dropped with the ``or``.

        Asked only where the server counts fewer rows than it should: some were deleted, or not
        found. Raises ``NotHonoured``.
        """
        question = walk.ties() if isinstance(walk, ChangesWalk) else None
        if question is None:
            return
        ties = self._client.index(self._resource, question)
        if len(ties) and ties.rows.ids[:1] != page.rows.ids[:1]:
            msg = "it left out rows that changed at the same moment"
            raise NotHonoured(msg)

    def _begin(self, page: Page) -> None:
        """Note the server's time at the first answer; nothing later is claimed to be delivered."""
        now = page.server_time or self._clock()
        bookmark = self._beginning.bookmark
        if bookmark and bookmark > now + CLOCK_TOLERANCE:
            msg = (
                f"The state says that {self._resource.stream} were read up to {bookmark:%F %T} "
                f"UTC, but Cirqll's clock says {now:%F %T} UTC. The state is of something else, or "
                "api_timezone was changed: run again without the state of this stream."
            )
            raise SettingInvalid(msg)
        self._until = self._until or now

    def _is_end(self, walk: Walk, page: Page, left: int | None) -> bool:
        """Tell whether no row is left, by all that the answer tells."""
        if page.is_whole or isinstance(walk, WholeWalk):
            return left == 0
        if not len(page):
            return True
        if left is not None and left > 0:
            return False
        if page.limit is not None and len(page) < page.limit:
            return True
        # A full page: only a total that has proven to be more than the page's own count decides.
        return left == 0 and self._client.is_total_proven

    def _is_doubtful(self, page: Page, *, read: int, expected: int | None) -> bool:
        """Tell whether the end may not be the end: fewer rows came than were promised.

        A reading that begins at a bookmark finds at least the row that the bookmark is of.
        """
        if page.is_whole:
            return False
        return expected is None or read < expected or (read == 0 and self._since is not None)

    def _is_past_the_window(self, walk: Walk, *, read: int, expected: int | None) -> bool:
        """Tell whether only rows are left that changed after the reading began.

        They lie behind the bookmark, so the next reading finds them; and this one ends, however
        fast rows change.
        """
        if not isinstance(walk, ChangesWalk) or walk.key is None or self._until is None:
            return False
        return walk.key[0] > self._timestamps.local_text(self._until) and read >= (expected or 0)

    def _overlooked(self, walk: Walk) -> Page | None:
        """Look whether rows lie further along the way; give the page with them.

        Raises ``NotHonoured`` where there are such rows, but the filter does not find them.
        """
        question = walk.newest()
        if question is None:
            return None
        if not walk.is_passed_by(self._client.index(self._resource, question).rows):
            return None
        page = self._page(walk)
        if not len(page):
            msg = "its filter did not find rows that are there"
            raise NotHonoured(msg)
        return page

    def _watch_times(self, walk: Walk, page: Page) -> None:
        """Keep the latest time of change, and see whether ``api_timezone`` can be right."""
        if isinstance(walk, ChangesWalk):
            self._newest = walk.key[0] if walk.key else None
        else:
            times = filter(None, map(self._comparable, page.rows.times))
            self._newest = max(times, default=self._newest)
        newest = self._instant(self._newest)
        if newest and page.server_time and newest > page.server_time + CLOCK_TOLERANCE:
            self._warn_of_zone(newest, page.server_time)

    def _warn_of_zone(self, newest: datetime, now: datetime) -> None:
        if self._has_warned_of_zone:
            return
        self._has_warned_of_zone = True
        self._warn(
            f"A record of {self._resource.stream} changed at {self._newest}, which by the setting "
            f"api_timezone is {newest:%F %T} UTC, but Cirqll's clock says only {now:%F %T} UTC: "
            "api_timezone is not the zone of this account. Nothing is lost, but times are wrong "
            "and recent rows are read again and again. Set api_timezone (Europe/Amsterdam is the "
            "likely one) and load the tables anew."
        )

    def _comparable(self, time: object) -> str | None:
        try:
            return self._timestamps.comparable(time) if isinstance(time, str) else None
        except ValueError:
            return None

    def _instant(self, text: str | None) -> datetime | None:
        try:
            return self._timestamps.instant(text) if text else None
        except ValueError:
            return None

    def _is_wanted(self, time: object) -> bool:
        text = self._comparable(time)
        return self._since is None or text is None or text >= self._since

    def _bookmark(self, walk: Walk, *, is_end: bool) -> datetime | None:
        """Give the moment up to which everything is delivered, never later than the window."""
        known = self._beginning.bookmark
        has_order = isinstance(walk, ChangesWalk)
        reached = self._instant(self._newest) if is_end or has_order else None
        if reached is None or self._until is None or self._field is None:
            return known
        return max(filter(None, [known, min(reached, self._until)]))

    def _stand(self, walk: Walk) -> Stand | None:
        until = None if self._until is None else self._until.isoformat()
        if until is None:
            return None
        if isinstance(walk, ChangesWalk) and walk.key is not None:
            return Stand(walk.name, walk.key[1], until, time=walk.key[0])
        if isinstance(walk, IdWalk):
            return Stand(walk.name, walk.last_id, until, newest=self._newest)
        return None

    def _other_way(self, error: NotHonoured | RequestRefused, walk: Walk) -> str:
        words = str(error)
        if isinstance(error, RequestRefused):
            words = f"Cirqll refused it with {error.status}"
        return (
            f"{self._resource.stream} could not be read by what changed: {words}. They are read "
            f"{_WAYS[walk.name]} instead, which takes more requests and loses nothing."
        )

    def _at_wits_end(self, error: NotHonoured | RequestRefused) -> Exception:
        if isinstance(error, RequestRefused):
            return error
        return AnswerUnexpected(
            f"{self._resource.stream} could not be read safely in any way: {error}. Its bookmark "
            "was not moved. Run again when fewer changes are made; if it stays so, report it."
        )


_WAYS: dict[WayName, str] = {
    "changes": "by time of change",
    "id": "whole, by id,",
    "whole": "whole, page by page,",
}
