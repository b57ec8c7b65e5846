"""Values of every kind that a field may hold, each drawn from the dice that it is given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cirqll_sandbox.clock import written
from cirqll_sandbox.exact_json import SpelledNumber

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Maker = Callable[[Random], Any]

ABSENT = object()
"""In place of a value: the record does not have the field."""

_START = datetime(2019, 1, 1, tzinfo=UTC)
_SECONDS = 7 * 366 * 86_400
_LETTERS = "abcdefghijklmnopqrstuvwxyzàëïöüßñ€日😀 '\"\\%:;,\n"
_LIKE_NUMBERS = (
    "007", "12", "-3", "1e5", "0x1F", " 42", "1_000", "1.000,50", "+31", "NaN", "Infinity",
    "true", "null", "12345678901234567890",
)  # fmt: skip
_EXACT = (
    "0.10", "1.0", "-0.0", "1e-7", "1E+22", "0.1000000000000000055511151231257827",
    "12345678901234567890.123456789012345678901234567890", "-99999999999999999.99", "1e400",
)  # fmt: skip
_DATES_OF_ANY_FORM = (
    "2024-02-30", "31-12-2024", "2024-05-18T13:38:35Z", "2024-05-18T13:38:35.123456+02:00",
    "0001-01-01 00:00:00", "9999-12-31 23:59:59", "2024-05-18 13:38", "18 mei 2024",
)  # fmt: skip
_DEPTH = 12


def absent(_: Random) -> Any:
    """Nothing, not even null."""
    return ABSENT


def null(_: Random) -> None:
    """Null."""


def whole(dice: Random) -> int:
    """A whole number as a field usually has it."""
    return dice.randrange(-1000, 100_000)


def large(dice: Random) -> int:
    """A whole number around or beyond what 64 bits hold."""
    return dice.choice((1, -1)) * dice.choice((2**31, 2**53 + 1, 2**63, 10**30)) + dice.randrange(9)


def decimal(dice: Random) -> SpelledNumber:
    """A number with two decimals, whole ones included."""
    return SpelledNumber(f"{dice.randrange(-9, 10_000)}.{dice.choice(('00', '50', '37'))}")


def exact(dice: Random) -> SpelledNumber:
    """A number that a float would change."""
    return SpelledNumber(dice.choice(_EXACT))


def truth(dice: Random) -> bool:
    """True or false."""
    return dice.random() < 0.5  # noqa: PLR2004 - a fair coin


def bit(dice: Random) -> int:
    """What MySQL has for true and false."""
    return dice.randrange(2)


def text(dice: Random) -> str:
    """A short text of awkward characters."""
    return "".join(dice.choices(_LETTERS, k=dice.randrange(1, 25)))


def empty_text(_: Random) -> str:
    """A text without characters."""
    return ""


def long_text(dice: Random) -> str:
    """A long text now and then, as MySQL's TEXT can hold."""
    return dice.choice("xyz") * (65_535 if dice.randrange(200) == 0 else 300)


def text_like_number(dice: Random) -> str:
    """A text that somebody might take for a number."""
    return dice.choice(_LIKE_NUMBERS)


def moment(dice: Random) -> str:
    """A date-time as Cirqll writes it."""
    return written(_START + timedelta(seconds=dice.randrange(_SECONDS)))


def date(dice: Random) -> str:
    """A date without a time."""
    return moment(dice)[:10]


def zero_moment(_: Random) -> str:
    """MySQL's word for no date-time."""
    return "0000-00-00 00:00:00"


def zero_date(_: Random) -> str:
    """MySQL's word for no date."""
    return "0000-00-00"


def date_of_any_form(dice: Random) -> str:
    """Dates that cannot be, or that are written otherwise."""
    return dice.choice(_DATES_OF_ANY_FORM)


def mapping(dice: Random) -> dict[str, Any]:
    """An object, with odd keys."""
    return {"language": "nl", "select": whole(dice), "É": [None, decimal(dice)], "": truth(dice)}


def listing(dice: Random) -> list[Any]:
    """A list, sometimes empty, of values that do not agree."""
    return [whole(dice), text(dice), None, {"a": exact(dice)}][: dice.randrange(5)]


def deep(dice: Random) -> Any:
    """Lists and objects in one another."""
    value: Any = exact(dice)
    for level in range(_DEPTH):
        value = {"in": value, "level": level} if level % 2 else [value]
    return value


def empty_nest(dice: Random) -> Any:
    """An object or list that holds nothing: PHP writes both as a list."""
    return dice.choice(({}, []))


def any_of(*makers: Maker) -> Maker:
    """Values that do not agree in one and the same epoch."""
    return lambda dice: dice.choice(makers)(dice)
