"""What becomes of one record's custom fields, put into the record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import UNSET

from cirqll_client.custom_fields import column_key
from cirqll_client.kinds import NONCONFORMING, UNDOCUMENTED
from cirqll_client.resources import FIELD_VALUES
from tap_cirqll.columns import storable

if TYPE_CHECKING:
    from cirqll_client.custom_fields import Entry
    from tap_cirqll.custom_reading import Told
    from tap_cirqll.shape import Findings, Shape


@dataclass(slots=True)
class Cells:
    """What becomes of one record's custom fields."""

    columns: dict[str, Any] = field(default_factory=dict)
    misfits: dict[str, Any] = field(default_factory=dict)
    others: list[Entry] = field(default_factory=list)
    """Values of fields without a column."""


class Places(Protocol):
    """Puts values into structs."""

    def attribute(self, column: str) -> str:
        """Give the attribute of a column of custom fields."""

    def put_other(self, row: Any, name: str, value: Any) -> None:  # noqa: ANN401 - a struct, JSON
        """Put a field without a column into the one that they share."""


class Putter:
    """Puts cells into records of one shape."""

    def __init__(self, findings: Findings, shape: Shape, places: Places) -> None:
        """Put them into records of this shape, and tell the findings."""
        self._findings = findings
        self._shape = shape
        self._places = places
        self._columns = shape.custom.own_columns if shape.custom else []

    def nothing(self, row: Any) -> None:  # noqa: ANN401 - a record
        """Say nothing of custom fields, as nothing came of them."""
        if type(row) is not dict:
            for column in self._columns:
                setattr(row, self._places.attribute(column), UNSET)

    def cells(self, row: Any, cells: Cells, *, is_cut: bool) -> None:  # noqa: ANN401 - a record
        """Put all cells into the record; of a cut one, nothing is said of what did not come."""
        if is_cut:
            self.nothing(row)
        others = [storable(entry) for entry in cells.others]
        if others and self._shape.keeps_undocumented:
            names = {column_key(entry["field_id"]) for entry in others}
            self._findings.undocumented |= names
            self._put_others(row, others)
        elif others:
            cells.misfits.setdefault(FIELD_VALUES, others)
        for column, value in cells.columns.items():
            if type(row) is dict:
                row[column] = value
            else:
                setattr(row, self._places.attribute(column), value)
        self._findings.nonconforming.update(cells.misfits.keys())
        if cells.misfits and self._shape.keeps_nonconforming:
            self._put_misfits(row, cells.misfits)

    def _put_others(self, row: Any, others: list[Entry]) -> None:  # noqa: ANN401 - a record
        if type(row) is dict:
            row[UNDOCUMENTED] = {**row.get(UNDOCUMENTED, {}), FIELD_VALUES: others}
        else:
            self._places.put_other(row, FIELD_VALUES, others)

    def _put_misfits(self, row: Any, misfits: dict[str, Any]) -> None:  # noqa: ANN401 - a record
        if type(row) is dict:
            row[NONCONFORMING] = {**row.get(NONCONFORMING, {}), **misfits}
        else:
            kept = getattr(row, NONCONFORMING) or {}
            setattr(row, NONCONFORMING, {**kept, **misfits})


def array_cells(found: Told) -> Cells:
    """Give the one column: all entries by field, the same whatever they came in."""
    entries = sorted(found.values.entries, key=lambda entry: entry["field_id"])
    cells = Cells({FIELD_VALUES: [storable(entry) for entry in entries]})
    if found.values.odd:
        cells.misfits[FIELD_VALUES] = storable(found.came)
    return cells
