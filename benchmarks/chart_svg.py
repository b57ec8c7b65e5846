"""A chart as an SVG file, for a browser."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from benchmarks.chart import figure_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.chart import Chart, Point

WIDTH: Final = 880
HEIGHT: Final = 500
LEFT, RIGHT, TOP, BOTTOM = 80, 600, 64, 430
LABEL_HEIGHT: Final = 20
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#b0588a", "#8c6d00", "#56b4e9")
"""Okabe and Ito's, which people with any kind of colour vision can tell apart; yellow and pink are
darker here, to be read as text."""
REFERENCE_COLOUR: Final = "#444444"


def as_svg(chart: Chart) -> str:
    """Draw each line in a colour, its name at its end; a reference is dashed."""
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    font = 'font-family="system-ui, sans-serif" font-size="13" fill="#222222"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text((LEFT, 34), chart.title, 'font-size="17" font-weight="600"'),
        *_axes(chart),
        *_lines(chart),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _axes(chart: Chart) -> Iterator[str]:
    """Draw a line of the grid for each end of a decade, with its figure, and the titles."""
    for exponent in chart.x_axis.exponents:
        x, _ = _spot(chart, (10**exponent, 10**chart.y_axis.first))
        yield _stroke((x, TOP), (x, BOTTOM), 'stroke="#dddddd"')
        yield _text((x, BOTTOM + 20), figure_of(exponent), 'text-anchor="middle"')
    for exponent in chart.y_axis.exponents:
        _, y = _spot(chart, (10**chart.x_axis.first, 10**exponent))
        yield _stroke((LEFT, y), (RIGHT, y), 'stroke="#dddddd"')
        yield _text((LEFT - 8, y + 4), figure_of(exponent), 'text-anchor="end"')
    x, y = (LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2
    yield _text((x, BOTTOM + 46), chart.x_title, 'text-anchor="middle"')
    yield _text((20, y), chart.y_title, f'text-anchor="middle" transform="rotate(-90 20 {y:g})"')


def _lines(chart: Chart) -> Iterator[str]:
    """Draw each line, and its name at its end, or below where another name is there."""
    colours = iter(COLOURS)
    free_from = 0.0
    for line in chart.by_height:
        colour = REFERENCE_COLOUR if line.is_reference else next(colours)
        spots = [_spot(chart, point) for point in line.points]
        yield from _drawn(spots, colour, is_dashed=line.is_reference)
        x, y = spots[-1]
        label = (RIGHT + 30, max(y, free_from))
        free_from = label[1] + LABEL_HEIGHT
        yield _stroke((x + 6, y), (label[0] - 6, label[1]), f'stroke="{colour}" opacity="0.5"')
        yield _text((label[0], label[1] + 4), line.name, f'fill="{colour}" font-weight="600"')


def _drawn(spots: Sequence[Point], colour: str, *, is_dashed: bool) -> Iterator[str]:
    dashes = ' stroke-dasharray="7 5"' if is_dashed else ""
    for begin, end in pairwise(spots):
        yield _stroke(begin, end, f'stroke="{colour}" stroke-width="2"{dashes}')
    if not is_dashed:
        for x, y in spots:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'


def _spot(chart: Chart, point: Point) -> Point:
    x = LEFT + chart.x_axis.place(point[0]) * (RIGHT - LEFT)
    return x, BOTTOM - chart.y_axis.place(point[1]) * (BOTTOM - TOP)


def _stroke(begin: Point, end: Point, attributes: str) -> str:
    (x1, y1), (x2, y2) = begin, end
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {attributes}/>'


def _text(place: Point, words: str, attributes: str) -> str:
    return f'<text x="{place[0]:.1f}" y="{place[1]:.1f}" {attributes}>{escape(words)}</text>'
