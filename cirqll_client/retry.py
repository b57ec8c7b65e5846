"""When to try again: small decisions without clock, sleep or network."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

import backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.errors import CirqllError

LONGEST_WAIT_SECONDS = 60.0
SHORTEST_WAIT_SECONDS = 0.1
FEW_TRIES = 4
"""For failures that are as likely an answer or a wrong setting as a fault that passes."""
_WITHOUT_RETRY_AFTER = (10.0, 20.0, 30.0)
"""The window resets after one minute at most [doc]; the first waits add up to it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a try came to nothing, in words for the user."""

    words: str
    may_be_a_setting: bool = False
    """It looks the same as a wrong ``api_url``, unless the server has answered well before."""
    was_sent: bool = True
    """``False`` only where it is certain that the server never saw the request."""
    is_too_many: bool = False
    """The server says that there are too many requests."""
    retry_after_seconds: float | None = None
    """How long the server asks to wait."""
    ending: CirqllError | None = None
    """What it is taken for if it stays so for a few tries."""
    is_own: bool = False
    """The API itself answered that it failed, so nothing of the request is under way any more."""
    reason: str = field(default="", repr=False)
    """The API's own words, which may repeat what a record says."""


class TryAgain(Exception):
    """A try came to nothing; another one may succeed."""

    def __init__(self, failure: Failure) -> None:
        """Carry the failure."""
        super().__init__(failure.words)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Tries:
    """The tries of one request so far, all of which failed."""

    number: int = 0
    too_many: int = 0
    """How many of them the server refused because there were too many."""
    alike: int = 0
    """How many of the last ones failed in the same words."""
    last_words: str = ""
    failing_since: float = 0.0

    def and_one_more(self, failure: Failure, *, now: float) -> Tries:
        """Count a failure."""
        return replace(
            self,
            number=self.number + 1,
            too_many=self.too_many + failure.is_too_many,
            alike=self.alike + 1 if failure.words == self.last_words else 1,
            last_words=failure.words,
            failing_since=self.failing_since if self.number else now,
        )


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long failures are waited for."""

    give_up_after_seconds: float
    jitter: Callable[[float], float] = backoff.full_jitter

    def seconds_to_wait(
        self, failure: Failure, tries: Tries, *, now: float, has_ever_succeeded: bool
    ) -> float | None:
        """Give the wait before the next try, or ``None`` where there is to be none.

        The last try comes when the time is up: a wait is cut short for it, unless the server asked
        for more.
        """
        is_doubtful = failure.may_be_a_setting and not has_ever_succeeded
        if (is_doubtful or failure.ending) and tries.alike >= FEW_TRIES:
            return None
        left = self.give_up_after_seconds - (now - tries.failing_since)
        asked = failure.retry_after_seconds
        if left <= 0 or (asked is not None and asked > max(left, LONGEST_WAIT_SECONDS)):
            return None
        if asked is not None:
            return max(asked, 1.0)
        return min(self._usual_wait(failure, tries), max(left, SHORTEST_WAIT_SECONDS))

    def _usual_wait(self, failure: Failure, tries: Tries) -> float:
        if failure.is_too_many:
            known = dict(enumerate(_WITHOUT_RETRY_AFTER, start=1))
            return known.get(tries.too_many, LONGEST_WAIT_SECONDS)
        number = tries.number - tries.too_many
        return max(SHORTEST_WAIT_SECONDS, self.jitter(_exponential(number)))


def _exponential(number: int) -> float:
    """Give 1, 2, 4 … 60 seconds for the first, second, … failure."""
    waits = backoff.expo(max_value=LONGEST_WAIT_SECONDS)
    next(waits)
    return float(next(islice(waits, max(0, number - 1), None)))
