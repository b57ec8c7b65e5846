"""A row of the input, as far as it is understood, and why a row is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record

RejectKind = Literal["invalid", "refused", "unknown", "conflict", "ambiguous"]


@dataclass(frozen=True, slots=True)
class Parent:
    """A record that a row names by a key of its own, not by its id in Cirqll."""

    resource: Resource
    key: Mapping[str, Any]
    """Such as ``{"import_id": 7}``; several entries all have to fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row for one resource, fitted to its schema."""

    position: int
    """Its number among all rows of the input, from 1; STATE counts by it."""
    resource: Resource
    id: int | None = None
    """The id in Cirqll, where the row carries it."""
    key: Mapping[str, Any]
    """The stream's key properties other than ``id``, as they came; empty without any."""
    lacks_key: bool = False
    """The stream has a key, and this row has none, or only a part of it."""
    fields: dict[str, Any]
    """What may be written, by name: ``int``, ``Decimal``, ``bool``, ``str``, JSON, ``None``; times
    as the API writes them."""
    custom_fields: Mapping[int, Any]
    """Values by the id of their field; empty unless custom fields are written."""
    parents: Mapping[str, Parent]
    """By the field that is to hold the parent's id, such as ``customer_id``."""
    deleted_at: str | None = None
    """When it was deleted at its source, in the API's text."""
    based_on: datetime | None = None
    """The ``updated_at`` of the record that the row was made from, in UTC."""
    record: Record | None = None
    """The row as it came, where rejects are to show it."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Why a row was not written."""

    kind: RejectKind
    reason: str
    """A sentence for a person, or the API's own words."""
    field: str | None = None


class RowRefused(Exception):
    """A row cannot be written; the run goes on without it."""

    def __init__(self, reject: Reject) -> None:
        """Carry the reason."""
        super().__init__(reject.reason)
        self.reject = reject
