"""A relation of one record in full, where more of it is there than came along.

At most 50 entries of a relation come along with a record [doc]. Where the others are is a guess, in
two ways, which this is the one place for: a Show brings them all, or they have an Index of their
own with a filter by their owner. An answer counts only if it proves to be whole.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cirqll_client import relations, responses
from cirqll_client.errors import OF_ONE_THING
from cirqll_client.query import Condition, IndexQuery, Order
from cirqll_client.resources import Resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.client import CirqllClient
    from cirqll_client.transport import Answer

    Ask = Callable[[int], Any]

_ENTRIES = {"options": "field_option", "items": "template_item"}
"""What the API calls an entry of a relation, where that is more than the singular (cirqll-api.md,
Resources)."""
_MOST_FAILURES = 3
"""A way that failed so often, and never worked, is not tried again."""


class WholeRelation:
    """Reads one relation of records of one resource. Used by one thread at a time."""

    def __init__(self, client: CirqllClient, resource: Resource, relation: str) -> None:
        """Prepare; nothing is asked yet."""
        self._client = client
        self._resource = resource
        self._relation = relation
        self._entries = Resource(_entry(relation), relation, bookmark_field=None)
        self._ways: list[Ask] = [self._by_show, self._by_index]
        self._worked: set[Ask] = set()
        self._failures: dict[Ask, int] = {}

    def of(self, record_id: int, *, at_least: int = 0) -> Any:  # noqa: ANN401 - JSON
        """Give the relation as a Show or an Index has it; ``None`` if neither has it whole.

        It has so many entries at least. What worked is tried first from then on. Nothing is asked
        for a client that only looks (``asks_for_rest``). Raises ``CirqllError`` for what ends a
        run.
        """
        for way in list(self._ways) if self._client.asks_for_rest else ():
            whole = self._tried(way, record_id)
            if _is_whole(whole, at_least=at_least):
                self._worked.add(way)
                self._ways.sort(key=lambda one: one != way)
                return whole
            self._failures[way] = self._failures.get(way, 0) + 1
            if way not in self._worked and self._failures[way] >= _MOST_FAILURES:
                self._ways.remove(way)
        return None

    def _tried(self, way: Ask, record_id: int) -> Any:  # noqa: ANN401 - JSON
        try:
            return way(record_id)
        except OF_ONE_THING:
            return None

    def _by_show(self, record_id: int) -> Any:  # noqa: ANN401 - JSON
        path = f"{self._resource.path}/{record_id}"
        record = self._client.ask(path, _record, parameters={"with": self._relation})
        return record.get(self._relation) if record.get("id") == record_id else None

    def _by_index(self, record_id: int) -> Any:  # noqa: ANN401 - JSON
        """Read the Index to its end. A server that does not heed the filter shows by the owners."""
        owner = f"{self._resource.name}_id"
        query = IndexQuery(filter=Condition(owner, "eq", record_id), order_by=(Order("id"),))
        entries: dict[Any, responses.Record] = {}
        while True:
            offset = len(entries)
            page = self._client.index(self._entries, replace(query, offset=offset))
            rows = page.rows.rows
            entries |= {row.get("id"): row for row in rows}
            is_new = len(entries) == offset + len(rows)
            if not is_new or any(row.get(owner) != record_id for row in rows):
                return None
            if not rows or len(entries) == page.total:
                return {"data": list(entries.values()), "total": len(entries)}


def _is_whole(came: object, *, at_least: int) -> bool:
    found = relations.read(came)
    is_there = came is not None and not found.is_odd
    return is_there and len(found.entries) >= at_least and not found.may_lack_some


def _entry(relation: str) -> str:
    return _ENTRIES.get(relation, relation.removesuffix("s"))


def _record(answer: Answer) -> responses.Record:
    return responses.record(answer.body)
