"""Moments, in seconds since the epoch, as they are written for people and for programs."""

from __future__ import annotations

from datetime import UTC, datetime

_LATEST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


def minute(seconds: float) -> str:
    """Write it for people, to the minute."""
    return f"{_moment(seconds):%Y-%m-%d %H:%M} UTC"


def day(seconds: float) -> str:
    """Write it for people, to the day."""
    return f"{_moment(seconds):%Y-%m-%d}"


def iso(seconds: float) -> str:
    """Write it for programs: ISO 8601 in UTC."""
    return f"{_moment(seconds):%Y-%m-%dT%H:%M:%SZ}"


def iso_or_none(seconds: float | None) -> str | None:
    """Write it for programs; ``None`` where there is none."""
    return None if seconds is None else iso(seconds)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(min(max(seconds, 0.0), _LATEST), UTC)
