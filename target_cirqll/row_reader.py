"""Rows out of the records of one stream, fitted to the resource that they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cirqll_client.kinds import NONCONFORMING, UNDOCUMENTED
from target_cirqll import custom_fields
from target_cirqll.conversions import Misfit, moment_of, structure_of
from target_cirqll.fitting import fit_for, refused_value, type_fit_for
from target_cirqll.references import references_among
from target_cirqll.rows import Parent, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record
    from cirqll_client.timestamps import Timestamps

DELETED_AT = "_sdc_deleted_at"
"""Singer's column for when a row was deleted at its source."""
READ_ONLY = "Cirqll sets it itself"
UNKNOWN = "Cirqll's documentation does not have it"
SETTING_OFF = "custom fields are written only with the setting write_custom_fields"

_SILENT = ("_sdc_", UNDOCUMENTED, NONCONFORMING)
"""How the names of columns begin that Singer or the tap adds, flattened or not."""
_TIME = {"type": "string", "format": "date-time"}


class RowReader:
    """Reads the records of one stream, for one resource."""

    def __init__(
        self,
        resource: Resource,
        *,
        key_properties: tuple[str, ...],
        timestamps: Timestamps,
        write_custom_fields: bool,
        keeps_record: bool,
    ) -> None:
        """Make the rules for each field once."""
        self._resource = resource
        self._timestamps = timestamps
        self._keeps_record = keeps_record
        self._key_names = tuple(name for name in key_properties if name != "id")
        self._is_id_of_key = "id" in key_properties
        schemas: dict[str, Any] = resource.schema["properties"]
        self._fits = {
            name: type_fit_for(schema, timestamps=timestamps)
            for name, schema in schemas.items()
            if not schema.get("readOnly")
        }
        self._fit_id = fit_for(schemas["id"], timestamps=timestamps)
        self._fit_time = fit_for(_TIME, timestamps=timestamps)
        self._references = references_among(self._fits)
        has_custom_fields = custom_fields.FIELD_VALUES in resource.to_many
        self._reads_custom_fields = write_custom_fields and has_custom_fields
        self._reasons = {name: READ_ONLY for name in schemas if name not in self._fits}
        if has_custom_fields:
            self._reasons[custom_fields.FIELD_VALUES] = SETTING_OFF
        self._seen = self._expected()
        self.left_out: dict[str, str] = {}
        """Names of fields that are not written, and why: a clause for a warning."""

    def read(self, record: Record, position: int) -> Row:
        """Understand a record, the ``position``-th of the input.

        Raises ``RowRefused`` for the first field that does not fit. Of a row that says that it was
        deleted, only its id and its key count.
        """
        deleted_at = _checked(DELETED_AT, self._fit_time, record.get(DELETED_AT))
        fields = self._fields(record, is_deleted=deleted_at is not None)
        return Row(
            position=position,
            resource=self._resource,
            id=_checked("id", self._fit_id, record.get("id")),
            key=(key := self._key(record)),
            lacks_key=not key and self._lacks_key(record),
            fields=fields,
            custom_fields={} if deleted_at else self._custom_fields(record),
            parents={} if deleted_at else self._parents(record, fields),
            deleted_at=deleted_at,
            based_on=self._based_on(record),
            record=record if self._keeps_record else None,
        )

    def _expected(self) -> set[str]:
        """Name what is no field to write, and nothing to warn of either."""
        own = {"id", self._resource.bookmark_field or "id", *self._key_names}
        own.update(one.relation for one in self._references)
        if self._reads_custom_fields:
            own.add(custom_fields.FIELD_VALUES)
        return own

    def _fields(self, record: Record, *, is_deleted: bool) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        fits, seen = self._fits, self._seen
        for name, value in record.items():
            fit = fits.get(name)
            if fit is not None:
                try:
                    fields[name] = fit(value)
                except Misfit as misfit:
                    if not is_deleted:
                        raise refused_value(name, misfit) from None
            elif name not in seen:
                self._notice(name)
        if record.get(NONCONFORMING) is not None:
            _forget_lost(fields, structure_of(record[NONCONFORMING]))
        return fields

    def _notice(self, name: str) -> None:
        """See the name of a column for the first time."""
        self._seen.add(name)
        is_part = any(one.takes(name) for one in self._references)
        if not is_part and not name.startswith(_SILENT):
            self.left_out[name] = self._reasons.get(name, UNKNOWN)

    def _key(self, record: Record) -> dict[str, Any]:
        """Give the whole key or nothing: many rows may share a part of it."""
        key = {name: record.get(name) for name in self._key_names}
        return {} if self._is_id_of_key or None in key.values() else key

    def _lacks_key(self, record: Record) -> bool:
        return any(record.get(name) is None for name in self._key_names)

    def _custom_fields(self, record: Record) -> Mapping[int, Any]:
        if not self._reads_custom_fields:
            return {}
        name = custom_fields.FIELD_VALUES
        return _checked(name, custom_fields.read, record.get(name))  # type: ignore[no-any-return]

    def _parents(self, record: Record, fields: dict[str, Any]) -> dict[str, Parent]:
        """Find the parents that are named by keys. Those named by id become fields."""
        parents = {}
        for reference in self._references:
            if fields.get(reference.id_field) is not None:
                continue
            named = _checked(reference.relation, reference.named_in, record)
            if "id" in named:
                read = self._fit_id
                fields[reference.id_field] = _checked(reference.relation, read, named["id"])
            elif named:
                fields.pop(reference.id_field, None)
                parents[reference.id_field] = Parent(reference.parent, named)
        return parents

    def _based_on(self, record: Record) -> datetime | None:
        try:
            return moment_of(record.get(self._resource.bookmark_field or ""), self._timestamps)
        except (ValueError, OverflowError):
            return None


def _forget_lost(fields: dict[str, Any], lost: object) -> None:
    """Take out the nulls for what the tap could not hand out: the record holds something else."""
    for name in lost if isinstance(lost, dict) else ():
        if name in fields and fields[name] is None:
            del fields[name]


def _checked(name: str, read: Callable[[Any], Any], value: object) -> Any:  # noqa: ANN401 - JSON
    try:
        return read(value)
    except Misfit as misfit:
        raise refused_value(name, misfit) from None
