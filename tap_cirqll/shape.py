"""The shape of a stream's records, and what was noticed while making records fit it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cirqll_client.kinds import Kind


@dataclass(frozen=True, slots=True)
class Shape:
    """What becomes of each field of a record."""

    columns: dict[str, Kind]
    """Fields that are handed out, by name."""
    hidden: frozenset[str]
    """Fields that have a column, but are not handed out: deselected, or secret."""
    keeps_undocumented: bool
    """Fields without a column are kept in ``_undocumented``."""
    keeps_nonconforming: bool
    """Values that do not fit are kept in ``_nonconforming``."""


@dataclass(slots=True)
class Findings:
    """What a reader noticed, for the summary of the run: names and numbers, never content."""

    nonconforming: Counter[str] = field(default_factory=Counter)
    undocumented: set[str] = field(default_factory=set)
