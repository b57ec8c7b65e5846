"""Accounts: the people who can sign in and consent, each of a company."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cirqll_sandbox.tables import Database

FIRST_USER = 1
_FIRST_ADDED = 100_001
_NOBODY = {"id": 1, "name": "Sandbox", "email": "sandbox@example.nl", "company_id": 1}
_NO_COMPANY = {"id": 1, "name": "Sandbox B.V."}


@dataclass(frozen=True, slots=True)
class Account:
    """A user of a company, as the consent page and `auth/me` tell it."""

    user_id: int
    name: str
    email: str
    company_id: int
    company: str


class Accounts:
    """The first user of the sandbox's company, and whoever was added.

    Added accounts have no rows: the API shows the same data to all of them, only `auth/me` differs.
    """

    def __init__(self, database: Database) -> None:
        self._tables = database.tables
        self._added: dict[int, Account] = {}

    def add(self, *, name: str, company: str, email: str | None = None) -> Account:
        """Somebody else who can sign in; the same company name is the same company."""
        user_id = _FIRST_ADDED + len(self._added)
        companies = {account.company: account.company_id for account in self._added.values()}
        account = Account(
            user_id=user_id,
            name=name,
            email=email or f"user{user_id}@voorbeeld.example",
            company_id=companies.get(company, _FIRST_ADDED + len(companies)),
            company=company,
        )
        self._added = {**self._added, user_id: account}
        return account

    def all(self) -> tuple[Account, ...]:
        """Whom the consent page offers to sign in as; the first one is chosen at first."""
        return self.find(FIRST_USER), *self._added.values()

    def find(self, user_id: int) -> Account:
        """The account of a user."""
        if user_id in self._added:
            return self._added[user_id]
        me = self.me(user_id)
        company = me["company"]
        return Account(
            user_id=me["id"], name=str(me["name"]), email=str(me["email"]),
            company_id=company["id"], company=str(company["name"]),
        )  # fmt: skip

    def me(self, user_id: int) -> dict[str, Any]:
        """The user with the company, as `GET /api/auth/me` answers."""
        added = self._added.get(user_id)
        if added is not None:
            company = {"id": added.company_id, "name": added.company}
            return {
                "id": user_id, "name": added.name, "email": added.email,
                "company_id": added.company_id, "company": company,
            }  # fmt: skip
        user = self._tables["user"].get(user_id) or {**_NOBODY, "id": user_id}
        return {**user, "company": self._company(user["company_id"])}

    def _company(self, id_: int) -> dict[str, Any]:
        """The company with its address and subscription in their place (guess)."""
        company = self._tables["company"].get(id_)
        if company is None:
            return _NO_COMPANY
        belongings = {name: self._tables[name].get(company[f"{name}_id"] or 0)
                      for name in ("address", "subscription")}  # fmt: skip
        return {**company, **belongings}
