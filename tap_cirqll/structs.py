"""Reading pages in C: structs made from a shape, finished a column at a time.

Types that C tells apart are checked while decoding. Numbers, objects, lists and booleans stay the
bytes that came (``msgspec.Raw``): one look at them decides, and they are written as they came, to
the digit. A field that is new to the struct is learned from the page that brings it. A record with
a value that does not fit comes back as a dictionary, for the rules in ``columns``.
"""

from __future__ import annotations

from collections import deque
from itertools import repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from cirqll_client.responses import decoded
from tap_cirqll.columns import (
    LARGEST_INTEGER,
    NONCONFORMING,
    NUMBER,
    SMALLEST_INTEGER,
    UNDOCUMENTED,
    Kind,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cirqll_client.timestamps import Timestamps
    from tap_cirqll.shape import Findings, Shape

MOST_LEARNED = 1000
"""More undocumented fields than this are keys of a map, not fields."""

_INTEGER = Annotated[int, Meta(ge=SMALLEST_INTEGER, le=LARGEST_INTEGER)]
_TYPES: dict[Kind | None, Any] = {
    Kind.INTEGER: _INTEGER | None | UnsetType,
    Kind.STRING: str | None | UnsetType,
    Kind.TIME: str | None | UnsetType,
}
_BOOLEANS = {b"true": True, b"1": True, b"false": False, b"0": False, b"null": None}
_NULL = b"null"
_RECORDS = msgspec.json.Decoder(list[Raw])
_OBJECTS = msgspec.json.Decoder(list[dict[str, Raw]])


class StructReader:
    """Structs for one shape, and for the undocumented fields learned so far."""

    def __init__(self, shape: Shape, *, timestamps: Timestamps, findings: Findings) -> None:
        """Make the first struct; it knows the documented fields."""
        self._shape = shape
        self._timestamps = timestamps
        self._findings = findings
        self._learned: list[str] = []
        self._compile()

    def decode(self, data: bytes) -> list[Any]:
        """Read the JSON of a list of objects, those that do not fit as dictionaries.

        Raises ``msgspec.DecodeError`` and ``RecursionError`` for what C cannot read.
        """
        while True:
            try:
                return self._page.decode(data)
            except msgspec.ValidationError:
                if not self._learn(data):
                    return [self._decode_one(record) for record in _RECORDS.decode(data)]

    def finish(self, rows: list[Any]) -> None:
        """Make structs that were decoded fit in the columns that C cannot check."""
        for name, kind in self._shape.columns.items():
            if kind is Kind.TIME:
                self._finish_times(name, rows)
            elif kind is Kind.BOOLEAN:
                self._finish_booleans(name, rows)
            elif kind in _FITS:
                self._finish_raw(name, rows, _FITS[kind])
        for name in self._shape.hidden:
            self._hide(name, rows)
        if self._learned:
            self._gather(rows)

    def getter(self, name: str) -> Callable[[Any], Any]:
        """Give the function that takes a field out of a struct as it was decoded."""
        attribute = self._attributes.get(name)
        return attrgetter(attribute) if attribute else lambda _row: None

    def _compile(self) -> None:
        """Make the struct. Attributes are numbered: fields may have names like ``from``."""
        shape = self._shape
        names = [*shape.columns, *sorted(shape.hidden), *self._learned]
        self._attributes = {name: f"field_{i}" for i, name in enumerate(names)}
        types = [(name, _TYPES.get(shape.columns.get(name), Raw)) for name in names]
        # The tap's own columns: no value that comes fits, so that the field is an odd one.
        types += [(name, UnsetType) for name in (NONCONFORMING, UNDOCUMENTED)]
        struct = msgspec.defstruct(
            "Record",
            [
                (self._attributes.get(name, name), of, msgspec.field(default=UNSET, name=name))
                for name, of in types
            ],
            forbid_unknown_fields=shape.keeps_undocumented,
            gc=False,
        )
        self._row = msgspec.json.Decoder(struct)
        self._page = msgspec.json.Decoder(list[struct])  # type: ignore[valid-type] # made above
        self._compile_undocumented()

    def _compile_undocumented(self) -> None:
        attributes = [self._attributes[name] for name in self._learned]
        fields = [
            (attribute, Raw, msgspec.field(default=UNSET, name=name))
            for attribute, name in zip(attributes, self._learned, strict=True)
        ]
        self._others = msgspec.defstruct("Others", fields, gc=False)
        self._no_others = self._others()
        self._learned_attributes = attributes

    def _learn(self, data: bytes) -> bool:
        """Make a new struct if the page has fields that the struct does not know."""
        known = {*self._attributes, NONCONFORMING, UNDOCUMENTED}
        new = sorted(set().union(*_OBJECTS.decode(data)) - known)
        if not self._shape.keeps_undocumented or not new or len(known) > MOST_LEARNED:
            return False
        self._learned += new
        self._findings.undocumented.update(new)
        self._compile()
        return True

    def _decode_one(self, record: Raw) -> Any:  # noqa: ANN401 - a struct or a dictionary
        try:
            return self._row.decode(record)
        except msgspec.ValidationError:
            return decoded(bytes(record))

    def _finish_times(self, name: str, rows: list[Any]) -> None:
        texts = self._take(name, rows)
        try:
            times = self._timestamps.utc_texts(texts)
        except (KeyError, TypeError):
            times = [self._utc_text(text) for text in texts]
        self._put(name, rows, times)
        odd = [i for i, time in enumerate(times) if time is None and texts[i] is not None]
        self._set_aside(name, rows, texts, odd)

    def _utc_text(self, text: Any) -> Any:  # noqa: ANN401 - text, null or absent
        if text is None or text is UNSET:
            return text
        try:
            return self._timestamps.utc_text(text)
        except ValueError:
            return None

    def _finish_raw(self, name: str, rows: list[Any], fits: Callable[[bytes], object]) -> None:
        values = self._take(name, rows)
        odd = [i for i, value in enumerate(values) if value is not UNSET and not fits(bytes(value))]
        self._set_aside(name, rows, values, odd)

    def _finish_booleans(self, name: str, rows: list[Any]) -> None:
        values = self._take(name, rows)
        self._put(
            name,
            rows,
            [one if one is UNSET else _BOOLEANS.get(bytes(one), UNSET) for one in values],
        )
        odd = [
            i
            for i, value in enumerate(values)
            if value is not UNSET and bytes(value) not in _BOOLEANS
        ]
        self._set_aside(name, rows, values, odd)

    def _hide(self, name: str, rows: list[Any]) -> None:
        self._put(name, rows, repeat(UNSET))

    def _gather(self, rows: list[Any]) -> None:
        """Move the undocumented fields into their column."""
        take = attrgetter(*self._learned_attributes, self._learned_attributes[0])
        for row in rows:
            others = self._others(*take(row)[:-1])
            if others != self._no_others:
                setattr(row, UNDOCUMENTED, others)
        for name in self._learned:
            self._hide(name, rows)

    def _set_aside(self, name: str, rows: list[Any], values: list[Any], odd: list[int]) -> None:
        """Make odd values null in their column, and keep them as they came."""
        self._findings.nonconforming[name] += len(odd)
        for i in odd:
            setattr(rows[i], self._attributes[name], None)
            if self._shape.keeps_nonconforming:
                kept = getattr(rows[i], NONCONFORMING)
                setattr(rows[i], NONCONFORMING, {**(kept or {}), name: values[i]})

    def _take(self, name: str, rows: list[Any]) -> list[Any]:
        return list(map(attrgetter(self._attributes[name]), rows))

    def _put(self, name: str, rows: list[Any], values: Iterable[Any]) -> None:
        deque(map(setattr, rows, repeat(self._attributes[name]), values), maxlen=0)


def _is_number(raw: bytes) -> bool:
    return NUMBER.fullmatch(raw) is not None or raw == _NULL


def _is_object(raw: bytes) -> bool:
    return raw[:1] == b"{" or raw == _NULL


def _is_array(raw: bytes) -> bool:
    return raw[:1] == b"[" or raw == _NULL


_FITS = {Kind.NUMBER: _is_number, Kind.OBJECT: _is_object, Kind.ARRAY: _is_array}
