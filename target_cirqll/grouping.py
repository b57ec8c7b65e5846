"""Which rows of a batch are one record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_cirqll.identities import are_two_rows
from target_cirqll.rows import Reject
from target_cirqll.values import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cirqll_client.responses import Record
    from target_cirqll.row_identities import RowIdentities
    from target_cirqll.rows import Row


class Grouping:
    """Puts rows together, and refuses those of which it cannot be said."""

    def __init__(self, names: RowIdentities, *, match_on: tuple[str, ...]) -> None:
        """Tell rows apart by these identities, and by these fields, the strongest first."""
        self._names = names
        self._match_on = match_on
        self.refused: list[tuple[Row, Reject]] = []

    def grouped(
        self, rows: Iterable[Row], *, meant: Mapping[int, Record | None]
    ) -> list[list[Row]]:
        """Put rows together that mean one live record, or that share a key of a new one."""
        groups: dict[int, list[Row]] = {}
        of_record: dict[int, int] = {}
        of_key: dict[str, int] = {}
        for row in rows:
            live = meant.get(row.position)
            number = row.position
            if live is not None:
                number = of_record.setdefault(int(live["id"]), number)
            elif row.id is None:
                keys = [self._names.of(row), *self._names.matches(row)]
                number = next((of_key[key] for key in keys if key in of_key), number)
                if not self._may_join(row, groups.get(number, [])):
                    continue
                for key in keys:
                    of_key.setdefault(key, number)
            groups.setdefault(number, []).append(row)
        return list(groups.values())

    def _may_join(self, row: Row, others: list[Row]) -> bool:
        """Tell whether no stronger key speaks against rows that share a weaker one.

        Nothing does where their key at the source is one: they are one row, which changed.
        """
        identity = self._names.of(row)
        if row.key and all(self._names.of(one) == identity for one in others):
            return True
        if any(are_two_rows(identity, self._names.of(one)) for one in others):
            reason = (
                "an earlier row, with another "
                + " and ".join(row.key)
                + ", has the same "
                + " or ".join(self._match_on)
            )
            self._refuse(row, Reject("ambiguous", reason))
            return False
        for name in self._match_on:
            texts = {
                folded(text) for one in (*others, row) if (text := self._names.text(one, name))
            }
            if len(texts) > 1:
                reason = f"two new rows have another key in common, but a different {name}"
                self._refuse(row, Reject("ambiguous", reason, name))
                return False
            if texts and self._names.text(row, name):
                return True
        return True

    def _refuse(self, row: Row, reject: Reject) -> None:
        self.refused.append((row, reject))
