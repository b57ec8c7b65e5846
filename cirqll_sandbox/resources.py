"""The tables of the sandbox: their documented fields and relations, read from cirqll-api.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Literal

Kind = Literal[
    "reference", "text", "long_text", "number", "integer", "boolean", "date_time", "email"
]
Action = Literal["index", "show", "create", "update", "delete"]

EVERY_ACTION: tuple[Action, ...] = ("index", "show", "create", "update", "delete")
CUSTOM_FIELD_OWNERS = (
    "customer", "contact", "appointment", "task", "chance", "assignment", "contract",
)  # fmt: skip
BELOW_ANYTHING = frozenset({"permissions", "options", "field_values"})
"""To-many relations that may stand below another relation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A documented or guessed field, with the rules that a write has to keep."""

    name: str
    kind: Kind
    required: bool = False
    read_only: bool = False
    write_only: bool = False
    minimum: int | None = None
    maximum: int | None = None
    default: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """From a row to one row (`column` is its own) or to many (`column` is theirs)."""

    name: str
    table: str
    column: str
    many: bool = False
    points: int = 1
    """What eager loading costs at depth 1: documented for to-many (3) and `field_values` (1), by
    deduction; a guess for to-one, `permissions` and `options`."""
    owner_type: str | None = None
    """The resource whose rows own theirs, where rows of several resources may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A table; it has endpoints when it has actions."""

    name: str
    fields: tuple[Field, ...]
    to_many: tuple[Relation, ...] = ()
    actions: tuple[Action, ...] = EVERY_ACTION
    by_name: dict[str, Field] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {item.name: item for item in self.fields})

    @property
    def relations(self) -> dict[str, Relation]:
        """Every `x_id` has a relation `x`; the to-many ones are listed."""
        return _relations(self.name)


@cache
def _relations(name: str) -> dict[str, Relation]:
    resource = RESOURCES[name]
    to_one = (
        Relation(name=(stem := item.name.removesuffix("_id")), table=stem, column=item.name)
        for item in resource.fields
        if item.kind == "reference"
    )
    return {relation.name: relation for relation in (*to_one, *resource.to_many)}


def _many(name: str, table: str, owner: str, *, points: int = 3) -> Relation:
    return Relation(name=name, table=table, column=f"{owner}_id", many=True, points=points)


def _owned(owner: str) -> Relation:
    return Relation(
        name="field_values", table="field_value", column="owner_id", many=True, owner_type=owner
    )


_KINDS: dict[str, Kind] = {
    "id": "integer", "description": "long_text", "body": "long_text", "value": "long_text",
    "price": "number", "calculated_price": "number",
    "price_type": "integer", "percentage": "integer", "priority": "integer", "order": "integer",
    "import_id": "integer", "required": "boolean", "email": "email",
    "deadline": "date_time", "start_date": "date_time", "end_date": "date_time",
    "reminder_date": "date_time",
}  # fmt: skip
_READ_ONLY = frozenset({"id", "created_at", "updated_at", "calculated_price"})
_BOUNDS: dict[str, tuple[int, int]] = {
    "percentage": (0, 100),
    "import_id": (0, 2**32),
    "price_type": (-(2**31), 2**31 - 1),
    "order": (0, 2**31 - 1),
    "priority": (0, 10),
}
_DEFAULTS: dict[str, object] = {"price_type": 1, "required": False}


def _field(name: str, *, resource: str, required: bool) -> Field:
    low, high = _BOUNDS.get(name, (None, None))
    lowest_price = 0 if resource == "chance" else None
    return Field(
        name=name,
        kind=_kind(name),
        required=required,
        read_only=name in _READ_ONLY,
        write_only=name == "password",
        minimum=lowest_price if name == "price" else low,
        maximum=high,
        default=_DEFAULTS.get(name),
    )


def _kind(name: str) -> Kind:
    if name.endswith("_id") and name not in {"import_id", "owner_id"}:
        return "reference"
    if name.endswith("_at"):
        return "date_time"
    return _KINDS.get(name, "text")


def _resource(
    name: str,
    names: str,
    *to_many: Relation,
    required: str = "",
    actions: tuple[Action, ...] = EVERY_ACTION,
) -> Resource:
    needed = required.split()
    columns = ["id", *names.split(), "created_at", "updated_at"]
    if name in CUSTOM_FIELD_OWNERS:
        to_many = (*to_many, _owned(name))
    fields = tuple(_field(column, resource=name, required=column in needed) for column in columns)
    return Resource(name=name, fields=fields, to_many=to_many, actions=actions)


# Which fields a Create must have is a guess: the ones without which the record would make no sense.
_TABLES = (
    _resource("company", "name email phone address_id subscription_id", actions=()),
    _resource("address", "street house_number postal_code city country", actions=()),
    _resource("subscription", "name seats", actions=()),
    _resource("origin", "name", actions=()),
    _resource("permission", "name role_id", actions=()),
    _resource("field_option", "name order field_id", actions=()),
    _resource("field_value", "field_id value owner_type owner_id", actions=()),
    _resource("template_item", "name description template_id", actions=()),
    _resource(
        "user", "name email password company_id role_id",
        _many("customers", "customer", "user"), required="name email",
    ),
    _resource(
        "role", "name", _many("permissions", "permission", "role"), required="name",
    ),
    _resource(
        "customer",
        "name email phone website description coc_number vat_number address user_id origin_id "
        "import_id archived_at",
        _many("contacts", "contact", "customer"),
        _many("appointments", "appointment", "customer"),
        _many("assignments", "assignment", "customer"),
        _many("chances", "chance", "customer"),
        _many("contracts", "contract", "customer"),
        _many("tasks", "task", "customer"),
        required="name",
    ),
    _resource(
        "contact",
        "first_name last_name email phone mobile function description customer_id user_id "
        "import_id archived_at",
        _many("notes", "note", "contact"),
        required="last_name",
    ),
    _resource(
        "task",
        "name description deadline completed_at priority customer_id contact_id user_id "
        "archived_at",
        required="name",
    ),
    _resource(
        "appointment",
        "name description location start_date end_date customer_id contact_id user_id",
        required="name start_date end_date",
    ),
    _resource(
        "chance",
        "name price description percentage customer_id contact_id user_id origin_id import_id "
        "archived_at",
        required="name",
    ),
    _resource(
        "assignment",
        "name description price price_type start_date end_date customer_id contact_id chance_id "
        "user_id import_id archived_at",
        required="name",
    ),
    _resource(
        "contract",
        "name price price_type calculated_price start_date end_date description reminder_date "
        "import_id customer_id contact_id chance_id user_id archived_at",
        required="name price start_date",
    ),
    _resource("email", "subject body from to sent_at customer_id contact_id user_id",
              required="subject"),
    _resource("field", "name type model required order",
              _many("options", "field_option", "field"), required="name type"),
    _resource("note", "description contact_id customer_id user_id", required="description"),
    _resource("todo", "name completed_at task_id user_id", required="name"),
    _resource("template", "name", _many("items", "template_item", "template"), required="name"),
    _resource("setting", "key value", actions=("index", "update")),
    _resource("webhook", "url event", required="url event"),
)  # fmt: skip

RESOURCES: dict[str, Resource] = {table.name: table for table in _TABLES}
"""Every table by its name."""

ENDPOINTS: tuple[str, ...] = tuple(table.name for table in _TABLES if table.actions)
"""The sixteen resources that have endpoints."""
