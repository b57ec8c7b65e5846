"""One stream compared with the account, once it was read: what is gone, and what was missed."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyroaring import BitMap64

from cirqll_client.amounts import counted
from cirqll_client.errors import OF_A_LOOK, CirqllError, NotFound
from cirqll_client.listing import Differences, Listing
from cirqll_client.query import Condition, IndexQuery
from cirqll_client.tally import LARGEST_ID
from tap_cirqll.compared import Compared, Gone
from tap_cirqll.deletion_guard import objection, postponement, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cirqll_client.client import CirqllClient
    from cirqll_client.connection import Connection
    from cirqll_client.resources import Resource
    from tap_cirqll.compared import Known
    from tap_cirqll.source_reading import SourcePage, SourceReading

LOOKS_AT_ONCE = 50
"""Before a look at a living row, without which none of them is believed."""
_MORE_CONTROLS = 2
"""Living rows to be looked at where the first is gone."""
_LOOKS_AT_UNLISTED = 5
"""In a run, at rows that live without being listed."""
_MOST_HIDDEN = 20
"""So many of the rows that are not listed may live before the list is not believed any more."""


class Comparison:
    """Compares one stream. Used by the thread that read it; ``steps`` once."""

    def __init__(  # noqa: PLR0913 - what, with whom, by which rules, and whom to tell
        self,
        reading: SourceReading,
        connection: Connection,
        known: Known,
        *,
        not_before: datetime | None,
        has_untimed: bool,
        most_deletions: float,
        has_lost_scope: bool,
        warn: Callable[[str], None],
        tell: Callable[[str], None],
        draw: random.Random | None = None,
    ) -> None:
        """Prepare; nothing is asked yet. ``most_deletions`` is a share of the stream."""
        self._reading = reading
        self._resource: Resource = reading.stream.resource
        self._client = connection.client
        self._known = known
        self._most = most_deletions
        self._has_lost_scope = has_lost_scope
        self._warn = warn
        self._tell = tell
        self._draw = draw or random.Random()  # noqa: S311 - which page to look at is no secret
        self._listing = Listing(
            connection.client,
            self._resource,
            timestamps=connection.timestamps,
            not_before=not_before,
            has_untimed=has_untimed,
            warn=warn,
        )
        self._is_limited = not_before is not None
        self.result = Compared()

    def steps(self) -> Iterator[SourcePage | Gone]:
        """Give rows that were missed, then those that are gone.

        Raises the ``CirqllError`` that ends a run; what concerns this stream alone is a warning.
        """
        try:
            yield from self._steps()
        except OF_A_LOOK as error:
            self._give_up(f"it could not be compared: {_first(error)}")

    def _steps(self) -> Iterator[SourcePage | Gone]:
        if not self._known.is_all:
            self._begin()
            return
        found = self.result.differences = self._differences()
        absent = BitMap64(found.absent)
        doubtful = self._known.doubtful - absent - self._known.unlisted
        yield from self._read_missed(doubtful.union(BitMap64(found.unknown)))
        emitted = absent & self._known.emitted
        self.result.waiting = len(emitted)
        if self._may_tell(len(absent)):
            yield from self._confirmed(list(absent - emitted), found.listed)
            yield from self._unlisted_by_chance(found.listed)

    def _begin(self) -> None:
        """Take what is there for what was handed out, since nobody kept that."""
        read = self._all_read()
        self._known.ids |= self._listing.all_ids() if read is None else read
        self._known.is_all = True
        self._tell(
            f"{self._resource.stream}: from now on, deleted rows are found. "
            f"{counted(len(self._known.ids), 'row')} in Cirqll are taken for rows that you have; "
            "what was deleted before now stays as it is, and `cirqll verify` finds it."
        )

    def _differences(self) -> Differences:
        """Compare with all that was read, if that is all there is, or else by the list."""
        expected = self._known.ids - self._known.unlisted
        read = self._all_read()
        if read is not None and not self._is_limited:
            self.result.is_by_reading = True
            return Differences.between(expected, read)
        page = self._client.page_size_in_force
        start = self._draw.randrange(-(-len(expected) // page)) * page if expected else 0
        # Also behind the largest: a row that was put back may be there, as old as it is.
        return self._listing.compare(expected, last=LARGEST_ID, start=start)

    def _all_read(self) -> BitMap64 | None:
        """Give all rows that there are, if this run read all of them.

        A row that changed while it was read may have moved behind the end of the reading.
        """
        tally = self._reading.tally
        return tally.ids if tally and tally.is_whole and tally.is_quiet else None

    def _read_missed(self, ids: BitMap64) -> Iterator[SourcePage]:
        """Read rows that are there and were not handed out, or nobody knows whether they were."""
        for page in self._reading.rows_of(list(ids)):
            self.result.returned += len(page.ids)
            yield page

    def _unlisted_by_chance(self, listed: int | None) -> Iterator[SourcePage | Gone]:
        """Look at some of the rows that are not listed: they may be gone by now."""
        unlisted = list(self._known.unlisted)
        some = self._draw.sample(unlisted, min(len(unlisted), _LOOKS_AT_UNLISTED))
        gone = [one for one in some if not self._is_there(one)]
        if self._most < 1 and len(gone) > max(1, self._most * len(unlisted)):
            self._refuse(len(gone), why="most of those that Cirqll does not list are among them")
        else:
            yield from self._confirmed(gone, listed)

    def _may_tell(self, gone: int) -> bool:
        """Tell whether so many may be gone; else say why not."""
        why = objection(
            gone, of=self._known.before, most=self._most, has_lost_scope=self._has_lost_scope
        )
        if why:
            self._refuse(gone, why=why)
        return why is None

    def _refuse(self, gone: int, *, why: str) -> None:
        self.result.waiting = gone
        self.result.reason = why
        self._warn(refusal(self._resource.stream, gone, why=why))

    def _confirmed(self, candidates: list[int], listed: int | None) -> Iterator[SourcePage | Gone]:
        """Look at each by itself, and give those that are gone."""
        hidden = 0
        for begin in range(0, len(candidates), LOOKS_AT_ONCE):
            some = BitMap64(candidates[begin : begin + LOOKS_AT_ONCE])
            left = len(candidates) - begin
            try:
                gone = BitMap64(one for one in some if not self._is_there(one))
                is_believed = not gone or self._shows_any(listed, but=BitMap64(candidates))
            except OF_A_LOOK as error:
                self._give_up(f"a look at each of them failed: {_first(error)}", left=left)
                return
            if not is_believed:
                self._give_up("Cirqll denies rows, too, that it lists", left=left)
                return
            if gone:
                self._known.take_away(gone)
                self.result.deleted += len(gone)
                yield Gone(gone, datetime.now(UTC))
            yield from self._look_for(some - gone)
            hidden += len(some & self._known.unlisted)
            if hidden >= _MOST_HIDDEN:
                left -= len(some)
                self._give_up("too many of them can still be shown", left=left)
                return

    def _look_for(self, living: BitMap64) -> Iterator[SourcePage]:
        """Read rows that are there: they came back since they were not listed, or are hidden."""
        came = BitMap64()
        for page in self._reading.rows_of(list(living)):
            came.update(page.ids)
            yield page
        self._known.unlisted |= living - came

    def _shows_any(self, listed: int | None, *, but: BitMap64) -> bool:
        """Tell whether the server shows a row that lives; one of them may have gone meanwhile."""
        others = self._known.ids - but
        places = [self._draw.randrange(len(others)) for _ in range(_MORE_CONTROLS) if others]
        living = [*([] if listed is None else [listed]), *(others[one] for one in places)]
        return not living or any(map(self._is_there, living))

    def _is_there(self, row_id: int) -> bool:
        return is_there(self._client, self._resource, row_id)

    def _give_up(self, why: str, *, left: int = 0) -> None:
        """Leave it to the next run, and say so."""
        self.result.waiting += left
        self.result.reason = why
        self._warn(postponement(self._resource.stream, why=why))


def _first(error: CirqllError) -> str:
    """Give what happened; what to do is told with it."""
    return error.sentence.split(". ")[0]


def is_there(client: CirqllClient, resource: Resource, row_id: int) -> bool:
    """Look at one row. Raises any ``CirqllError`` but for its absence."""
    if "show" not in resource.actions:
        page = client.index(resource, IndexQuery())
        if (page.total or 0) > len(page):
            page = client.index(resource, IndexQuery(filter=Condition("id", "in", (row_id,))))
        return row_id in page.rows.ids
    try:
        client.show(resource, row_id, may_fail=lambda: True)
    except NotFound:
        return False
    return True
