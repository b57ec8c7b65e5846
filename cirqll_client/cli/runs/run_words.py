"""A run in words: the cells of tables that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cirqll_client.amounts import counted, duration
from cirqll_client.moments import minute

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cirqll_client.run_history import Run, StreamRun

HEAD = ("Run", "Began", "Outcome", "Rows", "Requests", "Waited", "Certificates")
STREAM_HEAD = ("Stream", "Outcome", "Rows", "Deleted", "Requests", "Waited", "Certificate")
_NOT_KNOWN = "-"
_MOST_NAMES = 3
_OUTCOMES = {
    "done": "done in {}",
    "failed": "failed after {}",
    "stopped": "stopped after {}",
    "running": "not finished",
}
_STAGES = {"reading": "not finished", "waiting": "not begun"}
_VERDICTS = {"complete": "complete", "incomplete": "INCOMPLETE", "unknown": "unknown"}
"""In the order in which they are told; what is missing is to be seen at a glance."""


def run_cells(run: Run) -> tuple[str, ...]:
    """Give what a list shows of a run."""
    warnings = sum(len(one.warnings) for one in run.streams)
    outcome = f"{outcome_words(run)}, {counted(warnings, 'warning')}"
    return (
        run.id,
        minute(run.started_at.timestamp()),
        outcome if warnings else outcome_words(run),
        *totals(run),
        verdicts(run.streams),
    )


def totals(run: Run) -> tuple[str, str, str]:
    """Give rows, requests and waits; of a run that did not end nobody knows them."""
    if run.ended_at is None:
        return (_NOT_KNOWN,) * 3
    return f"{run.rows:,}", f"{run.requests:,}", duration(run.seconds_waited)


def outcome_words(run: Run) -> str:
    """Tell how a run ended, and after how long."""
    seconds = (run.ended_at - run.started_at).total_seconds() if run.ended_at else 0.0
    return _OUTCOMES.get(run.outcome, run.outcome).format(duration(seconds))


def verdicts(streams: Sequence[StreamRun]) -> str:
    """Count the certificates: ``15 complete, 1 INCOMPLETE (customers)``."""
    parts = []
    for verdict, word in _VERDICTS.items():
        names = [one.name for one in streams if one.verdict == verdict]
        if names:
            of_whom = "" if verdict == "complete" else f" ({_some(names)})"
            parts.append(f"{len(names)} {word}{of_whom}")
    absent = [one.name for one in streams if one.stage == "skipped"]
    if absent:
        parts.append(f"{len(absent)} not read ({_some(absent)})")
    return ", ".join(parts) or _NOT_KNOWN


def stream_cells(stream: StreamRun) -> tuple[str, ...]:
    """Give what is shown of a stream of a run."""
    return (
        stream.name,
        _STAGES.get(stream.stage, stream.stage),
        f"{stream.rows:,}",
        f"{stream.deleted:,}",
        f"{stream.requests:,}",
        duration(stream.seconds_waited),
        _VERDICTS.get(stream.verdict or "", _NOT_KNOWN),
    )


def sentences(streams: Iterable[StreamRun]) -> list[tuple[str, str]]:
    """Give what the certificates stand on, by stream."""
    return [(one.name, one.sentence) for one in streams if one.sentence]


def warnings(streams: Iterable[StreamRun]) -> list[tuple[str, str]]:
    """Give the warnings, by stream."""
    return [(one.name, sentence) for one in streams for sentence in one.warnings]


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
