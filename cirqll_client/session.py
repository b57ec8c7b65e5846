"""One request to the API from start to end: budget, sending, trying again, a line in the log."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from cirqll_client import errors, responses
from cirqll_client.retry import (
    RETRIED_STATUSES,
    Failure,
    is_time_to_give_up,
    waits,
    waits_without_retry_after,
)
from cirqll_client.transport import Answer, ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cirqll_client.authentication import Authentication
    from cirqll_client.rate_budget import RateBudget
    from cirqll_client.transport import Transport

Read = TypeVar("Read")
_Refusal: TypeAlias = "Callable[[str, str, str], errors.CirqllError]"

_OK = range(200, 300)
_TOO_MANY = 429
_UNAUTHENTICATED = 401

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
        give_up_after_seconds: float,
        on_sent: Callable[[Sent], None] = lambda _sent: None,
        on_wait: Callable[[float], None] = lambda _seconds: None,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Join the parts; the listeners hear of each request and each wait."""
        self._transport = transport
        self._budget = budget
        self._authentication = authentication
        self._api_url = api_url
        self._give_up_after = give_up_after_seconds
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
        attempts = _Attempts(self, path)
        while True:
            try:
                answer = self._send("GET", path, parameters=parameters)
                if answer.status in _OK:
                    result = read(answer)
                    self._has_ever_succeeded = True
                    return result
                self._react(answer, path, attempts)
            except ConnectionFailed as error:
                attempts.wait_after(error.failure)
            except responses.Unreadable as error:
                words = f"the answer could not be read: {error}"
                attempts.wait_after(Failure(words, may_be_a_setting=True))

    def _react(self, answer: Answer, path: str, attempts: _Attempts) -> None:
        """Wait where another try may succeed, else raise."""
        if answer.status == _TOO_MANY:
            attempts.wait_for_budget(responses.rate_limit(answer.headers).retry_after_seconds)
        elif answer.status in RETRIED_STATUSES:
            attempts.wait_after(Failure(f"the server answered {answer.status}"))
        elif not (answer.status == _UNAUTHENTICATED and attempts.may_renew_token()):
            raise refusal(answer, path=path, api_url=self._api_url)

    def _send(
        self, method: str, path: str, *, parameters: Mapping[str, str] | None = None
    ) -> Answer:
        permit = self._budget.take()
        started = self._clock()
        told = responses.RateLimit()
        status = None
        try:
            answer = self._transport.send(method, path, parameters=parameters)
            told = responses.rate_limit(answer.headers)
            status = answer.status
        finally:
            self._budget.settle(permit, told)
            seconds = self._clock() - started
            self._on_sent(Sent(method, path, status, seconds))
            logger.debug("%s %s answered %s in %.3f s", method, path, status, seconds)
        return answer


class _Attempts:
    """The tries of one request so far."""

    def __init__(self, session: ApiSession, path: str) -> None:
        self._session = session
        self._path = path
        self._tries = 0
        self._failing_since: float | None = None
        self._waits = waits()
        self._budget_waits: Iterator[float] = waits_without_retry_after()
        self._was_renewed = False

    def may_renew_token(self) -> bool:
        """Renew the token at most once for a request."""
        if self._was_renewed:
            return False
        self._was_renewed = True
        return self._session._authentication.renewed()  # noqa: SLF001 - one class in two halves

    def wait_after(self, failure: Failure) -> None:
        """Wait before the next try. Raises ``Unavailable`` if there is to be none."""
        session = self._session
        seconds = next(self._waits)
        self._give_up_or_go_on(failure)
        logger.warning(
            "GET %s failed (%s); trying again in %.1f s.", self._path, failure.words, seconds
        )
        session._on_wait(seconds)  # noqa: SLF001
        session._sleep(seconds)  # noqa: SLF001

    def wait_for_budget(self, retry_after_seconds: float | None) -> None:
        """Hold all processes back after a 429; the next try waits in the budget."""
        seconds = next(self._budget_waits) if retry_after_seconds is None else retry_after_seconds
        self._give_up_or_go_on(Failure("the server says that there are too many requests"))
        logger.info(
            "Cirqll says that there are too many requests (other programs use the same budget); "
            "waiting %.0f s.",
            seconds,
        )
        self._session._budget.block(max(seconds, 0.1))  # noqa: SLF001

    def _give_up_or_go_on(self, failure: Failure) -> None:
        session = self._session
        now = session._clock()  # noqa: SLF001
        self._tries += 1
        self._failing_since = now if self._failing_since is None else self._failing_since
        if is_time_to_give_up(
            failure,
            tries=self._tries,
            seconds_failing=now - self._failing_since,
            give_up_after_seconds=session._give_up_after,  # noqa: SLF001
            has_ever_succeeded=session._has_ever_succeeded,  # noqa: SLF001
        ):
            raise errors.Unavailable(self._sentence(failure, now - self._failing_since)) from None

    def _sentence(self, failure: Failure, seconds: float) -> str:
        start = (
            f"Cirqll at {self._session._api_url} could not be read at {self._path}: "  # noqa: SLF001
            f"{failure.words} ({self._tries} tries in {seconds:.0f} s)"
        )
        if failure.may_be_a_setting and not self._session._has_ever_succeeded:  # noqa: SLF001
            return f"{start}. Check the setting api_url and the network, then run again."
        return f"{start}. Run again later; the next run continues where this one stopped."


def refusal(answer: Answer, *, path: str, api_url: str) -> errors.CirqllError:
    """Give the error for an answer that another try would not change."""
    words = responses.reason(answer.body)
    said = f' ("{words}")' if words else ""
    make = _REFUSALS.get(answer.status)
    if make is not None:
        return make(path, said, api_url)
    if answer.status in {400, 422}:
        return errors.RequestRefused(
            f"Cirqll refused a request to {path} with {answer.status}{said}. If it stays so, "
            "report it with the version of this program.",
            status=answer.status,
            reason=words,
        )
    return errors.AnswerUnexpected(
        f"Cirqll at {api_url} answered {answer.status} for {path}{said}, which is not known to "
        "happen there. Check the setting api_url; if it is right, report this."
    )


def _sign_in(path: str, said: str, api_url: str) -> errors.CirqllError:
    return errors.SignInRequired(
        f"Cirqll at {api_url} did not accept the access token for {path}{said}. It is wrong, has "
        "expired or was revoked: put a new one into the setting access_token and run again."
    )


def _scope(path: str, said: str, _api_url: str) -> errors.CirqllError:
    return errors.ScopeMissing(
        f"The access token may not read {path}{said}. Grant it the scope "
        f"{path.split('/')[1]}.read.all, or leave the stream out."
    )


def _missing(path: str, said: str, api_url: str) -> errors.CirqllError:
    return errors.NotFound(
        f"There is nothing at {path} of {api_url}{said}. Check the setting api_url (the root, "
        "without /api); if other streams can be read, this account does not have it."
    )


def _moved(path: str, said: str, api_url: str) -> errors.CirqllError:
    return errors.SettingInvalid(
        f"Cirqll at {api_url} sends the request for {path} elsewhere{said}. Check the setting "
        "api_url: it must be the root of the API, with https."
    )


_REFUSALS: dict[int, _Refusal] = {
    301: _moved,
    302: _moved,
    303: _moved,
    307: _moved,
    308: _moved,
    401: _sign_in,
    403: _scope,
    404: _missing,
}
