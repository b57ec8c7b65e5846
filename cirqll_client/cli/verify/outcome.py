"""What came of the comparison of one stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

Result = Literal["equal", "different", "unknown"]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one kind."""

    number: int = 0
    ids: tuple[int, ...] = ()
    """Of all of them, or of none where nobody asked."""

    @classmethod
    def of(cls, ids: Sequence[int]) -> Rows:
        """Take rows whose ids are known."""
        return cls(len(ids), tuple(sorted(ids)))


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOutcome:
    """One stream, compared; or why it could not be."""

    stream: str
    loaded: int = 0
    """Living rows of the table, each id once."""
    counted: int | None = None
    """Rows in Cirqll, by its own count."""
    compared: int = 0
    """So many of Cirqll's rows were compared one by one, the others by their number."""
    is_whole: bool = False
    """All were compared one by one."""
    not_loaded: int = 0
    """Rows that changed after the newest loaded change: the next run brings them."""
    missing: Rows = field(default_factory=Rows)
    stale: Rows = field(default_factory=Rows)
    surplus: Rows = field(default_factory=Rows)
    unlisted: Rows = field(default_factory=Rows)
    """Rows of the table that Cirqll has, and does not list."""
    unaccounted: int = 0
    """Cirqll counts so many rows more than it lists; negative: fewer."""
    found_once: int = 0
    """So many of the differences were not looked at a second time."""
    repeated: int = 0
    """So many rows of the table have an id that another one has."""
    shift: timedelta | None = None
    """By this the times of all stale rows differ, which zones may be the cause of."""
    has_times: bool = True
    """Times of change were compared, not only ids."""
    requests: int = 0
    warnings: tuple[str, ...] = ()
    failure: str | None = None
    """Why it could not be compared: a sentence."""

    @property
    def differences(self) -> dict[str, Rows]:
        """What is wrong, by kind."""
        return {"missing": self.missing, "stale": self.stale, "surplus": self.surplus}

    @property
    def result(self) -> Result:
        """Tell whether the table agrees, as far as was compared."""
        if self.failure is not None:
            return "unknown"
        is_different = self.unaccounted or any(one.number for one in self.differences.values())
        return "different" if is_different else "equal"
