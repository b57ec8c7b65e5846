"""Rows of a table of their own out of a relation that came along with a record.

That a to-many relation comes as a page is documented; a plain list, a map and a single object are
read as well (cirqll-api.md, with; Custom fields).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

from cirqll_client.custom_fields import may_lack_some
from cirqll_client.responses import encoded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cirqll_client.responses import Record

_AS_IT_CAME = "_as_it_came"
"""Ends the name under which a value is kept whose place was needed."""


@dataclass(frozen=True, slots=True)
class Entries:
    """What a relation holds."""

    records: list[Record]
    may_lack_some: bool
    """There are more, as far as anybody can tell."""


def entries(relation: Any) -> Entries:  # noqa: ANN401 - JSON
    """Read the entries of a relation in any of the forms that it may have."""
    if isinstance(relation, dict) and isinstance(relation.get("data"), list):
        return _of_list(relation["data"], total=relation.get("total"))
    if isinstance(relation, list):
        return _of_list(relation, total=None)
    if isinstance(relation, dict):
        return Entries(_entries_of_object(relation), may_lack_some=False)
    return _of_list([] if relation is None else [relation], total=None)


def placed(entry: Record, places: Mapping[str, Any]) -> Record:
    """Put values into a row. What lay there and says something else is kept under another name."""
    moved = {
        f"{name}{_AS_IT_CAME}": entry[name]
        for name, value in places.items()
        if entry.get(name) is not None and entry[name] != value
    }
    return {**entry, **places, **moved}


def with_id(entry: Record) -> Record:
    """Give an entry an ``id`` if it has none that can be a key, made from all that it says."""
    if type(entry.get("id")) is int:
        return entry
    return placed(entry, {"id": crc32(encoded(dict(sorted(entry.items()))))})


def _of_list(came: list[Any], *, total: object) -> Entries:
    return Entries([_entry(one) for one in came], may_lack_some(len(came), total))


def _entries_of_object(relation: Record) -> list[Record]:
    """Read a map from key to entry, or the only entry.

    Ids are the keys of a map where they are numbers; other keys only if each has an object.
    """
    if relation and all(key.isdecimal() for key in relation):
        return [placed(_entry(one), {"id": int(key)}) for key, one in relation.items()]
    if "id" not in relation and relation and all(type(one) is dict for one in relation.values()):
        return [placed(one, {"key": key}) for key, one in relation.items()]
    return [relation] if relation else []


def _entry(value: Any) -> Record:  # noqa: ANN401 - JSON
    """Take what is no object for the name of the thing."""
    return value if isinstance(value, dict) else {"name": value}
