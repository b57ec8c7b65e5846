"""When to try again: small decisions without clock, sleep or network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONGEST_WAIT_SECONDS = 60.0
RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
TRIES_BEFORE_FIRST_SUCCESS = 4
"""For failures that are as likely a wrong setting as a fault: no such host, no JSON at all."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a try came to nothing, in words for the user."""

    words: str
    may_be_a_setting: bool = False
    """It looks the same as a wrong ``api_url``."""


def waits(jitter: Callable[[float], float] = backoff.full_jitter) -> Iterator[float]:
    """Give seconds to wait after the first, second, … failure in a row: 1, 2, 4 … 60, with jitter.

    The sum over ten failures is some four minutes; ``give_up_after`` ends it.
    """
    exponential = backoff.expo(max_value=LONGEST_WAIT_SECONDS)
    next(exponential)
    return (max(0.1, jitter(seconds)) for seconds in exponential)


def waits_without_retry_after() -> Iterator[float]:
    """Give seconds to wait after the first, second, … 429 that does not say how long.

    The window resets after one minute at most [doc]; the first waits add up to it.
    """
    yield from (10.0, 20.0, 30.0)
    while True:
        yield LONGEST_WAIT_SECONDS


def is_time_to_give_up(
    failure: Failure,
    *,
    tries: int,
    seconds_failing: float,
    give_up_after_seconds: float,
    has_ever_succeeded: bool,
) -> bool:
    """Tell whether this failure is the last that is waited for."""
    if failure.may_be_a_setting and not has_ever_succeeded:
        return tries >= TRIES_BEFORE_FIRST_SUCCESS
    return seconds_failing >= give_up_after_seconds
