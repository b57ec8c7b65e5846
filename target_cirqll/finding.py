"""Which live record each row of a batch means: by its id, by its key at the source, by match_on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cirqll_client.errors import ScopeMissing, SettingInvalid
from target_cirqll.comparison import BOOKMARK, CUSTOM
from target_cirqll.grouping import Grouping
from target_cirqll.groups import Group
from target_cirqll.identities import are_two_rows
from target_cirqll.row_identities import RowIdentities
from target_cirqll.rows import Reject, RowRefused
from target_cirqll.values import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cirqll_client.ledger import Entry
    from cirqll_client.responses import Record
    from target_cirqll.comparison import Comparison
    from target_cirqll.policy import Policy
    from target_cirqll.records import KnownRows, LiveRecords
    from target_cirqll.rows import Row

_MANY = 5
"""So many records that are gone at once are hardly what people delete."""
_TRUSTED_AFTER = 3
"""So many records in a row that Show did not find either: what the Index does not list is gone."""


@dataclass(frozen=True, slots=True)
class FoundRows:
    """The rows of a batch by the record that they mean."""

    groups: list[Group]
    refused: list[tuple[Row, Reject]]


class Finding:
    """Finds the records of one resource for the rows of one batch."""

    def __init__(
        self,
        comparison: Comparison,
        *,
        policy: Policy,
        live: LiveRecords,
        ledger: KnownRows,
        rows: Iterable[Row],
    ) -> None:
        """Prepare for these rows; nothing is asked yet."""
        self._comparison = comparison
        self._resource = comparison.resource
        self._policy = policy
        self._live = live
        self._ledger = ledger
        self._rows = list(rows)
        self._match_on = policy.match_on.get(self._resource.name, ())
        self._fields = self._compared_fields()
        self._relations = (CUSTOM,) if any(row.custom_fields for row in self._rows) else ()
        self._names = RowIdentities(comparison, policy)
        self._records: dict[int, Record] = {}
        self._forbidden: set[int] = set()
        self._entries: dict[str, Entry] = {}
        self._meant: dict[int, Record | None] = {}
        self._refused: dict[int, tuple[Row, Reject]] = {}

    def found(self) -> FoundRows:
        """Ask, and give the rows by record, in the order in which records first appear.

        A source key that is found by match_on is remembered. Raises any ``CirqllError``.
        """
        self._refuse_unknowable()
        self._by_ids()
        self._by_matches()
        self._by_earlier_creates()
        self._by_rows_of_one_key()
        self._refuse_claimed()
        groups = self._groups()
        self._remember(groups)
        return FoundRows(groups, list(self._refused.values()))

    def _refuse_unknowable(self) -> None:
        """Refuse rows without their key, unless something else tells them apart."""
        for row in self._rows:
            if row.lacks_key and row.id is None and next(self._names.matches(row), None) is None:
                reason = "the row has no whole key, by which the next run would know it again"
                self._refuse(row, Reject("invalid", reason))

    def _by_ids(self) -> None:
        """Look up the rows that carry an id, and those whose key the ledger knows."""
        keys = {row.position: self._names.of(row) for row in self._rows if row.key}
        self._entries = self._ledger.known(self._resource, keys.values())
        given = {row.position: row.id for row in self._rows if row.id is not None}
        known = {
            position: entry.record_id
            for position, key in keys.items()
            if position not in given
            and (entry := self._entries.get(key)) is not None
            and entry.record_id is not None
        }
        self._ask({*given.values(), *known.values()})
        self._mean_known(known)
        self._ask_unlisted(set(given.values()), may_trust=True)
        self._refuse_forbidden(given)
        for position, record_id in given.items():
            self._meant[position] = self._records.get(record_id)

    def _mean_known(self, known: Mapping[int, int]) -> None:
        """Let rows mean the records that the ledger names, by position; forget what is gone."""
        ids = set(known.values())
        self._check_some_are_there(self._of_living(known))
        self._ask_unlisted(ids, may_trust=False)
        self._refuse_forbidden(known)
        gone = ids - self._records.keys() - self._forbidden
        for record_id in gone:
            self._ledger.forget_record(self._resource, record_id)
        self._entries = {k: one for k, one in self._entries.items() if one.record_id not in gone}
        for position, record_id in known.items():
            if record_id in self._records:
                self._meant[position] = self._records[record_id]

    def _by_matches(self) -> None:
        for name in self._match_on:
            asked = {
                row.position: value
                for row in filter(self._is_open, self._rows)
                if (value := self._comparison.asked(name, row.fields.get(name))) is not None
            }
            if not asked:
                continue
            answer = self._live.by_field(
                self._resource,
                name,
                set(asked.values()),
                fields=self._fields,
                relations=self._relations,
            )
            for row in [row for row in self._rows if row.position in asked]:
                value = asked[row.position]
                try:
                    self._take(row, name, answer.records.get(value, []))
                    self._check_expressible(name, answer.inexpressible.get(value))
                except RowRefused as refused:
                    self._refuse(row, refused.reject)

    def _take(self, row: Row, name: str, records: list[Record]) -> None:
        """Let a row mean the record that matches. Raises ``RowRefused``."""
        if len(records) > 1:
            ids = " and ".join(sorted((str(one["id"]) for one in records), key=int))
            reason = f"{self._resource.stream} {ids} have the same {name} as the row"
            raise RowRefused(Reject("ambiguous", reason, name))
        if records:
            self._check_stronger(row, name, records[0])
            self._records[int(records[0]["id"])] = records[0]
            self._meant[row.position] = records[0]

    def _check_stronger(self, row: Row, name: str, record: Record) -> None:
        """Refuse a match that a key which was tried before speaks against."""
        for stronger in self._match_on[: self._match_on.index(name)]:
            wanted = self._names.text(row, stronger)
            there = self._comparison.text(stronger, record.get(stronger))
            if wanted and there and folded(wanted) != folded(there):
                reason = (
                    f"{self._resource.name} {record['id']} has the same {name} as the row, but "
                    f"another {stronger}"
                )
                raise RowRefused(Reject("ambiguous", reason, stronger))

    def _check_expressible(self, name: str, reason: str | None) -> None:
        if reason:
            words = f"it cannot be looked up by {name}: {reason}"
            raise RowRefused(Reject("invalid", words, name))

    def _by_earlier_creates(self) -> None:
        """Look what the ledger knows of the rows, and take it for those that nothing else found."""
        by_row = {
            row.position: self._names.of(row)
            for row in self._rows
            if row.id is None and row.position not in self._refused
        }
        # Those that were found, too: a create of theirs that is open did happen.
        self._entries |= self._ledger.known(
            self._resource, set(by_row.values()) - self._entries.keys()
        )
        known = {
            row.position: entry.record_id
            for row in filter(self._is_open, self._rows)
            if (entry := self._entries.get(by_row[row.position])) and entry.record_id is not None
        }
        self._ask(set(known.values()))
        self._mean_known(known)

    def _by_rows_of_one_key(self) -> None:
        """Let rows that share their key mean one record, though only some of them tell which."""
        of_key: dict[str, Record] = {}
        for row in self._rows:
            live = self._meant.get(row.position)
            if row.key and live is not None:
                of_key.setdefault(self._names.of(row), live)
        for row in self._rows:
            if row.key and row.id is None and self._names.of(row) in of_key:
                self._meant[row.position] = of_key[self._names.of(row)]

    def _refuse_claimed(self) -> None:
        """Refuse rows that match a record which is another row of their source already."""
        found = {
            row.position: int(live["id"])
            for row in self._rows
            if row.key and row.id is None and (live := self._meant.get(row.position)) is not None
        }
        claims = self._ledger.claims(self._resource, set(found.values()))
        gone = self._names.deleted(self._rows)
        for row in self._rows:
            record_id = found.get(row.position)
            if record_id is None or row.position in self._refused:
                continue
            claimed = claims.setdefault(record_id, set())
            claimed -= gone
            identity = self._names.of(row)
            if identity not in claimed and any(are_two_rows(identity, one) for one in claimed):
                self._refuse(row, self._claimed(row, record_id))
            claimed.add(identity)

    def _claimed(self, row: Row, record_id: int) -> Reject:
        names = " and ".join(row.key)
        name = self._resource.name
        reason = (
            f"it matches {name} {record_id}, which is another row already, with another {names}. "
            "If those are two, correct what they have in common; if that row is gone for good, run "
            f"`cirqll ledger release {name} {record_id}`"
        )
        return Reject("ambiguous", reason)

    def _groups(self) -> list[Group]:
        rows = [row for row in self._rows if row.position not in self._refused]
        grouping = Grouping(self._names, match_on=self._match_on)
        grouped = grouping.grouped(rows, meant=self._meant)
        for row, reject in grouping.refused:
            self._refuse(row, reject)
        ordered = [self._names.living_last(some) for some in grouped]
        claims = self._ledger.claims(self._resource, {*map(self._deleted_id, ordered)} - {0})
        return [self._group(some, claims) for some in ordered]

    def _deleted_id(self, rows: list[Row]) -> int:
        """Give the id of the record that these rows would take away, 0 for none."""
        live = self._meant.get(rows[0].position)
        is_left = live is None or not rows[-1].deleted_at or self._policy.on_delete == "ignore"
        return 0 if live is None or is_left else int(live["id"])

    def _group(self, rows: list[Row], claims: Mapping[int, set[str]]) -> Group:
        live = self._meant.get(rows[0].position)
        identities = dict.fromkeys(self._names.of(row) for row in rows if row.id is None or row.key)
        doubts = [one for one in identities if (entry := self._entries.get(one)) and entry.is_open]
        # What is in doubt comes first: it is the one that a create would be written down under.
        ordered = tuple(dict.fromkeys([*doubts, *identities]))
        doubt = self._entries[doubts[0]] if doubts and live is None else None
        claimed = claims.get(self._deleted_id(rows), set())
        return Group(tuple(rows), live, ordered, self._is_shared(claimed, identities), doubt)

    def _is_shared(self, claimed: set[str], known: Iterable[str]) -> bool:
        """Tell of a deletion whether others are the record too; then it is not theirs any more."""
        others = claimed - set(known)
        if others and claimed - others:
            self._ledger.release(self._resource, claimed - others)
        return bool(others)

    def _remember(self, groups: list[Group]) -> None:
        """Note the records of source keys that match_on found, and of creates that did happen."""
        # Not those of deleted rows: such a claim would keep the last of them from deleting it.
        keys = {self._names.of(row) for row in self._rows if row.key}
        keys -= self._names.deleted(self._rows)
        news: dict[str, int] = {}
        for group in groups:
            if group.live is None:
                continue
            record_id = int(group.live["id"])
            for identity in group.identities:
                entry = self._entries.get(identity)
                if identity in keys if entry is None else entry.record_id != record_id:
                    news[identity] = record_id
        self._ledger.remember(self._resource, news)

    def _ask(self, ids: set[int]) -> None:
        missing = ids - self._records.keys()
        if missing:
            self._records |= self._live.by_id(
                self._resource, missing, fields=self._fields, relations=self._relations
            )

    def _of_living(self, known: Mapping[int, int]) -> set[int]:
        """Leave out what deleted rows mean: that their records are gone is no surprise."""
        return {
            known[row.position]
            for row in self._rows
            if row.position in known and not row.deleted_at
        }

    def _shown(self, record_id: int) -> Record | None:
        """Ask for a single record; one that is there, but not for this user, is noted."""
        try:
            return self._live.exists(self._resource, record_id)
        except ScopeMissing:
            self._forbidden.add(record_id)
            return None

    def _refuse_forbidden(self, records: Mapping[int, int]) -> None:
        """Refuse rows whose record is there, but not to be seen by this user."""
        for row in self._rows:
            record_id = records.get(row.position)
            if record_id in self._forbidden:
                reason = f"Cirqll does not show {self._resource.name} {record_id} to this user"
                self._refuse(row, Reject("refused", reason))

    def _check_some_are_there(self, ids: set[int]) -> None:
        """Stop where most records that rows became are gone at once. Raises ``SettingInvalid``.

        That is hardly what people delete: the token sees less, or the ledger is not of this place.
        """
        missing = sorted(ids - self._records.keys())
        if len(missing) < _MANY or 2 * len(missing) <= len(ids):
            return
        spread = missing[:: len(missing) // _MANY]
        if any(self._shown(one) or one in self._forbidden for one in spread):
            return
        msg = (
            f"Of {len(ids):,} {self._resource.stream} that earlier runs wrote, {len(missing):,} "
            "are not in Cirqll any more, as far as this token sees. Nothing of this batch was "
            "written, or they would be created again. Check who is signed in (`cirqll whoami`) "
            "and the setting account. If they were deleted, and are to be created again, run "
            f"`cirqll ledger release {self._resource.name}` first."
        )
        raise SettingInvalid(msg)

    def _ask_unlisted(self, ids: set[int], *, may_trust: bool) -> None:
        """Ask for single records that the Index does not list: it may hide some [guess].

        An id that a row gives is believed to be gone after a few that are, the newest asked for
        first: else a table of old deletions would cost a request for each row in every run. A
        mistake costs a reject, or leaves a record that was to be deleted.
        """
        not_there = 0
        for record_id in sorted(ids - self._records.keys(), reverse=True):
            if may_trust and not_there >= _TRUSTED_AFTER:
                return
            record = self._shown(record_id)
            if record_id in self._forbidden:
                continue
            if record is None:
                not_there += 1
            else:
                not_there = 0
                self._records[record_id] = record

    def _is_open(self, row: Row) -> bool:
        return row.id is None and not (row.position in self._meant or row.position in self._refused)

    def _compared_fields(self) -> list[str]:
        """Name the fields to be shown: what is compared, and no more."""
        named = {name for row in self._rows for name in row.fields if self._comparison.shown(name)}
        named |= {*self._match_on, BOOKMARK}
        if self._policy.on_delete == "archive":
            named.add("archived_at")
        return sorted(named & self._resource.schema["properties"].keys())

    def _refuse(self, row: Row, reject: Reject) -> None:
        self._refused[row.position] = (row, reject)
