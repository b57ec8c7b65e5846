"""Changing the behaviour from outside, such as from JSON: every option is checked."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cirqll_sandbox import behaviour as behaviours
from cirqll_sandbox.behaviour import Behaviour
from cirqll_sandbox.resources import RESOURCES


class UnknownBehaviourError(ValueError):
    """A change names no option of `Behaviour`, or has a value the option cannot take."""


def changed(behaviour: Behaviour, /, **changes: Any) -> Behaviour:
    """The behaviour with these options, checked: for changes from outside, such as JSON."""
    hints = _hints()
    for name, value in changes.items():
        if name not in hints:
            known = ", ".join(field.name for field in fields(Behaviour))
            message = f"There is no behaviour {name!r}. There are: {known}."
            raise UnknownBehaviourError(message)
        if not _fits(value, hints[name]):
            message = f"The behaviour {name!r} cannot be {value!r}."
            raise UnknownBehaviourError(message)
    if "timezone" in changes and not is_timezone(changes["timezone"]):
        message = f"{changes['timezone']!r} is no time zone. One looks like Europe/Amsterdam."
        raise UnknownBehaviourError(message)
    changes = {name: _frozen(value) for name, value in changes.items()}
    current = {field.name: getattr(behaviour, field.name) for field in fields(Behaviour)}
    return Behaviour(**{**current, **changes})


def is_timezone(name: str) -> bool:
    """Whether times can be told in the zone of this name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


@cache
def _hints() -> dict[str, Any]:
    """The type of each option."""
    return typing.get_type_hints(Behaviour, vars(behaviours) | {"Mapping": Mapping})


def _frozen(value: Any) -> Any:
    """Lists as tuples."""
    if isinstance(value, Mapping):
        return {key: _frozen(item) for key, item in value.items()}
    return tuple(value) if isinstance(value, list) else value


def _fits(value: object, hint: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is None:
        return _is_a(hint, value)
    if origin is Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, (list, tuple)) and all(_fits(one, arguments[0]) for one in value)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(
            resource in RESOURCES and _fits(one, arguments[1]) for resource, one in value.items()
        )
    return any(_fits(value, option) for option in arguments)


def _is_a(kind: type, value: object) -> bool:
    if kind in {int, float} and isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if kind is float else kind)
