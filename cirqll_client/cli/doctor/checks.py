"""A check: what was looked at, how it stands, in words, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

State = Literal["good", "warning", "stops", "unknown"]
"""``stops`` is what stops reading; a ``warning`` slows it down, or lets something go unread."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the result. ``words`` and ``remedy`` hold no personal data."""

    key: str
    """A name that stays."""
    name: str
    state: State
    words: str
    remedy: str | None = None
    """What to do, in whole sentences."""
    private_words: str | None = None
    """What a person at the terminal is told in place of ``words``."""


def listed(names: Sequence[str]) -> str:
    """Write names as a sentence has them."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def counted(number: int, noun: str) -> str:
    """Write a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
