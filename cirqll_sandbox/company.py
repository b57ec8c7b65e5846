"""An invented Dutch company: rows for every table, the same for the same seed and size."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from cirqll_sandbox import words
from cirqll_sandbox.edits import undocumented
from cirqll_sandbox.field_values import WITH_OPTIONS
from cirqll_sandbox.invention import Invention
from cirqll_sandbox.records import Records
from cirqll_sandbox.resources import CUSTOM_FIELD_OWNERS, ENDPOINTS

if TYPE_CHECKING:
    from cirqll_sandbox.tables import Database, Row

_ROWS = {
    "user": 12, "customer": 700, "contact": 1100, "chance": 500, "assignment": 300,
    "contract": 260, "task": 900, "appointment": 600, "email": 800, "note": 700, "todo": 400,
    "template": 8, "webhook": 3,
}  # fmt: skip
_SHARE_WITH_CUSTOM_VALUES = 0.6
_SHARE_WITH_MORE_VALUES = 0.4
_ITEMS_OF_A_TEMPLATE = 3


class Company:
    """Fills the tables of a database, with times in one zone."""

    def __init__(self, database: Database, *, seed: int, size: float, timezone: str) -> None:
        self._database = database
        self._size = size
        self._invention = Invention(Random(seed), timezone)
        self._records = Records(database, self._invention)
        self._undocumented = False

    def move_in(self, *, undocumented_fields: bool) -> None:
        """Write all rows; those of the sixteen resources may have fields nobody documented."""
        self._undocumented = undocumented_fields
        self._fixed_rows()
        for name, rows in _ROWS.items():
            count = max(1, round(rows * self._size))
            self._fill(name, [self._records.made(name, n) for n in range(1, count + 1)])
            if name == "contact":
                self._records.remember_contacts()
        self._template_items()
        self._custom_values()
        self._more_custom_fields()

    def _fill(self, name: str, rows: list[Row]) -> None:
        odd = self._undocumented and name in ENDPOINTS
        self._database.tables[name].insert_many(
            {**row, **(undocumented(number) if odd else {}), **self._invention.times(number)}
            for number, row in enumerate(rows, start=1)
        )

    def _fixed_rows(self) -> None:
        self._fill("address", [{**self._invention.address(), "country": "NL"}])
        self._fill("subscription", [{"name": "Proef", "seats": 25}])
        self._fill("company", [{
            "name": "Voorbeeld & Verzinsel B.V.", "email": "info@voorbeeld.example",
            "phone": self._invention.phone(), "address_id": 1, "subscription_id": 1,
        }])  # fmt: skip
        self._fill("origin", [{"name": name} for name in words.ORIGINS])
        self._fill("role", [{"name": name} for name in words.ROLES])
        self._fill("permission", [
            {"name": f"{resource}.{action}", "role_id": role}
            for role, actions in enumerate((("read", "update"), ("read",)), start=1)
            for resource in ENDPOINTS for action in actions
        ])  # fmt: skip
        self._fill("field", [
            {"name": name, "type": kind, "model": model, "required": False, "order": order}
            for order, (model, name, kind) in enumerate(words.CUSTOM_FIELDS)
        ])  # fmt: skip
        self._fill("field_option", [
            {"name": choice, "order": order, "field_id": field}
            for field, (_, _, kind) in enumerate(words.CUSTOM_FIELDS, start=1) if kind == "select"
            for order, choice in enumerate(words.CHOICES)
        ])  # fmt: skip
        self._fill("setting", [{"key": key, "value": value} for key, value in words.SETTINGS])

    def _template_items(self) -> None:
        invention = self._invention
        self._fill("template_item", [
            {"name": job, "description": invention.remark(), "template_id": template}
            for template in self._database.tables["template"].ids
            for job in invention.random.sample(words.JOBS, _ITEMS_OF_A_TEMPLATE)
        ])  # fmt: skip

    def _custom_values(self) -> None:
        values = [
            {
                "field_id": field,
                "value": self._invention.custom_value(kind),
                "owner_type": owner,
                "owner_id": id_,
            }
            for owner in CUSTOM_FIELD_OWNERS
            for id_ in self._database.tables[owner].ids
            for field, (model, _, kind) in enumerate(words.CUSTOM_FIELDS, start=1)
            if model == owner and self._invention.random.random() < _SHARE_WITH_CUSTOM_VALUES
        ]
        self._fill("field_value", values)

    def _more_custom_fields(self) -> None:
        """Comes last, so that the rest of the company is the same with and without."""
        first, before = self._database.tables["field"].next_id, len(words.CUSTOM_FIELDS)
        self._fill("field", [
            {"name": name, "type": kind, "model": model, "required": False, "order": order}
            for order, (model, name, kind) in enumerate(words.MORE_CUSTOM_FIELDS, start=before)
        ])  # fmt: skip
        self._fill("field_option", [
            {"name": choice, "order": order, "field_id": field}
            for field, (_, _, kind) in enumerate(words.MORE_CUSTOM_FIELDS, start=first)
            if kind in WITH_OPTIONS
            for order, choice in enumerate(words.MORE_CHOICES)
        ])  # fmt: skip
        self._fill("field_value", [
            {
                "field_id": field, "owner_type": owner, "owner_id": id_,
                "value": self._invention.maybe(
                    self._invention.custom_value(kind, words.MORE_CHOICES)
                ),
            }
            for field, (owner, _, kind) in enumerate(words.MORE_CUSTOM_FIELDS, start=first)
            for id_ in self._database.tables[owner].ids
            if self._invention.random.random() < _SHARE_WITH_MORE_VALUES
        ])  # fmt: skip
