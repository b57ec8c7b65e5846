"""What the people of a company do to its custom fields, their options and their values.

That a change of a definition does not touch `updated_at` of the records that have a value of it is
a guess; so is that a change of a value does.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from cirqll_sandbox import words
from cirqll_sandbox.field_values import WITH_OPTIONS
from cirqll_sandbox.invention import Invention

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cirqll_sandbox.tables import Database, Row


class CustomFields:
    """Changes definitions and values in the tables of a database; `KeyError` for what is gone."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._fields = database.tables["field"]
        self._options = database.tables["field_option"]
        self._values = database.tables["field_value"]

    def add(
        self, name: str, *, owner: str, type: str = "text", options: Iterable[str] = ()  # noqa: A002 - the vendor's word
    ) -> int:  # fmt: skip
        """A new field for the records of a resource; its id."""
        field = self._fields.insert(name=name, type=type, model=owner, order=len(self._fields))
        for option in options:
            self.add_option(field["id"], option)
        return int(field["id"])

    def rename(self, field_id: int, name: str) -> None:
        """The field gets another name."""
        self._fields.update(field_id, name=name)

    def change_type(self, field_id: int, type: str) -> None:  # noqa: A002 - the vendor's word
        """The field gets another type; its values stay as they are (guess)."""
        self._fields.update(field_id, type=type)

    def delete(self, field_id: int) -> None:
        """The field goes, with its options and values (guess)."""
        with self._database.lock:
            self._fields.delete(field_id)
            for table in (self._options, self._values):
                for row in table.referring("field_id", field_id):
                    table.delete(row["id"])

    def add_option(self, field_id: int, name: str) -> int:
        """Something more to choose; its id."""
        order = len(self._options.referring("field_id", field_id))
        option = self._options.insert(name=name, order=order, field_id=field_id)
        return int(option["id"])

    def rename_option(self, option_id: int, name: str) -> None:
        """The option gets another name, in every value that chose it too."""
        with self._database.lock:
            option = self._options.get(option_id) or {}
            self._options.update(option_id, name=name)
            for row in self._values.referring("field_id", option["field_id"]):
                value = _renamed(row["value"], option["name"], name)
                self._values.update(row["id"], value=value, updated_at=row["updated_at"])

    def set_value(self, owner: str, owner_id: int, field_id: int, value: Any) -> None:
        """Somebody fills in a value, which touches the record that has it."""
        with self._database.lock:
            self._database.tables[owner].update(owner_id)
            put_value(self._database, owner, owner_id, {"field_id": field_id, "value": value})

    def add_values(self, owner: str, owner_id: int, number: int) -> list[int]:
        """Give a record so many more values, of fields it has none of yet; the ids of the fields.

        Fields that lack are made, of all types in turn.
        """
        with self._database.lock:
            filled = {row["field_id"] for row in self._of(owner, owner_id)}
            free = [row["id"] for row in self._fields if row["model"] == owner]
            free = sorted(id_ for id_ in free if id_ not in filled)[:number]
            free += [self._made(owner, count) for count in range(1, number - len(free) + 1)]
            for id_ in free:
                self.set_value(owner, owner_id, id_, self._invented(id_, owner_id))
        return free

    def _of(self, owner: str, owner_id: int) -> list[Row]:
        rows = self._values.referring("owner_id", owner_id)
        return [row for row in rows if row["owner_type"] == owner]

    def _made(self, owner: str, number: int) -> int:
        type_ = words.FIELD_TYPES[number % len(words.FIELD_TYPES)]
        options = words.CHOICES if type_ in WITH_OPTIONS else ()
        return self.add(f"Extra veld {number}", owner=owner, type=type_, options=options)

    def _invented(self, field_id: int, owner_id: int) -> Any:
        field = self._fields.get(field_id) or {}
        options = self._options.referring("field_id", field_id)
        invention = Invention(Random(f"{field_id} {owner_id}"), "UTC")
        return invention.custom_value(field["type"], [option["name"] for option in options])


def put_value(database: Database, owner: str, owner_id: int, given: Row) -> None:
    """Store `{"field_id", "value"}` for a record: over the value that it has, or as a new one."""
    table = database.tables["field_value"]
    field_id, value = given["field_id"], given.get("value")
    for row in table.referring("owner_id", owner_id):
        if row["owner_type"] == owner and row["field_id"] == field_id:
            table.update(row["id"], value=value)
            return
    table.insert(field_id=field_id, value=value, owner_type=owner, owner_id=owner_id)


def _renamed(value: Any, before: str, after: str) -> Any:
    if isinstance(value, list):
        return [after if one == before else one for one in value]
    return after if value == before else value
