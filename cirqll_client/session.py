"""One request to the API from start to end: budget, sending, trying again, a line in the log."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeVar

from cirqll_client import errors, responses
from cirqll_client.handed_over import HandedOver, Question
from cirqll_client.redaction import Redaction
from cirqll_client.refusals import (
    Refused,
    fails,
    is_own_failure,
    is_retried,
    is_surely_undone,
    is_too_long,
    refusal,
)
from cirqll_client.retry import FEW_TRIES, Failure, Patience, Tries, TryAgain

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
_CHANGES = frozenset({"PATCH", "DELETE"})

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that was sent, for those who count: no parameters, no content."""

    method: str
    path: str
    status: int | None
    """``None`` where no whole answer came."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What is to be sent, and how often at most."""

    method: str
    path: str
    parameters: Mapping[str, str] | None = field(default=None, repr=False)
    body: bytes | None = field(default=None, repr=False)
    is_private: bool = True
    """It may hold the content of records, which a refusal may repeat."""
    is_once: bool = False
    """It is sent again only where it is certain that it was not carried out."""
    on_sending: Callable[[], None] = lambda: None
    may_fail: Callable[[], bool] = lambda: False


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
        self.handed_over: HandedOver | None = None
        """Answers that were left by another process; what they answer is not asked."""
        self.leaves_answers = False
        """Leave what is answered to ``get`` for the next process."""

    def get(
        self,
        path: str,
        read: Callable[[Answer], Read],
        *,
        parameters: Mapping[str, str] | None = None,
        is_private: bool = False,
        may_fail: Callable[[], bool] = lambda: False,
    ) -> Read:
        """Ask, again and again until the answer can be read, and give what ``read`` makes of it.

        ``read`` raises ``responses.Unreadable`` for a body that was cut short or is no JSON. Of a
        private question, whose parameters say what is in records, no sentence has the API's words.
        Raises any ``CirqllError`` but ``OutcomeUnknown``; ``Unavailable`` only after
        ``give_up_after`` seconds, ``RequestFails`` where ``may_fail`` says so, as in ``send``.
        """
        request = _Request(
            method="GET",
            path=path,
            parameters=parameters,
            is_private=is_private,
            may_fail=may_fail,
        )
        handed_over = self.handed_over
        if handed_over is None or not (handed_over.has_any() or self.leaves_answers):
            return self._seen_through(request, read)
        fingerprint = self._authentication.token().fingerprint
        question = Question(path, parameters or {}, fingerprint)
        left = None if self.leaves_answers else handed_over.take(question)
        if left is not None:
            with suppress(responses.Unreadable):
                return read(left)
        result, answer = self._seen_through(request, lambda answer: (read(answer), answer))
        if self.leaves_answers:
            handed_over.leave(question, answer)
        return result

    def send(
        self,
        method: Literal["PATCH", "DELETE"],
        path: str,
        read: Callable[[Answer], Read],
        *,
        body: bytes | None = None,
        may_fail: Callable[[], bool] = lambda: False,
    ) -> Read:
        """Change or delete, again and again as ``get`` asks: the second time changes nothing more.

        Where the API answers a few times in a row that it failed itself, ``may_fail`` is asked
        before each further wait whether to end with ``RequestFails``; else it is waited for like a
        server that is down.

        What is sent are values as they are to be. Of two tries the first may have been carried out
        with its answer lost, so a record that was deleted may be reported as ``NotFound``.
        """
        request = _Request(method=method, path=path, body=body, may_fail=may_fail)
        return self._seen_through(request, read)

    def send_once(
        self,
        path: str,
        read: Callable[[Answer], Read],
        *,
        body: bytes,
        on_sending: Callable[[], None],
    ) -> Read:
        """Create, and never a second time: what may have been carried out is not sent again.

        It is sent again where no connection was made, or where the API refused it with 429 or 401.
        ``on_sending`` is called before each sending, when nothing is left to wait for; what it
        raises passes through, and nothing is sent. Raises ``OutcomeUnknown`` where the record may
        be there or not. After any other ``CirqllError``, ``Unavailable`` too, it is certain that
        nothing was carried out; after any other exception it is not.
        """
        request = _Request(method="POST", path=path, body=body, is_once=True, on_sending=on_sending)
        return self._seen_through(request, read)

    def _seen_through(self, request: _Request, read: Callable[[Answer], Read]) -> Read:
        tries = Tries()
        has_renewed = False
        while True:
            token = self._authentication.token()
            try:
                return self._asked(request, read, token)
            except TryAgain as again:
                failure = again.failure
            except errors.SignInRequired:
                # Renewed once at most for a request; what others renew counts each time.
                if not self._authentication.renewed(token, may_renew=not has_renewed):
                    raise
                has_renewed = True
                continue
            # Of a request that is sent once, 429 comes here only in the API's own words.
            if request.is_once and failure.was_sent and not failure.is_too_many:
                raise self._unknown(request, failure)
            tries = tries.and_one_more(failure, now=self._clock())
            self._wait(request, failure, tries)

    def _asked(self, request: _Request, read: Callable[[Answer], Read], token: BearerToken) -> Read:
        """Ask once. Raises ``TryAgain`` and any ``CirqllError`` but ``Unavailable``."""
        answer = self._sent(request, token)
        if answer.status not in _OK:
            raise self._complaint(answer, request)
        try:
            result = read(answer)
        except responses.Unreadable as error:
            words = f"the answer could not be read: {error}"
            raise TryAgain(Failure(words, may_be_a_setting=not error.is_cut_short)) from None
        self._has_ever_succeeded = True
        return result

    def _complaint(self, answer: Answer, request: _Request) -> Exception:
        """Give what an answer that is no success is taken for."""
        is_json_object = responses.is_object(answer.body)
        is_undone = is_surely_undone(answer.status, is_json_object=is_json_object)
        if is_own_failure(answer.status, is_json_object=is_json_object):
            return TryAgain(self._own_failure(answer, request))
        if is_retried(answer.status) or (request.is_once and not is_undone):
            return TryAgain(Failure(f"the server answered {answer.status}"))
        if answer.status == _TOO_MANY:
            asked = responses.rate_limit(answer.headers).retry_after_seconds
            wish = "" if asked is None else f" and asks to wait {asked} s"
            words = f"the server says that there are too many requests{wish}"
            return TryAgain(Failure(words, is_too_many=True, retry_after_seconds=asked))
        error = self._refusal(answer, request)
        is_page = responses.is_web_page(answer.body) and not is_too_long(answer.status)
        if answer.status in _MOVED or is_page:
            # A proxy or a page for maintenance may have answered in place of the API.
            return TryAgain(Failure(f"a web page came with {answer.status}", ending=error))
        return error

    def _own_failure(self, answer: Answer, request: _Request) -> Failure:
        ending = fails(self._refused(answer, request), api_url=self._api_url)
        return Failure(
            f"the server answered {answer.status}",
            ending=ending if request.method in _CHANGES else None,
            is_own=True,
            reason=ending.reason,
        )

    def _refusal(self, answer: Answer, request: _Request) -> errors.CirqllError:
        refused = self._refused(answer, request)
        return refusal(refused, api_url=self._api_url, remedy=self._authentication.remedy)

    def _refused(self, answer: Answer, request: _Request) -> Refused:
        fields = responses.refused_fields(answer.body)
        return Refused(
            method=request.method,
            path=request.path,
            status=answer.status,
            reason=self._redact(responses.reason(answer.body)),
            fields={self._redact(name): self._redact(words) for name, words in fields.items()},
            is_private=request.is_private,
        )

    def _sent(self, request: _Request, token: BearerToken) -> Answer:
        """Send once, within the budget."""
        permit = self._budget.take()
        told = responses.RateLimit()
        try:
            request.on_sending()
            answer = self._answer(request, token)
            told = responses.rate_limit(answer.headers)
            if answer.status == _TOO_MANY:
                # What a refusal counts is not known; how long to wait is, or waiting finds it out.
                told = told.without_remaining()
        finally:
            # A store that fails takes no answer away. The permit then counts like one that was
            # never answered, and the next one tells of the store.
            with suppress(errors.Unavailable):
                self._budget.settle(permit, told)
        return answer

    def _answer(self, request: _Request, token: BearerToken) -> Answer:
        """Send now, and tell those who listen."""
        started = self._clock()
        method, path, status = request.method, request.path, None
        try:
            answer = self._transport.send(
                method, path, signature=token, parameters=request.parameters, json=request.body
            )
            status = answer.status
        finally:
            seconds = self._clock() - started
            self._on_sent(Sent(method, path, status, seconds))
            logger.debug("%s %s answered %s in %.3f s", method, path, status, seconds)
        return answer

    def _wait(self, request: _Request, failure: Failure, tries: Tries) -> None:
        """Wait before the next try. Raises ``Unavailable`` or the failure's own ending."""
        now = self._clock()
        if failure.is_own and not (tries.alike >= FEW_TRIES and request.may_fail()):
            failure = replace(failure, ending=None)
        seconds = self._patience.seconds_to_wait(
            failure, tries, now=now, has_ever_succeeded=self._has_ever_succeeded
        )
        if seconds is None:
            raise failure.ending or self._unavailable(request, failure, tries, now)
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
            "%s %s failed (%s); trying again in %.1f s.%s",
            request.method,
            request.path,
            failure.words,
            seconds,
            hint,
        )
        self._on_wait(seconds)
        self._sleep(seconds)

    def _unavailable(
        self, request: _Request, failure: Failure, tries: Tries, now: float
    ) -> errors.Unavailable:
        count = "1 try" if tries.number == 1 else f"{tries.number} tries"
        done = "read" if request.method == "GET" else "written"
        start = (
            f"Cirqll at {self._api_url} could not be {done} at {request.path}: "
            f"{failure.words} ({count} in {now - tries.failing_since:.0f} s)"
        )
        if not self._has_ever_succeeded and not failure.is_too_many:
            return errors.Unavailable(
                f"{start}. Check the setting api_url and the network, then run again."
            )
        return errors.Unavailable(
            f"{start}. Run again later; the next run continues where this one stopped."
        )

    def _unknown(self, request: _Request, failure: Failure) -> errors.OutcomeUnknown:
        return errors.OutcomeUnknown(
            f"Whether Cirqll at {self._api_url} carried out what was written at {request.path} is "
            f"not known: {failure.words}. It was not sent again; look in Cirqll whether the record "
            "is there before you do so.",
            came=failure.words,
            is_over=failure.is_own,
            reason=failure.reason,
        )
