"""Values out of thin air: people, addresses, times and remarks, the same for the same seed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cirqll_sandbox import words
from cirqll_sandbox.clock import stamp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from cirqll_sandbox.tables import Row

_FOUNDED = datetime(2019, 1, 7, 7, 0, tzinfo=UTC)
_DAYS = 2365
"""Until the end of June 2025."""
_BULK_CHANGES = (
    datetime(2021, 3, 1, 2, 0, tzinfo=UTC),
    datetime(2023, 11, 15, 9, 30, 12, tzinfo=UTC),
    datetime(2025, 1, 2, 6, 0, tzinfo=UTC),
)
"""Imports and bulk edits: many rows share these timestamps."""
_AUTUMN_HOUR = tuple(datetime(2024, 10, 27, hour, 30, 5, tzinfo=UTC) for hour in (0, 1))
"""In Amsterdam both are written 2024-10-27 02:30:05."""


class Invention:
    """Draws from seeded dice; times are written in one zone."""

    def __init__(self, random: Random, timezone: str) -> None:
        self.random = random
        self._timezone = timezone

    def period(self, *, days: int) -> Row:
        """`start_date` and `end_date`, this many days and an hour apart."""
        start = self.moment().replace(minute=0, second=0)
        end = start + timedelta(days=days, hours=1)
        return {
            "start_date": stamp(start, self._timezone), "end_date": stamp(end, self._timezone)
        }  # fmt: skip

    def times(self, number: int) -> Row:
        """`created_at` and `updated_at`; many rows share the moment of a bulk change."""
        created = self.moment()
        later = created + timedelta(seconds=self.random.randrange(86_400 * 90))
        draw = self.random.random()
        updated = self.random.choice(_BULK_CHANGES) if draw < 0.3 else later  # noqa: PLR2004
        if 3 <= number <= 6:  # noqa: PLR2004 - a few rows, not the first
            updated = _AUTUMN_HOUR[number % 2]
        created = min(created, updated)
        return {
            "created_at": stamp(created, self._timezone),
            "updated_at": stamp(updated, self._timezone),
        }

    def moment(self) -> datetime:
        """A working hour since the company was founded."""
        day = timedelta(days=self.random.randrange(_DAYS))
        return _FOUNDED + day + timedelta(seconds=self.random.randrange(9 * 3600))

    def text_of_moment(self) -> str:
        """The same as Cirqll writes it."""
        return stamp(self.moment(), self._timezone)

    def person(self) -> tuple[str, str]:
        """First and last name."""
        return self.random.choice(words.FIRST_NAMES), self.random.choice(words.LAST_NAMES)

    def address(self) -> dict[str, str]:
        """Street, number, a postal code that cannot exist, and city."""
        letters = "".join(self.random.choices("ABCDEGHJKLMNPRSTVWXZ", k=2))
        return {
            "street": self.random.choice(words.STREETS),
            "house_number": str(self.random.randrange(1, 200)),
            "postal_code": f"0{self.random.randrange(1000):03} {letters}",
            "city": self.random.choice(words.CITIES),
        }

    def phone(self) -> str:
        """A number that nobody can have."""
        return f"000 000 {self.random.randrange(10**4):04}"

    def remark(self) -> str | None:
        """Any text, or none."""
        return self.random.choice(words.REMARKS)

    def maybe(self, value: Any) -> Any:
        """The value four times in five, else null."""
        return value if self.random.random() < 0.8 else None  # noqa: PLR2004 - four in five

    def rarely(self, value: Any) -> Any:
        """The value once in twenty, else null."""
        return value if self.random.random() < 0.05 else None  # noqa: PLR2004 - one in twenty

    def custom_value(self, kind: str, choices: Sequence[str] = words.CHOICES) -> Any:  # noqa: PLR0911 - one for each kind
        """A value of a custom field of this kind."""
        match kind:
            case "number":
                return self.random.randrange(1, 250)
            case "checkbox":
                return self.random.choice((True, False))
            case "date":
                return self.text_of_moment()[:10]
            case "select":
                return self.random.choice(choices or words.CHOICES)
            case "multiselect":
                return self.random.sample(choices, self.random.randrange(len(choices) + 1))
            case "textarea":
                return self.remark()
            case "decimal":
                return Decimal(self.random.randrange(-999, 10**7)).scaleb(-2)
            case "datetime":
                return self.text_of_moment()
            case "url" | "email" | "phone" | "user":
                return self._pointer(kind)
        return f"P-{self.random.randrange(10**5):05}"

    def _pointer(self, kind: str) -> Any:
        """Where somebody or something is to be found."""
        number = self.random.randrange(1, 10)
        match kind:
            case "url":
                return f"https://voorbeeld{number}.example/pad?a=1&b=%20"
            case "email":
                return f"Contact{number}@voorbeeld.example"
            case "phone":
                return self.phone()
        return number
