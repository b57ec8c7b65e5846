"""Reading pages in C: structs made from a shape, finished a column at a time.

Types that C tells apart are checked while decoding. Other values stay the bytes that came
(``msgspec.Raw``) and are written as they came, to the digit, if one look at them shows that they
fit. What does not is decided by the rules in ``columns``, value by value; a record that C cannot
read comes back as a dictionary. A page that brings fields without a column is looked at by whoever
gives columns, and then read again.
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
    is_date,
)
from cirqll_client.resources import FIELD_VALUES
from cirqll_client.responses import decoded
from tap_cirqll.columns import Misfit, fitted, storable
from tap_cirqll.glances import FITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cirqll_client.responses import Json
    from cirqll_client.timestamps import Timestamps
    from tap_cirqll.shape import Findings, Shape

    Widen = Callable[[dict[str, list[Any]]], Shape]
    """Gives columns to fields, told the values that they came with; gives the shape then."""

MOST_LEARNED = 1000
"""More undocumented fields than this are keys of a map, not fields."""

_INTEGER = Annotated[int, Meta(ge=SMALLEST_INTEGER, le=LARGEST_INTEGER)]
_TYPES: dict[Kind | None, Any] = {
    Kind.INTEGER: _INTEGER | None | UnsetType,
    Kind.STRING: str | None | UnsetType,
    Kind.TIME: str | None | UnsetType,
    Kind.DATE: str | None | UnsetType,
}
_TIGHT: dict[Kind | None, Any] = {
    Kind.NUMBER: _INTEGER | None | UnsetType,
    Kind.BOOLEAN: bool | None | UnsetType,
}
"""What most values of a kind are, which then need no look. A column of other values is loosened."""
_SCALAR = str | bool | _INTEGER | None | UnsetType
"""Of what most undocumented fields are; it needs no look."""
_RECORDS = msgspec.json.Decoder(list[Raw])
_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_SCALARS = msgspec.json.Decoder(list[_SCALAR])
_TIGHTLY = {
    kind: msgspec.json.Decoder(list[of])  # type: ignore[valid-type] # made above
    for kind, of in _TIGHT.items()
}
_NULL = b"null"
_UNNAMEABLE = re.compile(r'["\\\x00-\x1f]')
"""A struct's field cannot have such a name."""


class StructReader:
    """Structs for one shape, and for the fields without a column that came so far."""

    def __init__(
        self, shape: Shape, *, timestamps: Timestamps, findings: Findings, widen: Widen
    ) -> None:
        """Make the first struct; it knows the fields that have a column."""
        self.shape = shape
        self._timestamps = timestamps
        self._findings = findings
        self._widen = widen
        self._loosened: set[str] = set()
        self._empty: set[str] = set()
        """Fields that would have a column, if any value of theirs were not null."""
        self._others: dict[str, Any] = {}
        """Fields without a column with their types in the struct: scalar as long as all are."""
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
        if odd and self._learn(odd, of=records):
            return self.decode(data)
        return [
            decoded(bytes(record)) if row is None else row
            for record, row in zip(records, rows, strict=True)
        ]

    def finish(self, rows: list[Any], *, has_custom_fields: bool) -> None:
        """Make structs that were decoded fit where C could not tell.

        Custom fields that came are taken out; their cells are put in by others.
        """
        for name in self._attributes.keys() & self.shape.columns.keys():
            kind = self.shape.columns[name]
            if kind is Kind.TIME:
                self._finish_times(name, rows)
            elif kind is Kind.DATE:
                self._finish_dates(name, rows)
            elif self._is_raw(name, kind):
                self._finish_raw(name, rows, kind)
        custom = {FIELD_VALUES} if has_custom_fields else frozenset()
        for name in (self.shape.not_handed_out | self._empty | custom) & self._attributes.keys():
            self._put(name, rows, repeat(UNSET))
        for name in self.shape.names.keys() & self._attributes.keys():
            self._rename(name, rows)
        if self._others:
            self._gather(rows)

    def getter(self, name: str) -> Callable[[Any], Any]:
        """Give the function that takes a field out of a struct as it was decoded."""
        attribute = self._attributes.get(name)
        return attrgetter(attribute) if attribute else lambda _row: None

    def attribute(self, column: str) -> str:
        """Give the attribute of a column of custom fields."""
        return self._attributes_of_own.get(column) or self._attributes[column]

    def put_other(self, row: Any, name: str, value: Any) -> None:  # noqa: ANN401 - a struct, JSON
        """Put a field without a column into the one that they share: that of custom fields."""
        others = getattr(row, UNDOCUMENTED)
        if others is UNSET:
            others = self._struct_of_others()
            setattr(row, UNDOCUMENTED, others)
        setattr(others, self._attributes[name], value)

    def take(self, shape: Shape) -> None:
        """Read records of another shape from now on."""
        self.shape = shape
        self._empty -= shape.columns.keys()
        self._others = {k: v for k, v in self._others.items() if k not in shape.columns}
        self._compile()

    def _compile(self) -> None:
        """Make the struct. Attributes are numbered: fields may have names like ``from``."""
        shape = self.shape
        # No value that comes fits the tap's own columns, so that such a field is an odd one.
        relation = [FIELD_VALUES] if shape.custom else []
        custom = set(shape.custom.own_columns if shape.custom else []).difference(relation)
        own = self._own = {NONCONFORMING, UNDOCUMENTED, *shape.names.values(), *custom}
        types = {name: self._type(name, kind) for name, kind in shape.columns.items()}
        types |= dict.fromkeys([*sorted(shape.not_handed_out), *relation], Raw) | self._others
        types |= dict.fromkeys(sorted(self._empty), None | UnsetType)
        types = {name: of for name, of in types.items() if name not in own and _is_nameable(name)}
        self._attributes = {name: f"field_{number}" for number, name in enumerate(types)}
        self._attributes_of_own = {name: f"own_{number}" for number, name in enumerate(sorted(own))}
        self._attributes_of_own |= {name: name for name in (NONCONFORMING, UNDOCUMENTED)}
        fields = [(self._attributes[name], of, name) for name, of in types.items()]
        fields += [(of, UnsetType, name) for name, of in self._attributes_of_own.items()]
        struct = msgspec.defstruct(
            "Record",
            [
                # A record without a value of a custom field says that it has none.
                (key, of, msgspec.field(default=None if name in custom else UNSET, name=name))
                for key, of, name in fields
            ],
            forbid_unknown_fields=shape.keeps_undocumented,
            gc=False,
        )
        self._row = msgspec.json.Decoder(struct)
        self._page = msgspec.json.Decoder(list[struct])  # type: ignore[valid-type] # made above
        others = [
            (self._attributes[name], of, msgspec.field(default=UNSET, name=name))
            for name, of in (self._others | dict.fromkeys(relation, Raw)).items()
        ]
        self._struct_of_others = msgspec.defstruct("Others", others, gc=False)
        self._take_others = _tuple_of([self._attributes[name] for name in self._others])

    def _type(self, name: str, kind: Kind) -> Any:  # noqa: ANN401 - a type
        if self._is_raw(name, kind):
            return Raw
        return _TYPES[kind] if kind in _TYPES else _TIGHT[kind]

    def _is_raw(self, name: str, kind: Kind) -> bool:
        return kind not in _TYPES and (kind not in _TIGHT or name in self._loosened)

    def _struct(self, record: Raw) -> Any:  # noqa: ANN401 - a struct, or None
        try:
            return self._row.decode(record)
        except msgspec.ValidationError:
            return None

    def _learn(self, odd: list[Raw], *, of: list[Raw]) -> bool:
        """Make a new struct if odd records have what this one cannot take, and another can."""
        before = (self.shape, set(self._loosened), set(self._empty), dict(self._others))
        came: dict[str, list[Raw]] = {}
        for record in odd:
            for name, value in _FIELDS.decode(record).items():
                came.setdefault(name, []).append(value)
        for name in came.keys() & self.shape.columns.keys() - self._loosened:
            self._loosen(name, came[name])
        unknown = {name for name in came if self._is_unknown(name)}
        if unknown:
            names = (name for record in of for name in _FIELDS.decode(record) if name in unknown)
            self._learn_fields({name: _listed(came[name]) for name in dict.fromkeys(names)})
        if (self.shape, self._loosened, self._empty, self._others) == before:
            return False
        self._findings.undocumented.update(self._others)
        self._compile()
        return True

    def _is_unknown(self, name: str) -> bool:
        own = name in {NONCONFORMING, UNDOCUMENTED} and not self.shape.learns
        is_custom = name == FIELD_VALUES and self.shape.custom is not None
        is_known = own or is_custom or name in self.shape.columns.keys() | self.shape.not_handed_out
        return self.shape.keeps_undocumented and not is_known

    def _loosen(self, name: str, came: list[Raw]) -> None:
        decoder = _TIGHTLY.get(self.shape.columns[name])
        if decoder and not _is_readable(_listed(came), decoder):
            self._loosened.add(name)

    def _learn_fields(self, unknown: dict[str, bytes]) -> None:
        """Give them columns, or the place of those without one; told are only those that count."""
        if self.shape.learns:
            values = {
                name: [value for value in decoded(came) if value is not None]
                for name, came in unknown.items()
            }
            self.shape = self._widen({name: some for name, some in values.items() if some})
            self._empty -= self.shape.columns.keys()
            self._empty |= {n for n, some in values.items() if not some and _is_nameable(n)}
        for name, came in unknown.items():
            if name not in self.shape.columns and name not in self._empty:
                self._learn_other(name, came)

    def _learn_other(self, name: str, came: bytes) -> None:
        is_new = name not in self._others
        is_learnable = len(self._others) < MOST_LEARNED and name not in self._own
        if is_new and not (is_learnable and _is_nameable(name)):
            return
        if _is_readable(came, _SCALARS):
            self._others.setdefault(name, _SCALAR)
        else:
            self._others[name] = Raw

    def _finish_times(self, name: str, rows: list[Any]) -> None:
        texts = self._take(name, rows)
        try:
            times = self._timestamps.utc_texts(texts)
        except KeyError:
            for row, text in zip(rows, texts, strict=True):
                self._fit(row, name, text, Kind.TIME)
        else:
            self._put(name, rows, times)

    def _finish_dates(self, name: str, rows: list[Any]) -> None:
        texts = self._take(name, rows)
        odd = {text for text in set(texts) if type(text) is str and not is_date(text)}
        if odd:
            for row, text in zip(rows, texts, strict=True):
                if text in odd:
                    self._fit(row, name, text, Kind.DATE)

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
            column = self.shape.column(name)
            self._findings.nonconforming[column] += 1
            if self.shape.keeps_nonconforming:
                kept = getattr(row, NONCONFORMING) or {}
                setattr(row, NONCONFORMING, {**kept, column: storable(came)})

    def _rename(self, name: str, rows: list[Any]) -> None:
        """Move a field into the column that has another name."""
        attribute = self._attributes_of_own[self.shape.names[name]]
        values = self._take(name, rows)
        deque(map(setattr, rows, repeat(attribute), values), maxlen=0)
        self._put(name, rows, repeat(UNSET))

    def _gather(self, rows: list[Any]) -> None:
        """Move the fields without a column into the one that they share."""
        for name, of in self._others.items():
            if of is Raw:
                self._finish_raw(name, rows, None)
            if self.shape.learns:
                self._put(name, rows, map(_unless_null, self._take(name, rows)))
        none = self._struct_of_others()
        for row, others in zip(
            rows, starmap(self._struct_of_others, map(self._take_others, rows)), strict=True
        ):
            if others != none:
                setattr(row, UNDOCUMENTED, others)
        for name in self._others:
            self._put(name, rows, repeat(UNSET))

    def _take(self, name: str, rows: list[Any]) -> list[Any]:
        return list(map(attrgetter(self._attributes[name]), rows))

    def _put(self, name: str, rows: list[Any], values: Iterable[Any]) -> None:
        deque(map(setattr, rows, repeat(self._attributes[name]), values), maxlen=0)


def _unless_null(value: Any) -> Any:  # noqa: ANN401 - JSON
    return UNSET if value is None or (type(value) is Raw and bytes(value) == _NULL) else value


def _listed(values: list[Raw]) -> bytes:
    return b"[%b]" % b",".join(map(bytes, values))


def _is_readable(data: bytes, decoder: msgspec.json.Decoder[Any]) -> bool:
    try:
        decoder.decode(data)
    except msgspec.ValidationError:
        return False
    return True


def _is_nameable(name: str) -> bool:
    return not _UNNAMEABLE.search(name)


def _tuple_of(attributes: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(attributes) > 1:
        return attrgetter(*attributes)
    return lambda row: tuple(getattr(row, attribute) for attribute in attributes)
