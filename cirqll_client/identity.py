"""Who signed in: what the user record of ``/auth/me`` says, read with care."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cirqll_client.redaction import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cirqll_client.responses import Record


@dataclass(frozen=True, slots=True)
class Identity:
    """A user and the company whose data the token reads."""

    name: str
    company: str | None = None
    company_id: str | None = None
    """What tells companies apart; ``None`` where the record does not say."""

    def __str__(self) -> str:
        """Name the person and the company."""
        return f"{self.name} of {self.company}" if self.company else self.name


def identity_of(record: Record) -> Identity:
    """Read a user record; the company is a relation that may be missing."""
    company = record.get("company")
    company = company if isinstance(company, dict) else {}
    keys = (record.get("company_id"), company.get("id"))
    names = (record.get("name"), record.get("email"), record.get("id"))
    return Identity(
        name=_first(names) or "somebody",
        company=_first([company.get("name")]),
        company_id=_first(keys),
    )


def _first(values: Iterable[object]) -> str | None:
    """Give the first value that says something, on one line."""
    plain = (one_line(str(one)) for one in values if isinstance(one, str | int) and one)
    return next((text for text in plain if text), None)
