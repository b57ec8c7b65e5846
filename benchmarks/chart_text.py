"""A chart in letters, for a terminal."""

from __future__ import annotations

from collections import defaultdict
from string import ascii_lowercase
from typing import TYPE_CHECKING, Final

from benchmarks.chart import figure_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.chart import Axis, Chart

    Cells = defaultdict[tuple[int, int], str]

COLUMNS_PER_DECADE: Final = 14
ROWS_PER_DECADE: Final = 3
MARGIN: Final = 7
REFERENCE_LETTER: Final = "-"


def as_text(chart: Chart) -> str:
    """Draw a letter for each line where it has a point, then what the letters stand for."""
    x_axis, y_axis = chart.x_axis, chart.y_axis
    lines = list(zip(chart.by_height, _letters(chart), strict=True))
    cells: Cells = defaultdict(str)
    for line, letter in lines:
        for x, y in line.points:
            cells[_cell(y_axis, y, ROWS_PER_DECADE), _cell(x_axis, x, COLUMNS_PER_DECADE)] += letter
    highest = _cell(y_axis, 10**y_axis.last, ROWS_PER_DECADE)
    rows = [_row(number, y_axis, cells) for number in range(highest, -1, -1)]
    ticks = "".join(figure_of(one).ljust(COLUMNS_PER_DECADE) for one in x_axis.exponents)
    names = [f"  {letter}  {line.name}" for line, letter in lines]
    below = f"{'':{MARGIN + 2}}{ticks} {chart.x_title}"
    return "\n".join([chart.title, "", *rows, below, "", *names])


def _letters(chart: Chart) -> Iterator[str]:
    others = iter(ascii_lowercase)
    for line in chart.by_height:
        yield REFERENCE_LETTER if line.is_reference else next(others)


def _cell(axis: Axis, figure: float, cells_per_decade: int) -> int:
    """Tell how many cells from the beginning of the axis a figure is."""
    return round(axis.place(figure) * cells_per_decade * (axis.last - axis.first))


def _row(number: int, axis: Axis, cells: Cells) -> str:
    decade, between = divmod(number, ROWS_PER_DECADE)
    line = ""
    for column in sorted(column for row, column in cells if row == number):
        line = line.ljust(column) + cells[number, column]
    label = "" if between else figure_of(axis.first + decade)
    return f"{label:>{MARGIN}} |{line}"
