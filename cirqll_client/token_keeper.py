"""The tokens of an account: given to whoever signs a request, and renewed in time.

What to do is decided in ``token_life``; how a renewal goes is in ``renewal``. Here the store is
read, time is waited out, and a token is held until the store must be asked again.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cirqll_client.authentication import BearerToken
from cirqll_client.errors import SettingInvalid, SignInRequired, Unavailable
from cirqll_client.renewal import Renewal, unavailable
from cirqll_client.retry import LONGEST_WAIT_SECONDS
from cirqll_client.token_life import (
    LOOK_AGAIN_SECONDS,
    Renew,
    SignIn,
    StoredAccount,
    Use,
    Wait,
    mark_in_force,
    next_step,
    of_its_end,
    remedy,
    usable_until,
    used_at_once,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.redaction import Redaction
    from cirqll_client.retry import Patience
    from cirqll_client.token_service import TokenService
    from cirqll_client.token_store import TokenStore
    from cirqll_client.tokens import TokenPair

_SHORTEST_NAP_SECONDS = 0.05
_LONGEST_NAP_SECONDS = 0.3
_LONGEST_NAP_WHILE_DOWN_SECONDS = 1.0
_UNANNOUNCED_SECONDS = 2.0
"""Most renewals take less, and waiting for them is not worth a line."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    """A token in memory; times are by the monotonic clock."""

    bearer: BearerToken
    pair: TokenPair
    until: float
    """Up to then the store need not be asked."""
    usable_until: float
    """Up to then it may be used while another thread asks."""


class _NothingNewerError(Exception):
    """Nobody has renewed the token, and it is not to be renewed here."""


@dataclass(slots=True)
class _Waiting:
    """Since when a process waits, and which wait it has announced."""

    since: float
    announced: float | None = None


class TokenKeeper:
    """The tokens of an account of the store, renewed in time. Threads may share it."""

    def __init__(  # noqa: PLR0913 - the parts it joins, and the seams for tests
        self,
        tokens: TokenStore,
        *,
        account: str,
        service_for: Callable[[StoredAccount], TokenService],
        seed: str | None = None,
        patience: Patience,
        lease_seconds: float,
        redact: Redaction,
        on_wait: Callable[[float], None] = lambda _seconds: None,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the tokens of this account.

        The service is made when tokens must be renewed; making it may raise ``SettingInvalid``.
        The seed is a refresh token from the settings: it is used if the account never had it. The
        lease is how long others wait for an answer before they take it for lost; that it is too
        short costs them a wrong alarm, and never a refresh token.
        """
        self._tokens = tokens
        self._account = account
        self._service_for = service_for
        self._seed = seed
        self._patience = patience
        self._lease_seconds = lease_seconds
        self._redact = redact
        self._on_wait = on_wait
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._held: _Held | None = None
        self._warned: set[str] = set()
        self.remedy = f"sign in again with `{remedy(account)}`"

    def token(self) -> BearerToken:
        """Give a token that is good as far as is known; the store is asked only when it is due.

        While a thread renews, the others go on with the old token as long as it may be used.
        Raises ``SignInRequired``, ``SettingInvalid``, ``Unavailable``.
        """
        held, now = self._held, self._clock()
        if held is not None and now < held.until:
            return held.bearer
        if held is not None and now < held.usable_until and self._lock.locked():
            return held.bearer
        with self._lock:
            if self._held is None or self._clock() >= self._held.until:
                self._held = self._found(refused=None)
            return self._held.bearer

    def renewed(self, refused: BearerToken, *, may_renew: bool = True) -> bool:
        """Tell whether another token is at hand than the one that the API answered with 401.

        Another thread or process may have renewed it meanwhile; else it is renewed now, if it may
        be. Raises ``SignInRequired`` where that is not possible, ``SettingInvalid``,
        ``Unavailable``.
        """
        with self._lock:
            held = self._held
            if held is None or held.bearer is refused:
                value = held.pair.access_token if held else None
                try:
                    self._held = held = self._found(refused=value, may_renew=may_renew)
                except _NothingNewerError:
                    return False
            return held.bearer is not refused

    def renew_now(self, *, even_if_spent: bool = False) -> TokenPair:
        """Renew, due or not, because a person asks for it.

        A refresh token whose answer was lost is sent again only if that person says so.
        Raises ``SignInRequired``, ``SettingInvalid``, ``Unavailable``.
        """
        with self._lock:
            stored = self._look()[0]
            before = stored.pair.access_token if stored.pair else None
            try:
                self._held = self._found(refused=before)
            except SignInRequired:
                if not (even_if_spent and self._sent_again()):
                    raise
                self._held = self._found(refused=before)
            return self._held.pair

    def _sent_again(self) -> bool:
        """Send a refresh token whose answer was lost once more; tell whether there was one."""
        stored, now, _ = self._look()
        if stored.pair is None or mark_in_force(stored, now=now).state != "lost":
            return False
        self._renewal().attempt(stored, stored.pair, even_if_sent=True)
        return True

    def _found(self, *, refused: str | None, may_renew: bool = True) -> _Held:
        """Go on until there is a token to use."""
        renewal, waiting = self._renewal(), _Waiting(self._clock())
        while True:
            stored, now, has_seen_seed = self._look()
            step = next_step(
                stored,
                now=now,
                refused=refused,
                seed=None if has_seen_seed else self._seed,
                has_used_seed=has_seen_seed,
            )
            if isinstance(step, Use):
                return self._use(step, now=now)
            if isinstance(step, SignIn):
                raise SignInRequired(step.sentence)
            if isinstance(step, Wait):
                self._wait(step, waiting, now=now)
                continue
            if not may_renew:
                raise _NothingNewerError
            held = self._renewed_by(renewal, stored, step, now=now, refused=refused)
            if held is not None:
                return held

    def _look(self) -> tuple[StoredAccount, float, bool]:
        """Give the account, the store's time, and whether the account has or had the seed."""
        look = self._tokens.look(self._account, token=self._seed)
        if look.stored.pair is not None:
            self._redact.learn(look.stored.pair.secrets())
        return look.stored, look.now, look.has_seen

    def _renewal(self) -> Renewal:
        return Renewal(
            self._tokens,
            account=self._account,
            service_for=self._service_for,
            patience=self._patience,
            lease_seconds=self._lease_seconds,
            warn=self._warn,
            sleep=self._sleep,
            clock=self._clock,
        )

    def _renewed_by(
        self,
        renewal: Renewal,
        stored: StoredAccount,
        step: Renew,
        *,
        now: float,
        refused: str | None,
    ) -> _Held | None:
        """Try once. Where that came to nothing for good, the old token does while it can."""
        try:
            pair = renewal.attempt(stored, step.pair)
        except (SettingInvalid, Unavailable) as error:
            if stored.pair is None or not stored.pair.is_usable(now=now, refused=refused):
                raise
            return self._use(Use(stored.pair, now + LOOK_AGAIN_SECONDS, error.sentence), now=now)
        return None if pair is None else self._use(used_at_once(pair), now=pair.obtained_at)

    def _use(self, step: Use, *, now: float) -> _Held:
        pair, held, clock = step.pair, self._held, self._clock()
        self._warn(step.warning)
        self._warn(of_its_end(self._account, pair, now=now))
        bearer = (
            held.bearer
            if held is not None and held.pair.access_token == pair.access_token
            else BearerToken(pair.access_token or "")
        )
        return _Held(
            bearer,
            pair,
            until=clock + (step.look_again_at - now),
            usable_until=clock + (usable_until(pair) - now),
        )

    def _wait(self, step: Wait, waiting: _Waiting, *, now: float) -> None:
        """Wait a moment. A lease ends by itself; where others try in vain, this gives up, too."""
        waited = self._clock() - waiting.since
        if step.words and waited > self._patience.give_up_after_seconds + LONGEST_WAIT_SECONDS:
            raise Unavailable(unavailable(self._account, step.words))
        left = step.until - now
        if step.until != waiting.announced and (step.words or waited >= _UNANNOUNCED_SECONDS):
            waiting.announced = step.until
            self._announce(step.words, left)
        longest = _LONGEST_NAP_WHILE_DOWN_SECONDS if step.words else _LONGEST_NAP_SECONDS
        nap = random.uniform(_SHORTEST_NAP_SECONDS, longest)  # noqa: S311 - no secret
        nap = min(nap, max(left, _SHORTEST_NAP_SECONDS))
        self._on_wait(nap)
        self._sleep(nap)

    def _announce(self, words: str, left: float) -> None:
        if words:
            logger.warning(
                "The tokens of the account %s could not be renewed (%s); trying again in %.1f s.",
                self._account,
                words,
                left,
            )
        else:
            logger.info(
                "Another process renews the tokens of the account %s; waiting for it, %.0f s at "
                "most.",
                self._account,
                left,
            )

    def _warn(self, sentence: str) -> None:
        if sentence and sentence not in self._warned:
            self._warned.add(sentence)
            logger.warning("%s", sentence)
