"""Scopes: what a token permits, by name and in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cirqll_sandbox.resources import ENDPOINTS

if TYPE_CHECKING:
    from collections.abc import Iterable

ACTIONS = ("read", "create", "update", "delete")
ALL_SCOPES = tuple(f"{name}.{action}.all" for name in ENDPOINTS for action in ACTIONS)
"""`<resource>.<action>.<reach>`: documented for some resources, likely for the others."""

_PARTS = 3


@dataclass(frozen=True, slots=True)
class ScopeGroup:
    """What is asked for one resource: `Customers`, `("Read", "Update")`."""

    heading: str
    actions: tuple[str, ...]


def refuse_unknown(scopes: Iterable[str]) -> None:
    """`ValueError` for a name that is no scope."""
    unknown = sorted(set(scopes).difference(ALL_SCOPES))
    if unknown:
        message = f"There is no scope {', '.join(unknown)}. One looks like customer.read.all."
        raise ValueError(message)


def grouped(scopes: Iterable[str]) -> list[ScopeGroup]:
    """The scopes by resource, in the order of the resources and of their actions."""
    places = {scope: place for place, scope in enumerate(ALL_SCOPES)}
    groups: dict[str, list[str]] = {}
    for scope in sorted(scopes, key=lambda name: (places.get(name, len(places)), name)):
        resource, action = _parts(scope)
        groups.setdefault(_plural(resource).capitalize(), []).append(action.capitalize())
    return [ScopeGroup(heading, tuple(actions)) for heading, actions in groups.items()]


def described(scope: str) -> str:
    """One line for a list of scopes: `Read all customers`."""
    resource, action = _parts(scope)
    return f"{action} all {_plural(resource)}".capitalize()


def _parts(scope: str) -> tuple[str, str]:
    """Resource and action; a scope of another make is a resource to be used."""
    parts = scope.split(".")
    return (parts[0], parts[1]) if len(parts) == _PARTS else (scope, "use")


def _plural(resource: str) -> str:
    return f"{resource}s" if resource in ENDPOINTS else resource
