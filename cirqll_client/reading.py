"""Reading a resource whole, or what changed in it, without losing a row.

The law: whatever is inserted, changed or deleted between requests, every row that changed since the
last bookmark is either handed out in its newest state or still lies at or behind the new bookmark.
Where the server does not honour filter or order, the next of the ways in ``walks`` is taken, with
one warning.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cirqll_client import recount
from cirqll_client.amounts import counted
from cirqll_client.errors import AnswerUnexpected, RequestRefused, SettingInvalid
from cirqll_client.horizon import CLOCK_TOLERANCE, Horizon
from cirqll_client.key_walk import KeyWalk, changes_walk, id_walk
from cirqll_client.query import IndexQuery, Order
from cirqll_client.tally import Tally, may_be_tracked
from cirqll_client.walker import Step, Walker
from cirqll_client.walks import NotHonoured, WayName, clause_of
from cirqll_client.whole_walk import WholeWalk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyroaring import BitMap64

    from cirqll_client.client import CirqllClient
    from cirqll_client.query import Condition, Group
    from cirqll_client.recount import Recount
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Page, RowsReader
    from cirqll_client.timestamps import Timestamps

    Walk = KeyWalk | WholeWalk

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
    handed_out: BitMap64 | None = None
    """Rows of earlier readings, where these are known: others that come by are wanted, too, however
    long ago they changed. None is asked for on that account."""
    has_untimed: bool = False
    """Earlier readings met rows that do not tell when they changed, so no filter finds them all."""

    @property
    def since(self) -> datetime | None:
        """The moment from which on changes are wanted."""
        try:
            first = self.bookmark and self.bookmark - self.lookback
        except OverflowError:
            first = None
        return max(filter(None, (first, self.not_before)), default=None)


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one page, and what may be remembered once they are delivered."""

    rows: list[Any]
    """In the form that the reader of rows makes. Whoever takes the batch may empty the list."""
    bookmark: datetime | None
    """Moves only at the end, and only if all rows that are counted came; in between, the stand
    tells how far the reading is."""
    stand: Stand | None
    """``None`` once the reading is complete, and where it cannot be taken up again."""
    left: int | None
    """Rows that the server counts behind these, where it tells."""
    has_untimed: bool = False
    """Rows came that do not tell when they changed: for the next ``Beginning``."""
    ids: list[int] = field(default_factory=list)
    """Those of the rows, in their order; they stay where the rows are taken."""


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
        relations: tuple[str, ...] = (),
        read_rows: RowsReader | None = None,
        warn: Callable[[str], None] = logger.warning,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Prepare; nothing is asked yet.

        ``fields`` limits what is asked for; empty means all. ``relations`` are brought along.
        """
        self._client = client
        self._resource = resource
        self._timestamps = timestamps
        self._field = resource.bookmark_field if is_incremental else None
        self._warn = warn
        self._clock = clock
        if fields and resource.bookmark_field:
            fields = tuple(dict.fromkeys((*fields, resource.bookmark_field)))
        self._walker = Walker(
            client, resource, fields=fields, relations=relations, read_rows=read_rows, warn=warn
        )
        self._has_warned_of_zone = False
        self.tally = Tally()
        """What was read by the way that came to its end, next to what the server counted; before
        that, by the way that is being gone."""
        self._window: Condition | Group | None = None
        self._begin(beginning)

    @property
    def relations(self) -> tuple[str, ...]:
        """Those that are brought along; none once the server refused to."""
        return self._walker.relations

    def look(self) -> None:
        """Ask the first question of all and have its rows read; nothing is handed out.

        Raises any ``CirqllError``.
        """
        self._walker.look(self._walks()[0])

    def batches(self) -> Iterator[Batch]:
        """Read page by page. Raises any ``CirqllError``; what was handed out before stays good.

        One that was interrupted leaves out what was passed before and changed since. It lies behind
        the bookmark, and is read at once.
        """
        yield from self._batches()
        stand, tally, window = self._beginning.stand, self.tally, self._window
        if stand and self._way == "changes" and self._bookmark() and not tally.lacking:
            self._begin(replace(self._beginning, bookmark=self._bookmark(), stand=None))
            yield from self._batches()
            self.tally = tally.joined(self.tally)
            if self._window and (self._since or "") > (stand.time or ""):
                self._window = window

    def recount(self) -> Recount:
        """Ask what is counted now of the rows that the reading was about, and for the newest.

        For a reading that came to its end. Raises any ``CirqllError``.
        """
        return recount.compared(self._newest(), self.tally, is_for_next=self._is_for_next())

    def _begin(self, beginning: Beginning) -> None:
        self._beginning = beginning
        since = None if self._field is None else beginning.since
        self._since = None if since is None else self._timestamps.earliest_text(since)
        stand = beginning.stand
        until = datetime.fromisoformat(stand.until) if stand else None
        newest = stand.newest if stand else None
        self._horizon = Horizon(self._timestamps, until=until, newest=newest)
        self._was_quiet = stand is None
        self._way: WayName | None = None

    def _batches(self) -> Iterator[Batch]:
        walks = self._walks()
        if self._field is not None and self._beginning.has_untimed:
            self._warn(
                f"Some {self._resource.stream} do not tell when they changed ({self._field} is "
                "empty), so no filter finds them all: the stream is read whole, by id, and what "
                "changed is chosen here. That takes more requests and loses nothing."
            )
        failures: list[NotHonoured | RequestRefused] = []
        for walk in walks:
            self._way, self.tally = walk.name, Tally()
            try:
                self._window = walk.query().filter
                for number, step in enumerate(self._walker.steps(walk, tally=self.tally)):
                    # The first page does not show yet whether this way can be gone.
                    if failures and (number == 1 or step.is_last):
                        self._warn(self._other_way(failures[0], walks[0], walk))
                        failures.clear()
                    self._watch(step, walk)
                    if self.tally.lacking:
                        self._warn(self._not_all_given())
                    yield self._batch(step, walk)
            except (NotHonoured, RequestRefused) as error:
                self._client.doubt(self._resource)
                failures.append(error)
            else:
                return
        raise self._at_wits_end(failures[-1]) from failures[-1]

    def _walks(self) -> list[Walk]:
        """Give the ways that may be gone, the best first."""
        stand = self._beginning.stand
        last_id = stand.last_id if stand and stand.way == "id" else 0
        walks: list[Walk] = [
            id_walk(last_id=last_id, is_wanted=self._is_wanted),
            WholeWalk(is_wanted=self._is_wanted, is_ordered=True),
            WholeWalk(is_wanted=self._is_wanted, is_ordered=False),
        ]
        if self._field is not None and not last_id and not self._beginning.has_untimed:
            key = (stand.time, stand.last_id) if stand and stand.time else None
            comparable = self._timestamps.comparable
            first = changes_walk(
                field=self._field, comparable=comparable, key=key, since=self._since
            )
            walks.insert(0, first)
        return walks if stand else self._promising_first(walks)

    def _promising_first(self, walks: list[Walk]) -> list[Walk]:
        """Put the ways last that were found not to work; each is checked as ever."""
        found = self._client.findings.honesty(self._resource.name)
        in_vain = {
            *(() if found.may_be_read_by_change else ("changes",)),
            *(() if found.may_be_read_by_id else ("id",)),
        }
        promising = sorted(walks, key=lambda walk: walk.name in in_vain)
        if promising[0].name != walks[0].name:
            logger.info(
                "%s are read %s, since Cirqll was found not to serve them %s; that is tried again "
                "after a month, or after `cirqll doctor`.",
                self._resource.stream,
                _WAYS[promising[0].name],
                _WAYS[walks[0].name].rstrip(","),
            )
        return promising

    def _watch(self, step: Step, walk: Walk) -> None:
        """Look at the clock and at the times of change. Raises ``SettingInvalid``."""
        times = step.page.rows.times
        # Without a clock of the server, ours may be ahead of it.
        now = step.page.server_time or self._clock() - CLOCK_TOLERANCE
        self._horizon.look_at(now)
        newest = self._horizon.newest
        self._horizon.saw(times[-1:] if walk.name == "changes" else times)
        if walk.name == "changes" and self._horizon.newest == newest:
            self._horizon.saw(times)
        self._was_quiet &= step.is_as_counted and walk.name == "changes"
        bookmark = self._beginning.bookmark
        if bookmark and bookmark > now + 2 * CLOCK_TOLERANCE:
            raise SettingInvalid(self._from_the_future(bookmark, now))
        if step.page.server_time and not self._has_warned_of_zone:
            self._compare_clocks(step.page.server_time)

    def _compare_clocks(self, now: datetime) -> None:
        """Warn where a row changed in the server's own future."""
        newest = self._horizon.instant(self._horizon.from_future)
        if newest and newest > now + CLOCK_TOLERANCE:
            self._has_warned_of_zone = True
            self._warn(self._wrong_zone(newest, now))

    def _batch(self, step: Step, walk: Walk) -> Batch:
        is_resumed_untimed = self._beginning.stand is not None and self._beginning.has_untimed
        has_untimed = self._field is not None and (self._horizon.has_untimed or is_resumed_untimed)
        bookmark, stand, left = self._beginning.bookmark, self._stand(walk), step.left
        if step.is_last:
            bookmark, stand, left = self._bookmark(), None, 0
        if self.tally.lacking:
            bookmark = self._beginning.bookmark
        rows, ids = step.rows.rows, step.rows.ids
        return Batch(rows, bookmark, stand, left, has_untimed=has_untimed, ids=ids)

    def _bookmark(self) -> datetime | None:
        """Give the moment up to which everything is delivered, now that all was read."""
        moments = [self._beginning.bookmark]
        if self._field is not None:
            moments.append(self._horizon.delivered(was_quiet=self._was_quiet))
        return max(filter(None, moments), default=None)

    def _stand(self, walk: Walk) -> Stand | None:
        until = self._horizon.until
        if until is None or isinstance(walk, WholeWalk) or walk.key is None:
            return None
        *times, last_id = walk.key
        if times:
            return Stand(walk.name, last_id, until.isoformat(), time=times[0])
        return Stand(walk.name, last_id, until.isoformat(), newest=self._horizon.newest)

    def _newest(self) -> Page:
        """Ask for the newest rows of the window, without what the server refuses."""
        fields = ("id",) if self._field is None else ("id", self._field)
        by = reversed(fields) if self._way == "changes" else ("id",)
        order = tuple(Order(each, descending=True) for each in by)
        query = IndexQuery(order_by=order, filter=self._window, show=fields)
        refusals: list[RequestRefused] = []
        for question in (query, replace(query, show=()), replace(query, show=(), order_by=())):
            try:
                return self._client.index(self._resource, question)
            except RequestRefused as error:
                refusals.append(error)
        raise refusals[0]

    def _is_for_next(self) -> Callable[[int, object], bool]:
        """Tell by id and time of change whether the next reading will have a row."""
        bookmark, largest = self._bookmark(), self.tally.largest_id
        since = None if bookmark is None else self._timestamps.earliest_text(bookmark)

        def is_for_next(row_id: int, time: object) -> bool:
            if self._way != "changes" and row_id > largest:
                return True
            text = self._horizon.comparable(time)
            return self._field is not None and (since is None or (text or "") >= since)

        return is_for_next

    def _is_wanted(self, time: object, row_id: int) -> bool:
        text = self._horizon.comparable(time)
        if self._since is None or text is None or text >= self._since:
            return True
        known = self._beginning.handed_out
        return known is not None and may_be_tracked(row_id) and row_id not in known

    def _from_the_future(self, bookmark: datetime, now: datetime) -> str:
        return (
            f"The state says that {self._resource.stream} were read up to {bookmark:%F %T} UTC, "
            f"but Cirqll's clock says {now:%F %T} UTC. The state is of something else, or "
            "api_timezone was changed: run again without the state of this stream."
        )

    def _wrong_zone(self, newest: datetime, now: datetime) -> str:
        return (
            f"A record of {self._resource.stream} changed at {self._horizon.from_future}, which by "
            f"the setting api_timezone is {newest:%F %T} UTC, but Cirqll's clock says only "
            f"{now:%F %T} UTC: api_timezone is not the zone of this account, unless that record is "
            "odd. Nothing is lost, but times are wrong and recent rows are read again and again. "
            "Set api_timezone (Europe/Amsterdam is the likely one) and load the tables anew."
        )

    def _not_all_given(self) -> str:
        return (
            f"Cirqll counts {counted(self.tally.lacking, 'row')} of {self._resource.stream} that "
            "it does not give. All others were read; the bookmark was not moved, so that the next "
            "run looks for them again. If it stays so, ask Cirqll's support which rows these are."
        )

    def _other_way(self, failure: NotHonoured | RequestRefused, first: Walk, walk: Walk) -> str:
        return (
            f"{self._resource.stream} could not be read {_WAYS[first.name]}: {clause_of(failure)}. "
            f"They are read {_WAYS[walk.name]} instead, which takes more requests and loses "
            "nothing."
        )

    def _at_wits_end(self, failure: NotHonoured | RequestRefused) -> Exception:
        if isinstance(failure, RequestRefused):
            return failure
        return AnswerUnexpected(
            f"{self._resource.stream} could not be read safely in any way: {failure}. Its bookmark "
            "was not moved. Run again when fewer changes are made; if it stays so, report it."
        )


_WAYS: dict[WayName, str] = {
    "changes": "by time of change",
    "id": "whole, by id,",
    "whole": "whole, page by page,",
}
