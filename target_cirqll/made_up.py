"""The ids that a dry run gives to records that are not there: how they are told from real ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cirqll_client.resources import parent_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cirqll_client.resources import Resource

_IN_WORDS = re.compile(r"(?<!\S)-\d+(?!\S)")


class Words(str):
    """Words that stand in the place of a value; a report shows them without quotes."""

    __slots__ = ()


def is_made_up(record_id: int) -> bool:
    """Tell whether a dry run made up this id: Cirqll's begin at 1 [doc]."""
    return record_id < 0


def names_made_up(field: str, value: object) -> bool:
    """Tell whether a field names a record by an id that was made up."""
    return isinstance(value, int) and is_made_up(value) and parent_of(field) is not None


def shown_id(resource: Resource, record_id: int) -> int | Words:
    """Give the id as a person is to see it."""
    return Words(f"(new {resource.name})") if is_made_up(record_id) else record_id


def shown_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give fields with the ids in them as a person is to see them."""
    return {name: _shown(name, value) for name, value in fields.items()}


def shown_in_words(sentence: str) -> str:
    """Give a sentence that holds ids, but no values, as a person is to see it."""
    return _IN_WORDS.sub("(new)", sentence)


def _shown(field: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    parent = parent_of(field) if names_made_up(field, value) else None
    return shown_id(parent, value) if parent else value
