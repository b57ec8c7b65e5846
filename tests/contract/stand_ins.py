"""Stand-ins for values: of the same JSON type and form, telling nothing else of them.

What form is kept, since it may settle a guess about the API: the way a time is written, digits that
are text, the size class of numbers and texts, decimal places. A stand-in depends on a key that is
thrown away with the recording, so nobody finds a value by trying all there are.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import blake2b
from typing import TYPE_CHECKING

from cirqll_client.resources import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_ID = 2**32
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)([ T])(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ZERO_TIME = re.compile(r"0000-00-00( 00:00:00)?", re.ASCII)
"""MySQL's: it says nothing but that there is no time."""
_DIGITS = re.compile(r"[+-]?\d[\d .,()+-]{0,30}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_HTML = re.compile(r"<[a-z!/][^>]*>", re.IGNORECASE)
_SCOPE = re.compile(
    rf"({'|'.join(one.name for one in RESOURCES)})\.(read|create|update|delete)\.all"
)
_BEGIN = datetime(1, 1, 1, tzinfo=UTC)
_SECONDS_OF_CALENDAR = int((datetime(9999, 12, 31, tzinfo=UTC) - _BEGIN).total_seconds())
_DAYS_OF_CALENDAR = date.max.toordinal()
_DAY = 86_400

_INTEGER_CLASSES = (100, 9_999, 2**31 - 1, 2**32, 2**53 - 1, 2**63 - 1)
"""The largest of each class: a percentage stays one, and what fits a column still does."""
_TEXT_CLASSES = {16: 12, 64: 40, 255: 120, 65_535: 300}
"""The longest of each class, and how long its stand-ins are; longer ones stay longer."""
_BEYOND_ALL_TEXTS = 65_600


class StandIns:
    """The stand-ins of one recording: the same for the same value; ids and times keep order."""

    def __init__(self, key: bytes) -> None:
        """Derive all from this key."""
        self._key = key
        self._id_step = 1 + self._number("ids", below=1_000_000)
        self._seconds = (1_000 * _DAY) + self._number("times", below=3_000 * _DAY)

    def identity(self, number: int) -> int:
        """Move an id, within the ids that there can be; what is none is a number like others."""
        if not 1 <= number <= LARGEST_ID:
            return self.integer(number)
        return (number - 1 + self._id_step) % LARGEST_ID + 1

    def flag(self, value: bool, *, name: str) -> bool:  # noqa: FBT001 - the value itself
        """Swap the two values of a field, or not."""
        return value ^ bool(self._number("flag", name, below=2))

    def integer(self, number: int) -> int:
        """Give another whole number of its class."""
        if number == 0:
            return 0
        size, sign = abs(number), -1 if number < 0 else 1
        place = bisect_left(_INTEGER_CLASSES, size)
        low = 1 if place == 0 else _INTEGER_CLASSES[place - 1] + 1
        high = 10 ** len(str(size)) - 1
        if place < len(_INTEGER_CLASSES):
            high = _INTEGER_CLASSES[place]
        return sign * (low + self._number(number, below=high - low + 1))

    def decimal(self, number: Decimal) -> Decimal:
        """Give a number with as many digits and decimal places."""
        sign, digits, exponent = number.as_tuple()
        if not number or not isinstance(exponent, int):
            return number
        written = self._digits("".join(map(str, digits)), is_number=True)
        return Decimal((sign, tuple(map(int, written)), exponent))

    def text(self, text: str) -> str:
        """Give a text of the same form and length class."""
        if not text or _ZERO_TIME.fullmatch(text) or _SCOPE.fullmatch(text):
            return text
        for form, stand_in in self._forms:
            if form.fullmatch(text):
                return stand_in(text)
        return self._words(text)

    def http_date(self, text: str) -> str:
        """Move the server's clock along with the times of records."""
        try:
            moment = parsedate_to_datetime(text).astimezone(UTC)
        except (ValueError, OverflowError):
            return self.text(text)
        return format_datetime(self._moved(moment), usegmt=True)

    def name(self, text: str) -> str:
        """Give a name that a field could have."""
        return f"name_{self._hex('name', text)}"

    @property
    def _forms(self) -> tuple[tuple[re.Pattern[str], Callable[[str], str]], ...]:
        return (
            (_TIME, self._time),
            (_DATE, self._date),
            (_UUID, lambda text: re.sub(r"[0-9a-fA-F]+", self._part_of_uuid, text)),
            (_DIGITS, lambda text: self._digits(text, is_number=False)),
            (_MAIL, lambda text: f"{self._hex(text)}@example.invalid"),
            (_URL, lambda text: f"https://{self._hex(text)}.example.invalid/"),
        )

    def _time(self, text: str) -> str:
        found = _TIME.fullmatch(text)
        assert found
        day, between, clock, fraction, zone = found.groups()
        try:
            moment = self._moved(datetime.fromisoformat(f"{day} {clock}+00:00"))
        except ValueError:
            return self._digits(text, is_number=False)
        parts = f".{self._digits(fraction, is_number=False)}" if fraction else ""
        return f"{moment:%H:%M:%S}".join([f"{moment.date()}{between}", f"{parts}{zone or ''}"])

    def _date(self, text: str) -> str:
        try:
            day = date.fromisoformat(text).toordinal() - self._seconds // _DAY
        except ValueError:
            return self._digits(text, is_number=False)
        return date.fromordinal((day - 1) % _DAYS_OF_CALENDAR + 1).isoformat()

    def _moved(self, moment: datetime) -> datetime:
        seconds = int((moment - _BEGIN).total_seconds()) - self._seconds
        return _BEGIN + timedelta(seconds=seconds % _SECONDS_OF_CALENDAR)

    def _digits(self, text: str, *, is_number: bool) -> str:
        """Replace each digit; a number begins with none that is 0."""
        numbers = iter(self._stream(text))
        new = re.sub(r"\d", lambda _found: str(next(numbers) % 10), text, flags=re.ASCII)
        return f"{next(numbers) % 9 + 1}{new[1:]}" if is_number else new

    def _part_of_uuid(self, found: re.Match[str]) -> str:
        return self._hex(found[0], length=len(found[0]))

    def _words(self, text: str) -> str:
        place = bisect_left(tuple(_TEXT_CLASSES), len(text))
        lengths = (*_TEXT_CLASSES.values(), _BEYOND_ALL_TEXTS)
        between = " " if any(map(str.isspace, text)) else "-"
        letters = self._hex(text, length=6)
        words = between.join(["text", *[letters] * (1 + lengths[place] // len(letters))])
        stand_in = words[: lengths[place]].rstrip(" -")
        if _HTML.search(text):
            return f"<p>{stand_in}</p>"
        return f"{stand_in}\n{letters}" if "\n" in text else stand_in

    def _hex(self, *words: object, length: int = 8) -> str:
        return "".join(f"{byte:02x}" for byte in self._stream(*words))[:length]

    def _stream(self, *words: object) -> bytes:
        """Give bytes that the words determine, enough for the longest number that is kept."""
        seed = repr(words).encode("utf-8", "surrogatepass")
        count = max(1, -(-(len(seed) + 2) // 64))
        return b"".join(
            blake2b(seed, key=self._key, salt=block.to_bytes(4, "big")).digest()
            for block in range(count)
        )

    def _number(self, *words: object, below: int) -> int:
        return int.from_bytes(self._stream(*words)[:16], "big") % below
