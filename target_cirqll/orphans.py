"""Rows that wait for their parents, with those behind them that mean the same records."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from unicodedata import normalize

from target_cirqll.identities import key_identity, match_identity
from target_cirqll.values import folded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cirqll_client.resources import Resource
    from target_cirqll.policy import Policy
    from target_cirqll.rows import Row


class Orphans:
    """Keeps rows back until their parents may be there; the changes of a record stay in order."""

    def __init__(self, policy: Policy) -> None:
        """Tell records apart by the keys that these settings name."""
        self._policy = policy
        self._rows: dict[str, list[Row]] = defaultdict(list)
        self._awaited: dict[str, set[str]] = defaultdict(set)

    def __len__(self) -> int:
        """Count the rows that wait."""
        return sum(map(len, self._rows.values()))

    def add(self, row: Row) -> None:
        """Keep a row back, and all that are asked about later and mean the same record."""
        self._rows[row.resource.name].append(row)
        self._awaited[row.resource.name].update(self._names(row))

    def holds_back(self, row: Row) -> bool:
        """Tell whether a row that waits means the same record: then this one waits behind it."""
        awaited = self._awaited.get(row.resource.name, set())
        return bool(awaited) and any(name in awaited for name in self._names(row))

    def taken(self, resource: Resource) -> list[Row]:
        """Give the rows that wait, in the order of the input; they wait no more."""
        self._awaited.pop(resource.name, None)
        return sorted(self._rows.pop(resource.name, []), key=lambda row: row.position)

    def _names(self, row: Row) -> Iterator[str]:
        """Give all by which the row may be told to mean the same record as another one."""
        if row.id is not None:
            yield f"id {row.id}"
        if row.key:
            yield key_identity(row.key, source=self._policy.source)
        for name in self._policy.match_on.get(row.resource.name, ()):
            if row.fields.get(name) is not None:
                text = normalize("NFC", str(row.fields[name]).strip())
                yield match_identity(name, folded(text))
