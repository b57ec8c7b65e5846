"""The table of what lies within records and has no endpoint of its own.

A new one is an entry here and a file in ``schemas/``; its parents are the resources that have the
relation. Names of columns that are put to a row are ours; they stand in its schema file.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from cirqll_client.resources import FIELD_VALUES, RESOURCES, Resource, resource_of_stream


@dataclass(frozen=True, slots=True)
class Nested:
    """Rows that come along with the records of others."""

    rows: Resource
    """What a row is. Its bookmark field, if it has one, is that of its parent."""

    relation: str
    """By this name ``with`` brings them along."""

    parent_id: str
    """The column with the id of the record that they came with."""

    parent_time: str
    """The column with the time at which that record was changed."""

    @property
    def parents(self) -> tuple[Resource, ...]:
        """The resources that they come along with."""
        return _with_relation(self.relation)


def _nested(
    name: str, stream: str, *, relation: str, parent: str, keys: tuple[str, ...] = ()
) -> Nested:
    """Describe rows that are read whole with each run.

    Whether a change of theirs moves the ``updated_at`` of their parent is not known; their parents
    are few, so that it takes one request.
    """
    parent_id, parent_time = f"{parent}_id", f"{parent}_updated_at"
    rows = Resource(
        name,
        stream,
        bookmark_field=None,
        actions=frozenset(),
        # A permission may be of several roles, so its own id does not tell rows apart.
        keys=keys or (parent_id, "id"),
    )
    return Nested(rows, relation, parent_id, parent_time)


NESTED: tuple[Nested, ...] = (
    _nested("field_option", "field_options", relation="options", parent="field"),
    _nested("permission", "role_permissions", relation="permissions", parent="role"),
    _nested("template_item", "template_items", relation="items", parent="template"),
    Nested(
        # A guess: the record's updated_at moves with its values, as it does for a user who looks.
        Resource(
            "field_value",
            "field_values",
            bookmark_field="record_updated_at",
            actions=frozenset(),
            keys=("resource", "record_id", "field_id"),
            # The same is in columns of the records; this is for those who prefer a long table.
            is_read_by_default=False,
        ),
        FIELD_VALUES,
        "record_id",
        "record_updated_at",
    ),
)

COMPANY = Resource("company", "companies", bookmark_field=None, actions=frozenset())
"""The company of the signed-in user, of which ``/auth/me`` tells [doc]."""

ME_PATHS = ("/auth/me", "/user/me")
"""The two ways in which the documentation writes where that is asked."""

TABLES: tuple[Resource, ...] = (*RESOURCES, *(one.rows for one in NESTED), COMPANY)
"""All that can be read of an account as a table, each under the name of its stream."""


def nested_of(resource: Resource) -> Nested | None:
    """Find what a row of a table is, if it lies within others."""
    return next((one for one in NESTED if one.rows == resource), None)


def read_for(stream: str) -> tuple[Resource, ...]:
    """Name the resources that are read for a stream; the company takes no scope but the user's."""
    nested = next((one for one in NESTED if one.rows.stream == stream), None)
    if nested is not None:
        return nested.parents
    own = resource_of_stream(stream) if stream != COMPANY.stream else resource_of_stream("users")
    return (own,) if own else ()


@cache
def _with_relation(name: str) -> tuple[Resource, ...]:
    return tuple(one for one in RESOURCES if name in one.to_many)
