"""What is wrong with a row, by how it stands in Cirqll and in the table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Kind = Literal["missing", "stale", "surplus"]
Verdict = Kind | Literal["not_loaded"]

_QUARTER = timedelta(minutes=15)
_FEW = 3


@dataclass(frozen=True, slots=True)
class Version:
    """A row that is there, and when it changed."""

    instant: datetime | None = None
    """UTC, without a zone; ``None`` where the row does not tell, or nobody compares it."""
    local: datetime | None = None
    """The same as the API writes it, without a zone."""


def verdict(
    listed: Version | None, loaded: Version | None, *, newest: datetime | None
) -> Verdict | None:
    """Judge one row; ``None``: nothing is wrong, or it is nowhere.

    ``newest`` is the latest change that the table holds, as the API writes it. What changed later
    comes with the next run.
    """
    if listed is None:
        return "surplus" if loaded else None
    if loaded and listed.instant == loaded.instant:
        return None
    if listed.local and newest and listed.local > newest:
        return "not_loaded"
    return "stale" if loaded else "missing"


def shift_of(differences: list[timedelta]) -> timedelta | None:
    """Give the time by which all stale rows differ, if it is one that zones differ by."""
    if len(differences) < _FEW or len(set(differences)) > 1:
        return None
    shift = differences[0]
    return shift if shift and not shift % _QUARTER else None
