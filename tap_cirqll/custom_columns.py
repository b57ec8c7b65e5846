"""Custom fields of the records of a page, each value put into its column.

Values are read in C where they come as is usual, and put one by one into the structs of their
records. A record with anything odd is gone through in full, as dictionaries are; both ways give the
same cells.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import UNSET

from cirqll_client.custom_fields import column_key
from cirqll_client.kinds import LARGEST_INTEGER, Kind
from cirqll_client.relations import may_lack_some
from cirqll_client.resources import FIELD_VALUES
from tap_cirqll.columns import Misfit, storable
from tap_cirqll.custom_cells import NO_LABELS, cell, cell_of, kind_of_values
from tap_cirqll.custom_reading import Told, UsualPage, told, usual
from tap_cirqll.custom_records import Cells, Putter, array_cells
from tap_cirqll.glances import FITS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from cirqll_client import custom_fields
    from cirqll_client.field_definitions import FieldDefinition
    from cirqll_client.learned_columns import Columns, LearnedColumn
    from cirqll_client.timestamps import Timestamps
    from tap_cirqll.custom_reading import Entry
    from tap_cirqll.custom_records import Places
    from tap_cirqll.shape import CustomShape, Findings, Shape

    Definitions = Mapping[int, FieldDefinition]

MOST_TEXTS = 10_000
"""Kept for each column with their cells."""


class CustomSource(Protocol):
    """What is known of an account's custom fields, and how to know more."""

    def definitions(self, fields: Collection[int]) -> Definitions:
        """Give all definitions, after another look for these fields if need be."""

    def learn(self, kinds: Mapping[int, Kind], *, names: Mapping[int, str]) -> Columns:
        """Give columns to fields, which have these names, for good; give what columns there are."""

    def whole(self, record_id: int, *, at_least: int) -> Any:  # noqa: ANN401 - JSON
        """Give all values of a record; ``None`` if they cannot be had."""

    def incomplete(self) -> None:
        """Hear that a record has more values than could be had."""


class CustomColumns:
    """The custom fields of one stream's records. Used by one thread at a time."""

    def __init__(self, source: CustomSource, *, timestamps: Timestamps, findings: Findings) -> None:
        """Prepare; nothing is asked yet."""
        self._source = source
        self._timestamps = timestamps
        self._findings = findings
        self._definitions: Definitions = {}
        self._fits: dict[int, Callable[[Any], Any]] = {}
        self._fits_of: tuple[object, object] | None = None

    def read(self, came: list[Any], ids: list[Any], *, is_array: bool) -> list[Any]:
        """Give the values of each record, all of them, fetched where not all came along.

        A list of entries where all is as usual, ``UNSET`` where nothing came, else ``Told``.
        """
        values = usual(came, is_array=is_array)
        return [self._full(*each) for each in zip(values, came, ids, strict=True)]

    def _full(self, values: Any, came: Any, record_id: Any) -> Any:  # noqa: ANN401 - as above
        if values is UNSET:
            return values
        if type(values) is list:
            values = UsualPage(values)
        if values is not None and not may_lack_some(len(values.data), values.total):
            return values.data
        found = told(came)
        relation, whole = found.values.relation, None
        if not relation.may_lack_some:
            return found
        if type(record_id) is int:
            whole = self._source.whole(record_id, at_least=relation.at_least)
        if whole is not None:
            return told(whole)
        self._source.incomplete()
        return replace(found, is_cut=True)

    def widened(self, shape: Shape, values: list[Any]) -> Shape:
        """Give the shape with columns for the fields of these values that have none.

        It is the same one if there is no column to add.
        """
        custom = shape.custom
        if custom is None or custom.is_array:
            return shape
        seen = {entry.field_id for one in values if type(one) is list for entry in one}
        seen |= {entry["field_id"] for entry in _slow_entries(values)}
        unknown = {number for number in seen if not custom.knows(number)}
        self._definitions = self._source.definitions(unknown)
        if not unknown or not custom.takes_new:
            return shape
        wanted = self._kinds(unknown & self._definitions.keys(), values)
        if not wanted:
            return shape
        names = {number: one.name for number, one in self._definitions.items()}
        wider = with_custom(shape, wanted, partial(self._source.learn, names=names))
        return shape if wider is shape else wider.with_called(names)

    def _kinds(self, fields: Collection[int], values: list[Any]) -> dict[int, Kind]:
        kinds = {number: self._definitions[number].kind for number in sorted(fields)}
        for number, kind in kinds.items():
            if kind is None:
                there = _values_of(number, values)
                labels = self._definitions[number].labels
                kinds[number] = kind_of_values(
                    column_key(number), there, labels=labels, timestamps=self._timestamps
                )
        return {number: kind for number, kind in kinds.items() if kind}

    def place(
        self, rows: list[Any], values: list[Any], came: list[Any], *, shape: Shape, places: Places
    ) -> None:
        """Put the values into the records, which are structs or dictionaries."""
        custom = shape.custom
        if custom is None:
            return
        put = Putter(self._findings, shape, places)
        quick = {} if custom.is_array else self._quick(custom, places)
        for row, one, raw in zip(rows, values, came, strict=True):
            if one is UNSET:
                put.nothing(row)
                continue
            if type(one) is list and type(row) is not dict:
                if custom.is_array and FITS[None](bytes(raw)):
                    setattr(row, places.attribute(FIELD_VALUES), one)
                    continue
                if not custom.is_array and _put_quickly(row, one, quick):
                    continue
            found = one if type(one) is Told else told(raw)
            cells = array_cells(found) if custom.is_array else self._cells(found, custom)
            put.cells(row, cells, is_cut=found.is_cut)

    def _quick(
        self, custom: CustomShape, places: Places
    ) -> dict[int, tuple[str, Callable[[Any], Any]]]:
        """Give the attribute of each field, and what makes its cells; kept as long as they hold."""
        if self._fits_of is None or not (
            self._fits_of[0] is custom and self._fits_of[1] is self._definitions
        ):
            self._fits = {number: self._fit(number, one) for number, one in custom.columns.items()}
            self._fits_of = (custom, self._definitions)
        return {
            number: (places.attribute(custom.columns[number].name), fit)
            for number, fit in self._fits.items()
        }

    def _fit(self, number: int, column: LearnedColumn) -> Callable[[Any], Any]:
        labels = self._labels(number)
        timestamps, kind = self._timestamps, column.kind
        if kind is Kind.STRING and not labels:
            return _text
        known: dict[str, Any] = {}

        def fit(value: Any) -> Any:  # noqa: ANN401 - JSON
            if type(value) is str and value in known:
                return known[value]
            if kind is Kind.NUMBER and type(value) is int and abs(value) <= LARGEST_INTEGER:
                return value
            one = cell(value, kind, labels=labels, timestamps=timestamps)
            if type(value) is str and len(known) < MOST_TEXTS:
                known[value] = one
            return one

        return fit

    def _labels(self, number: int) -> Mapping[int, str]:
        definition = self._definitions.get(number)
        return definition.labels if definition else NO_LABELS

    def _cells(self, found: Told, custom: CustomShape) -> Cells:
        """Find the place of each value. What cannot be read is kept whole."""
        cells = Cells()
        if not found.is_cut:
            cells.columns = {one.name: None for one in custom.columns.values()}
        by_field: dict[int, list[custom_fields.Entry]] = {}
        for entry in found.values.entries:
            by_field.setdefault(entry["field_id"], []).append(entry)
        for number, entries in by_field.items():
            if number in custom.columns:
                self._fill(cells, custom.columns[number], number, [e["value"] for e in entries])
            elif number not in custom.hidden:
                cells.others += [e for e in entries if self._is_kept(number, e["value"], custom)]
        if found.values.odd:
            cells.misfits[FIELD_VALUES] = storable(found.came)
        return cells

    def _fill(self, cells: Cells, column: LearnedColumn, number: int, values: list[Any]) -> None:
        try:
            cells.columns[column.name] = cell_of(
                values, column.kind, labels=self._labels(number), timestamps=self._timestamps
            )
        except Misfit:
            cells.columns[column.name] = None
            cells.misfits[column.name] = storable(values[0] if len(values) == 1 else values)

    def _is_kept(self, number: int, value: object, custom: CustomShape) -> bool:
        """Tell whether a value without a column is kept.

        Of a field that is defined, and not wanted, none is; nor a null that may get a column yet.
        """
        is_defined = number in self._definitions
        return not is_defined or (custom.takes_new and value is not None)


def with_custom(
    shape: Shape, kinds: Mapping[int, Kind], learn: Callable[[Mapping[int, Kind]], Columns]
) -> Shape:
    """Give the shape with columns of these kinds for custom fields, as far as there is room.

    Without room it is the same one.
    """
    wanted = dict(list(kinds.items())[: max(shape.room, 0)])
    columns = learn(wanted) if wanted else {}
    came = [columns[key] for key in map(column_key, wanted) if key in columns]
    in_use = shape.names_in_use
    news = [one for one in came if one.name.lower() not in in_use]
    return shape.with_columns(news) if news else shape


def _put_quickly(
    row: Any,  # noqa: ANN401 - a struct
    entries: list[Entry],
    quick: Mapping[int, tuple[str, Callable[[Any], Any]]],
) -> bool:
    """Put values into a struct; tell whether all of them had a place, and a fitting cell."""
    for entry in entries:
        place = quick.get(entry.field_id)
        if place is None:
            return False
        attribute, fit = place
        if entry.value is None:
            continue
        if getattr(row, attribute) is not None:
            return False
        try:
            setattr(row, attribute, fit(entry.value))
        except Misfit:
            return False
    return True


def _text(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Take a text of a page that holds none but storable ones."""
    if type(value) is not str:
        raise Misfit
    return value


def _slow_entries(values: list[Any]) -> Iterable[custom_fields.Entry]:
    return chain.from_iterable(one.values.entries for one in values if type(one) is Told)


def _values_of(number: int, values: list[Any]) -> list[Any]:
    quick = (entry for one in values if type(one) is list for entry in one)
    usual = [entry.value for entry in quick if entry.field_id == number]
    return usual + [e["value"] for e in _slow_entries(values) if e["field_id"] == number]
