"""A table made of the tap's messages as target-postgres makes it, tried with its 0.8.1."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.tap.loader_rules import complaints

if TYPE_CHECKING:
    from collections.abc import Iterable

Message = dict[str, Any]
MARK = "_sdc_deleted_at"


@dataclass
class LoadedTable:
    """The rows of one stream."""

    stream: str
    rows: dict[int, Message] = field(default_factory=dict)

    def load(self, messages: Iterable[Message]) -> None:
        """Take the messages of one run, or those of its beginning that came."""
        schema: Message = {}
        told: dict[bool, set[int]] = {True: set(), False: set()}
        for message in messages:
            if message.get("stream") != self.stream:
                continue
            if message["type"] == "SCHEMA":
                schema = message["schema"]
                continue
            record = message["record"]
            assert complaints(record, schema) == []
            told[MARK in record].add(record["id"])
            # All columns of the schema in force are written, with null for what is not there.
            columns = {name: record.get(name) for name in schema["properties"]}
            self.rows.setdefault(record["id"], {}).update(columns)
        # The loader may write what it was told of one row in one run in any order.
        assert told[True].isdisjoint(told[False])

    @property
    def living(self) -> dict[int, Message]:
        """The rows that are not marked."""
        return {key: row for key, row in self.rows.items() if row.get(MARK) is None}

    @property
    def marked(self) -> set[int]:
        """The ids of the others."""
        return self.rows.keys() - self.living.keys()
