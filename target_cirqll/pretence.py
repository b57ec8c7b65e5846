"""The account as it would be if all that a dry run was told to do had been done."""

from __future__ import annotations

import threading
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Any

from cirqll_client.ledger import Entry, Written
from target_cirqll import custom_fields
from target_cirqll.actions import Action, Create, Deed, Delete, Update
from target_cirqll.comparison import CUSTOM, Comparison
from target_cirqll.creating import Cleared, InDoubt
from target_cirqll.made_up import is_made_up, names_made_up
from target_cirqll.matching import Matching
from target_cirqll.pretended import Pretended, PretendedRecords
from target_cirqll.records import Matches
from target_cirqll.rows import Reject
from target_cirqll.values import digest, folded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record
    from cirqll_client.timestamps import Timestamps
    from target_cirqll.groups import Group
    from target_cirqll.records import KnownRows, LiveRecords

IN_DOUBT = Reject(
    "unknown",
    "an earlier run sent it, and the answer was lost; a real run looks first whether it is there, "
    "which takes a minute, and then creates it or not",
)


class Pretence:
    """Remembers what is to be done instead of doing it, and answers as if it had been done.

    It takes the place of the live records, of the ledger, and of the writer. It only reads: what
    it is told goes into a temporary file. What the API would make of a value, refuse, or take away
    with a record that is deleted, it does not know. Threads may share it, but not ask it while
    others do.
    """

    def __init__(self, live: LiveRecords, ledger: KnownRows, *, timestamps: Timestamps) -> None:
        """Pretend on top of what is there. Raises ``Unavailable`` without a temporary file."""
        self._live = live
        self._ledger = ledger
        self._timestamps = timestamps
        self._pretended = PretendedRecords()
        self._made_up_ids = count(-1, -1)
        self._growth: Counter[str] = Counter()
        self._turn = threading.Lock()

    def close(self) -> None:
        """Forget everything."""
        self._pretended.close()

    def by_id(
        self,
        resource: Resource,
        ids: Collection[int],
        *,
        fields: Collection[str],
        relations: tuple[str, ...] = (),
    ) -> dict[int, Record]:
        """Give those of these records that there would be."""
        real = [one for one in ids if not is_made_up(one)]
        found: dict[int, Record] = {}
        if real:
            found = self._live.by_id(resource, real, fields=fields, relations=relations)
        made_up = {one: {"id": one} for one in ids if is_made_up(one)}
        return _as_pretended({**found, **made_up}, self._pretended.get(resource, ids))

    def by_field(
        self,
        resource: Resource,
        field: str,
        values: Collection[int | str],
        *,
        fields: Collection[str],
        relations: tuple[str, ...] = (),
    ) -> Matches:
        """Give the records that would have one of these values, and not those that had it."""
        asked = {one for one in values if not names_made_up(field, one)}
        shown = {*fields, field}
        answer = Matches()
        if asked:
            answer = self._live.by_field(resource, field, asked, fields=fields, relations=relations)
        had = {int(one["id"]): one for some in answer.records.values() for one in some}
        expressible = set(values) - answer.inexpressible.keys()
        have = self._having(resource, field, expressible) - had.keys()
        records = _as_pretended(had, self._pretended.get(resource, had))
        if have:
            records |= self.by_id(resource, have, fields=shown, relations=relations)
        matching = Matching(resource, field, self._timestamps)
        return Matches(matching.by_value(records.values(), expressible), answer.inexpressible)

    def exists(self, resource: Resource, record_id: int) -> Record | None:
        """Give one record, ``None`` if it would not be there."""
        pretended = self._pretended.get(resource, [record_id])
        if _is_gone(pretended.get(record_id)):
            return None
        record: Record | None = {"id": record_id}
        if not is_made_up(record_id):
            record = self._live.exists(resource, record_id)
        return _as_pretended({record_id: record}, pretended)[record_id] if record else None

    def total(self, resource: Resource) -> int | None:
        """Count the records that there would be."""
        total = self._live.total(resource)
        return None if total is None else total + self._growth[resource.name]

    def known(self, resource: Resource, identities: Iterable[str]) -> dict[str, Entry]:
        """Give the entries that the ledger would have of these rows."""
        identities = set(identities)
        real = self._ledger.known(resource, identities)
        ids = [one.record_id for one in real.values() if one.record_id is not None]
        gone = {one for one, what in self._pretended.get(resource, ids).items() if what.is_gone}
        entries = {key: entry for key, entry in real.items() if entry.record_id not in gone}
        for key, record_id in self._pretended.known(resource, identities).items():
            entries.pop(key, None)
            if record_id is not None:
                entries[key] = Entry(record_id)
        return entries

    def remember(self, resource: Resource, records: Mapping[str, int]) -> None:
        """Note the record that each of these rows would become."""
        for identity, record_id in records.items():
            self._pretended.remember(resource, [identity], record_id)

    def claims(self, resource: Resource, record_ids: Iterable[int]) -> dict[int, set[str]]:
        """Give the rows that would be known to be these records."""
        ids = set(record_ids)
        real = self._ledger.claims(resource, {one for one in ids if not is_made_up(one)})
        found = {}
        for one in ids:
            claimed = real.get(one, set())
            news = self._pretended.known(resource, claimed)
            found[one] = (claimed - news.keys()) | self._pretended.claiming(resource, one)
        return found

    def release(self, resource: Resource, identities: Iterable[str]) -> None:
        """Let these rows be known no more."""
        self._pretended.remember(resource, identities, None)

    def forget_record(self, resource: Resource, record_id: int) -> None:
        """Take a record for gone: nothing else makes the ledger forget it."""
        self._pretended.remove(resource, record_id)

    def written(self, resource: Resource, record_ids: Iterable[int]) -> dict[int, Written]:
        """Give what would last have been written to these records.

        A field that would have been changed holds exactly what was sent; and who changed such a
        record last would be we.
        """
        ids = list(record_ids)
        comparison = Comparison(resource, self._timestamps)
        written = self._ledger.written(resource, [one for one in ids if not is_made_up(one)])
        for one, pretended in self._pretended.get(resource, ids).items():
            before = written.get(one, Written())
            news = comparison.written(pretended.changes, pretended.changes)
            sent, came = {**before.sent, **news.sent}, {**before.came, **news.came}
            written[one] = Written(sent, came, pretended.changed_at)
        return written

    def do(
        self, action: Action, group: Group, comparison: Comparison, *, seen: Entry | None = None
    ) -> Deed:
        """Pretend to do it. Raises ``InDoubt`` where a real run would: see ``_create``."""
        del seen
        with self._turn:
            match action:
                case Create():
                    self._create(action, comparison)
                    return "created"
                case Update():
                    self._update(action, group, comparison)
                    return action.deed
                case Delete():
                    self._pretended.remove(action.resource, action.record_id)
                    self._growth[action.resource.name] -= 1
                    return "deleted"
                case _:
                    return action.deed

    def cleared(self, creates: list[Create], comparison: Comparison) -> Cleared:
        """Leave it to a real run to find out: that takes time, and settles them in the ledger."""
        del comparison
        return Cleared(unknown={one.identities[0]: IN_DOUBT for one in creates})

    def _create(self, action: Create, comparison: Comparison) -> None:
        """Create, unless the ledger meanwhile knows the row: then it is looked at once more."""
        if self.known(action.resource, action.identities[:1]):
            raise InDoubt
        record_id = next(self._made_up_ids)
        self._put(record_id, Pretended({}), action.body, comparison)
        self._pretended.remember(action.resource, action.identities, record_id)
        self._growth[action.resource.name] += 1

    def _update(self, action: Update, group: Group, comparison: Comparison) -> None:
        changed_at = comparison.written({}, group.live or {}).changed_at
        before = self._pretended.get(action.resource, [action.record_id]).get(action.record_id)
        known = Pretended(before.changes if before else {}, changed_at)
        self._put(action.record_id, known, action.changes, comparison)

    def _put(
        self, record_id: int, before: Pretended, news: Mapping[str, Any], comparison: Comparison
    ) -> None:
        shown = {name: value for name, value in news.items() if comparison.shown(name)}
        marks = {name: _mark(comparison, name, shown[name]) for name in shown if name != CUSTOM}
        after = Pretended(_changed(before.changes, shown), before.changed_at)
        self._pretended.put(comparison.resource, record_id, after, marks=marks)

    def _having(self, resource: Resource, field: str, values: Iterable[int | str]) -> set[int]:
        comparison = Comparison(resource, self._timestamps)
        marks = {_mark(comparison, field, value) for value in values} - {None}
        return self._pretended.having(resource, field, filter(None, marks))


def _mark(comparison: Comparison, field: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    """Give what records with this value can be found by; nothing finds those without one."""
    text = comparison.text(field, value)
    return None if text is None else digest(folded(text))


def _is_gone(pretended: Pretended | None) -> bool:
    return pretended is not None and pretended.is_gone


def _as_pretended(
    records: Mapping[int, Record], pretended: Mapping[int, Pretended]
) -> dict[int, Record]:
    """Give records as they would be, without those that would be gone."""
    return {
        one: _changed(record, pretended[one].changes) if one in pretended else record
        for one, record in records.items()
        if not _is_gone(pretended.get(one))
    }


def _changed(record: Mapping[str, Any], changes: Mapping[str, Any]) -> Record:
    """Give a record with these changes; of the custom fields only those that they name change."""
    after = {**record, **changes}
    if CUSTOM in changes:
        before = custom_fields.read(record.get(CUSTOM))
        both = {**before, **custom_fields.read(changes[CUSTOM])}
        after[CUSTOM] = custom_fields.written(both)
    return after
