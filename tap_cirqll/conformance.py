"""Making records that fit their schema out of the JSON of a page, with nothing lost.

The rules are in ``columns``; ``RecordReader`` applies them to dictionaries, one record after the
other. It does so only where it must: pages are decoded in C into structs whose fields have the
types of the columns, and what C cannot decide is decided a column at a time (``structs``). Both
give the same records, which a property test holds them to.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from cirqll_client.kinds import NONCONFORMING, UNDOCUMENTED
from cirqll_client.responses import Rows, records
from tap_cirqll.columns import Misfit, fitted, storable
from tap_cirqll.shape import Findings
from tap_cirqll.structs import StructReader

if TYPE_CHECKING:
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Json, Record
    from cirqll_client.timestamps import Timestamps
    from tap_cirqll.shape import Shape


class RecordReader:
    """Reads the rows of one stream's pages. Used by one thread at a time."""

    def __init__(self, resource: Resource, shape: Shape, *, timestamps: Timestamps) -> None:
        """Prepare for records of this shape."""
        self._resource = resource
        self.shape = shape
        self._timestamps = timestamps
        self.findings = Findings()
        self._structs = StructReader(shape, timestamps=timestamps, findings=self.findings)

    def __call__(self, data: Json) -> Rows:
        """Read the JSON of a list of records. Raises ``Unreadable``."""
        if self._resource.key_without_id or _has_odd_text(data):
            return self.plain(data)
        try:
            rows = self._structs.decode(data)
        except (msgspec.DecodeError, RecursionError):
            return self.plain(data)
        return self._finished(rows)

    def plain(self, data: Json) -> Rows:
        """Read the same, one record after the other, as dictionaries."""
        return self._finished(records(data, key_without_id=self._resource.key_without_id))

    def _finished(self, rows: list[Any]) -> Rows:
        """Finish structs a column at a time, and dictionaries one by one."""
        ids, times = self._keys(rows, "id"), self._keys(rows, self._resource.bookmark_field)
        self._structs.finish([row for row in rows if type(row) is not dict])
        return Rows([self.conformed(row) if type(row) is dict else row for row in rows], ids, times)

    def _keys(self, rows: list[Any], name: str | None) -> list[Any]:
        """Give the values of a field as they came, ``None`` where there is none."""
        if name is None:
            return [None] * len(rows)
        of_struct = self._structs.getter(name)
        keys = [row.get(name) if type(row) is dict else of_struct(row) for row in rows]
        return [None if key is UNSET else key for key in keys]

    def conformed(self, record: Record) -> Record:
        """Give one record as its schema has it."""
        fitting: Record = {}
        misfits: Record = {}
        others: Record = {}
        for name, value in record.items():
            kind = self.shape.columns.get(name)
            if kind is not None:
                try:
                    fitting[name] = fitted(value, kind, self._timestamps)
                except Misfit:
                    fitting[name], misfits[name] = None, storable(value)
            elif name not in self.shape.hidden and self.shape.keeps_undocumented:
                others[storable(name)] = storable(value)
        self.findings.nonconforming.update(misfits.keys())
        self.findings.undocumented.update(others.keys())
        if misfits and self.shape.keeps_nonconforming:
            fitting[NONCONFORMING] = misfits
        if others:
            fitting[UNDOCUMENTED] = others
        return fitting


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
