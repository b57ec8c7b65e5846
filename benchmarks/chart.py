"""Lines on two logarithmic axes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """Points from left to right, both figures of each above 0; a reference is dashed."""

    name: str
    points: tuple[Point, ...]
    is_reference: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """Whole decades, from 10 to the power of `first` to 10 to the power of `last`."""

    first: int
    last: int

    @classmethod
    def around(cls, figures: Sequence[float]) -> Axis:
        """Take the decades that hold all of them."""
        first = math.floor(math.log10(min(figures)))
        return cls(first, max(first + 1, math.ceil(math.log10(max(figures)))))

    @property
    def exponents(self) -> range:
        """The ends of the decades."""
        return range(self.first, self.last + 1)

    def place(self, figure: float) -> float:
        """Tell how far along the axis a figure is, from 0 to 1."""
        return (math.log10(figure) - self.first) / (self.last - self.first)


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn, and the name of the file for it."""

    file: str
    title: str
    x_title: str
    y_title: str
    lines: tuple[Line, ...]

    @property
    def x_axis(self) -> Axis:
        """The axis from left to right."""
        return Axis.around([x for line in self.lines for x, _ in line.points])

    @property
    def y_axis(self) -> Axis:
        """The axis from the bottom up."""
        return Axis.around([y for line in self.lines for _, y in line.points])

    @property
    def by_height(self) -> list[Line]:
        """The lines, the one that ends highest first."""
        return sorted(self.lines, key=lambda line: line.points[-1][1], reverse=True)


def figure_of(exponent: int) -> str:
    """Write the figure at the end of a decade."""
    return f"{10**exponent:,}"
