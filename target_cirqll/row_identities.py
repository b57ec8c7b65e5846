"""By what each row of a batch is known: to the ledger, and to other rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_cirqll.comparison import CUSTOM
from target_cirqll.identities import content_identity, key_identity, match_identity
from target_cirqll.values import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from target_cirqll.comparison import Comparison
    from target_cirqll.policy import Policy
    from target_cirqll.rows import Row


class RowIdentities:
    """The identities of rows of one resource, made once for each row."""

    def __init__(self, comparison: Comparison, policy: Policy) -> None:
        """Know rows by the keys that these settings name."""
        self._comparison = comparison
        self._source = policy.source
        self._match_on = policy.match_on.get(comparison.resource.name, ())
        self._known: dict[int, str] = {}

    def of(self, row: Row) -> str:
        """Give what the ledger knows the row by: its key, its first match key, or all it says."""
        known = self._known.get(row.position)
        if known is None:
            known = self._known[row.position] = self._told_identity(row)
        return known

    def _told_identity(self, row: Row) -> str:
        if row.key:
            return key_identity(row.key, source=self._source)
        return next(self.matches(row), "") or self._content_of(row)

    def matches(self, row: Row) -> Iterator[str]:
        """Give the identities by which it may match a record, the strongest first."""
        for name in self._match_on:
            text = self.text(row, name)
            if text:
                yield match_identity(name, folded(text))

    def text(self, row: Row, name: str) -> str | None:
        """Give the canonical text of a field."""
        return self._comparison.text(name, row.fields.get(name))

    def deleted(self, rows: Iterable[Row]) -> set[str]:
        """Give the identities of rows that are deleted in the end."""
        last = {self.of(row): row for row in rows if row.key or row.id is None}
        return {identity for identity, row in last.items() if row.deleted_at}

    def living_last(self, rows: list[Row]) -> list[Row]:
        """Put the rows last that are not deleted in the end: a record lives while one of them does.

        Each in the order of the input; what the deleted ones said no longer counts.
        """
        last = {self._version_of(row): row for row in rows}
        gone = {one for one, row in last.items() if row.deleted_at}
        return sorted(rows, key=lambda row: self._version_of(row) not in gone)

    def _version_of(self, row: Row) -> str:
        """Tell rows of the source apart: two versions of one share this."""
        return self.of(row) if row.key or row.id is None else f"id {row.id}"

    def _content_of(self, row: Row) -> str:
        texts: Mapping[str, str | None] = {
            name: self._comparison.text(name, value) for name, value in row.fields.items()
        }
        custom = {f"{CUSTOM}.{number}": str(value) for number, value in row.custom_fields.items()}
        return content_identity({**texts, **custom}, source=self._source)
