"""How much is measured: sizes and rounds of the quick and of the full run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.rows import Fields


@dataclass(frozen=True, slots=True)
class Plan:
    """The sizes of one run; `folder` is for files of a moment."""

    folder: Path
    quick: bool
    long: bool
    target_postgres: str | None
    kinds: tuple[Fields, ...]

    def size(self, *, quick: int, full: int) -> int:
        """Choose the one for this run."""
        return quick if self.quick else full
