"""What the demo says when it cannot go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LAST_LINES = 20


class DemoError(Exception):
    """A sentence for the user: what happened, and where to look."""


def end_of(log: Path) -> str:
    """Give the last lines of a log, under a line that names it."""
    lines = log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
    return "\n".join([f"The end of {log}:", *lines])
