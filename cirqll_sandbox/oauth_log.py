"""The records of OAuth requests, for tests to look at: no secret is in them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

_DIGITS = 16


@dataclass(frozen=True, slots=True)
class TokenRequestRecord:
    """One request for tokens, as it arrived, even when its answer was lost."""

    time: float
    """Monotonic seconds at arrival."""
    grant_type: str | None
    client_id: str | None
    credential: str | None
    """The `fingerprint` of the refresh token, or of the code."""
    outcome: str | None = None
    """`issued`; the error word of a refusal; `not_carried_out` where a fault came before;
    `refused` for another method than POST; `None` while it is being answered."""
    status: int | None = None
    """What was answered; `None` until, or unless, an answer was sent."""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AuthorizeRequestRecord:
    """One request of a browser for the consent page (GET), or its decision (POST)."""

    time: float
    method: str
    parameters: dict[str, str]
    """The query with everything in it; of `state` the `fingerprint`."""
    outcome: str | None = None
    """`asked`, `allowed`, `denied`; the error word that went back to the client; `no_way_back` or
    `stale_page` where only the person was told; `not_carried_out` where a fault came before."""
    status: int | None = None
    faults: tuple[str, ...] = ()


def fingerprint(secret: str | None) -> str | None:
    """Tells two secrets apart without telling either."""
    return hashlib.sha256(secret.encode()).hexdigest()[:_DIGITS] if secret else None
