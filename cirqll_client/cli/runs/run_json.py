"""A run for programs, with names that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cirqll_client.moments import iso, iso_or_none

if TYPE_CHECKING:
    from cirqll_client.run_history import Run, StreamRun


def run_json(run: Run) -> dict[str, Any]:
    """Give all that is known of a run; times are UTC, and what is not known is null."""
    ended_at = None if run.ended_at is None else run.ended_at.timestamp()
    is_known = ended_at is not None
    return {
        "run": run.id,
        "program": run.program,
        "version": run.version,
        "started_at": iso(run.started_at.timestamp()),
        "ended_at": iso_or_none(ended_at),
        "outcome": run.outcome,
        "is_complete": run.is_complete,
        "not_read": [one.name for one in run.streams if one.stage == "skipped"],
        "error": run.error,
        "rows": run.rows if is_known else None,
        "requests": run.requests if is_known else None,
        "seconds_waited": round(run.seconds_waited, 1) if is_known else None,
        "streams": [_stream_json(one) for one in run.streams],
    }


def _stream_json(stream: StreamRun) -> dict[str, Any]:
    return {
        "stream": stream.name,
        "stage": stream.stage,
        "rows": stream.rows,
        "deleted": stream.deleted,
        "requests": stream.requests,
        "seconds_waited": round(stream.seconds_waited, 1),
        "warnings": list(stream.warnings),
        "certificate": dict(stream.certificate) if stream.certificate else None,
    }
