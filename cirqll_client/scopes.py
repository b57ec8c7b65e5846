"""Which scopes to ask for, and what those that were granted allow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cirqll_client.errors import SettingInvalid
from cirqll_client.nested import read_for
from cirqll_client.resources import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cirqll_client.resources import Resource

_SCOPE = re.compile(r"(?P<resource>[a-z_]+)\.(?P<action>read|create|update|delete)\.(?P<reach>\w+)")
"""``<resource>.<action>.<reach>`` [doc]; another reach than ``all`` is not known."""
_WRITABLE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,128}", re.ASCII)
"""What a scope may consist of (RFC 6749, 3.3)."""
_MOST_SCOPES = 200
_READ = ("read",)
_ALL_ACTIONS = ("read", "create", "update", "delete")


def read_scopes(resources: Iterable[Resource] = RESOURCES) -> tuple[str, ...]:
    """Name the scopes that read these resources, and the user who signs in."""
    return _named(resources, _READ)


def read_write_scopes() -> tuple[str, ...]:
    """Name the scopes that read and write everything."""
    return _named(RESOURCES, _ALL_ACTIONS)


def wanted_scopes(text: str) -> tuple[str, ...]:
    """Read a choice: ``read``, ``read-write``, or scopes. Raises ``SettingInvalid``."""
    ready = _READY.get(text.strip())
    if ready:
        return ready()
    scopes = tuple(dict.fromkeys(text.replace(",", " ").split()))
    if 0 < len(scopes) <= _MOST_SCOPES and all(map(_WRITABLE.fullmatch, scopes)):
        return scopes
    msg = (
        "The scopes must be read, read-write, or names with spaces between, such as "
        "'customer.read.all user.read.all'."
    )
    raise SettingInvalid(msg)


def catalog_scopes(catalog: object) -> tuple[str, ...]:
    """Name the scopes that the selected streams of a Singer catalog need.

    Raises ``SettingInvalid`` for what is no catalog, or selects nothing that is known.
    """
    streams = catalog.get("streams") if isinstance(catalog, dict) else None
    selected = {
        str(entry.get("tap_stream_id") or entry.get("stream"))
        for entry in _objects(streams)
        if _is_selected(entry)
    }
    resources = {resource for stream in selected for resource in read_for(stream)}
    if not resources:
        msg = "The catalog selects no stream of tap-cirqll, so there is no scope to ask for."
        raise SettingInvalid(msg)
    return read_scopes(resources)


def offered(wanted: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """Leave out the scopes that the server does not have; all stay if it seems to have none."""
    wanted, known = tuple(wanted), frozenset(known)
    return tuple(one for one in wanted if one in known) or wanted


def withheld(wanted: Iterable[str], granted: Iterable[str] | None) -> tuple[str, ...]:
    """Name the scopes that were asked for and not granted, as far as is certain.

    Not where the scopes granted are not known, or one that nobody asked for may include others.
    """
    wanted, granted = tuple(wanted), frozenset(granted or ())
    if any(one not in wanted and not _SCOPE.fullmatch(one) for one in granted) or not granted:
        return ()
    return tuple(one for one in wanted if one not in granted)


def is_readable(resource: Resource, scopes: frozenset[str] | None) -> bool:
    """Tell whether a token with these scopes may read a resource.

    Only what is certain counts: where there are no scopes to be seen, or one of a form that is not
    known, the server must say.
    """
    if not scopes:
        return True
    found = [_SCOPE.fullmatch(scope) for scope in scopes]
    names = {each.name for each in RESOURCES}
    if not all(one and one["resource"] in names for one in found):
        return True
    return any(
        one and one["resource"] == resource.name and one["action"] == "read" for one in found
    )


def holds(scopes: frozenset[str] | None, resource: Resource, action: str) -> bool:
    """Tell whether it is certain that a token with these scopes may do this to some records."""
    found = filter(None, map(_SCOPE.fullmatch, scopes or ()))
    return any(one["resource"] == resource.name and one["action"] == action for one in found)


_READY = {"read": read_scopes, "read-write": read_write_scopes}


def _named(resources: Iterable[Resource], actions: Iterable[str]) -> tuple[str, ...]:
    wanted = {
        f"{resource.name}.{action}.all"
        for resource in resources
        for action in actions
        if action == "read" or action in resource.actions
    }
    return tuple(sorted(wanted | {"user.read.all"}))


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _is_selected(entry: Mapping[str, Any]) -> bool:
    """Tell what the stream's own metadata says; a catalog of old says it beside its name."""
    for one in _objects(entry.get("metadata")):
        if one.get("breadcrumb") == [] and isinstance(one.get("metadata"), dict):
            chosen = one["metadata"].get("selected")
            is_default = one["metadata"].get("selected-by-default") is True
            return is_default if chosen is None else chosen is True
    return entry.get("selected") is True
