"""What the store knows of an account, in words and as JSON: no secret, no I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from cirqll_client.cli import scope_words
from cirqll_client.moments import day, iso_or_none, minute
from cirqll_client.token_life import mark_in_force
from cirqll_client.tokens import fingerprint

if TYPE_CHECKING:
    from cirqll_client.token_life import StoredAccount
    from cirqll_client.tokens import TokenPair

_FINGERPRINT_DIGITS = 8

State: TypeAlias = Literal[
    "good", "due", "renewing", "postponed", "lost", "refused", "ended", "no_tokens", "unreadable"
]
"""``due``: renewed at the next use. ``postponed``: the last try failed, and another one follows.
``lost``: sent without an answer. ``ended``: expired, and nothing renews it."""

_MARKED: dict[str, State] = {"lost": "lost", "refused": "refused", "sent": "renewing"}


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """An account of the store as it stands now."""

    api_url: str
    stored: StoredAccount
    now: float

    @property
    def state(self) -> State:
        """Tell how the tokens stand, in one word."""
        pair, mark = self.stored.pair, mark_in_force(self.stored, now=self.now)
        if pair is not None and not pair.secrets():
            return "unreadable"
        if mark.state in _MARKED:
            return _MARKED[mark.state]
        if pair is None:
            return "no_tokens"
        return self._state_of(pair, is_postponed=mark.until > self.now)

    def _state_of(self, pair: TokenPair, *, is_postponed: bool) -> State:
        is_usable = pair.is_usable(now=self.now)
        if pair.refresh_token is None:
            return "good" if is_usable else "ended"
        if is_usable and self.now < pair.refresh_due_at:
            return "good"
        return "postponed" if is_postponed else "due"

    @property
    def words(self) -> str:
        """Tell how the tokens stand, to people."""
        return {
            "good": self._good,
            "due": "renewed at the next use",
            "renewing": "being renewed now",
            "postponed": f"could not be renewed yet ({self.stored.mark.words}); tried again "
            "at the next use",
            "lost": f"may be spent: sign in again{self._until}",
            "refused": f"refused by Cirqll: sign in again{self._until}",
            "ended": "expired, cannot be renewed: sign in again",
            "no_tokens": "no tokens: sign in",
            "unreadable": "cannot be decrypted: check CIRQLL_STORE_KEY",
        }[self.state]

    @property
    def _good(self) -> str:
        pair = self.stored.pair
        if pair is None:
            return ""
        until = "good" if pair.expires_at is None else f"good until {minute(pair.expires_at)}"
        if pair.refresh_token is None:
            return f"{until}, cannot be renewed"
        return f"{until}, renewed from {minute(pair.refresh_due_at)}"

    @property
    def _until(self) -> str:
        pair = self.stored.pair
        if pair is None or pair.expires_at is None or not pair.is_usable(now=self.now):
            return ""
        return f" (the access token may do until {minute(pair.expires_at)})"

    @property
    def sign_in_ends_at(self) -> float | None:
        """When nothing renews the tokens any more; ``None`` where nobody knows, or nothing does."""
        pair = self.stored.pair
        return None if pair is None or self._ends_with_access_token else pair.refresh_expires_at

    @property
    def sign_in_ends(self) -> str:
        """Tell when the sign-in ends, as far as anybody can say."""
        if self.stored.pair is None:
            return "-"
        if self._ends_with_access_token:
            return "with the access token"
        return "not known" if self.sign_in_ends_at is None else day(self.sign_in_ends_at)

    @property
    def _ends_with_access_token(self) -> bool:
        pair = self.stored.pair
        if pair is None or not pair.secrets():
            return False
        return pair.refresh_token is None or self.state in {"lost", "refused"}

    def row(self) -> list[str]:
        """Give the cells of a table."""
        scopes = self.stored.pair.scopes if self.stored.pair else None
        signed_in_as = self.stored.signed_in_as or "not known"
        short = scope_words.in_short(scopes)
        return [self.stored.account, signed_in_as, self.words, self.sign_in_ends, short]

    def pairs(self) -> list[tuple[str, str]]:
        """Give each fact with its name."""
        stored, pair = self.stored, self.stored.pair
        return [
            ("Account", stored.account),
            ("API", self.api_url),
            ("Signed in as", stored.signed_in_as or "not known"),
            ("Company", stored.company_id or "not known"),
            ("State", self.words),
            ("Access token", _shown(pair.access_token if pair else None)),
            ("Refresh token", _shown(pair.refresh_token if pair else None)),
            ("Obtained", minute(pair.obtained_at) if pair else "-"),
            ("Sign-in ends", f"{self.sign_in_ends}{' (about)' if self.sign_in_ends_at else ''}"),
            ("Scopes", scope_words.in_full(pair.scopes if pair else None)),
            ("OAuth client", stored.client_id or "not known"),
            ("Token URL", stored.token_url or "as the settings say"),
        ]

    def as_json(self) -> dict[str, Any]:
        """Give the facts with stable names; times are UTC, and what is not known is null."""
        stored, pair = self.stored, self.stored.pair
        is_readable = pair is not None and bool(pair.secrets())
        return {
            "account": stored.account,
            "api_url": self.api_url,
            "signed_in_as": stored.signed_in_as,
            "company_id": stored.company_id,
            "state": self.state,
            "state_in_words": self.words,
            "obtained_at": iso_or_none(pair.obtained_at if pair else None),
            "expires_at": iso_or_none(pair.expires_at if pair else None),
            "renewed_from": iso_or_none(_renewed_from(pair)) if is_readable else None,
            "sign_in_ends_at": iso_or_none(self.sign_in_ends_at),
            "scopes": sorted(pair.scopes) if pair and pair.scopes is not None else None,
            "access_token_fingerprint": _digits(pair.access_token if pair else None),
            "refresh_token_fingerprint": _digits(pair.refresh_token if pair else None),
            "client_id": stored.client_id,
            "token_url": stored.token_url,
        }


def _renewed_from(pair: TokenPair | None) -> float | None:
    return pair.refresh_due_at if pair and pair.refresh_token and pair.access_token else None


def _shown(token: str | None) -> str:
    return f"fingerprint {_digits(token)}" if token else "none"


def _digits(token: str | None) -> str | None:
    """Give enough of a fingerprint to compare two machines."""
    return fingerprint(token)[:_FINGERPRINT_DIGITS] if token else None
