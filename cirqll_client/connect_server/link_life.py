"""How far a link has come, and what may happen to it next: no I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

START_SECONDS = 900.0
"""How long a person may take on Cirqll's pages."""

Stage = Literal["open", "started", "finishing", "used"]


class Reason(Enum):
    """Why a person cannot go on."""

    UNKNOWN_LINK = "unknown_link"
    USED_LINK = "used_link"
    EXPIRED_LINK = "expired_link"
    BUSY_LINK = "busy_link"
    WRONG_ORIGIN = "wrong_origin"
    UNKNOWN_STATE = "unknown_state"
    LATE_STATE = "late_state"
    USED_STATE = "used_state"
    WRONG_BROWSER = "wrong_browser"
    DENIED = "denied"
    OTHER_COMPANY = "other_company"
    LATE_CODE = "late_code"
    REFUSED = "refused"
    CIRQLL_DOWN = "cirqll_down"
    FOREIGN_FORM = "foreign_form"


AN_OLD_PAGE = frozenset({Reason.UNKNOWN_STATE, Reason.LATE_STATE})
"""Who comes to one may go on with the link that their browser began last."""


class Refused(Exception):
    """A person is shown a page instead of going on; it never leaves the server."""

    def __init__(self, reason: Reason, *, link_id: str | None = None) -> None:
        """Name why, and the link that the same browser may start again."""
        super().__init__(reason)
        self.reason = reason
        self.link_id = link_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link as the store knows it; its token is not known any more."""

    id: str
    """For people to name it by; opens nothing."""
    account: str
    target_origins: tuple[str, ...]
    callback_message: str | None = field(repr=False)
    scopes: tuple[str, ...]
    made_at: float
    expires_at: float
    stage: Stage
    stage_until: float
    """``started``: until when the person may come back. ``finishing``: until when the answer of
    Cirqll is waited for."""
    state_hash: str | None = field(repr=False)
    browser_hash: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What is kept of a start, sealed, until the person comes back."""

    redirect_uri: str
    scopes: tuple[str, ...]
    target_origin: str
    code_verifier: str | None = field(repr=False)


def require_startable(link: Link | None, *, now: float) -> Link:
    """Give the link if a person may start it now. Raises ``Refused``."""
    if link is None:
        raise Refused(Reason.UNKNOWN_LINK)
    if link.stage == "used":
        raise Refused(Reason.USED_LINK)
    if now >= link.expires_at:
        raise Refused(Reason.EXPIRED_LINK)
    if link.stage == "finishing" and now < link.stage_until:
        raise Refused(Reason.BUSY_LINK)
    return link


def require_returning(link: Link | None, *, now: float) -> Link:
    """Give the link if the person who started it may come back now. Raises ``Refused``."""
    if link is None:
        raise Refused(Reason.UNKNOWN_STATE)
    if link.stage != "started":
        raise Refused(Reason.USED_STATE)
    if now >= link.stage_until:
        raise Refused(Reason.LATE_STATE)
    return link


def origin_wanted(link: Link, origin: str | None) -> str:
    """Choose where the person goes back to, of what the link allows. Raises ``Refused``."""
    if origin is None:
        return link.target_origins[0]
    if origin not in link.target_origins:
        raise Refused(Reason.WRONG_ORIGIN)
    return origin
