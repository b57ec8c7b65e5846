"""One request to the API from start to end: budget, sending, trying again, a line in the log."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from cirqll_client import errors, responses
from cirqll_client.redaction import Redaction
from cirqll_client.refusals import is_retried, refusal
from cirqll_client.retry import Failure, Patience, Tries, TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cirqll_client.authentication import Authentication, BearerToken
    from cirqll_client.rate_budget import RateBudget
    from cirqll_client.transport import Answer, Transport

Read = TypeVar("Read")

_OK = range(200, 300)
_MOVED = range(300, 400)
_TOO_MANY = 429
_TRIES_WITHOUT_HINT = 3

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that was sent, for those who count: no parameters, no content."""

    method: str
    path: str
    status: int | None
    """``None`` where no whole answer came."""
    seconds: float


class ApiSession:
    """Puts a request together and sees it through. Threads may share it."""

    def __init__(  # noqa: PLR0913 - the parts it puts together, and the seams for tests
        self,
        transport: Transport,
        *,
        budget: RateBudget,
        authentication: Authentication,
        api_url: str,
        patience: Patience,
        redact: Callable[[str], str] = Redaction(),  # noqa: B008 - a value
        on_sent: Callable[[Sent], None] = lambda _sent: None,
        on_wait: Callable[[float], None] = lambda _seconds: None,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Join the parts; the listeners hear of each request and each wait.

        ``redact`` sees every word of the server's that an error repeats.
        """
        self._transport = transport
        self._budget = budget
        self._authentication = authentication
        self._api_url = api_url
        self._patience = patience
        self._redact = redact
        self._on_sent = on_sent
        self._on_wait = on_wait
        self._sleep = sleep
        self._clock = clock
        self._has_ever_succeeded = False

    def get(
        self,
        path: str,
        read: Callable[[Answer], Read],
        *,
        parameters: Mapping[str, str] | None = None,
    ) -> Read:
        """Ask, again and again until the answer can be read, and give what ``read`` makes of it.

        ``read`` raises ``responses.Unreadable`` for a body that was cut short or is no JSON.
        Raises any ``CirqllError``; ``Unavailable`` only after ``give_up_after`` seconds.
        """
        tries = Tries()
        has_renewed = False
        while True:
            token = self._authentication.token()
            try:
                return self._asked(path, read, parameters, token)
            except TryAgain as again:
                failure = again.failure
                tries = tries.and_one_more(failure, now=self._clock())
            except errors.SignInRequired:
                # Renewed once at most for a request; what others renew counts each time.
                if not self._authentication.renewed(token, may_renew=not has_renewed):
                    raise
                has_renewed = True
                continue
            self._wait(path, failure, tries)

    def _asked(
        self,
        path: str,
        read: Callable[[Answer], Read],
        parameters: Mapping[str, str] | None,
        token: BearerToken,
    ) -> Read:
        """Ask once. Raises ``TryAgain`` and any ``CirqllError`` but ``Unavailable``."""
        answer = self._sent("GET", path, parameters, token)
        if answer.status not in _OK:
            raise self._complaint(answer, path)
        try:
            result = read(answer)
        except responses.Unreadable as error:
            words = f"the answer could not be read: {error}"
            raise TryAgain(Failure(words, may_be_a_setting=not error.is_cut_short)) from None
        self._has_ever_succeeded = True
        return result

    def _complaint(self, answer: Answer, path: str) -> Exception:
        """Give what an answer that is no success is taken for."""
        if answer.status == _TOO_MANY:
            asked = responses.rate_limit(answer.headers).retry_after_seconds
            wish = "" if asked is None else f" and asks to wait {asked} s"
            words = f"the server says that there are too many requests{wish}"
            return TryAgain(Failure(words, is_too_many=True, retry_after_seconds=asked))
        if is_retried(answer.status):
            return TryAgain(Failure(f"the server answered {answer.status}"))
        reason = self._redact(responses.reason(answer.body))
        remedy = self._authentication.remedy
        error = refusal(answer.status, reason, path=path, api_url=self._api_url, remedy=remedy)
        if answer.status in _MOVED or responses.is_web_page(answer.body):
            # A proxy or a page for maintenance may have answered in place of the API.
            return TryAgain(Failure(f"a web page came with {answer.status}", ending=error))
        return error

    def _sent(
        self, method: str, path: str, parameters: Mapping[str, str] | None, token: BearerToken
    ) -> Answer:
        """Send once, within the budget."""
        permit = self._budget.take()
        started = self._clock()
        told = responses.RateLimit()
        status = None
        try:
            answer = self._transport.send(method, path, signature=token, parameters=parameters)
            status = answer.status
            told = responses.rate_limit(answer.headers)
        finally:
            # What a refusal counts is not known; how long to wait is, or is found out by waiting.
            self._budget.settle(permit, told.without_remaining() if status == _TOO_MANY else told)
            seconds = self._clock() - started
            self._on_sent(Sent(method, path, status, seconds))
            logger.debug("%s %s answered %s in %.3f s", method, path, status, seconds)
        return answer

    def _wait(self, path: str, failure: Failure, tries: Tries) -> None:
        """Wait before the next try. Raises ``Unavailable`` or the failure's own ending."""
        now = self._clock()
        seconds = self._patience.seconds_to_wait(
            failure, tries, now=now, has_ever_succeeded=self._has_ever_succeeded
        )
        if seconds is None:
            raise failure.ending or self._unavailable(path, failure, tries, now)
        if failure.is_too_many:
            logger.info(
                "Cirqll says that there are too many requests (other programs use the same "
                "budget); waiting %.0f s.",
                seconds,
            )
            self._budget.block(seconds)
            return
        has_hint = tries.number >= _TRIES_WITHOUT_HINT and not self._has_ever_succeeded
        hint = " Nothing has answered rightly yet: is api_url right?" if has_hint else ""
        logger.warning(
            "GET %s failed (%s); trying again in %.1f s.%s", path, failure.words, seconds, hint
        )
        self._on_wait(seconds)
        self._sleep(seconds)

    def _unavailable(
        self, path: str, failure: Failure, tries: Tries, now: float
    ) -> errors.Unavailable:
        count = "1 try" if tries.number == 1 else f"{tries.number} tries"
        start = (
            f"Cirqll at {self._api_url} could not be read at {path}: "
            f"{failure.words} ({count} in {now - tries.failing_since:.0f} s)"
        )
        if not self._has_ever_succeeded and not failure.is_too_many:
            return errors.Unavailable(
                f"{start}. Check the setting api_url and the network, then run again."
            )
        return errors.Unavailable(
            f"{start}. Run again later; the next run continues where this one stopped."
        )
