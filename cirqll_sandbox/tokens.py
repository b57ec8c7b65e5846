"""Tokens: fixed ones that a test chooses, and the pairs that sign-in gives."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from cirqll_sandbox import jwt
from cirqll_sandbox.grants import Grant, Pair
from cirqll_sandbox.scopes import ALL_SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from threading import RLock

    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.clock import Clock

ACCESS_TOKEN = "sandbox-access-token-not-a-secret"  # noqa: S105 - it says so itself


class DeadTokenError(Exception):
    """A refresh token that gives nothing; the message says why."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A token in force; an access token is its own `access_token`."""

    grant: Grant
    expires_at: datetime | None
    access_token: str = field(repr=False)

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


class Tokens:
    """The tokens that are valid now. Every change is whole: nobody sees half of a refresh."""

    def __init__(
        self,
        scopes: Iterable[str] | None = None,
        *,
        clock: Clock,
        lock: RLock,
        random_text: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        self._clock, self._lock, self._random_text = clock, lock, random_text
        self._fixed: dict[str, Grant] = {}
        self._access: dict[str, _Held] = {}
        self._refresh: dict[str, _Held] = {}
        self._spent: dict[str, Grant] = {}
        self.grant(ACCESS_TOKEN, scopes=scopes)

    # Fixed tokens

    def grant(self, token: str, *, scopes: Iterable[str] | None = None, user_id: int = 1) -> str:
        """Make a token of one's own choice valid for ever, with these scopes or with all."""
        with self._lock:
            self._fixed[token] = Grant(ALL_SCOPES if scopes is None else tuple(scopes), user_id)
        return token

    # All tokens

    def find(self, token: str | None) -> Grant | None:
        """The grant of an access token that is valid now."""
        with self._lock:
            if token in self._fixed:
                return self._fixed[token]
            held = self._access.get(token or "")
            return None if held is None or held.expired(self._clock.now()) else held.grant

    def change_grants(
        self, change: Callable[[Grant], Grant], *, access_token: str | None = None
    ) -> None:
        """Let the living tokens stand for something else: all, or one with its refresh token.

        What an access token says about itself stays as it was written; one that is given in its
        place says what is true by then.
        """
        with self._lock:
            for token, grant in self._fixed.items():
                if access_token in {None, token}:
                    self._fixed[token] = change(grant)
            for tokens in (self._access, self._refresh):
                for token, held in tokens.items():
                    if access_token in {None, held.access_token}:
                        tokens[token] = replace(held, grant=change(held.grant))

    def revoke(self, token: str) -> None:
        """Make a token invalid, and with a refresh token its access token; unknown ones stay so."""
        with self._lock:
            self._fixed.pop(token, None)
            self._access.pop(token, None)
            held = self._refresh.pop(token, None)
            if held is not None:
                self._access.pop(held.access_token, None)

    # Pairs

    def issue(self, grant: Grant, behaviour: Behaviour) -> Pair:
        """A new pair."""
        with self._lock:
            access_token = self._new_access_token(grant, behaviour)
            refresh_token = f"def50200{self._random_text(340)}"
            expires_at = self._in(behaviour.refresh_token_seconds)
            self._refresh[refresh_token] = _Held(grant, expires_at, access_token)
        return _pair(access_token, refresh_token, grant, behaviour)

    def refresh(
        self,
        refresh_token: str,
        behaviour: Behaviour,
        *,
        client_id: str | None = None,
        narrowed: Callable[[Grant], Grant] = lambda grant: grant,
    ) -> Pair:
        """The pair that replaces this one's; `DeadTokenError` where the token gives nothing.

        `narrowed` may give a grant with fewer scopes, or raise: then nothing has happened.
        """
        with self._lock:
            held = self._living(refresh_token, client_id, behaviour)
            grant = narrowed(held.grant)
            if behaviour.refresh_revokes_access_token:
                self._access.pop(held.access_token, None)
            if behaviour.refresh_rotates:
                del self._refresh[refresh_token]
                self._spent[refresh_token] = held.grant
                return self.issue(grant, behaviour)
            access_token = self._new_access_token(grant, behaviour)
            self._refresh[refresh_token] = replace(held, access_token=access_token)
        return _pair(access_token, refresh_token, grant, behaviour)

    def expire_access_tokens(self) -> None:
        """Every access token of a pair has expired just now."""
        with self._lock:
            now = self._clock.now()
            self._access = {k: replace(held, expires_at=now) for k, held in self._access.items()}

    def expire_refresh_tokens(self) -> None:
        """Every refresh token has expired just now."""
        with self._lock:
            now = self._clock.now()
            self._refresh = {k: replace(held, expires_at=now) for k, held in self._refresh.items()}

    def revoke_grant(self, grant_id: str) -> None:
        """End all that came of one consent."""
        with self._lock:
            for held in (self._access, self._refresh):
                for token in [key for key, one in held.items() if one.grant.id == grant_id]:
                    del held[token]

    def revoke_pairs(self) -> None:
        """End every pair; fixed tokens stay."""
        with self._lock:
            self._access.clear()
            self._refresh.clear()

    def _living(self, token: str, client_id: str | None, behaviour: Behaviour) -> _Held:
        held = self._refresh.get(token)
        if held is None:
            spent = self._spent.get(token)
            if spent and behaviour.reused_refresh_token_revokes:
                self.revoke_grant(spent.id)
            message = "Token has been revoked" if spent else "Cannot decrypt the refresh token"
            raise DeadTokenError(message)
        if client_id not in {None, held.grant.client_id}:
            message = "Token is not linked to client"
            raise DeadTokenError(message)
        if held.expired(self._clock.now()):
            message = "Token has expired"
            raise DeadTokenError(message)
        return held

    def _new_access_token(self, grant: Grant, behaviour: Behaviour) -> str:
        expires_at = self._in(behaviour.access_token_seconds)
        token = self._written(grant, expires_at, behaviour)
        self._access[token] = _Held(grant, expires_at, token)
        return token

    def _written(self, grant: Grant, expires_at: datetime | None, behaviour: Behaviour) -> str:
        if behaviour.access_tokens == "opaque":
            return self._random_text(20)
        now = self._clock.now().timestamp()
        return jwt.signed({
            "aud": grant.client_id, "jti": self._random_text(40), "iat": now, "nbf": now,
            **({"exp": expires_at.timestamp()} if expires_at else {}),
            "sub": str(grant.user_id), "scopes": list(grant.scopes),
        })  # fmt: skip

    def _in(self, seconds: float | None) -> datetime | None:
        return None if seconds is None else self._clock.now() + timedelta(seconds=seconds)


def _pair(access_token: str, refresh_token: str, grant: Grant, behaviour: Behaviour) -> Pair:
    return Pair(access_token, refresh_token, round(behaviour.access_token_seconds), grant.scopes)
