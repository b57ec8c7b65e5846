"""Scopes in words: which resources may be read and written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cirqll_client.resources import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Callable

_ACTIONS = ("read", "create", "update", "delete")
_NAMES = tuple(resource.name for resource in RESOURCES)
_WHOLE = {
    action: frozenset(one.name for one in RESOURCES if action == "read" or action in one.actions)
    for action in _ACTIONS
}


def in_full(scopes: frozenset[str] | None) -> str:
    """Name what may be done, with the resources in the order in which they are known."""
    return _told(scopes, ", ".join)


def in_short(scopes: frozenset[str] | None) -> str:
    """Tell what may be done, with the number of resources."""
    return _told(scopes, lambda names: str(len(names)))


def _told(scopes: frozenset[str] | None, words: Callable[[list[str]], str]) -> str:
    if scopes is None:
        return "not known"
    # What may be done to the same resources is said in one breath.
    actions_on: dict[str, list[str]] = {}
    for action in _ACTIONS:
        names = [name for name in _NAMES if f"{name}.{action}.all" in scopes]
        if names:
            on = "everything" if _WHOLE[action] <= set(names) else words(names)
            actions_on.setdefault(on, []).append(action)
    said = [f"{', '.join(actions)} {on}" for on, actions in actions_on.items()]
    return "; ".join([*said, *sorted(scopes - _KNOWN)]) or "none"


_KNOWN = frozenset(f"{name}.{action}.all" for name in _NAMES for action in _ACTIONS)
