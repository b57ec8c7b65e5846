"""Records that rows name by a key of their own: which ids they have in Cirqll."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from target_cirqll.comparison import Comparison
from target_cirqll.identities import key_identity
from target_cirqll.records import NotFindable
from target_cirqll.rows import Reject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record
    from cirqll_client.timestamps import Timestamps
    from target_cirqll.records import KnownRows, LiveRecords
    from target_cirqll.rows import Parent, Row

_Key = tuple[tuple[str, str], ...]
"""The key of a parent, as texts, by name."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """Rows whose parents were looked for."""

    rows: list[Row] = field(default_factory=list)
    """They have the ids of all their parents."""
    orphans: list[tuple[Row, Reject]] = field(default_factory=list)
    """A parent is not there, or not yet."""
    refused: list[tuple[Row, Reject]] = field(default_factory=list)


class Parents:
    """Finds the parents of the rows of a batch, all that are alike with one question."""

    def __init__(
        self, *, live: LiveRecords, ledger: KnownRows, timestamps: Timestamps, source: str
    ) -> None:
        """Look among live records, and among the keys that the ledger knows of this source."""
        self._live = live
        self._ledger = ledger
        self._timestamps = timestamps
        self._source = source
        self._unaskable: dict[_Key, str] = {}

    def resolved(self, rows: Iterable[Row]) -> Resolved:
        """Fill in the ids of parents. Raises any ``CirqllError``."""
        rows = list(rows)
        self._unaskable.clear()
        wanted = [one for row in rows if not row.deleted_at for one in row.parents.values()]
        by_resource: dict[str, list[Parent]] = defaultdict(list)
        for parent in wanted:
            by_resource[parent.resource.name].append(parent)
        ids: dict[tuple[str, _Key], list[int]] = {}
        for name, parents in by_resource.items():
            found = self._ids(parents[0].resource, parents)
            ids |= {(name, key): found[key] for key in found}
        result = Resolved()
        for row in rows:
            self._resolve(row, ids, result)
        return result

    def _resolve(self, row: Row, ids: dict[tuple[str, _Key], list[int]], result: Resolved) -> None:
        if not row.parents or row.deleted_at:
            result.rows.append(row)
            return
        filled = {}
        for name, parent in row.parents.items():
            found = ids.get((parent.resource.name, _key(parent)), [])
            if len(found) != 1:
                words = " and ".join(sorted(parent.key))
                what = parent.resource.stream if found else parent.resource.name
                if found:
                    reason = f"{len(found)} {what} have the {words} that the row names"
                    result.refused.append((row, Reject("ambiguous", reason, name)))
                else:
                    unaskable = self._unaskable.get(_key(parent))
                    if unaskable:
                        reason = f"the {what} cannot be looked up by {words}: {unaskable}"
                        result.refused.append((row, Reject("invalid", reason, name)))
                    else:
                        reason = f"there is no {what} with the {words} that the row names"
                        result.orphans.append((row, Reject("invalid", reason, name)))
                return
            filled[name] = found[0]
        result.rows.append(replace(row, fields={**row.fields, **filled}, parents={}))

    def _ids(self, resource: Resource, parents: list[Parent]) -> dict[_Key, list[int]]:
        """Give the ids by key: of live records if the API knows the fields, else the ledger's."""
        comparison = Comparison(resource, self._timestamps)
        unique = {_key(one): one for one in parents}
        found: dict[_Key, list[int]] = {}
        by_names: dict[tuple[str, ...], list[Parent]] = defaultdict(list)
        for parent in unique.values():
            if parent.key.keys() <= resource.schema["properties"].keys():
                by_names[tuple(sorted(parent.key))].append(parent)
        for names, some in by_names.items():
            found |= self._live_ids(comparison, names, some)
        missing = {key: one for key, one in unique.items() if not found.get(key)}
        identities = {
            key: key_identity(one.key, source=self._source) for key, one in missing.items()
        }
        entries = self._ledger.known(resource, identities.values())
        for key, identity in identities.items():
            entry = entries.get(identity)
            if entry is not None and entry.record_id is not None:
                found[key] = [entry.record_id]
        return found

    def _live_ids(
        self, comparison: Comparison, names: tuple[str, ...], parents: list[Parent]
    ) -> dict[_Key, list[int]]:
        """Ask by one of the fields, and compare the others here."""
        asked = {
            key: value
            for key, one in ((_key(one), one) for one in parents)
            if (value := comparison.asked(names[0], one.key[names[0]])) is not None
        }
        try:
            answer = self._live.by_field(
                comparison.resource, names[0], set(asked.values()), fields=list(names)
            )
        except NotFindable:
            self._unaskable |= dict.fromkeys(asked, f"Cirqll does not find them by {names[0]}")
            return {}
        self._unaskable |= {
            key: answer.inexpressible[value]
            for key, value in asked.items()
            if value in answer.inexpressible
        }
        return {
            key: [
                int(record["id"])
                for record in answer.records.get(asked[key], [])
                if _agrees(record, one, names[1:], comparison)
            ]
            for key, one in ((_key(one), one) for one in parents)
            if key in asked
        }


def _agrees(record: Record, parent: Parent, names: tuple[str, ...], comparison: Comparison) -> bool:
    return all(
        comparison.text(name, record.get(name)) == comparison.text(name, parent.key[name])
        for name in names
    )


def _key(parent: Parent) -> _Key:
    return tuple(sorted((name, _text(value)) for name, value in parent.key.items()))


def _text(value: Any) -> str:  # noqa: ANN401 - JSON
    return value if isinstance(value, str) else repr(value)
