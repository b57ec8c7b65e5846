"""What the demo shows: steps with their time, and tables."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


_WIDTH_OF_A_FILE = 120


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH_OF_A_FILE)


@dataclass(slots=True)
class Step:
    """One step; `outcome` is said when it is done."""

    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Screen:
    """Writes to standard output, in colour on a terminal."""

    console: Console = field(default_factory=_console)

    def say(self, text: str = "") -> None:
        """Write a line."""
        self.console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def step(self, text: str) -> Iterator[Step]:
        """Say what is being done, and when it is done how it came out and how long it took."""
        self.console.print(f"{text} ...", end=" ", markup=False, soft_wrap=True)
        step, started = Step(), time.monotonic()
        try:
            yield step
        except BaseException:
            self.console.print()
            raise
        self.console.print(
            f"{step.outcome} ({time.monotonic() - started:.1f} s)", markup=False, soft_wrap=True
        )

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Draw a table; numbers stand at the right."""
        rows = list(rows)
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for number, column in enumerate(columns):
            is_number = all(_is_number(row[number]) for row in rows)
            table.add_column(column, justify="right" if is_number else "left")
        for row in rows:
            table.add_row(*(_text(value) for value in row))
        self.say()
        self.console.print(table)
        self.say()


def _is_number(value: object) -> bool:
    return value is None or isinstance(value, int | Decimal)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
