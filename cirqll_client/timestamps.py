"""Reading and writing the API's times, which carry no zone.

Cirqll writes ``2024-05-18 13:38:35`` [doc]; whether that is UTC or local time is unknown, hence the
setting ``api_timezone``. ISO 8601 with an offset is understood as well.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import tzinfo

_TIME = re.compile(
    r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)
_LENGTH_OF_HOUR = len("2024-05-18 13")
_HOURS_KEPT = 4096
_LONGEST_CHANGE = timedelta(days=1)
"""No zone set its clock back by more at once since 1970, and none changed twice in that time."""


class Timestamps:
    """Times of one API: from its text to UTC, and from UTC to the text it compares with."""

    def __init__(self, zone: tzinfo) -> None:
        """Read times without an offset as times of this zone."""
        self._zone = zone
        self._hours = _Hours(zone)
        self._rests = _Rests()
        self._utc_text = lru_cache(maxsize=_HOURS_KEPT)(self._parsed)

    def utc_text(self, text: str) -> str:
        """Give ``2024-05-18T13:38:35Z``; parts of a second are kept where there are any.

        A time in the hour that autumn repeats is taken as the earlier one. Raises ``ValueError``
        for anything that is not a time, MySQL's zero date included. Costs two look-ups for the
        documented form: hours are converted once, not rows.
        """
        try:
            return self._hours[text[:_LENGTH_OF_HOUR]] + self._rests[text[_LENGTH_OF_HOUR:]]
        except KeyError:
            return self._utc_text(text)

    def utc_texts(self, texts: list[Any]) -> list[Any]:
        """Give ``utc_text`` of each text, and what is no text as it is, if all are documented ones.

        Raises ``KeyError`` where one of them needs ``utc_text`` itself.
        """
        hours, rests = self._hours, self._rests
        return [
            hours[text[:_LENGTH_OF_HOUR]] + rests[text[_LENGTH_OF_HOUR:]]
            if type(text) is str
            else text
            for text in texts
        ]

    def instant(self, text: str) -> datetime:
        """Give the moment in UTC. Raises ``ValueError`` as ``utc_text`` does."""
        if not _TIME.fullmatch(text):
            msg = "not a time"
            raise ValueError(msg)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self._zone, fold=0)
        try:
            return moment.astimezone(UTC)
        except OverflowError as error:
            msg = "a time outside the years 1 to 9999"
            raise ValueError(msg) from error

    def comparable(self, text: str) -> str:
        """Give the text by which the API orders and filters this time.

        The documented form is returned as it came, so that its order is the server's own also in
        the hour that autumn repeats.
        """
        if len(text) == len("2024-05-18 13:38:35") and text[10] == " ":
            return text
        return self.local_text(self.instant(text))

    def local_text(self, moment: datetime) -> str:
        """Write a moment in the API's form and zone."""
        return _written(moment.astimezone(self._zone), separator=" ")

    def earliest_text(self, moment: datetime) -> str:
        """Give a text that no later moment is written before.

        The clock that is set back in autumn writes later moments with earlier texts; shortly before
        that happens this is the text of ``moment`` less the change.
        """
        try:
            change = _offset(moment, self._zone) - _offset(moment + _LONGEST_CHANGE, self._zone)
            return self.local_text(moment - max(change, timedelta(0)))
        except OverflowError:
            return "0001-01-01 00:00:00"

    def latest_text(self, moment: datetime) -> str:
        """Give a text that no earlier moment is written after, the counterpart."""
        try:
            change = _offset(moment - _LONGEST_CHANGE, self._zone) - _offset(moment, self._zone)
            return self.local_text(moment + max(change, timedelta(0)))
        except OverflowError:
            return "9999-12-31 23:59:59"

    def _parsed(self, text: str) -> str:
        return _written(self.instant(text), separator="T") + "Z"


class _Hours(dict[str, str]):
    """``2024-05-18 13`` → ``2024-05-18T11``, for hours that lie whole in another hour of UTC."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__()
        self._zone = zone

    def __missing__(self, hour: str) -> str:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d", hour, re.ASCII):
            raise KeyError(hour)
        try:
            start = datetime.fromisoformat(hour).replace(tzinfo=self._zone)
            converted = start.astimezone(UTC)
        except (ValueError, OverflowError):
            raise KeyError(hour) from None
        if converted.minute or converted.second or not _is_regular(start):
            raise KeyError(hour)
        if len(self) >= _HOURS_KEPT:
            self.clear()
        self[hour] = converted.isoformat(timespec="hours")[:_LENGTH_OF_HOUR]
        return self[hour]


class _Rests(dict[str, str]):
    """``:38:35`` → ``:38:35Z``."""

    def __missing__(self, rest: str) -> str:
        if not re.fullmatch(r":[0-5]\d:[0-5]\d", rest, re.ASCII):
            raise KeyError(rest)
        self[rest] = rest + "Z"
        return self[rest]


def _is_regular(start: datetime) -> bool:
    end = start + timedelta(minutes=59, seconds=59)
    offsets = {each.replace(fold=fold).utcoffset() for each in (start, end) for fold in (0, 1)}
    return len(offsets) == 1


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def _written(moment: datetime, *, separator: str) -> str:
    precision = "microseconds" if moment.microsecond else "seconds"
    return moment.replace(tzinfo=None).isoformat(sep=separator, timespec=precision)
