"""The one place that asks: each question twice at most, all of them within a stated number.

Nothing that one question meets ends the others, unless the token or the way to the server is dead.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeVar

from cirqll_client import errors, responses
from cirqll_client.cli.doctor.answers import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cirqll_client.cli.doctor.answers import FailureKind
    from cirqll_client.client import CirqllClient
    from cirqll_client.responses import RateLimit
    from cirqll_client.session import Sent
    from cirqll_client.transport import Answer

Read = TypeVar("Read")

_TRIES = 2
_RESERVE = 1
"""A token that is renewed between two questions costs a request more."""
_OK = range(200, 300)
_MOVED = range(300, 400)
_TOO_MANY = 429
_MOST_IN_A_ROW = {"too_many": 2, "no_answer": 3, "unauthenticated": 2}
"""So many failures of a kind one after the other mean that no other question will fare better."""
_MOST_WITHOUT_ANY_ANSWER = 4
_SILENT_FROM_THE_START = 2

_REFUSALS: tuple[tuple[type[errors.CirqllError], FailureKind, int | None], ...] = (
    (errors.ScopeMissing, "forbidden", 403),
    (errors.NotFound, "missing", 404),
    (errors.AnswerUnexpected, "odd", None),
)


class Ended(Exception):
    """Nothing more can be asked."""

    def __init__(self, sentence: str, *, dead: Literal["token", "network"]) -> None:
        """Say why, in a sentence for the user."""
        super().__init__(sentence)
        self.sentence = sentence
        self.dead: Literal["token", "network"] = dead


class Enough(Exception):
    """The question was sent often enough."""


@dataclass(slots=True)
class Meter:
    """Counts requests; it listens to the session and is where that spends its waits."""

    most: int
    sleep: Callable[[float], object] = time.sleep
    spent: int = 0
    tries: int = 0
    """Of the question that is being asked."""
    status: int | None = None
    """Of the last answer."""
    seconds: list[float] = field(default_factory=list)
    """How long each answer took."""

    @property
    def left(self) -> int:
        """How many questions may still be asked, if each is answered the first time."""
        return max(0, self.most - _RESERVE - self.spent)

    def begin(self) -> None:
        """Begin another question."""
        self.tries, self.status = 0, None

    def sent(self, request: Sent) -> None:
        """Count a request of the session's."""
        self.spent += 1
        self.tries += 1
        self.status = request.status
        if request.status is not None:
            self.seconds.append(request.seconds)

    def pause(self, seconds: float) -> None:
        """Wait, unless the question was asked often enough. Raises ``Enough``."""
        if self.tries >= _TRIES or (self.tries and not self.left):
            raise Enough
        self.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Heard:
    """What the headers of an answer told, and the time here when it came."""

    rate: RateLimit
    server_time: datetime | None
    own_time: datetime


class Asker:
    """Asks one question after the other."""

    def __init__(
        self,
        client: CirqllClient,
        meter: Meter,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Ask through this client, whose session the meter listens to."""
        self._client = client
        self._meter = meter
        self._clock = clock
        self._in_a_row: list[FailureKind] = []
        self.heard: list[Heard] = []

    def ask(
        self,
        path: str,
        read: Callable[[Answer], Read],
        *,
        parameters: Mapping[str, str] | None = None,
    ) -> Read | Failed:
        """Ask, and give what came or why nothing did. Raises ``Ended``."""
        if not self._meter.left:
            return Failed("not_asked")
        self._meter.begin()
        try:
            came = self._client.ask(path, self._listening(read), parameters=parameters)
        except (Enough, errors.CirqllError) as error:
            return self._noted(self._failure(error))
        self._in_a_row = []
        return came

    def _listening(self, read: Callable[[Answer], Read]) -> Callable[[Answer], Read]:
        def heard_and_read(answer: Answer) -> Read:
            came = read(answer)
            rate, now = responses.rate_limit(answer.headers), responses.server_time(answer.headers)
            self.heard.append(Heard(rate, now, self._clock()))
            return came

        return heard_and_read

    def _failure(self, error: Exception) -> Failed:
        """Name what a question ended in. Raises ``Ended``."""
        if isinstance(error, errors.SettingInvalid) or (
            isinstance(error, errors.Unavailable) and not self._meter.tries
        ):
            raise Ended(str(error), dead="network") from None
        if isinstance(error, errors.SignInRequired):
            if not self.heard:
                raise Ended(error.sentence, dead="token") from None
            return Failed("unauthenticated", 401)
        if isinstance(error, errors.RequestRefused):
            return Failed("refused", error.status)
        for kind, name, status in _REFUSALS:
            if isinstance(error, kind):
                return Failed(name, status or self._meter.status)
        return Failed(_kind_by(self._meter.status), self._meter.status)

    def _noted(self, failed: Failed) -> Failed:
        """Remember a failure. Raises ``Ended`` where there were too many of them in a row."""
        is_answer = failed.kind in {"forbidden", "missing", "refused", "odd"}
        self._in_a_row = [] if is_answer else [*self._in_a_row, failed.kind]
        alike = len(self._in_a_row) if set(self._in_a_row) == {failed.kind} else 0
        most = _MOST_IN_A_ROW.get(failed.kind, self._meter.most)
        if failed.kind == "no_answer" and not self._meter.seconds:
            most = _SILENT_FROM_THE_START
        is_hopeless = not self.heard and len(self._in_a_row) >= _MOST_WITHOUT_ANY_ANSWER
        if alike >= most or is_hopeless:
            is_token = failed.kind == "unauthenticated"
            raise Ended(_SENTENCES[failed.kind], dead="token" if is_token else "network")
        return failed


def _kind_by(status: int | None) -> FailureKind:
    """Name a failure by the status of what came last."""
    if status is None:
        return "no_answer"
    if status == _TOO_MANY:
        return "too_many"
    if status in _OK:
        return "unreadable"
    if status in _MOVED:
        return "moved"
    return "failing" if status >= 500 else "web_page"  # noqa: PLR2004 - HTTP's own line


_ELSEWHERE = (
    "something other than the API answers. Check the setting api_url: it is the root, such as "
    "https://api.cirqll.nl, without /api; behind a proxy, check that it lets the API through."
)
_SENTENCES: dict[FailureKind, str] = {
    "no_answer": (
        "No whole answer came, several times in a row. Check the setting api_url and the network, "
        "then run this again."
    ),
    "too_many": (
        "Cirqll says that there are too many requests, also after a wait: other programs use up "
        "the rate limit of this account. Run this again when they are done."
    ),
    "unauthenticated": (
        "Cirqll does not accept the access token any more, which it did at first. Sign in again "
        "with `cirqll login`."
    ),
    "failing": (
        "Cirqll answers everything with an error of its own. Run this again later; if it stays so, "
        "ask the vendor."
    ),
    "unreadable": f"What came is no JSON: {_ELSEWHERE}",
    "web_page": f"Web pages came: {_ELSEWHERE}",
    "moved": f"Requests are sent to another address: {_ELSEWHERE}",
}
