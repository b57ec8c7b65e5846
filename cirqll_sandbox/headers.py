"""The headers that every answer carries."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from cirqll_sandbox.mishaps import HTML

if TYPE_CHECKING:
    from cirqll_sandbox.answers import Answer
    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.clock import Clock
    from cirqll_sandbox.rate_limit import Verdict


def with_headers(
    answer: Answer, verdict: Verdict | None, behaviour: Behaviour, clock: Clock
) -> Answer:
    """The answer with the time and with what is left of the budget."""
    headers = dict(answer.headers)
    if behaviour.date_header:
        now = clock.now() + timedelta(seconds=behaviour.date_offset_seconds)
        headers["Date"] = format_datetime(now, usegmt=True)
    if verdict is not None and behaviour.rate_headers and answer.content_type != HTML:
        headers["X-RateLimit-Limit"] = str(verdict.limit)
        headers["X-RateLimit-Remaining"] = str(verdict.remaining)
    return replace(answer, headers=headers)
