"""What a measurement says: tables, charts, gates and remarks, as aligned text and as Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from benchmarks import chart_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.chart import Chart


@dataclass(frozen=True, slots=True)
class Table:
    """Cells of text; the first column names the row."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """A promise with a figure: what was measured must be at most the limit."""

    promise: str
    figure: float
    limit: float
    repeatable: bool = False

    @property
    def holds(self) -> bool:
        """Whether the figure is within the limit."""
        return self.figure <= self.limit

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of a table of gates."""
        kind = "count" if self.repeatable else "clock"
        verdict = "holds" if self.holds else "MISSED"
        return (self.promise, f"{self.figure:,.3g}", f"{self.limit:,.3g}", kind, verdict)


@dataclass(frozen=True, slots=True)
class Section:
    """One measurement's result."""

    title: str
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    gates: tuple[Gate, ...] = ()
    remarks: tuple[str, ...] = ()
    failure: str = ""


def gates_section(sections: Iterable[Section]) -> Section:
    """List the gates of all sections, one a row."""
    gates = chain.from_iterable(section.gates for section in sections)
    header = ("promise", "figure", "at most", "by", "")
    return Section("Promises", tables=(Table(header, tuple(gate.cells for gate in gates)),))


def as_text(section: Section) -> str:
    """Write the section for a terminal."""
    tables = ("\n".join(_aligned(table)) for table in section.tables)
    title = f"{section.title}\n{'=' * len(section.title)}"
    charts = map(chart_text.as_text, section.charts)
    return "\n\n".join([title, *tables, *charts, *_words(section)])


def as_markdown(section: Section) -> str:
    """Write the section for a page."""
    tables = ("\n".join(_markdown(table)) for table in section.tables)
    charts = (f"![{one.title}]({one.file})" for one in section.charts)
    return "\n\n".join([f"## {section.title}", *tables, *charts, *_words(section)])


def _words(section: Section) -> tuple[str, ...]:
    return (*section.remarks, section.failure) if section.failure else section.remarks


def _aligned(table: Table) -> list[str]:
    lines = [table.header, *table.rows]
    widths = _widths(lines)
    return [
        "  ".join(_padded(cell, width, first=not i) for i, (cell, width) in enumerate(row)).rstrip()
        for row in (list(zip(line, widths, strict=True)) for line in lines)
    ]


def _widths(lines: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*lines, strict=True)]


def _padded(cell: str, width: int, *, first: bool) -> str:
    return cell.ljust(width) if first else cell.rjust(width)


def _markdown(table: Table) -> list[str]:
    rule = ("---", *("---:" for _ in table.header[1:]))
    return [f"| {' | '.join(line)} |" for line in (table.header, rule, *table.rows)]
