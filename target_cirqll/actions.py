"""What is to be done about a record, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record

Deed = Literal["created", "updated", "unchanged", "deleted", "archived", "left"]
"""``left``: something may not be done by the settings, such as creating in the mode ``update``."""


@dataclass(frozen=True, slots=True)
class Create:
    """A record that is not there yet."""

    resource: Resource
    body: Mapping[str, Any]
    identities: tuple[str, ...]
    """Under which the ledger knows its rows; the first one is written down before it is sent."""


@dataclass(frozen=True, slots=True)
class Update:
    """A record that differs from its row."""

    resource: Resource
    record_id: int
    changes: Mapping[str, Any]
    """The fields that differ, and no others."""
    before: Record = field(default_factory=dict)
    """The live values of these fields, ``None`` for one that did not come."""
    deed: Deed = "updated"
    """``archived`` where that is what the change is for."""


@dataclass(frozen=True, slots=True)
class Delete:
    """A record that is to go."""

    resource: Resource
    record_id: int


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing is sent."""

    deed: Deed
    why: str = ""
    """For what is left: a few words for the summary."""
    learned: Mapping[str, str] = field(default_factory=dict)
    """What the API made of fields that were sent earlier, as digests."""


Action = Create | Update | Delete | Nothing
