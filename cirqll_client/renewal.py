"""Renewing a token pair: a mark, one request, and what came of it in the store.

The mark is on the disk before the refresh token is sent, and the new pair before it is used.
"""

from __future__ import annotations

import logging
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import TYPE_CHECKING, TypeVar

from cirqll_client.errors import CirqllError, SettingInvalid, SignInRequired, Unavailable
from cirqll_client.retry import Tries
from cirqll_client.token_life import LOOK_AGAIN_SECONDS, Mark, day, remedy, told_by
from cirqll_client.token_store import Origin
from cirqll_client.tokens import TokenPair

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.retry import Failure, Patience
    from cirqll_client.token_life import StoredAccount
    from cirqll_client.token_service import NotRenewed, TokenService
    from cirqll_client.token_store import TokenStore

_LEASE_SECONDS_BEYOND_TIMEOUT = 15.0
_SECONDS_TO_SAVE = 60.0
_NAP_SECONDS = 0.3

Result = TypeVar("Result")

logger = logging.getLogger(__name__)


def lease_seconds(request_timeout: float) -> float:
    """Give how long an answer may take: to connect, to answer, and to be saved."""
    return 2 * request_timeout + _LEASE_SECONDS_BEYOND_TIMEOUT


class Renewal:
    """The tries of a process to renew the tokens of an account."""

    def __init__(  # noqa: PLR0913 - the parts it joins, and the seams for tests
        self,
        tokens: TokenStore,
        *,
        account: str,
        service_for: Callable[[StoredAccount], TokenService],
        patience: Patience,
        lease_seconds: float,
        warn: Callable[[str], None],
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Renew by the service that is made for the account as the store has it."""
        self._tokens = tokens
        self._account = account
        self._service_for = service_for
        self._patience = patience
        self._lease_seconds = lease_seconds
        self._warn = warn
        self._sleep = sleep
        self._clock = clock
        self._tries = Tries()

    def attempt(
        self, stored: StoredAccount, pair: TokenPair, *, even_if_sent: bool = False
    ) -> TokenPair | None:
        """Renew, and give the new pair, which is in the store; ``None`` means to look again.

        No refresh token is sent a second time, but for three reasons: the service cannot have taken
        it (no connection was made, or it answered that it did nothing); it gave the same one back
        before (``is_reusable``); a person says so (``even_if_sent``). Raises ``SettingInvalid`` and
        ``Unavailable`` where there is no use in another try, ``SignInRequired`` for a new pair that
        could not be saved.
        """
        # In a thread of its own, for Ctrl-C comes to the main thread: what is sent is seen through.
        with closing(self._service_for(stored)) as service, ThreadPoolExecutor(1) as worker:
            return worker.submit(self._attempt, service, stored, pair, even_if_sent).result()

    def _attempt(
        self,
        service: TokenService,
        stored: StoredAccount,
        pair: TokenPair,
        even_if_sent: bool,  # noqa: FBT001 - passed on by the executor
    ) -> TokenPair | None:
        by, now = secrets.token_hex(16), self._tokens.now()
        try:
            is_ours = self._tokens.begin_renewal(
                self._account,
                version=stored.version,
                refresh_token=pair.refresh_token or "",
                by=by,
                seconds=self._lease_seconds,
                even_if_sent=even_if_sent or pair.is_reusable,
            )
        except Unavailable:
            # The mark may stand all the same, and nothing was sent.
            if not (stored.is_sent and pair is stored.pair):
                with suppress(CirqllError):
                    self._end(Mark(), by=by)
            raise
        if not is_ours:
            return None
        try:
            outcome = service.renew(pair)
        except BaseException:
            words = "the program failed while it waited for the answer"
            with suppress(CirqllError):
                self._end(Mark("lost", words=words, token=pair.refresh_fingerprint), by=by)
            raise
        if isinstance(outcome, TokenPair):
            return self._saved(told_by(outcome, now=now), service, by=by)
        self._note(stored, pair, outcome, by=by)
        return None

    def _saved(self, pair: TokenPair, service: TokenService, *, by: str) -> TokenPair | None:
        """Save the new pair: the old one is worth nothing any more. ``None`` if nobody wants it."""
        origin = Origin(client_id=service.client.client_id, token_url=service.client.token_url)
        try:
            is_saved = self._insistently(
                lambda: self._tokens.finish_renewal(self._account, pair, by=by, origin=origin)
            )
        except Unavailable as error:
            sentence = error.sentence
        else:
            if is_saved:
                until = f"; they last until {day(pair.expires_at)}" if pair.expires_at else ""
                logger.info("Renewed the tokens of the account %s%s.", self._account, until)
            return pair if is_saved else None
        msg = (
            f"New tokens came for the account {self._account}, and could not be saved: {sentence} "
            f"The old ones are spent: sign in again with `{remedy(self._account)}`."
        )
        raise SignInRequired(msg)

    def _note(
        self, stored: StoredAccount, pair: TokenPair, outcome: NotRenewed, *, by: str
    ) -> None:
        """Note that no pair came. Raises the error if there is no use in going on."""
        failure, token = outcome.failure, pair.refresh_fingerprint
        if outcome.kind == "dead":
            self._end(Mark("refused", words=failure.words, token=token), by=by)
            self._warn_of_seed(stored, pair, failure)
        elif outcome.kind == "lost" and not pair.is_reusable:
            self._end(Mark("lost", words=failure.words, token=token), by=by)
            self._warn_of_seed(stored, pair, failure)
        elif stored.is_sent and pair is stored.pair and not pair.is_reusable:
            # A person had it sent again. That it was not taken now says nothing about before.
            self._end(Mark("lost", words="it was sent before", token=token), by=by)
            raise self._error(outcome)
        elif outcome.kind == "setting":
            self._end(Mark(), by=by)
            raise self._error(outcome)
        else:
            self._wait_with_it(outcome, by=by)

    def _wait_with_it(self, outcome: NotRenewed, *, by: str) -> None:
        """Let nobody try again before the service is ready. Raises ``Unavailable`` at the end."""
        failure, clock = outcome.failure, self._clock()
        self._tries = self._tries.and_one_more(failure, now=clock)
        seconds = self._patience.seconds_to_wait(
            failure, self._tries, now=clock, has_ever_succeeded=True
        )
        now = self._insistently(self._tokens.now)
        until = now + (LOOK_AGAIN_SECONDS if seconds is None else seconds)
        self._end(Mark("ready", until=until, words=failure.words), by=by)
        if seconds is None:
            raise self._error(outcome)

    def _error(self, outcome: NotRenewed) -> CirqllError:
        words = outcome.failure.words
        if outcome.kind == "setting":
            return SettingInvalid(words)
        return Unavailable(unavailable(self._account, words))

    def _warn_of_seed(self, stored: StoredAccount, pair: TokenPair, failure: Failure) -> None:
        if stored.pair is not None and pair is not stored.pair:
            self._warn(
                f"The setting refresh_token brought no tokens ({failure.words}), so those of the "
                "last sign-in are used. Remove the setting."
            )

    def _end(self, mark: Mark, *, by: str) -> None:
        self._insistently(lambda: self._tokens.end_renewal(self._account, mark, by=by))

    def _insistently(self, write: Callable[[], Result]) -> Result:
        sentence = (
            f"The store does not take what came of renewing the tokens of the account "
            f"{self._account}; trying again for a minute."
        )
        return insistently(
            write, on_failure=lambda: self._warn(sentence), sleep=self._sleep, clock=self._clock
        )


def insistently(
    write: Callable[[], Result],
    *,
    on_failure: Callable[[], None] = lambda: None,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Result:
    """Write what nobody can find out again; a store that fails for a minute costs nothing."""
    deadline = clock() + _SECONDS_TO_SAVE
    while True:
        try:
            return write()
        except Unavailable:
            if clock() > deadline:
                raise
        on_failure()
        sleep(_NAP_SECONDS)


def unavailable(account: str, words: str) -> str:
    """Say that the tokens could not be renewed, and are as good as before."""
    return (
        f"The tokens of the account {account} could not be renewed: {words}. They were not spent "
        "by that: run again later."
    )
