"""How commands lay out what they print: plain text, the same on a terminal and in a file.

Names come from a server: what would move a terminal's cursor or colour is not printed.
"""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDE = 10_000
"""A file has room for any line."""


def printable(text: str) -> str:
    """Put a mark in the place of each character that is not to be seen."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def pairs(rows: Sequence[tuple[str, str]]) -> str:
    """Put what each name stands for behind it, in one column."""
    width = max(len(name) for name, _ in rows)
    lines = (f"{name:<{width}}  {printable(value)}" for name, value in rows)
    return "\n".join(line.rstrip() for line in lines)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Put cells below each other; on a terminal they are wrapped to fit it."""
    from rich.console import Console  # noqa: PLC0415 - only a table needs it
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _WIDE
    console = Console(width=width, color_system=None, force_terminal=False, force_jupyter=False)
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in head:
        grid.add_column(name, overflow="fold")  # rich would cut a long word off
    for row in rows:
        grid.add_row(*(Text(printable(cell)) for cell in row))
    with console.capture() as captured:
        console.print(grid)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())
