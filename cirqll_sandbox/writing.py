"""Create and Update: which of the fields in a body are valid, and what is stored of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cirqll_sandbox.cleaning import cleaned
from cirqll_sandbox.custom_fields import put_value
from cirqll_sandbox.field_names import is_named
from cirqll_sandbox.refusals import bad_request, invalid
from cirqll_sandbox.resources import CUSTOM_FIELD_OWNERS
from cirqll_sandbox.stored_forms import stored_form
from cirqll_sandbox.uniqueness import is_taken
from cirqll_sandbox.validation import Context, InvalidValueError, accepted

if TYPE_CHECKING:
    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.tables import Database, Row, Table


@dataclass(frozen=True, slots=True)
class Write:
    """Creates and changes rows of one table from the JSON of a request."""

    table: Table
    database: Database
    behaviour: Behaviour

    def create(self, body: Any) -> Row:
        """The new row; a `Refusal` (422) when the body is not valid."""
        fields, values = self._checked(body, None)
        row = self.table.insert(**self._derived(fields, {}))
        self._set_field_values(row["id"], values)
        return row

    def update(self, row: Row, body: Any) -> Row:
        """The changed row; a `Refusal` (422) when the body is not valid."""
        fields, values = self._checked(body, row)
        fields = self._derived(fields, row)
        changes = any(row.get(name, ...) != value for name, value in fields.items())
        if not self.behaviour.touch_unchanged and not changes:
            fields["updated_at"] = row["updated_at"]
        changed = self.table.update(row["id"], **fields)
        self._set_field_values(row["id"], values)
        return changed

    def _checked(self, body: Any, before: Row | None) -> tuple[Row, list[Row]]:
        """The fields to store, and the values of custom fields."""
        if not isinstance(body, dict):
            message = "The body must be a JSON object."
            raise bad_request(message)
        given = cleaned(body, self.behaviour)
        errors = {
            name: [f"The {_words(name)} field is required."]
            for name in self._required(given, creating=before is None)
        }
        given = {name: value for name, value in given.items() if not self._ignores(name)}
        values = self._custom(given.pop("field_values", None), errors)
        stored: Row = {}
        for name, value in given.items():
            if name not in errors:
                self._take(name, value, stored, errors)
        self._look_for_twins(stored, before, errors)
        if errors:
            raise invalid(errors, status=self.behaviour.validation_status)
        return stored, values

    def _required(self, given: Row, *, creating: bool) -> list[str]:
        required = (field.name for field in self.table.resource.fields if field.required)
        if creating:
            return [name for name in required if given.get(name) in (None, "")]
        return [name for name in required if name in given and given[name] in (None, "")]

    def _ignores(self, name: str) -> bool:
        return is_named(name, self.table.resource.name, self.behaviour.ignored_write_fields)

    def _look_for_twins(
        self, stored: Row, before: Row | None, errors: dict[str, list[str]]
    ) -> None:
        own_id = None if before is None else before["id"]
        for name in self.behaviour.unique_fields.get(self.table.resource.name, ()):
            if name in stored and is_taken(stored[name], name, self.table, self.behaviour, own_id):
                errors[name] = [f"The {_words(name)} has already been taken."]

    def _take(self, name: str, value: Any, stored: Row, errors: dict[str, list[str]]) -> None:
        field = self.table.resource.by_name.get(name)
        if field is None:
            self._take_unknown(name, value, stored, errors)
            return
        if field.read_only:
            return
        try:
            valid = accepted(value, field, Context(self.database, self.behaviour))
            storable = stored_form(valid, field, self.behaviour)
        except InvalidValueError as error:
            errors[name] = [f"The {_words(name)} {error}"]
            return
        if not field.write_only:
            stored[name] = storable

    def _take_unknown(
        self, name: str, value: Any, stored: Row, errors: dict[str, list[str]]
    ) -> None:
        mode = self.behaviour.unknown_write_field
        if mode == "store" or name in self.table.columns:
            stored[name] = value
        elif mode == "refuse":
            errors[name] = [f"The {_words(name)} field does not exist."]

    def _derived(self, fields: Row, before: Row) -> Row:
        if self.table.resource.name == "contract":
            price = {**before, **fields}.get("price")
            return {**fields, "calculated_price": price}
        return fields

    def _custom(self, given: Any, errors: dict[str, list[str]]) -> list[Row]:
        """Likely shape: `[{"field_id": 3, "value": "x"}]`."""
        if given is None or self.table.resource.name not in CUSTOM_FIELD_OWNERS:
            return []
        fields = self.database.tables["field"]
        if isinstance(given, list) and all(
            isinstance(item, dict) and fields.find(item.get("field_id")) for item in given
        ):
            return given
        errors["field_values"] = ["The field values must name fields that exist."]
        return []

    def _set_field_values(self, owner_id: int, values: list[Row]) -> None:
        for given in values:
            put_value(self.database, self.table.resource.name, owner_id, given)


def _words(name: str) -> str:
    return name.replace("_", " ")
