"""Rows in the order of their changes: the time of the change, then the id, as one whole number.

The API orders by both and filters by both, so a range of these numbers can be asked for. A time is
the one that the API writes: without a zone, as its own order has it, also in the hour that autumn
repeats.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from cirqll_client.query import Condition, all_of, any_of

if TYPE_CHECKING:
    from cirqll_client.query import Group
    from cirqll_client.timestamps import Timestamps

_ID_BITS = 63
_LARGEST_ID = (1 << _ID_BITS) - 1
_FIRST_TIME = datetime.fromisoformat("0001-01-01 00:00:00")
_LAST_TIME = datetime.fromisoformat("9999-12-31 23:59:59.999999")
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_DAYS_KEPT = 20_000


def key_of(time: datetime, row_id: int) -> int:
    """Give the number of a row that changed then; the time has no zone."""
    return ((time - _FIRST_TIME) // _MICROSECOND) << _ID_BITS | row_id


def id_of(key: int) -> int:
    """Give the id of the row."""
    return key & _LARGEST_ID


def time_of(key: int) -> datetime:
    """Give the time of the change, without a zone."""
    return _FIRST_TIME + (key >> _ID_BITS) * _MICROSECOND


def last_of(time: datetime) -> int:
    """Give the last number of a time."""
    return key_of(time, _LARGEST_ID)


FIRST_KEY = 0
LAST_KEY = last_of(_LAST_TIME)


def in_range(field: str, first: int, last: int) -> Condition | Group:
    """Give the condition that a row lies in a range, both ends included.

    Rows without a time are in no range, and MySQL's zero date lies before the first one.
    """
    if first >> _ID_BITS == last >> _ID_BITS:
        ids = (Condition("id", "gte", id_of(first)), Condition("id", "lte", id_of(last)))
        return all_of(Condition(field, "eq", _text(first)), *ids)
    lower, upper = _from(field, first), _up_to(field, last)
    return lower if last >= LAST_KEY else all_of(lower, upper)


def _from(field: str, first: int) -> Condition | Group:
    time, row_id = _text(first), id_of(first)
    if not row_id:
        return Condition(field, "gte", time)
    ties = all_of(Condition(field, "eq", time), Condition("id", "gte", row_id))
    return any_of(Condition(field, "gt", time), ties)


def _up_to(field: str, last: int) -> Condition | Group:
    time, row_id = _text(last), id_of(last)
    if row_id == _LARGEST_ID:
        return Condition(field, "lte", time)
    ties = all_of(Condition(field, "eq", time), Condition("id", "lte", row_id))
    return any_of(Condition(field, "lt", time), ties)


def _text(key: int) -> str:
    time = time_of(key)
    return time.isoformat(sep=" ", timespec="microseconds" if time.microsecond else "seconds")


class ApiTimes:
    """Times as the API orders them: without a zone, in its own."""

    def __init__(self, timestamps: Timestamps) -> None:
        """Convert by these."""
        self.timestamps = timestamps
        self._offset = lru_cache(maxsize=_DAYS_KEPT)(self._offset_of_day)

    def of_text(self, text: object) -> datetime | None:
        """Read what the API wrote; ``None`` for what is no time, a zero date included."""
        try:
            if isinstance(text, str):
                return datetime.fromisoformat(self.timestamps.comparable(text))
        except ValueError:
            pass
        return None

    def instant(self, text: object) -> datetime | None:
        """Give the moment that the API wrote, as the tap hands it out: in UTC, without a zone."""
        try:
            if isinstance(text, str):
                return self.timestamps.instant(text).replace(tzinfo=None)
        except ValueError:
            pass
        return None

    def of_instant(self, moment: datetime) -> datetime | None:
        """Give the time that the API writes for a moment in UTC, which has no zone either."""
        offset = self._offset(moment.toordinal())
        try:
            return self._local(moment) if offset is None else moment + offset
        except (OverflowError, ValueError):
            return None

    def earliest(self, moment: datetime) -> datetime:
        """Give a time that no later moment is written before; the moment has a zone."""
        return datetime.fromisoformat(self.timestamps.earliest_text(moment))

    def latest(self, moment: datetime) -> datetime:
        """Give a time that no earlier moment is written after; the moment has a zone."""
        return datetime.fromisoformat(self.timestamps.latest_text(moment))

    def _offset_of_day(self, ordinal: int) -> timedelta | None:
        """Give the offset of a day of UTC; ``None`` where the clock is changed in it."""
        start = datetime.fromordinal(ordinal)
        try:
            offsets = {self._local(each) - each for each in (start, start + _DAY)}
        except (OverflowError, ValueError):
            return None
        return offsets.pop() if len(offsets) == 1 else None

    def _local(self, moment: datetime) -> datetime:
        return datetime.fromisoformat(self.timestamps.local_text(moment.replace(tzinfo=UTC)))
