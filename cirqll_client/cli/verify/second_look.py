"""A second look at the rows that may differ, in Cirqll and in the table, before any is reported.

Rows change while they are compared, and so does the table while somebody loads it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pyroaring import BitMap64

from cirqll_client.cli.verify.verdicts import Kind, Version, shift_of, verdict
from cirqll_client.errors import AnswerUnexpected, NotFound, RequestRefused, ScopeMissing
from cirqll_client.walks import NotHonoured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from cirqll_client.cli.verify.account_rows import AccountRows
    from cirqll_client.cli.verify.change_keys import ApiTimes
    from cirqll_client.cli.verify.comparing import Found
    from cirqll_client.cli.verify.warehouse import Table, Warehouse

IDS_IN_A_QUESTION = 100
MOST_LOOKED_AT = 2_000
"""Of a stream; where more differ, the others are reported as they were found."""
MOST_SHOWN = 100
"""So many rows of a stream are looked at one by one."""

Versions = dict[int, Version]


@dataclass(slots=True)
class Settled:
    """What is known of the rows after the second look."""

    ids: dict[Kind, list[int]] = field(
        default_factory=lambda: {"missing": [], "stale": [], "surplus": []}
    )
    not_loaded: BitMap64 = field(default_factory=BitMap64)
    """What changed after the newest loaded change."""
    unlisted: list[int] = field(default_factory=list)
    """Rows of the table that Cirqll has, and does not list."""
    once: int = 0
    """So many were not looked at again."""
    listed: int = 0
    """Of the rows that might have differed, so many are listed."""
    shifts: list[timedelta] = field(default_factory=list)

    def unaccounted(self, counted: int | None, *, known: BitMap64, found: Found) -> int:
        """Tell how many rows more are counted than listed; ``known`` are the ids of the table.

        Rows that are there and not listed may be counted or not.
        """
        if counted is None:
            return 0
        agreeing = known - found.newer - BitMap64(found.candidates)
        more = counted - len(agreeing) - len(found.newer) - self.listed
        return 0 if 0 <= more <= len(self.unlisted) else more

    @property
    def shift(self) -> timedelta | None:
        """The time by which all stale rows differ, if zones can be the cause."""
        return shift_of(self.shifts)


class SecondLook:
    """Looks at rows of one stream."""

    def __init__(
        self, account: AccountRows, warehouse: Warehouse, table: Table, *, times: ApiTimes
    ) -> None:
        """Look here and there."""
        self._account = account
        self._warehouse = warehouse
        self._table = table
        self._times = times
        self._shows_left = MOST_SHOWN
        self._may_ask_by_id = True

    def settle(self, found: Found) -> Settled:
        """Judge all candidates. Raises ``TableUnreadable`` and any ``CirqllError``."""
        settled = Settled(not_loaded=BitMap64(found.newer))
        candidates = found.candidates
        for start in range(0, min(len(candidates), MOST_LOOKED_AT), IDS_IN_A_QUESTION):
            part = candidates[start : start + IDS_IN_A_QUESTION]
            listed, loaded = self._listed(part, found, settled), self._loaded(part)
            self._judge(part, listed, loaded, settled=settled, newest=found.newest)
        self._take_as_found(candidates[MOST_LOOKED_AT:], found, settled)
        if "show" in self._account.resource.actions:
            self._look_at_surplus(settled)
        return settled

    def _judge(
        self,
        ids: Sequence[int],
        listed: Mapping[int, Version],
        loaded: Mapping[int, Version],
        *,
        settled: Settled,
        newest: datetime | None,
    ) -> None:
        for row_id in ids:
            there, here = listed.get(row_id), loaded.get(row_id)
            settled.listed += self._account.counts(there, row_id)
            result = verdict(there, here, newest=newest)
            if result == "not_loaded":
                settled.not_loaded.add(row_id)
            elif result is not None:
                settled.ids[result].append(row_id)
            if result == "stale" and there and here and there.instant and here.instant:
                settled.shifts.append(here.instant - there.instant)

    def _listed(self, ids: Sequence[int], found: Found, settled: Settled) -> Versions:
        """Ask for rows by their ids; one by one where a server does not take that."""
        if self._may_ask_by_id:
            try:
                return self._account.by_id(ids)
            except (NotHonoured, RequestRefused):
                self._may_ask_by_id = False
        listed = {}
        for row_id in ids:
            version = self._shown(row_id)
            if version == "unknown":
                settled.once += 1
                version = self._as_listed(row_id, found)
            if version is not None:
                listed[row_id] = version
        return listed

    def _shown(self, row_id: int) -> Version | Literal["unknown"] | None:
        """Look at one row directly, if that may be done."""
        if not self._shows_left or "show" not in self._account.resource.actions:
            return "unknown"
        self._shows_left -= 1
        try:
            return self._account.shown(row_id)
        except NotFound:
            return None
        except (RequestRefused, ScopeMissing, AnswerUnexpected):
            self._shows_left = 0
            return "unknown"

    def _loaded(self, ids: Sequence[int]) -> Versions:
        stored = self._warehouse.again(self._table, ids)
        return {row_id: self._as_version(moment) for row_id, moment in stored.items()}

    def _as_version(self, moment: datetime | None) -> Version:
        local = None if moment is None else self._times.of_instant(moment)
        return Version(moment, local) if local else Version()

    def _take_as_found(self, ids: Sequence[int], found: Found, settled: Settled) -> None:
        settled.once += len(ids)
        listed = {one: self._as_listed(one, found) for one in ids}
        loaded = {one: self._as_loaded(one, found) for one in ids}
        there = {one: version for one, version in listed.items() if version}
        here = {one: version for one, version in loaded.items() if version}
        self._judge(ids, there, here, settled=settled, newest=found.newest)

    def _as_listed(self, row_id: int, found: Found) -> Version | None:
        return self._version(found.unknown, row_id)

    def _as_loaded(self, row_id: int, found: Found) -> Version | None:
        return self._version(found.absent, row_id)

    def _version(self, keys: Mapping[int, int | None], row_id: int) -> Version | None:
        if row_id not in keys:
            return None
        key = keys[row_id]
        return Version() if key is None else self._account.version_of(key)

    def _look_at_surplus(self, settled: Settled) -> None:
        """Look directly whether rows that are not listed are not there, either."""
        surplus: list[int] = []
        for row_id in settled.ids["surplus"]:
            version = self._shown(row_id)
            is_there = isinstance(version, Version)
            (settled.unlisted if is_there else surplus).append(row_id)
        settled.ids["surplus"] = surplus
