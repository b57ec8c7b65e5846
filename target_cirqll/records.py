"""What a batch asks about records, whether they are real or only pretended in a dry run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from cirqll_client.errors import SettingInvalid

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from cirqll_client.ledger import Entry, Written
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record


class NotFindable(SettingInvalid):
    """Cirqll does not find records of the resource by this field."""


@dataclass(frozen=True, slots=True)
class Matches:
    """The answer to a look-up by the values of a field."""

    records: Mapping[int | str, list[Record]] = field(default_factory=dict)
    """By value: all live records that have it."""
    inexpressible: Mapping[int | str, str] = field(default_factory=dict)
    """By value: why it cannot be asked for."""


class LiveRecords(Protocol):
    """The records of the account as they are now. Every method raises any ``CirqllError``."""

    def by_id(
        self,
        resource: Resource,
        ids: Collection[int],
        *,
        fields: Collection[str],
        relations: tuple[str, ...] = (),
    ) -> dict[int, Record]:
        """Give those of these records that the Index lists, with these fields."""
        ...

    def by_field(
        self,
        resource: Resource,
        field: str,
        values: Collection[int | str],
        *,
        fields: Collection[str],
        relations: tuple[str, ...] = (),
    ) -> Matches:
        """Give the records that have one of these values in this field."""
        ...

    def exists(self, resource: Resource, record_id: int) -> Record | None:
        """Give one record by Show, ``None`` if it is not there."""
        ...

    def total(self, resource: Resource) -> int | None:
        """Count the records of a resource; ``None`` where the API does not tell."""
        ...


class KnownRows(Protocol):
    """What the ledger knows of rows."""

    def known(self, resource: Resource, identities: Iterable[str]) -> dict[str, Entry]:
        """Give the entries of these rows, those that there are."""
        ...

    def remember(self, resource: Resource, records: Mapping[str, int]) -> None:
        """Note the record that each of these rows became."""
        ...

    def forget_record(self, resource: Resource, record_id: int) -> None:
        """Forget a record that is gone."""
        ...

    def claims(self, resource: Resource, record_ids: Iterable[int]) -> dict[int, set[str]]:
        """Give the rows that are known to be these records, by record."""
        ...

    def release(self, resource: Resource, identities: Iterable[str]) -> None:
        """Forget which records these rows are."""
        ...

    def written(self, resource: Resource, record_ids: Iterable[int]) -> dict[int, Written]:
        """Give what was last written to these records."""
        ...
