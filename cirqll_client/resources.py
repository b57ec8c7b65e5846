"""The table of resources: all that differs between them, apart from their fields.

A new resource is an entry here, a file in ``schemas/`` and a seed in the sandbox, nothing else.
Paths are documented for contract, customer and user, likely for the rest, least sure for todo and
setting (cirqll-api.md, Transport); relations are documented (cirqll-api.md, with).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

FIELD_VALUES = "field_values"
"""The relation that has the values of a record's custom fields."""
MOST_WEIGHT = 16
"""Of relations that one request may bring along [doc]."""
_WEIGHT_OF_MANY = 3
_CRUD = frozenset({"index", "show", "create", "update", "delete"})


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the API."""

    name: str
    """The vendor's word in the singular; also the path below ``/api``."""

    stream: str
    """The vendor's word in the plural: the name of the Singer stream."""

    bookmark_field: str | None = "updated_at"
    """Grows with every change of a record; ``None`` where nothing of the kind exists."""

    to_one: tuple[str, ...] = ()
    to_many: tuple[str, ...] = ()
    """Relations that ``with`` can bring along."""

    actions: frozenset[str] = _CRUD

    keys: tuple[str, ...] = ("id",)
    """The fields that tell records apart in a table of them."""

    is_read_by_default: bool = True

    key_without_id: str | None = None
    """A field that tells records apart where they come without ``id``."""

    required: tuple[str, ...] = ()
    """What a Create needs. A guess: the documentation does not say, the answer to an empty ``POST``
    does (cirqll-api.md, deeper doubts)."""

    @property
    def path(self) -> str:
        """Path below the API root."""
        return f"/{self.name}"

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of a record; each property carries its ``x-certainty``."""
        return _schema(self.name)


RESOURCES: tuple[Resource, ...] = (
    Resource(
        "user",
        "users",
        to_one=("company", "role"),
        to_many=("customers",),
        required=("name", "email"),
    ),
    Resource("role", "roles", to_many=("permissions",), required=("name",)),
    Resource(
        "customer",
        "customers",
        to_one=("user",),
        to_many=(
            "contacts",
            "appointments",
            "assignments",
            "chances",
            "contracts",
            "tasks",
            "field_values",
        ),
        required=("name",),
    ),
    Resource("contact", "contacts", to_one=("user",), to_many=("notes", "field_values")),
    Resource("task", "tasks", to_many=("field_values",), required=("name",)),
    Resource("appointment", "appointments", to_many=("field_values",), required=("name",)),
    Resource("chance", "chances", to_many=("field_values",), required=("name",)),
    Resource("assignment", "assignments", to_many=("field_values",), required=("name",)),
    Resource(
        "contract",
        "contracts",
        to_one=("customer", "user", "contact", "chance"),
        to_many=("field_values",),
        required=("name",),
    ),
    Resource("email", "emails"),
    Resource("field", "fields", to_many=("options",), required=("name",)),
    Resource("note", "notes"),
    Resource("todo", "todos"),
    # A guess: what the relation is called; that there is one of items is likely.
    Resource("template", "templates", to_many=("items",), required=("name",)),
    Resource(
        "setting",
        "settings",
        actions=frozenset({"index", "update"}),
        # A guess: settings may be rows of key and value, or one object (cirqll-api.md, Resources).
        key_without_id="key",
    ),
    Resource("webhook", "webhooks", required=("url",)),
)


def resource_of_stream(name: str) -> Resource | None:
    """Find a resource by the name of its stream, or by its own name."""
    return next((one for one in RESOURCES if name in {one.stream, one.name}), None)


def weight_of(relations: Iterable[str]) -> int:
    """Give what it costs to bring these relations along, of which ``MOST_WEIGHT`` is allowed.

    Deduced from two examples (cirqll-api.md, with); that one to-one relation costs 1 is a guess.
    """
    many = {name for one in RESOURCES for name in one.to_many} - {FIELD_VALUES}
    return sum(_WEIGHT_OF_MANY if name in many else 1 for name in relations)


def parent_of(field: str) -> Resource | None:
    """Find the resource whose id a field holds: every ``x_id`` has a relation ``x`` [doc].

    ``None`` for what names no record that can be looked up: ``company_id``, ``import_id``.
    """
    name = field.removesuffix("_id")
    return next((one for one in RESOURCES if name != field and one.name == name), None)


@cache
def _schema(name: str) -> dict[str, Any]:
    text = files("cirqll_client").joinpath("schemas", f"{name}.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
