"""Reading pages in C: structs made from a shape, finished a column at a time.

Types that C tells apart are checked while decoding. Other values stay the bytes that came
(``msgspec.Raw``) and are written as they came, to the digit, if one look at them shows that they
fit. What does not is decided by the rules in ``columns``, value by value; a record that C cannot
read comes back as a dictionary. Fields without a column are learned from the first page that brings
them.
"""

from __future__ import annotations

import re
from collections import deque
from itertools import repeat, starmap
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from cirqll_client.kinds import (
    LARGEST_INTEGER,
    NONCONFORMING,
    SMALLEST_INTEGER,
    UNDOCUMENTED,
    Kind,
)
from cirqll_client.responses import decoded
from tap_cirqll.columns import Misfit, fitted, storable
from tap_cirqll.glances import FITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cirqll_client.responses import Json
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
_SCALAR = str | bool | _INTEGER | None | UnsetType
"""Of what most undocumented fields are; it needs no look."""
_RECORDS = msgspec.json.Decoder(list[Raw])
_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_SCALARS = msgspec.json.Decoder(_SCALAR)
_UNNAMEABLE = re.compile(r'["\\\x00-\x1f]')
"""A struct's field cannot have such a name."""


class StructReader:
    """Structs for one shape, and for the undocumented fields learned so far."""

    def __init__(self, shape: Shape, *, timestamps: Timestamps, findings: Findings) -> None:
        """Make the first struct; it knows the documented fields."""
        self._shape = shape
        self._timestamps = timestamps
        self._findings = findings
        self._learned: dict[str, Any] = {}
        """Undocumented fields with their types in the struct: scalar as long as all are."""
        self._compile()

    def decode(self, data: Json) -> list[Any]:
        """Read the JSON of a list of objects, those that do not fit as dictionaries.

        Raises ``msgspec.DecodeError`` and ``RecursionError`` for what C cannot read.
        """
        try:
            return self._page.decode(data)
        except msgspec.ValidationError:
            pass
        records = _RECORDS.decode(data)
        rows = [self._struct(record) for record in records]
        odd = [record for record, row in zip(records, rows, strict=True) if row is None]
        if odd and self._learn(odd):
            return self.decode(data)
        return [
            decoded(bytes(record)) if row is None else row
            for record, row in zip(records, rows, strict=True)
        ]

    def finish(self, rows: list[Any]) -> None:
        """Make structs that were decoded fit where C could not tell."""
        for name, kind in self._shape.columns.items():
            if kind is Kind.TIME:
                self._finish_times(name, rows)
            elif kind in FITS:
                self._finish_raw(name, rows, kind)
        for name in self._shape.hidden:
            self._put(name, rows, repeat(UNSET))
        if self._learned:
            self._gather(rows)

    def getter(self, name: str) -> Callable[[Any], Any]:
        """Give the function that takes a field out of a struct as it was decoded."""
        attribute = self._attributes.get(name)
        return attrgetter(attribute) if attribute else lambda _row: None

    def _compile(self) -> None:
        """Make the struct. Attributes are numbered: fields may have names like ``from``."""
        shape = self._shape
        types = {name: _TYPES.get(kind, Raw) for name, kind in shape.columns.items()}
        types |= dict.fromkeys(sorted(shape.hidden), Raw) | self._learned
        self._attributes = {name: f"field_{number}" for number, name in enumerate(types)}
        # The tap's own columns: no value that comes fits, so that the field is an odd one.
        types |= dict.fromkeys((NONCONFORMING, UNDOCUMENTED), UnsetType)
        struct = msgspec.defstruct(
            "Record",
            [
                (self._attributes.get(name, name), of, msgspec.field(default=UNSET, name=name))
                for name, of in types.items()
            ],
            forbid_unknown_fields=shape.keeps_undocumented,
            gc=False,
        )
        self._row = msgspec.json.Decoder(struct)
        self._page = msgspec.json.Decoder(list[struct])  # type: ignore[valid-type] # made above
        others = [
            (self._attributes[name], of, msgspec.field(default=UNSET, name=name))
            for name, of in self._learned.items()
        ]
        self._others = msgspec.defstruct("Others", others, gc=False)
        self._take_learned = _tuple_of([self._attributes[name] for name in self._learned])

    def _struct(self, record: Raw) -> Any:  # noqa: ANN401 - a struct, or None
        try:
            return self._row.decode(record)
        except msgspec.ValidationError:
            return None

    def _learn(self, odd: list[Raw]) -> bool:
        """Make a new struct if odd records have undocumented fields that this one cannot take."""
        before = dict(self._learned)
        documented = {*self._shape.columns, *self._shape.hidden, NONCONFORMING, UNDOCUMENTED}
        for record in odd:
            for name, value in _FIELDS.decode(record).items():
                if name not in documented:
                    self._learn_field(name, value)
        if self._learned == before:
            return False
        self._findings.undocumented.update(self._learned)
        self._compile()
        return True

    def _learn_field(self, name: str, value: Raw) -> None:
        is_new = name not in self._learned
        if not self._shape.keeps_undocumented or (is_new and not self._is_learnable(name)):
            return
        try:
            _SCALARS.decode(value)
        except msgspec.ValidationError:
            self._learned[name] = Raw
        else:
            self._learned.setdefault(name, _SCALAR)

    def _is_learnable(self, name: str) -> bool:
        return len(self._learned) < MOST_LEARNED and not _UNNAMEABLE.search(name)

    def _finish_times(self, name: str, rows: list[Any]) -> None:
        texts = self._take(name, rows)
        try:
            times = self._timestamps.utc_texts(texts)
        except KeyError:
            for row, text in zip(rows, texts, strict=True):
                self._fit(row, name, text, Kind.TIME)
        else:
            self._put(name, rows, times)

    def _finish_raw(self, name: str, rows: list[Any], kind: Kind | None) -> None:
        fits = FITS[kind]
        for row, value in zip(rows, self._take(name, rows), strict=True):
            if value is not UNSET and not fits(bytes(value)):
                self._fit(row, name, value, kind)

    def _fit(self, row: Any, name: str, value: Any, kind: Kind | None) -> None:  # noqa: ANN401
        """Let the rules for single values decide."""
        if value is UNSET:
            return
        came = decoded(bytes(value)) if type(value) is Raw else value
        attribute = self._attributes[name]
        if kind is None:
            setattr(row, attribute, storable(came))
            return
        try:
            setattr(row, attribute, fitted(came, kind, self._timestamps))
        except Misfit:
            setattr(row, attribute, None)
            self._findings.nonconforming[name] += 1
            if self._shape.keeps_nonconforming:
                kept = getattr(row, NONCONFORMING) or {}
                setattr(row, NONCONFORMING, {**kept, name: storable(came)})

    def _gather(self, rows: list[Any]) -> None:
        """Move the undocumented fields into their column."""
        for name, of in self._learned.items():
            if of is Raw:
                self._finish_raw(name, rows, None)
        none = self._others()
        for row, others in zip(
            rows, starmap(self._others, map(self._take_learned, rows)), strict=True
        ):
            if others != none:
                setattr(row, UNDOCUMENTED, others)
        for name in self._learned:
            self._put(name, rows, repeat(UNSET))

    def _take(self, name: str, rows: list[Any]) -> list[Any]:
        return list(map(attrgetter(self._attributes[name]), rows))

    def _put(self, name: str, rows: list[Any], values: Iterable[Any]) -> None:
        deque(map(setattr, rows, repeat(self._attributes[name]), values), maxlen=0)


def _tuple_of(attributes: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(attributes) > 1:
        return attrgetter(*attributes)
    return lambda row: tuple(getattr(row, attribute) for attribute in attributes)
