"""A copy of every record that was ever handed out, to compare a reader's result with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cirqll_sandbox.exact_json import loads

if TYPE_CHECKING:
    from cirqll_sandbox.answers import Answer

ME = "me"
"""The name under which the answers about the signed-in user are kept."""


@dataclass(frozen=True, slots=True)
class Served:
    """One version of a record, as it went over the wire."""

    resource: str
    id: int
    updated_at: str | None
    record: dict[str, Any]
    """Integers are `int`, every other number is a `SpelledNumber`; relations are in their place."""


class ServedRecords:
    """Keeps texts, each once, in the order in which they first went out; reads them when asked."""

    def __init__(self) -> None:
        self._texts: dict[str, dict[str, None]] = {}

    def keep(self, answer: Answer) -> None:
        """Remember what this answer hands out."""
        if answer.records:
            self._texts.setdefault(answer.resource, {}).update(dict.fromkeys(answer.records))

    def all(self, resource: str) -> list[Served]:
        """Every version of every record of the resource."""
        return [_served(resource, loads(text)) for text in self._texts.get(resource, ())]

    def clear(self) -> None:
        """Forget everything."""
        self._texts.clear()


def _served(resource: str, record: dict[str, Any]) -> Served:
    return Served(resource, record["id"], record.get("updated_at"), record)
