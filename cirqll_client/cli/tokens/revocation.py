"""Making tokens worthless at Cirqll: by its revocation URL, or by spending them."""

from __future__ import annotations

import secrets
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cirqll_client import oauth
from cirqll_client.connection import USER_AGENT, token_service
from cirqll_client.errors import SettingInvalid, SignInRequired, Unavailable
from cirqll_client.renewal import lease_seconds
from cirqll_client.retry import TryAgain
from cirqll_client.token_life import Mark, mark_in_force, told_by
from cirqll_client.token_store import Origin
from cirqll_client.tokens import TokenPair
from cirqll_client.transport import Transport

if TYPE_CHECKING:
    from cirqll_client.oauth import OAuthClient
    from cirqll_client.redaction import Redaction
    from cirqll_client.settings import ConnectionSettings
    from cirqll_client.token_life import StoredAccount
    from cirqll_client.token_service import NotRenewed
    from cirqll_client.token_store import TokenStore

IN_CIRQLL = "remove the client in Cirqll under Settings > Marketplace"
_UNSUPPORTED = 400
"""``unsupported_token_type`` (RFC 7009, 2.2.1): a service need not revoke access tokens."""


def revoke_at(
    revoke_url: str, stored: StoredAccount, settings: ConnectionSettings, *, redact: Redaction
) -> None:
    """Send the tokens to a revocation URL (RFC 7009). Raises ``SettingInvalid``, ``Unavailable``.

    A second time does no harm: a service answers well also for tokens that it does not know.
    """
    pair = stored.pair or TokenPair(None, None, obtained_at=0)
    redact.learn(pair.secrets())
    service = token_service(settings, stored, redact=redact)
    service.close()
    transport = Transport(
        oauth.require_safe(revoke_url, setting="revoke_url"),
        setting="revoke_url",
        timeout_seconds=float(settings.request_timeout),
        user_agent=USER_AGENT,
        redact=redact,
    )
    with closing(transport):
        revocation = _Revocation(transport, service.client, redact)
        if pair.refresh_token:
            revocation.send(pair.refresh_token, "refresh_token")
        if pair.access_token:
            may_be_unsupported = pair.refresh_token is not None
            revocation.send(
                pair.access_token, "access_token", may_be_unsupported=may_be_unsupported
            )


@dataclass(frozen=True, slots=True)
class _Revocation:
    """A revocation URL, and who asks it."""

    transport: Transport
    client: OAuthClient
    redact: Redaction

    def send(
        self,
        token: str,
        kind: Literal["access_token", "refresh_token"],
        *,
        may_be_unsupported: bool = False,
    ) -> None:
        """Revoke a token. Raises ``SettingInvalid``, ``Unavailable``."""
        form = oauth.revoke_request(self.client, token, kind=kind)
        try:
            answer = self.transport.send("POST", form=form)
        except TryAgain as again:
            words = again.failure.words
        else:
            if answer.status in range(200, 300):
                return
            if may_be_unsupported and answer.status == _UNSUPPORTED:
                return
            read = oauth.read_token_answer(answer.status, answer.body)
            words = self.redact(read.words)
            if read.kind in {"client", "elsewhere"}:
                raise SettingInvalid(_refused(words))
        raise Unavailable(_not_revoked(words))


def _not_revoked(words: str) -> str:
    return (
        f"The tokens could not be revoked ({words}). They are still in the store: run again later."
    )


def _refused(words: str) -> str:
    return (
        f'The tokens could not be revoked: the service said "{words}". They are still in the '
        "store: check the settings revoke_url, client_id and client_secret."
    )


@dataclass(frozen=True, slots=True)
class Done:
    """What was done to tokens, for a report."""

    sentence: str
    is_certain: bool = True
    """The service gave its word; whether it holds for the access token is another question."""


def spend(
    stored: StoredAccount, tokens: TokenStore, settings: ConnectionSettings, *, redact: Redaction
) -> Done:
    """Renew once, which makes the old pair worthless [likely], and keep nothing of the new one.

    The account stays in the store; its mark says how far this came, so that no other process sends
    the token meanwhile. Raises ``SignInRequired``, ``SettingInvalid``, ``Unavailable`` where the
    tokens may still be good.
    """
    pair, by = stored.pair, secrets.token_hex(16)
    if pair is None or pair.refresh_token is None or pair.is_reusable:
        raise SignInRequired(_cannot_be_spent(stored))
    with closing(token_service(settings, stored, redact=redact)) as service:
        is_ours = tokens.begin_renewal(
            stored.account,
            version=stored.version,
            refresh_token=pair.refresh_token,
            by=by,
            seconds=lease_seconds(float(settings.request_timeout)),
            # It is to be worthless: that it may have been sent before does not matter.
            even_if_sent=True,
        )
        if not is_ours:
            raise Unavailable(being_renewed(stored.account))
        outcome = service.renew(pair)
    if isinstance(outcome, TokenPair):
        return _spent(stored, outcome, tokens, by=by)
    return _not_spent(stored, outcome, tokens, by=by)


def being_renewed(account: str) -> str:
    """Say that another program is at it."""
    return (
        f"Another program is renewing the tokens of the account {account} at this moment. Nothing "
        "was changed: run again in a minute."
    )


def _spent(stored: StoredAccount, new: TokenPair, tokens: TokenStore, *, by: str) -> Done:
    if new.is_reusable:
        # The old refresh token is the new one, so there is nothing to throw away.
        told = told_by(new, now=tokens.now())
        tokens.finish_renewal(stored.account, told, by=by, origin=Origin())
        raise SignInRequired(_cannot_be_spent(stored))
    return Done(
        f"Renewed the tokens of the account {stored.account} once, which makes the old ones "
        "worthless, and threw the new ones away: nobody holds them."
    )


def _not_spent(stored: StoredAccount, outcome: NotRenewed, tokens: TokenStore, *, by: str) -> Done:
    """Note how it ended. Gives what is known of a refresh token that is or may be dead."""
    words, token = outcome.failure.words, stored.pair.refresh_fingerprint if stored.pair else ""
    if outcome.kind == "dead":
        tokens.end_renewal(stored.account, Mark("refused", words=words, token=token), by=by)
        sentence = f'Cirqll did not accept the refresh token any more ("{words}").'
        return Done(sentence, is_certain=False)
    if outcome.kind == "lost":
        tokens.end_renewal(stored.account, Mark("lost", words=words, token=token), by=by)
        sentence = f"The refresh token was sent to be spent, and no answer came back ({words})."
        return Done(sentence, is_certain=False)
    tokens.end_renewal(stored.account, mark_in_force(stored, now=tokens.now()), by=by)
    if outcome.kind == "setting":
        raise SettingInvalid(words)
    msg = (
        f"The tokens of the account {stored.account} could not be revoked: {words}. They are still "
        "in the store: run again later."
    )
    raise Unavailable(msg)


def _cannot_be_spent(stored: StoredAccount) -> str:
    has_refresh_token = stored.pair is not None and stored.pair.refresh_token is not None
    why = (
        "this service gives the same refresh token again, so renewing does not end it"
        if has_refresh_token
        else "there is no refresh token to spend, and no setting revoke_url"
    )
    return (
        f"The tokens of the account {stored.account} could not be revoked: {why}. They are still "
        f"in the store. To end them, {IN_CIRQLL}; then `cirqll logout` removes them here."
    )
