"""Custom fields of a page's records, read in C where they come as is usual.

A page, a list or a map of them is usual. What has anything odd is read as dictionaries instead:
then it is ``Told``. Both ways say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw

from cirqll_client.custom_fields import FieldValues, read
from cirqll_client.responses import decimal_of, decoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    ReadSome = Callable[[list[Raw]], list[Any]]

_Id = Annotated[int, Meta(ge=1)]


class Entry(msgspec.Struct, gc=False):
    """A value as it came, and the field that it is of."""

    field_id: _Id
    value: Any = None


class _Key(msgspec.Struct, gc=False):
    """Has a value in any case, since the entry is handed out as it came."""

    field_id: _Id
    value: Raw


class UsualPage(msgspec.Struct, gc=False):
    """Entries of any form, not all of which may have come."""

    data: list[Any]
    total: Any = None


class _Page(UsualPage, gc=False):
    data: list[Entry]


class _RawPage(UsualPage, gc=False):
    data: list[Raw]


_ENTRIES = msgspec.json.Decoder(list[_Page | list[Entry] | None], float_hook=decimal_of)
_MAPS = msgspec.json.Decoder(list[dict[_Id, Any] | None], float_hook=decimal_of)
_RAW_ENTRIES = msgspec.json.Decoder(list[_RawPage | list[Raw] | None])
_RAW_MAPS = msgspec.json.Decoder(list[dict[_Id, Raw] | None])
_KEYS = msgspec.json.Decoder(list[_Key])
_BY_FIELD = attrgetter("field_id")


@dataclass(frozen=True, slots=True)
class Told:
    """Custom fields of one record that have to be gone through in full."""

    values: FieldValues
    came: Any
    is_cut: bool = False
    """More are there, and could not be had."""


def told(came: Any) -> Told:  # noqa: ANN401 - JSON
    """Read the values of one record, whatever they come in."""
    found = decoded(bytes(came)) if type(came) is Raw else came
    return Told(read(found), found)


def usual(came: list[Any], *, is_array: bool) -> list[Any]:
    """Read the values of each record; ``UNSET`` where nothing came, ``None`` where it is odd.

    A list of entries by field, or a page of them. For arrays an entry is as it came.
    """
    read_some = _arrays if is_array else _entries
    there = [one for one in came if one is not UNSET]
    read_all = _tried(read_some, there) or [
        (_tried(read_some, [one]) or [None])[0] for one in there
    ]
    values = iter(read_all)
    return [UNSET if one is UNSET else next(values) for one in came]


def whole(values: Any, came: Any) -> Any:  # noqa: ANN401 - JSON
    """Give what came of a record's custom fields, or all of them if more had to be asked for."""
    return values.came if type(values) is Told else came


def _tried(read_some: ReadSome, came: list[Any]) -> list[Any] | None:
    """Read all or none."""
    if not all(type(one) is Raw for one in came):
        return None
    try:
        return read_some(came)
    except (msgspec.DecodeError, RecursionError):
        return None


def _entries(came: list[Raw]) -> list[_Page | list[Entry]]:
    text = _list_of(came)
    try:
        return [one or [] for one in _ENTRIES.decode(text)]
    except msgspec.ValidationError:
        maps = _MAPS.decode(text)
    return [[Entry(number, value) for number, value in (one or {}).items()] for one in maps]


def _arrays(came: list[Raw]) -> list[_RawPage | list[Any]]:
    text = _list_of(came)
    try:
        some = [one or [] for one in _RAW_ENTRIES.decode(text)]
    except msgspec.ValidationError:
        maps = [(one or {}).items() for one in _RAW_MAPS.decode(text)]
        return [sorted((_Key(*pair) for pair in pairs), key=_BY_FIELD) for pairs in maps]
    lists = [one.data if isinstance(one, _RawPage) else one for one in some]
    keys = iter(_KEYS.decode(_list_of(chain.from_iterable(lists))))
    for one in lists:
        fields = [next(keys).field_id for _ in one]
        one[:] = [raw for _, raw in sorted(zip(fields, one, strict=True), key=_first)]
    return some


def _first(pair: tuple[int, Raw]) -> int:
    return pair[0]


def _list_of(came: Iterable[Raw]) -> bytes:
    return b"[%b]" % b",".join(map(bytes, came))
