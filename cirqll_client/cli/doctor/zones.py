"""What the server's clock tells: whether it is right, and which zones the times cannot be of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cirqll_client.horizon import CLOCK_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from cirqll_client.timestamps import Timestamps


@dataclass(frozen=True, slots=True)
class Newest:
    """A time of change as it came, and the server's clock at that moment."""

    text: str
    server_time: datetime


def clock_difference(heard: Sequence[tuple[datetime | None, datetime]]) -> timedelta | None:
    """Give how far the server's clock is ahead of ours at its closest; ``None`` if it is silent."""
    differences = [told - own for told, own in heard if told is not None]
    return min(differences, key=abs, default=None)


def is_clock_good(difference: timedelta | None) -> bool:
    """Tell whether two clocks agree, so that neither is likely to be wrong."""
    return difference is not None and abs(difference) <= CLOCK_TOLERANCE


def proven_wrong(newest: Newest, zones: Mapping[str, Timestamps]) -> tuple[str, ...]:
    """Name the zones by which a record changed after the server's clock, which cannot be.

    The opposite proves nothing: a record that seems hours old may be. Where every zone would be
    wrong, the record is odd and the zones are not.
    """
    wrong = tuple(name for name, times in zones.items() if _is_ahead(newest, times))
    return wrong if len(wrong) < len(zones) else ()


def is_fresh(newest: Newest, times: Timestamps) -> bool:
    """Tell whether the newest change was made just now, by this zone: a hint, no proof."""
    try:
        return abs(newest.server_time - times.instant(newest.text)) <= CLOCK_TOLERANCE
    except ValueError:
        return False


def _is_ahead(newest: Newest, times: Timestamps) -> bool:
    try:
        return times.instant(newest.text) > newest.server_time + CLOCK_TOLERANCE
    except ValueError:
        return False
