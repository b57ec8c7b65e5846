"""The token URL: a code or a refresh token goes out, once, and what came of it comes back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cirqll_client import oauth, responses
from cirqll_client.errors import SettingInvalid, SignInFailed, Unavailable
from cirqll_client.redaction import one_line
from cirqll_client.retry import Failure, TryAgain
from cirqll_client.tokens import TokenPair, pair_from_answer
from cirqll_client.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cirqll_client.oauth import OAuthClient, PendingSignIn, TokenAnswer
    from cirqll_client.redaction import Redaction

MOST_BYTES = 1 << 20
"""No answer about tokens or scopes is nearly as long."""
_WAIT_SECONDS = 60.0
"""After a 429 that does not say how long to wait."""


@dataclass(frozen=True, slots=True)
class NotRenewed:
    """Why a refresh brought no new pair."""

    kind: Literal["dead", "lost", "not_sent", "setting"]
    """``dead``: the service says so. ``lost``: sent, and no answer that tells. ``not_sent``: sure
    not to have been taken. ``setting``: not taken, and it will not be until a setting is right or,
    where the service refuses for a reason of its own, a person has looked."""
    failure: Failure


class TokenService:
    """A token URL and the client that it knows. Threads may share it."""

    def __init__(
        self,
        client: OAuthClient,
        *,
        timeout_seconds: float,
        user_agent: str,
        redact: Redaction,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare; nothing is sent yet. Raises ``SettingInvalid`` for a URL that is none or unsafe.

        The clock gives seconds since the epoch, in which the ages of tokens are told.
        """
        self.client = client
        self._redact = redact
        self._clock = clock
        redact.learn([client.client_secret])
        self._transport = Transport(
            oauth.require_safe(client.token_url, setting="token_url"),
            setting="token_url",
            timeout_seconds=timeout_seconds,
            most_bytes=MOST_BYTES,
            user_agent=user_agent,
            redact=redact,
        )

    def exchange(self, pending: PendingSignIn, redirect: oauth.Redirect) -> TokenPair:
        """Give the pair for a code.

        Raises ``SignInFailed``, ``SettingInvalid``, ``Unavailable``.
        """
        self._redact.learn([redirect.code, pending.code_verifier])
        form = oauth.code_request(
            self.client,
            code=redirect.code,
            redirect_uri=pending.redirect_uri,
            code_verifier=pending.code_verifier,
        )
        now = self._clock()
        try:
            _, answer = self._sent(form)
        except TryAgain as again:
            words = again.failure.words
        else:
            if answer.kind == "granted":
                scope = answer.fields.get("scope") or redirect.scope
                return self._pair({**answer.fields, "scope": scope}, now=now)
            raise self._not_exchanged(answer)
        msg = (
            f"The token service at {self.client.token_url} could not be asked for the tokens "
            f"({words}). A code is good for one use, so start the sign-in again."
        )
        raise Unavailable(msg)

    def renew(self, pair: TokenPair) -> TokenPair | NotRenewed:
        """Send the refresh token of a pair, once, and tell what came of it."""
        if pair.refresh_token is None:
            msg = "There is no refresh token to renew these tokens with."
            raise ValueError(msg)
        self._redact.learn(pair.secrets())
        form = oauth.refresh_request(self.client, pair.refresh_token)
        now = self._clock()
        try:
            wait_seconds, answer = self._sent(form)
        except TryAgain as again:
            kind: Literal["lost", "not_sent"] = "lost" if again.failure.was_sent else "not_sent"
            return NotRenewed(kind, again.failure)
        except SettingInvalid as error:
            return NotRenewed("setting", Failure(error.sentence, was_sent=False))
        if answer.kind == "granted":
            return self._pair(answer.fields, now=now, before=pair)
        return self._not_renewed(answer, wait_seconds)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _pair(
        self, fields: Mapping[str, object], *, now: float, before: TokenPair | None = None
    ) -> TokenPair:
        pair = pair_from_answer(fields, now=now, before=before)
        self._redact.learn(pair.secrets())
        return pair

    def _sent(self, form: dict[str, str]) -> tuple[float | None, TokenAnswer]:
        answer = self._transport.send("POST", form=form)
        wait_seconds = responses.rate_limit(answer.headers).retry_after_seconds
        return wait_seconds, oauth.read_token_answer(answer.status, answer.body)

    def _shown(self, answer: TokenAnswer) -> str:
        """Give the service's words for a person: first without secrets, then cut."""
        return one_line(self._redact(answer.words))

    def _not_renewed(self, answer: TokenAnswer, wait_seconds: float | None) -> NotRenewed:
        words = self._shown(answer)
        if answer.kind == "later":
            asked = _WAIT_SECONDS if wait_seconds is None else wait_seconds
            failure = Failure(words, is_too_many=True, retry_after_seconds=asked)
            return NotRenewed("not_sent", failure)
        if answer.kind == "dead":
            return NotRenewed("dead", Failure(words))
        if answer.kind in {"client", "elsewhere", "refused"}:
            return NotRenewed("setting", Failure(self._setting_sentence(answer)))
        return NotRenewed("lost", Failure(f"the answer was no token: {words}"))

    def _not_exchanged(self, answer: TokenAnswer) -> Exception:
        words = self._shown(answer)
        if answer.kind in {"client", "elsewhere", "refused"}:
            return SettingInvalid(self._setting_sentence(answer))
        if answer.kind == "dead":
            return SignInFailed(
                f'Cirqll did not take the code of this sign-in ("{words}"): it is older than ten '
                "minutes, was used before, or belongs to another client or redirect URL. Start the "
                "sign-in again.",
                title="The code is no longer good",
                kind="late_code",
            )
        return Unavailable(
            f"The token service at {self.client.token_url} did not answer with tokens ({words}). "
            "Start the sign-in again later."
        )

    def _setting_sentence(self, answer: TokenAnswer) -> str:
        words, token_url = self._shown(answer), self.client.token_url
        if answer.kind == "elsewhere":
            return (
                f"There is no token service at {token_url} ({words}); check the settings token_url "
                "and api_url."
            )
        if answer.kind == "refused":
            return (
                f'The token service at {token_url} refused ("{words}"), and nothing was granted. '
                "Check the settings token_url, client_id and client_secret; if they are right, "
                "sign in again."
            )
        check = "check the settings client_id and client_secret"
        if self.client.client_secret is None:
            check = "the setting client_secret is not set"
        return (
            f'Cirqll does not accept the OAuth client ("{words}"); {check}. No token was touched.'
        )
