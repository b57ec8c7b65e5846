"""Colours as a browser computes them, and how well one can be read on others (WCAG 2.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Colour = tuple[float, float, float, float]
"""Red, green and blue up to 255; how opaque it is up to 1."""

_WRITTEN = re.compile(r"rgba?\((\d+), (\d+), (\d+)(?:, ([\d.]+))?\)")
_DARKEST = 0.04045


def contrast(colour: str, grounds: Iterable[str]) -> float:
    """From 1 to 21. The grounds lie one behind the other, and the last is on white paper."""
    ground: Colour = (255, 255, 255, 1)
    for one in reversed(list(grounds)):
        ground = _laid_over(ground, _read(one))
    lights = sorted((_light(_laid_over(ground, _read(colour))), _light(ground)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _read(written: str) -> Colour:
    found = _WRITTEN.fullmatch(written)
    assert found, f"This colour is written in another way: {written}"
    red, green, blue, opaque = found.groups()
    return int(red), int(green), int(blue), 1 if opaque is None else float(opaque)


def _laid_over(ground: Colour, colour: Colour) -> Colour:
    opaque = colour[3]
    red, green, blue = (
        mine * opaque + other * (1 - opaque)
        for mine, other in zip(colour[:3], ground[:3], strict=True)
    )
    return red, green, blue, 1


def _light(colour: Colour) -> float:
    red, green, blue = (_linear(channel / 255) for channel in colour[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= _DARKEST else ((channel + 0.055) / 1.055) ** 2.4
