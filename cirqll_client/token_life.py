"""What to do with the tokens of an account: use them, renew them, wait, or ask to sign in again.

A refresh token may be good for one use only. So a mark is written before a refresh is sent, and
only a whole answer, or the proof that the service did not take it, takes it away::

    ready ──► sent ──► ready      a new pair, or the proof that the old one was not spent
                  └──► refused    the service said that the refresh token is dead
                  └──► lost       no answer that could be read, or the process died

Proof is that no connection was made, or a whole answer that nothing was done (429, a client that is
not accepted, no token service there). Where the service gave the same refresh token back before, a
lost answer does no harm, and the token is sent again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from cirqll_client.tokens import DAY_SECONDS, TokenPair

LOOK_AGAIN_SECONDS = 60.0
"""How soon a process looks at tokens again that it goes on with although they should be renewed."""
_LONGEST_LEASE_SECONDS = DAY_SECONDS
"""A lease that ends later was written by a clock that was wrong."""
_SHORTEST_USE_SECONDS = 1.0
_WARNED_BEFORE_SECONDS = 14 * DAY_SECONDS

State = Literal["ready", "sent", "lost", "refused"]


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the renewal of a pair has come."""

    state: State = "ready"
    until: float = 0.0
    """``sent``: how long the answer is waited for. ``ready``: not to be sent before."""
    words: str = ""
    """Why it is lost or refused; no secret."""
    token: str = ""
    """The fingerprint of the refresh token that was sent."""


@dataclass(frozen=True, slots=True)
class StoredAccount:
    """What the store knows of an account's sign-in."""

    account: str
    version: int
    """Another one after each change; 0 where the store has no such account."""
    pair: TokenPair | None = None
    is_sent: bool = False
    """The pair's refresh token was sent, and there is no proof that it was not taken."""
    mark: Mark = Mark()
    client_id: str | None = None
    token_url: str | None = None
    """Where the pair came from: its refresh token goes nowhere else."""
    signed_in_as: str | None = None
    company_id: str | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """Sign requests with the pair's access token."""

    pair: TokenPair
    look_again_at: float
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Renew:
    """Send the refresh token."""

    pair: TokenPair


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again then: another process is at it, or the service asked for time."""

    until: float
    words: str = ""
    """Why the last try came to nothing; empty where another process is at it."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Nothing is left but to sign in again."""

    sentence: str


Step: TypeAlias = Use | Renew | Wait | SignIn


def next_step(  # noqa: PLR0911 - the table of all cases
    stored: StoredAccount,
    *,
    now: float,
    refused: str | None = None,
    seed: str | None = None,
    has_used_seed: bool = False,
) -> Step:
    """Decide what to do.

    ``refused`` is an access token that the API has just answered 401. ``seed`` is a refresh token
    that a person gave and that the account never had: it comes before what the store has.
    """
    pair, mark = stored.pair, mark_in_force(stored, now=now)
    can_use = pair is not None and pair.is_usable(now=now, refused=refused)
    if seed is not None and mark.until <= now:
        return Renew(TokenPair(None, seed, obtained_at=now))
    if pair is None:
        return _without_pair(stored.account, mark, now=now, has_used_seed=has_used_seed)
    end = usable_until(pair)
    due = min(pair.refresh_due_at, end)
    if pair.refresh_token is None:
        return Use(pair, end) if can_use else SignIn(_no_refresh_token(stored.account))
    if can_use and now < due:
        return Use(pair, due if seed is None else min(mark.until, end))
    if mark.state in {"lost", "refused"}:
        sentence = _sentence(stored.account, mark)
        look_again_at = min(now + LOOK_AGAIN_SECONDS, end)
        return Use(pair, look_again_at, sentence) if can_use else SignIn(sentence)
    if mark.until > now:
        return Use(pair, min(mark.until, end)) if can_use else Wait(mark.until, mark.words)
    return Renew(pair)


def mark_in_force(stored: StoredAccount, *, now: float) -> Mark:
    """Give the mark as it is to be read now; only ``sent`` and ``ready`` ask for time.

    A refresh that was sent and never answered is lost once its time is up. A mark of another
    refresh token, such as one of the settings, says nothing about this one; that this one was sent
    stays known. A lost answer says nothing about a token that is no worse for having been sent.
    """
    pair, mark = stored.pair, stored.mark
    is_soon = mark.until < now + _LONGEST_LEASE_SECONDS
    if mark.state == "sent":
        if now < mark.until and is_soon:
            return mark
        mark = Mark("lost", words="the program that sent it ended first", token=mark.token)
    if mark.state == "ready" and not is_soon:
        mark = Mark()
    if pair is None or pair.refresh_token is None:
        return mark
    is_own = mark.token == pair.refresh_fingerprint
    if mark.state == "refused" and is_own:
        return mark
    if mark.state == "lost" and is_own and not pair.is_reusable:
        return mark
    if stored.is_sent and not pair.is_reusable:
        return Mark("lost", words="it was sent before", token=pair.refresh_fingerprint)
    return mark if mark.state == "ready" else Mark()


def usable_until(pair: TokenPair) -> float:
    """Give when the access token ends; never, as far as is known, where nobody told."""
    return pair.expires_at if pair.expires_at is not None else float("inf")


def told_by(pair: TokenPair, *, now: float) -> TokenPair:
    """Give a new pair with its ages counted from this moment, which is by the store's clock.

    That clock tells all processes whether it has expired. A life that is no longer than nothing is
    no life that a service can mean: when the token ends is not known then.
    """
    later = now - pair.obtained_at
    expires_at, refresh_expires_at = pair.expires_at, pair.refresh_expires_at
    if expires_at is not None and expires_at <= pair.obtained_at:
        expires_at = None
    return replace(
        pair,
        obtained_at=now,
        expires_at=None if expires_at is None else expires_at + later,
        refresh_expires_at=None if refresh_expires_at is None else refresh_expires_at + later,
    )


def used_at_once(pair: TokenPair) -> Use:
    """Use a pair that has just come, however short its life: another would be no better."""
    return Use(pair, max(pair.refresh_due_at, pair.obtained_at + _SHORTEST_USE_SECONDS))


def of_its_end(account: str, pair: TokenPair, *, now: float) -> str:
    """Warn if the sign-in nears its end; empty if it does not, or nobody knows."""
    end = pair.refresh_expires_at
    if end is None or pair.refresh_token is None or end - now >= _WARNED_BEFORE_SECONDS:
        return ""
    return (
        f"The sign-in of the account {account} ends about {day(end)}; renew it before with "
        f"`{remedy(account)}`."
    )


def day(seconds: float) -> str:
    """Write a moment for people."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return "a day beyond the calendar"


def remedy(account: str) -> str:
    """Name the command that signs in."""
    return "cirqll login" if account == "default" else f"cirqll login --account {account}"


def nobody_signed_in(account: str, *, api_url: str | None = None) -> str:
    """Say that there are no tokens, and how to get some."""
    where = f" at {api_url}" if api_url else ""
    return (
        f"Nobody has signed in to Cirqll{where} for the account {account}, so there is no token: "
        f"run `{remedy(account)}`, or give the settings refresh_token or access_token."
    )


def _without_pair(account: str, mark: Mark, *, now: float, has_used_seed: bool) -> Step:
    """Decide where there are no tokens yet; one from the settings may be on its way."""
    if mark.state in {"lost", "refused"}:
        return SignIn(_sentence(account, mark))
    if mark.until > now:
        return Wait(mark.until, mark.words)
    return SignIn(_used_before(account) if has_used_seed else nobody_signed_in(account))


def _used_before(account: str) -> str:
    return (
        f"Nobody is signed in to Cirqll for the account {account}, and the setting refresh_token "
        f"was used before: it is not used again. Sign in with `{remedy(account)}`."
    )


def _no_refresh_token(account: str) -> str:
    return (
        f"The access token of the account {account} is no longer accepted, and there is no refresh "
        f"token to renew it with: run `{remedy(account)}`."
    )


def _sentence(account: str, mark: Mark) -> str:
    if mark.state == "refused":
        return (
            f"Cirqll no longer accepts the refresh token of the account {account} "
            f"({mark.words}): it has expired, was revoked, or was used by another program. Sign in "
            f"again with `{remedy(account)}`."
        )
    return (
        f"The tokens of the account {account} were sent to be renewed, and no answer came back "
        f"({mark.words}). The refresh token may be spent by that, so it is not sent again. Sign in "
        f"again with `{remedy(account)}`."
    )
