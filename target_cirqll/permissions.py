"""What the account is known to be allowed: a 403 is then about the record, not about a scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cirqll_client.scopes import holds

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.resources import Resource
    from cirqll_client.store import Store


class Permissions:
    """Remembers, in the store, what has succeeded. Threads may share it."""

    def __init__(
        self, store: Store, *, account: str, scopes: Callable[[], frozenset[str] | None]
    ) -> None:
        """Remember for this account; ``scopes`` gives those of its token, as far as known."""
        self._store = store
        self._account = account
        self._scopes = scopes
        self._seen: set[tuple[str, str]] = set()

    def note(self, resource: Resource, action: str) -> None:
        """Note that this action succeeded."""
        if (resource.name, action) not in self._seen:
            self._seen.add((resource.name, action))
            self._store.learn(self._account, _fact(resource, action), value=True)

    def has(self, resource: Resource, action: str) -> bool:
        """Tell whether the action succeeded in this run, or a scope allows it.

        A guess: what was allowed for another record of the resource is not for want of a scope.
        """
        return (resource.name, action) in self._seen or holds(self._scopes(), resource, action)

    def had(self, resource: Resource, action: str) -> bool:
        """Tell whether the action ever succeeded; the scope may have been taken away since."""
        return bool(self._store.learned(self._account, _fact(resource, action)))


def _fact(resource: Resource, action: str) -> str:
    return f"{resource.name}.{action}_was_allowed"
