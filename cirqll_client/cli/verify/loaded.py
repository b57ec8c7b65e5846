"""What a table of the warehouse holds, put in the order of changes."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from pyroaring import BitMap64

from cirqll_client.cli.verify.change_keys import id_of, key_of, last_of, time_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cirqll_client.cli.verify.change_keys import ApiTimes

Stored = tuple[int, datetime | None]
"""An id, and the moment of the last change: UTC, without a zone; ``None`` where there is none."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The living rows of a table, those that changed before a start date left out."""

    keys: list[int]
    """Of those that tell when they changed, in order."""
    untimed: BitMap64
    """Ids of those that do not."""
    ids: BitMap64
    repeated: int = 0
    """So many rows stand there once more with the same id; the newest of each counts."""
    newest_deleted: datetime | None = None
    """The latest change of the rows that are marked as deleted, as the API writes it."""

    def newest(self, *, present: datetime) -> datetime | None:
        """Give the latest change that was loaded. A row from the future moves nothing."""
        before = bisect_right(self.keys, last_of(present))
        times = [time_of(self.keys[before - 1])] if before else []
        if self.newest_deleted and self.newest_deleted <= present:
            times.append(self.newest_deleted)
        return max(times, default=None)


def loaded_from(
    parts: Iterable[Sequence[Stored]],
    *,
    times: ApiTimes,
    first: int,
    newest_deleted: datetime | None,
) -> Loaded:
    """Take rows part by part; of those that tell when they changed, only from ``first`` on."""
    keys: list[int] = []
    untimed, seen, rows = BitMap64(), BitMap64(), 0
    for part in parts:
        rows += len(part)
        seen.update([row_id for row_id, _ in part])
        for row_id, moment in part:
            local = None if moment is None else times.of_instant(moment)
            if local is None:
                untimed.add(row_id)
            else:
                keys.append(key_of(local, row_id))
    keys.sort()
    repeated = rows - len(seen)
    if repeated:
        keys, untimed = _newest_of_each(keys, untimed)
    local = None if newest_deleted is None else times.of_instant(newest_deleted)
    loaded = Loaded(keys, untimed, seen, repeated, newest_deleted=local)
    return _since(loaded, first) if first else loaded


def _newest_of_each(keys: list[int], untimed: BitMap64) -> tuple[list[int], BitMap64]:
    newest = {id_of(key): key for key in keys}
    return sorted(newest.values()), untimed - BitMap64(newest)


def _since(loaded: Loaded, first: int) -> Loaded:
    """Leave out what changed before, and what a filter by time cannot find."""
    keys = loaded.keys[bisect_right(loaded.keys, first - 1) :]
    return replace(loaded, keys=keys, untimed=BitMap64(), ids=BitMap64(map(id_of, keys)))
