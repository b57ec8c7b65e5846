"""The live view of a run on a terminal. Imported only where there is one: rich takes its time."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cirqll_client.amounts import counted, duration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from tap_cirqll.progress import Progress, StreamProgress

_STAGES = {
    "waiting": "[dim]waiting[/]",
    "reading": "[cyan]reading[/]",
    "done": "[green]done[/]",
    "skipped": "[yellow]not readable[/]",
    "failed": "[red]failed[/]",
}


@contextmanager
def shown(progress: Progress) -> Iterator[None]:
    """Show the progress on stderr until the end; log lines appear above it."""
    console = Console(stderr=True)
    live = Live(
        get_renderable=lambda: rendered(progress),
        console=console,
        refresh_per_second=4,
        redirect_stdout=False,  # messages go there
    )
    ordinary = sys.stderr
    with live:
        handlers = _handlers_to(ordinary)
        for handler in handlers:
            handler.setStream(sys.stderr)
        try:
            yield
        finally:
            for handler in handlers:
                handler.setStream(ordinary)


def rendered(progress: Progress) -> Group:
    """Draw one line for the whole, and one for each stream."""
    now = progress.clock()
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("stream", "", "rows", "of", "rows/s", "left"):
        table.add_column(name, justify="left" if name in {"stream", ""} else "right")
    for one in progress.streams.values():
        table.add_row(one.name, _STAGES[one.stage], *_numbers(one, now))
    whole = (
        f"{counted(progress.rows, 'row')}, {counted(progress.requests, 'request')}, "
        f"{duration(progress.seconds_waited)} waited, {duration(now - progress.started)} so far"
    )
    # The whole comes first: a low terminal shows the beginning only.
    return Group(Text(whole, style="bold"), table)


def _numbers(one: StreamProgress, now: float) -> tuple[str, str, str, str]:
    if one.stage == "waiting":
        return "", "", "", ""
    left = one.seconds_left(now) if one.stage == "reading" else None
    return (
        f"{one.rows:,}",
        "?" if one.total is None else f"{one.total:,}",
        f"{one.rate(now):,.0f}" if one.stage == "reading" else "",
        "" if left is None else duration(left),
    )


def _handlers_to(stream: object) -> list[logging.StreamHandler[TextIO]]:
    handlers = logging.getLogger().handlers
    return [h for h in handlers if isinstance(h, logging.StreamHandler) and h.stream is stream]
