"""Making records that fit their schema out of the JSON of a page, with nothing lost.

The rules are in ``columns``; ``RecordReader`` applies them to dictionaries, one record after the
other. It does so only where it must: pages are decoded in C into structs whose fields have the
types of the columns, and what C cannot decide is decided a column at a time (``structs``). Both
give the same records, which a property test holds them to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, Raw

from cirqll_client.custom_fields import id_in_key
from cirqll_client.kinds import NONCONFORMING, UNDOCUMENTED, is_storable
from cirqll_client.resources import FIELD_VALUES
from cirqll_client.responses import Rows, decoded, records
from tap_cirqll.columns import Misfit, fitted, storable
from tap_cirqll.custom_columns import CustomColumns
from tap_cirqll.custom_reading import whole
from tap_cirqll.inference import kind_for
from tap_cirqll.shape import Findings
from tap_cirqll.structs import StructReader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cirqll_client.kinds import Kind
    from cirqll_client.learned_columns import Columns
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Json, Record
    from cirqll_client.timestamps import Timestamps
    from tap_cirqll.custom_columns import CustomSource
    from tap_cirqll.shape import Shape

    Learn = Callable[[Mapping[str, Kind]], Columns]
    """Gives columns of these kinds to fields, for good; gives what columns they have then."""

LONGEST_FIELD = 200
"""Characters of a name; a longer one is no name."""


@dataclass(frozen=True, slots=True)
class Apart:
    """A relation that came along with a record, as JSON."""

    relation: str
    record_id: Any
    changed_at: Any
    """The value of the record's bookmark field as it came."""
    value: Any


@dataclass(frozen=True, slots=True)
class _Values:
    """The custom fields of the records of a page: as they came, and as they were read."""

    came: list[Any]
    read: list[Any]
    is_new: bool
    """Some of them got a column."""


class RecordReader:
    """Reads the rows of one stream's pages. Used by one thread at a time."""

    def __init__(
        self,
        resource: Resource,
        shape: Shape,
        *,
        timestamps: Timestamps,
        learn: Learn = lambda _kinds: {},
        custom: CustomSource | None = None,
    ) -> None:
        """Prepare for records of this shape, which ``learn`` widens where the shape learns.

        ``custom`` is needed where the shape has custom fields.
        """
        self._resource = resource
        self._timestamps = timestamps
        self._learn = learn
        self.findings = Findings()
        self._apart: list[Apart] = []
        self._structs = StructReader(
            shape, timestamps=timestamps, findings=self.findings, widen=self._widened
        )
        self._custom = (
            CustomColumns(custom, timestamps=timestamps, findings=self.findings) if custom else None
        )

    @property
    def shape(self) -> Shape:
        """What becomes of each field; another one once new fields got their columns."""
        return self._structs.shape

    def __call__(self, data: Json) -> Rows:
        """Read the JSON of a list of records. Raises ``Unreadable``, and what ``learn`` raises."""
        if self._resource.key_without_id or _has_odd_text(data):
            return self.plain(data)
        try:
            rows = self._structs.decode(data)
        except (msgspec.DecodeError, RecursionError):
            return self.plain(data)
        values = self._values(rows)
        if values.is_new:
            rows = self._structs.decode(data)
        return self._finished(rows, values)

    def plain(self, data: Json) -> Rows:
        """Read the same, one record after the other, as dictionaries."""
        return self.of(records(data, key_without_id=self._resource.key_without_id))

    def of(self, rows: list[Record]) -> Rows:
        """Read records that are dictionaries already, with exact decimals."""
        if self.shape.learns:
            self._learn_from(rows)
        return self._finished(rows, self._values(rows))

    def _values(self, rows: list[Any]) -> _Values:
        """Read the custom fields of the records; those that have no column yet get one."""
        custom = self.shape.custom
        if custom is None or self._custom is None:
            return _Values([], [], is_new=False)
        came = self._as_they_came(rows, FIELD_VALUES)
        if not custom.own_columns and all(one is UNSET for one in came):
            return _Values([], [], is_new=False)
        read = self._custom.read(came, self._keys(rows, "id"), is_array=custom.is_array)
        shape = self._custom.widened(self.shape, read)
        is_new = shape is not self.shape
        if is_new:
            self._structs.take(shape)
        return _Values(came, read, is_new=is_new)

    def _finished(self, rows: list[Any], values: _Values) -> Rows:
        """Finish structs a column at a time, and dictionaries one by one."""
        ids, times = self._keys(rows, "id"), self._keys(rows, self._resource.bookmark_field)
        self._keep_apart(rows, ids, times, values)
        structs = [row for row in rows if type(row) is not dict]
        self._structs.finish(structs, has_custom_fields=bool(values.came))
        done = [self.conformed(row) if type(row) is dict else row for row in rows]
        if values.read and self._custom:
            self._custom.place(
                done, values.read, values.came, shape=self.shape, places=self._structs
            )
        return Rows(done, ids, times)

    def _keep_apart(
        self, rows: list[Any], ids: list[Any], times: list[Any], values: _Values
    ) -> None:
        for name in sorted(self.shape.apart):
            came = self._as_they_came(rows, name)
            if name == FIELD_VALUES and values.read:
                came = [whole(*both) for both in zip(values.read, came, strict=True)]
            self._apart += [
                Apart(name, row_id, time, decoded(bytes(one)) if type(one) is Raw else one)
                for row_id, time, one in zip(ids, times, came, strict=True)
                if one is not UNSET
            ]

    def _keys(self, rows: list[Any], name: str | None) -> list[Any]:
        """Give the values of a field as they came, ``None`` where there is none."""
        if name is None:
            return [None] * len(rows)
        return [None if key is UNSET else key for key in self._as_they_came(rows, name)]

    def _as_they_came(self, rows: list[Any], name: str) -> list[Any]:
        """Give the values of a field, ``UNSET`` where it did not come."""
        of_struct = self._structs.getter(name)
        if dict not in set(map(type, rows)):
            return list(map(of_struct, rows))
        return [row.get(name, UNSET) if type(row) is dict else of_struct(row) for row in rows]

    def take_apart(self) -> list[Apart]:
        """Give what was kept apart since this was asked last, as it came, and forget it.

        Also of rows that were read to be sure of something, and not handed out.
        """
        taken, self._apart = self._apart, []
        return taken

    def _learn_from(self, rows: list[Record]) -> None:
        """Give columns to the fields of these records that have none."""
        known = self.shape.columns.keys() | self.shape.not_handed_out
        known |= {FIELD_VALUES} if self.shape.custom else set()
        values: dict[str, list[Any]] = {}
        for row in rows:
            for name, value in row.items():
                if name not in known:
                    values.setdefault(name, []).append(value)
        there = {name: [one for one in came if one is not None] for name, came in values.items()}
        shape = self._widened({name: some for name, some in there.items() if some})
        if shape is not self.shape:
            self._structs.take(shape)

    def _widened(self, values: dict[str, list[Any]]) -> Shape:
        """Give the shape with columns for these fields, as far as there is room."""
        shape = self.shape
        names = [name for name in values if _may_have_column(name)]
        kinds = {name: kind_for(name, values[name], self._timestamps) for name in names}
        wanted = {name: kind for name, kind in list(kinds.items())[: max(shape.room, 0)] if kind}
        if not wanted:
            return shape
        columns = self._learn(wanted)
        news = [columns[name] for name in wanted if name in columns]
        wider = shape.with_columns(news)
        self.findings.new_columns |= {o.name: o.kind for o in news if o.field in wider.columns}
        return wider

    def conformed(self, record: Record) -> Record:
        """Give one record as its schema has it."""
        shape = self.shape
        fitting: Record = {}
        misfits: Record = {}
        others: Record = {}
        for name, value in record.items():
            kind = shape.columns.get(name)
            if kind is not None:
                column = shape.column(name)
                try:
                    fitting[column] = fitted(value, kind, self._timestamps)
                except Misfit:
                    fitting[column], misfits[column] = None, storable(value)
            elif self._is_other(name, value):
                others[storable(name)] = storable(value)
        self.findings.nonconforming.update(misfits.keys())
        self.findings.undocumented.update(others.keys())
        if misfits and shape.keeps_nonconforming:
            fitting[NONCONFORMING] = misfits
        if others:
            fitting[UNDOCUMENTED] = others
        return fitting

    def _is_other(self, name: str, value: object) -> bool:
        """Tell whether a field without a column is kept. A null that may get one says nothing."""
        shape = self.shape
        is_empty = value is None and shape.learns
        is_known = name in shape.not_handed_out or (name == FIELD_VALUES and shape.custom)
        return shape.keeps_undocumented and not is_known and not is_empty


def _may_have_column(name: str) -> bool:
    """Tell whether a field without a column may get one; the names of custom ones are taken."""
    return len(name) <= LONGEST_FIELD and is_storable(name) and id_in_key(name) is None


_ODD_TEXT = re.compile(
    rb"""\\u(?:
        0000
        |[dD][89abAB]..(?!\\u[dD][c-fC-F])                # a first half without a second
        |[dD](?<!\\u[dD][89abAB]..\\u[dD])[c-fC-F]       # a second half without a first
        |(?<=\\\\u)[dD]                                 # perhaps a backslash and the letter u
    )""",
    re.VERBOSE | re.DOTALL,
)


def _has_odd_text(data: Json) -> bool:
    """Tell whether a text holds what no database does: NUL, half a surrogate pair."""
    if not _ODD_TEXT.search(data):
        return False
    return _ODD_TEXT.search(bytes(data).replace(rb"\\", b"..")) is not None
