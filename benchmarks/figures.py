"""Figures: medians, spans and ratios of paired runs, and how they are written."""

from __future__ import annotations

import statistics
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """Several measurements of one thing."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The value in the middle."""
        return statistics.median(self.values)

    def over(self, other: Sample) -> Sample:
        """Give the ratios round by round: what disturbed a round disturbed both of its sides."""
        return Sample(tuple(a / b for a, b in zip(self.values, other.values, strict=True)))

    def text(self, digits: int = 2) -> str:
        """Give the median with the span, `1.52 (1.49-1.60)`."""
        low, high = min(self.values), max(self.values)
        return f"{self.median:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def megabytes(count: float) -> str:
    """Bytes in MB, which are 1,000,000 bytes."""
    return f"{count / 1e6:.1f}"
