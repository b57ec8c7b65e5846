"""Access tokens and what they permit.

A later sign-in adds its token pairs here through `grant` and `revoke`; nothing else keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cirqll_sandbox.resources import ENDPOINTS

if TYPE_CHECKING:
    from collections.abc import Iterable

ACCESS_TOKEN = "sandbox-access-token-not-a-secret"  # noqa: S105 - it says so itself
ACTIONS = ("read", "create", "update", "delete")
ALL_SCOPES = frozenset(f"{name}.{action}.all" for name in ENDPOINTS for action in ACTIONS)
"""`<resource>.<action>.<reach>`: documented for some resources, likely for the others."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What the bearer of a token may do, and as which user."""

    scopes: frozenset[str] = ALL_SCOPES
    user_id: int = 1


class Tokens:
    """The tokens that are valid now."""

    def __init__(self, scopes: Iterable[str] | None = None) -> None:
        self._grants: dict[str, Grant] = {}
        self.grant(ACCESS_TOKEN, scopes=scopes)

    def grant(self, token: str, *, scopes: Iterable[str] | None = None, user_id: int = 1) -> str:
        """Make a token valid, with these scopes or with all."""
        chosen = ALL_SCOPES if scopes is None else frozenset(scopes)
        self._grants[token] = Grant(chosen, user_id)
        return token

    def revoke(self, token: str) -> None:
        """Make a token invalid; one that is not known stays so."""
        self._grants.pop(token, None)

    def find(self, token: str | None) -> Grant | None:
        """The grant of a valid token."""
        return self._grants.get(token) if token else None
