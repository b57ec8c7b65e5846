"""What the tap says at the end of a run, found in Meltano's log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from demo.failures import DemoError

if TYPE_CHECKING:
    from pathlib import Path

_SUMMARY = re.compile(r"Summary: (\d.*)$", re.MULTILINE)
_OF_A_STREAM = re.compile(r"tap-cirqll +Summary: ((\w+): .*)$", re.MULTILINE)


def summary_in(log: Path) -> str:
    """Find the sum, such as "25 rows of 16 streams in 0.1 s; 16 requests"."""
    found = _SUMMARY.findall(log.read_text(errors="replace"))
    return str(found[-1]) if found else "done"


def summary_of(stream: str, log: Path) -> str:
    """Find the line of a stream, whose end is its certificate.

    Raises ``DemoError`` if one of the run's streams is not complete.
    """
    found = _OF_A_STREAM.finditer(log.read_text(errors="replace"))
    lines = {match[2]: match[1] for match in found}
    doubtful = [name for name, line in lines.items() if "; complete" not in line]
    if doubtful or stream not in lines:
        message = f"These streams are not complete: {', '.join(doubtful or [stream])}. See {log}."
        raise DemoError(message)
    return lines[stream]
