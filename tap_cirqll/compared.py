"""What is known of a stream's rows, and what came of comparing them with the account."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyroaring import BitMap64

if TYPE_CHECKING:
    from datetime import datetime

    from cirqll_client.listing import Differences


@dataclass(slots=True)
class Known:
    """What the stream handed out before, and in this run."""

    ids: BitMap64
    doubtful: BitMap64
    """Those of them of which the pipeline may have something else, or nothing."""
    unlisted: BitMap64
    """Those of them that live, though the Index does not list them."""
    before: int
    """How many rows there were before this run."""
    emitted: BitMap64 = field(default_factory=BitMap64)
    """In this run: a loader may write a row after its deletion if both come in one run."""
    is_all: bool = True
    """Nothing else was ever handed out."""

    def take_away(self, ids: BitMap64) -> None:
        """Note rows that are gone."""
        self.ids -= ids
        self.doubtful -= ids
        self.unlisted -= ids

    def add(self, ids: BitMap64) -> None:
        """Note rows that are handed out."""
        self.ids |= ids
        self.doubtful -= ids
        self.unlisted -= ids
        self.emitted |= ids


@dataclass(slots=True)
class Compared:
    """What came of it."""

    differences: Differences | None = None
    is_by_reading: bool = False
    """All rows were read in this run, so they were not listed once more."""
    returned: int = 0
    """Rows that were there and not known: restored, or missed."""
    deleted: int = 0
    waiting: int = 0
    """Rows that are gone, and told by a later run."""
    reason: str | None = None
    """Why no deletion, or not every one, was told."""


@dataclass(frozen=True, slots=True)
class Gone:
    """Rows that are no longer there, for certain."""

    ids: BitMap64
    at: datetime
