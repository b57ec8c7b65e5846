"""Custom values as an answer shows them: their types, their options, and their shape.

How Cirqll does this is unknown; each guess is an option of `Behaviour`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cirqll_sandbox.exact_json import dumps
from cirqll_sandbox.filtering import Condition, Junction
from cirqll_sandbox.resources import CUSTOM_FIELD_OWNERS

if TYPE_CHECKING:
    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.filtering import Filter
    from cirqll_sandbox.tables import Database, Row

TABLE = "field_value"
RELATION = "field_values"
WITH_OPTIONS = frozenset({"select", "multiselect"})
"""The types of fields whose values are options (guess)."""

_OWNER_IDS = {f"{owner}_id": owner for owner in CUSTOM_FIELD_OWNERS}


class FieldValues:
    """The custom values of a database's records, under one behaviour."""

    def __init__(self, database: Database, behaviour: Behaviour, *, all_at_once: bool) -> None:
        self._database = database
        self._behaviour = behaviour
        self._all_at_once = all_at_once and behaviour.field_values_rest == "show"
        self._style = (
            behaviour.field_values_shape, behaviour.field_value_types, behaviour.option_values,
            behaviour.relation_page, self._all_at_once,
        )  # fmt: skip

    def text(self, row: Row, owner: str) -> str:
        """The relation of a record as JSON, remembered until a custom value changes."""
        texts = self._database.texts_of_values
        key = owner, row["id"], self._style
        text = texts.get(key)
        if text is None:
            rows = self._rows(row, owner)
            data = [self.within(value) for value in rows[: self.limit(len(rows))]]
            text = texts[key] = dumps(self.shaped(data, total=len(rows)))
        return text

    def limit(self, total: int) -> int:
        """How many of a record's values come along with it."""
        page = self._behaviour.relation_page
        return max(page, total) if self._all_at_once else page

    def shaped(self, data: list[Row], *, total: int) -> Any:
        """These values, of so many, in the place of the relation."""
        match self._behaviour.field_values_shape:
            case "map":
                return {str(value["field_id"]): value["value"] for value in data}
            case "list":
                return data
        return {"data": data, "limit": self.limit(total), "total": total, "offset": 0}

    def within(self, row: Row) -> Row:
        """A value inside the record that it belongs to."""
        return {"id": row["id"], "field_id": row["field_id"], "value": self.value(row)}

    def alone(self, row: Row) -> Row:
        """A value in an Index of its own: every owner has a column (guess)."""
        owners = {name: row["owner_id"] if row["owner_type"] == owner else None
                  for name, owner in _OWNER_IDS.items()}  # fmt: skip
        times = {name: row[name] for name in ("created_at", "updated_at")}
        return {**self.within(row), **owners, **times}

    def value(self, row: Row) -> Any:
        """The value itself."""
        value = row["value"]
        if self._behaviour.option_values == "id":
            value = self._as_option(value, row["field_id"])
        return as_text(value) if self._behaviour.field_value_types == "text" else value

    def _rows(self, row: Row, owner: str) -> list[Row]:
        return self._database.related(
            row, self._database.tables[owner].resource.relations[RELATION]
        )

    def _as_option(self, value: Any, field_id: Any) -> Any:
        """Names of options as their ids; what is no option's name stays as it is."""
        field = self._database.tables["field"].find(field_id)
        if field is None or field["type"] not in WITH_OPTIONS:
            return value
        options = self._database.tables["field_option"].referring("field_id", field_id)
        ids = {option["name"]: option["id"] for option in reversed(options)}
        if isinstance(value, list):
            return [ids.get(one, one) if isinstance(one, str) else one for one in value]
        return ids.get(value, value) if isinstance(value, str) else value


def as_text(value: Any) -> Any:
    """The value as a column of texts holds it: `1` for true, JSON for a list; null stays null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(int(value))
    return dumps(value) if isinstance(value, (int, float, Decimal, list, dict)) else str(value)


def by_owner(tree: Filter) -> Filter:
    """The filter with `customer_id:eq:5` as what the table of values knows."""
    if isinstance(tree, Junction):
        return Junction(tree.kind, tuple(map(by_owner, tree.parts)))
    owner = _OWNER_IDS.get(tree.path[0]) if len(tree.path) == 1 else None
    if owner is None:
        return tree
    owned = Condition(("owner_id",), tree.operator, tree.values, tree.negated)
    return Junction("and", (Condition(("owner_type",), "eq", (owner,)), owned))
