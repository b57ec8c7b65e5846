"""Changing the behaviour from outside, such as from JSON: every option is checked."""

from __future__ import annotations

import types
import typing
from dataclasses import fields
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cirqll_sandbox.behaviour import Behaviour


class UnknownBehaviourError(ValueError):
    """A change names no option of `Behaviour`, or has a value the option cannot take."""


def changed(behaviour: Behaviour, /, **changes: Any) -> Behaviour:
    """The behaviour with these options, checked: for changes from outside, such as JSON."""
    hints = typing.get_type_hints(Behaviour)
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
    changes = {k: tuple(v) if isinstance(v, list) else v for k, v in changes.items()}
    current = {field.name: getattr(behaviour, field.name) for field in fields(Behaviour)}
    return Behaviour(**{**current, **changes})


def is_timezone(name: str) -> bool:
    """Whether times can be told in the zone of this name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _fits(value: object, hint: Any) -> bool:
    if typing.get_origin(hint) is Literal:
        return value in typing.get_args(hint)
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        return any(_fits(value, option) for option in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)
