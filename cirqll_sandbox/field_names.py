"""How options name fields: `phone`, or `customer.phone` for one resource only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


def is_named(field: str, resource: str, names: Collection[str]) -> bool:
    """Whether one of the names means this field."""
    return bool(names) and (field in names or f"{resource}.{field}" in names)
