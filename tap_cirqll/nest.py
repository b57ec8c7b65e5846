"""What came along with the pages of one parent, for a table of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap64

from cirqll_client import custom_fields
from cirqll_client.amounts import counted
from cirqll_client.relations import MOST_ALONG
from cirqll_client.resources import FIELD_VALUES
from cirqll_client.whole_relations import WholeRelation
from tap_cirqll.field_value_rows import value_rows
from tap_cirqll.nested_rows import entries, placed, with_id
from tap_cirqll.row_keys import is_major

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cirqll_client.connection import Connection
    from cirqll_client.nested import Nested
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record
    from tap_cirqll.conformance import Apart, RecordReader
    from tap_cirqll.stream import CirqllStream

Columns = Mapping[str, Any]
"""What a row says of its parent."""


@dataclass(frozen=True, slots=True)
class _Came:
    """The rows of one record, and whether they are all of them."""

    rows: list[Record]
    may_lack_some: bool
    at_least: int
    odd: str | None


class Nest:
    """The rows of one nested stream that come with one parent. Used by one thread."""

    def __init__(
        self,
        stream: CirqllStream,
        nested: Nested,
        parent: Resource,
        connection: Connection,
        *,
        tells_empty: bool,
    ) -> None:
        """Prepare. ``tells_empty`` is for values of custom fields: see ``value_rows``."""
        self.stream = stream
        self.nested = nested
        self.reader: RecordReader = stream.record_reader(connection)
        self.is_refused = False
        """The server does not bring the relation along."""
        self.came_with = BitMap64()
        """Records that brought the relation along, be it empty; not those where it is null."""
        self._parent = parent
        self._tells_empty = tells_empty
        self._definitions = connection.definitions
        self._rest = WholeRelation(connection.client, parent, nested.relation)
        self._lacking: set[int] = set()
        self._odd: str | None = None
        self._records = 0
        self._has_any = False

    @property
    def is_whole(self) -> bool:
        """Tell whether all rows of the records so far came."""
        has_come = self._has_any or not self._records
        return has_come and not (self.is_refused or self._lacking or self._odd)

    def rows(self, apart: Iterable[Apart], *, records: int) -> list[Any]:
        """Make rows of what came along with a page of so many records.

        Raises ``CirqllError`` for what ends a run.
        """
        self._records += records
        latest = {one.record_id: one for one in apart if one.relation == self.nested.relation}
        self._has_any |= bool(latest)
        told = (one.record_id for one in latest.values() if one.value is not None)
        self.came_with.update(filter(is_major, told))
        return self.reader.of([row for one in latest.values() for row in self._of(one)]).rows

    def at_end(self) -> None:
        """Take a relation that never came, though records did, for one that is refused."""
        self.is_refused |= bool(self._records and not self._has_any)

    def warnings(self) -> list[str]:
        """Tell what is not there, and why."""
        sentences = []
        if self._lacking:
            sentences.append(
                f"{self.stream.name}: of {counted(len(self._lacking), self._parent.name)} Cirqll "
                f"gives no more than the first {MOST_ALONG} {self.nested.relation}, "
                "so the others are missing; the next run tries again."
            )
        if self._odd:
            sentences.append(
                f"{self.stream.name}: some of what came with {self._parent.stream} could not be "
                f"read ({self._odd}), so it is missing; the next run tries again. Report it."
            )
        return sentences

    def _of(self, apart: Apart) -> list[Record]:
        came = self._read(apart.value)
        if came.may_lack_some:
            whole = self._rest.of(apart.record_id, at_least=came.at_least)
            if whole is None:
                self._lacking.add(apart.record_id)
                came = self._read(apart.value, is_whole=False)
            else:
                came = self._read(whole)
        self._odd = self._odd or came.odd
        places = {
            self.nested.parent_id: apart.record_id,
            self.nested.parent_time: apart.changed_at,
        }
        if "resource" in self.nested.rows.keys:
            places["resource"] = self._parent.name
        return [placed(row, places) for row in came.rows]

    def _read(self, relation: Any, *, is_whole: bool = True) -> _Came:  # noqa: ANN401 - JSON
        """Make rows; nothing is told to be empty that may only not have come."""
        if self.nested.relation != FIELD_VALUES:
            found = entries(relation)
            rows = [with_id(one) for one in found.records]
            return _Came(rows, found.may_lack_some, found.at_least, found.odd)
        values = custom_fields.read(relation)
        known = self._definitions.including({one["field_id"] for one in values.entries})
        told = value_rows(
            values.entries,
            known,
            resource=self._parent,
            tells_empty=self._tells_empty and is_whole,
        )
        came = values.relation
        return _Came([*told], came.may_lack_some, came.at_least, values.odd)
