"""A token pair, its ages, and the forms in which it travels: no I/O, no clock."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cirqll_client.errors import SettingInvalid
from cirqll_client.moments import iso_or_none

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY_SECONDS = 86_400.0
ACCESS_TOKEN_SECONDS = 30 * DAY_SECONDS
"""How long an access token lives [doc], where neither the answer nor the token tells."""
REFRESH_TOKEN_SECONDS = 90 * DAY_SECONDS
"""How long a refresh token lives: "3 months" [doc]. No answer of Cirqll's is known to tell it, and
it is a guess that a refresh begins these months anew: it is told to people, and decides nothing."""
_LONGEST_LIFE_SECONDS = 100 * 365 * DAY_SECONDS
"""A lifetime beyond that is no lifetime."""
_EPOCH = datetime.fromtimestamp(0, UTC)
_TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class TokenPair:
    """An access token and what renews it; times are seconds since the epoch."""

    access_token: str | None = field(repr=False)
    """``None`` where only a refresh token is known."""
    refresh_token: str | None = field(repr=False)
    obtained_at: float
    expires_at: float | None = None
    """``None`` where only the server knows."""
    refresh_expires_at: float | None = None
    """``None`` where nobody knows, or never."""
    scopes: frozenset[str] | None = None
    """``None`` where they are not known."""
    is_reusable: bool = False
    """A refresh was answered without another refresh token: this service does not rotate them."""

    @property
    def refresh_due_at(self) -> float:
        """When half of the access token's life is over; always, if there is none."""
        if self.access_token is None:
            return 0.0
        if self.expires_at is None:
            return self.obtained_at + ACCESS_TOKEN_SECONDS / 2
        return self.obtained_at + (self.expires_at - self.obtained_at) / 2

    @property
    def refresh_fingerprint(self) -> str:
        """What tells the refresh token from others; empty if there is none."""
        return fingerprint(self.refresh_token) if self.refresh_token else ""

    def is_usable(self, *, now: float, refused: str | None = None) -> bool:
        """Tell whether there is an access token that has not expired as far as is known."""
        is_dead = self.access_token in {None, refused}
        return not is_dead and (self.expires_at is None or now < self.expires_at)

    def secrets(self) -> list[str]:
        """Give what must be seen nowhere."""
        return [one for one in (self.access_token, self.refresh_token) if one]


def pair_from_answer(
    answer: Mapping[str, Any], *, now: float, before: TokenPair | None = None
) -> TokenPair:
    """Read the fields of a token answer; ``before`` is the pair that was renewed.

    The lifetime comes from the answer, else from the token, else nobody knows it. A refresh token
    that is missing or the same stays in force (not every service rotates them).
    """
    access_token = str(answer["access_token"]).strip()
    claims = jwt_claims(access_token)
    old = before.refresh_token if before else None
    told = answer.get("refresh_token")
    refresh_token = told.strip() if isinstance(told, str) and is_token(told) else old
    is_same = old is not None and refresh_token == old
    return TokenPair(
        access_token=access_token,
        refresh_token=refresh_token,
        obtained_at=now,
        expires_at=_expires_at(answer.get("expires_in"), claims, now=now),
        refresh_expires_at=(
            None if refresh_token is None else _refresh_expires_at(answer, is_same=is_same, now=now)
        ),
        scopes=_scopes(answer.get("scope"), claims, before),
        is_reusable=is_same,
    )


def pair_from_access_token(access_token: str, *, now: float) -> TokenPair:
    """Make a pair of an access token alone, with what it tells itself."""
    return pair_from_answer({"access_token": access_token}, now=now)


def jwt_claims(token: str) -> dict[str, Any]:
    """Give the claims of a JWT, unverified; empty for a token that is none.

    They are the service's own words to itself: good for what is shown and offered, not for trust.
    """
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        return {}
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def is_token(value: object) -> bool:
    """Tell whether this can be a token: a header carries nothing but visible ASCII."""
    return isinstance(value, str) and bool(_TOKEN.fullmatch(value.strip()))


def fingerprint(token: str) -> str:
    """Give what tells tokens apart and tells nothing about them."""
    return sha256(token.encode()).hexdigest()


def to_authvalue(pair: TokenPair | None) -> str:
    """Write the JSON of an AuthValue, with its tokens; ``{}`` where there are none."""
    if pair is None or not pair.secrets():
        return "{}"
    fields = {
        "AccessToken": pair.access_token,
        "RefreshToken": pair.refresh_token,
        "Expires": iso_or_none(pair.expires_at),
        "RefreshExpires": iso_or_none(pair.refresh_expires_at),
    }
    return json.dumps({name: value for name, value in fields.items() if value is not None})


def from_authvalue(text: str, *, now: float) -> TokenPair | None:
    """Read the JSON of an AuthValue; ``{}`` gives ``None``: the tokens must come otherwise.

    It may be serialized twice, as a string within JSON. Raises ``SettingInvalid``.
    """
    value = _json_object(text)
    unknown = set(value) - {"AccessToken", "RefreshToken", "Expires", "RefreshExpires"}
    if unknown:
        raise SettingInvalid(_AUTHVALUE_SENTENCE)
    access_token = _authvalue_text(value, "AccessToken")
    refresh_token = _authvalue_text(value, "RefreshToken")
    if access_token is None and refresh_token is None:
        if value:
            raise SettingInvalid(_AUTHVALUE_SENTENCE)
        return None
    pair = TokenPair(access_token, refresh_token, obtained_at=now)
    if access_token is not None:
        known = pair_from_access_token(access_token, now=now)
        pair = replace(pair, expires_at=known.expires_at, scopes=known.scopes)
    return replace(
        pair,
        expires_at=_moment(value.get("Expires")) or pair.expires_at,
        refresh_expires_at=_moment(value.get("RefreshExpires")),
    )


_AUTHVALUE_SENTENCE = (
    'This is no AuthValue: it must be one JSON object like {"AccessToken": "…", "RefreshToken": '
    '"…", "Expires": "2027-01-31T12:00:00Z", "RefreshExpires": "…"}, or {}. Nothing was imported.'
)


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text.removeprefix("\ufeff"))
        value = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise SettingInvalid(_AUTHVALUE_SENTENCE)
    return value


def _authvalue_text(value: Mapping[str, Any], name: str) -> str | None:
    text = value.get(name)
    if text is None or text == "":
        return None
    if not is_token(text):
        raise SettingInvalid(_AUTHVALUE_SENTENCE)
    return str(text).strip()


def _moment(text: object) -> float | None:
    """Read ISO 8601; without a zone it is UTC, and up to 1970 it means that nobody knows.

    Raises ``SettingInvalid``.
    """
    if text is None or text == "":
        return None
    try:
        moment = datetime.fromisoformat(str(text).strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if moment <= _EPOCH:
            return None
        return moment.astimezone(UTC).replace(microsecond=0).timestamp()
    except (ValueError, OverflowError):
        raise SettingInvalid(_AUTHVALUE_SENTENCE) from None


def _expires_at(expires_in: object, claims: Mapping[str, Any], *, now: float) -> float | None:
    lifetime = _lifetime(expires_in)
    if lifetime is None:
        # The token's own times are the server's clock; their distance is right by any clock.
        issued, expires = _seconds(claims.get("iat")), _seconds(claims.get("exp"))
        if issued is not None and expires is not None:
            lifetime = _lifetime(expires - issued)
    return None if lifetime is None else now + lifetime


def _refresh_expires_at(answer: Mapping[str, Any], *, is_same: bool, now: float) -> float | None:
    """Read what some services tell, and Cirqll does not; 0 says that it never expires."""
    for name in ("refresh_expires_in", "refresh_token_expires_in"):
        if _seconds(answer.get(name)) is not None:
            lifetime = _lifetime(answer[name])
            return None if lifetime is None else now + lifetime
    return None if is_same else now + REFRESH_TOKEN_SECONDS


def _scopes(
    told: object, claims: Mapping[str, Any], before: TokenPair | None
) -> frozenset[str] | None:
    """Read the scopes; an empty text says nothing, an empty list says that there are none."""
    for scopes in (told, claims.get("scopes"), claims.get("scope")):
        if isinstance(scopes, str) and scopes.split():
            return frozenset(map(_writable, scopes.split()))
        if isinstance(scopes, list):
            return frozenset(_writable(one) for one in scopes if isinstance(one, str))
    return before.scopes if before else None


def _writable(scope: str) -> str:
    """Mark what no scope has and not every database takes: it must not cost the pair."""
    return "".join(letter if letter.isprintable() else "?" for letter in scope)


def _lifetime(value: object) -> float | None:
    """Read a lifetime; one that is over before it begins is none that was meant."""
    seconds = _seconds(value)
    return seconds if seconds is not None and 1 <= seconds < _LONGEST_LIFE_SECONDS else None


def _seconds(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        seconds = float(value)  # type: ignore[arg-type] # what cannot be one is told by the error
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if abs(seconds) < 1e12 else None  # noqa: PLR2004 - no time, nor NaN
