"""What somebody allowed a client, and the two tokens that stand for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cirqll_sandbox.scopes import ALL_SCOPES

if TYPE_CHECKING:
    from collections.abc import Collection

    from cirqll_sandbox.behaviour import Behaviour


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody allowed: the scopes, as which user, to which client."""

    scopes: tuple[str, ...] = ALL_SCOPES
    user_id: int = 1
    client_id: str = ""
    id: str = ""
    """The same for everything that came of one consent."""

    def with_scopes(self, scopes: Collection[str]) -> Grant:
        """The grant with these scopes as well."""
        return replace(self, scopes=tuple(dict.fromkeys((*self.scopes, *scopes))))

    def without_scopes(self, scopes: Collection[str]) -> Grant:
        """The grant with none of these scopes."""
        return replace(self, scopes=tuple(name for name in self.scopes if name not in scopes))

    def permits(self, scope: str, behaviour: Behaviour) -> bool:
        """Whether the bearer may do what needs this scope."""
        return scope in self.scopes or not set(self.scopes).isdisjoint(behaviour.broad_scopes)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tokens as they are given."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    scopes: tuple[str, ...]
