"""What the settings say about writing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

WriteMode = Literal["upsert", "update", "create"]
OnDelete = Literal["ignore", "archive", "delete"]
Conflict = Literal["warehouse_wins", "crm_wins", "report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How rows become records, by the names of the settings."""

    write_mode: WriteMode = "upsert"
    match_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By the name of a resource: the fields that tell its records apart, in the order of trying."""
    on_delete: OnDelete = "ignore"
    max_deletions: float = 0.1
    """The share of a resource's records that one run may delete or archive; 1 is all."""
    conflict: Conflict = "warehouse_wins"
    write_custom_fields: bool = False
    source: str = ""
    """Where rows come from, if several sources write to one account, each with keys of its own."""
    concurrency: int = 4
    """Writes in flight at once."""
