"""One stream on its way from the two sides to what is wrong."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cirqll_client.cli.verify.account_rows import AccountRows
from cirqll_client.cli.verify.change_keys import ApiTimes
from cirqll_client.cli.verify.comparing import Comparison, compared_by_id
from cirqll_client.cli.verify.loaded import loaded_from
from cirqll_client.cli.verify.outcome import Rows, StreamOutcome
from cirqll_client.cli.verify.second_look import SecondLook
from cirqll_client.cli.verify.warehouse import TableUnreadable
from cirqll_client.errors import OF_ONE_THING, RequestRefused
from cirqll_client.listing import Listing
from cirqll_client.walks import NotHonoured, clause_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cirqll_client.cli.verify.comparing import Found
    from cirqll_client.cli.verify.loaded import Loaded
    from cirqll_client.cli.verify.second_look import Settled
    from cirqll_client.cli.verify.warehouse import Table, Warehouse
    from cirqll_client.client import CirqllClient
    from cirqll_client.resources import Resource
    from cirqll_client.timestamps import Timestamps

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """What is compared, and how: the same for all streams."""

    client: CirqllClient
    timestamps: Timestamps
    warehouse: Warehouse
    choose: Callable[[int], int]
    """Gives a number below another: where to begin a search."""
    since: datetime | None = None
    """Rows that changed before are not compared."""
    reads_every_row: bool = False


class StreamCheck:
    """Compares one stream, in as many ways as it takes."""

    def __init__(
        self,
        sides: Sides,
        resource: Resource,
        table: Table | None,
        *,
        warn: Callable[[str], None],
    ) -> None:
        """Prepare; nothing is read yet. Raises ``TableUnreadable``."""
        if table is None:
            msg = "it has no column id"
            raise TableUnreadable(msg)
        self._sides = sides
        self._resource = resource
        self._table = table
        self._warn = warn
        self._times = ApiTimes(sides.timestamps)
        self._account = AccountRows(
            sides.client,
            resource,
            times=self._times,
            since=sides.since,
            has_times=table.time is not None,
        )

    def outcome(self) -> StreamOutcome:
        """Compare. Raises ``NotHonoured``, ``TableUnreadable`` and any ``CirqllError``."""
        loaded = loaded_from(
            self._sides.warehouse.rows(self._table),
            times=self._times,
            first=self._account.first if self._table.time else 0,
            newest_deleted=self._sides.warehouse.newest_deleted(self._table),
        )
        if self._table.time is None:
            return self._by_id(loaded)
        comparison = Comparison(self._account, loaded, times=self._times, choose=self._sides.choose)
        if self._sides.reads_every_row:
            return self._judged(comparison.whole(warn=self._warn), loaded)[0]
        try:
            return self._searched(comparison, loaded)
        except (NotHonoured, RequestRefused) as error:
            self._sides.client.doubt(self._resource)
            self._warn(self._reads_all(error))
        return self._judged(comparison.whole(warn=logger.info), loaded)[0]

    def _searched(self, comparison: Comparison, loaded: Loaded) -> StreamOutcome:
        """Search; once more if the rows that were found do not explain the count.

        Rows come and go meanwhile. Those that do not tell when they changed are not searched: where
        there are such, every row is read. Raises as ``outcome``.
        """
        outcome, is_explained = self._judged(comparison.searched(), loaded)
        if not is_explained:
            outcome, _ = self._judged(comparison.searched(), loaded)
        if outcome.unaccounted and (loaded.untimed or self._untimed()):
            with suppress(NotHonoured, *OF_ONE_THING):
                return self._judged(comparison.whole(warn=logger.info), loaded)[0]
        return outcome

    def _untimed(self) -> int | None:
        """Count the rows that do not tell when they changed."""
        everything, timed = self._account.count(), self._account.count(is_timed=True)
        return None if everything is None or timed is None else everything - timed

    def _reads_all(self, error: NotHonoured | RequestRefused) -> str:
        return (
            f"{self._resource.stream} could not be compared by ranges of changes: "
            f"{clause_of(error)}. Every row is read instead, which takes more requests and finds "
            "as much."
        )

    def _by_id(self, loaded: Loaded) -> StreamOutcome:
        """Compare ids only, up to the largest one."""
        listing = Listing(
            self._sides.client,
            self._resource,
            timestamps=self._sides.timestamps,
            not_before=self._sides.since,
            warn=self._warn,
        )
        found, left = compared_by_id(listing, loaded, choose=self._sides.choose)
        if left:
            found, left = compared_by_id(listing, loaded, choose=self._sides.choose)
        return self._told(loaded, found, self._settled(found), left=left)

    def _judged(self, found: Found, loaded: Loaded) -> tuple[StreamOutcome, bool]:
        """Look a second time; tell whether what was found explains what is counted now.

        What is counted and not listed is reported only if the count before says the same.
        """
        settled = self._settled(found)
        before = settled.unaccounted(found.counted, known=loaded.ids, found=found)
        if found.is_all_missing or not (before or found.candidates):
            return self._told(loaded, found, settled, left=0), True
        now = settled.unaccounted(self._account.count(), known=loaded.ids, found=found)
        return self._told(loaded, found, settled, left=before and now), not now

    def _settled(self, found: Found) -> Settled:
        look = SecondLook(self._account, self._sides.warehouse, self._table, times=self._times)
        return look.settle(found)

    def _told(self, loaded: Loaded, found: Found, settled: Settled, *, left: int) -> StreamOutcome:
        return StreamOutcome(
            stream=self._resource.stream,
            loaded=len(loaded.ids),
            counted=found.counted,
            compared=min(found.compared, found.counted or found.compared),
            is_whole=found.is_whole,
            not_loaded=len(settled.not_loaded),
            missing=Rows(found.counted or 0)
            if found.is_all_missing
            else Rows.of(settled.ids["missing"]),
            stale=Rows.of(settled.ids["stale"]),
            surplus=Rows.of(settled.ids["surplus"]),
            unlisted=Rows.of(settled.unlisted),
            unaccounted=left,
            found_once=settled.once,
            repeated=loaded.repeated,
            shift=settled.shift,
            has_times=self._table.time is not None,
        )
