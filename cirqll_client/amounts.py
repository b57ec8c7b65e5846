"""Amounts, as they are written for people."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Write ``1 row``, ``2,000 rows``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float) -> str:
    """Write a time span: ``0.3 s``, ``45 s``, ``3 min``, ``2 h 05 min``."""
    minutes = round(seconds / 60)
    if 0 < seconds < 9.95:  # noqa: PLR2004 - shorter than 10 s, a tenth tells something
        return f"{seconds:.1f} s"
    if seconds < 89.5:  # noqa: PLR2004 - up to a minute and a half, seconds tell more
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"  # noqa: PLR2004
