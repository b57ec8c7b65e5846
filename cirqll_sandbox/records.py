"""One invented record of each resource, with references to records that exist."""

# ruff: noqa: SLF001 - the table at the end names methods of the class above it

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from cirqll_sandbox import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_sandbox.invention import Invention
    from cirqll_sandbox.tables import Database, Row


class Records:
    """Makes records for the tables of a database, which are filled in the order of references."""

    def __init__(self, database: Database, invention: Invention) -> None:
        self._database = database
        self._invention = invention
        self._random = invention.random
        self._contacts: dict[int | None, list[int]] = defaultdict(list)

    def made(self, resource: str, number: int) -> Row:
        """The fields of the record of this number, but for id and times."""
        return _MAKERS[resource](self, number)

    def remember_contacts(self) -> None:
        """From now on let records refer to contacts of their customer."""
        for row in self._database.tables["contact"]:
            self._contacts[row["customer_id"]].append(row["id"])

    def _user(self, number: int) -> Row:
        first, last = self._invention.person()
        return {
            "name": f"{first} {last}",
            "email": f"gebruiker{number}@voorbeeld.example",
            "company_id": 1,
            "role_id": 1 if number == 1 else self._random.randint(1, 4),
        }

    def _customer(self, number: int) -> Row:
        trade, last = self._random.choice(words.TRADES), self._random.choice(words.LAST_NAMES)
        address = self._invention.address()
        return {
            "name": f"{trade} {last} {self._random.choice(words.LEGAL_FORMS)}".strip(),
            "email": self._invention.maybe(f"info@relatie{number}.example"),
            "phone": self._invention.maybe(self._invention.phone()),
            "website": self._invention.maybe(f"https://relatie{number}.example"),
            "description": self._invention.remark(),
            "coc_number": self._invention.maybe(f"0000{number % 10**4:04}"),
            "vat_number": self._invention.maybe(f"NL0000{number % 10**5:05}B00"),
            "address": self._invention.maybe(
                "{street} {house_number}\n{postal_code} {city}".format(**address)
            ),
            "user_id": self._one_of("user"),
            "origin_id": self._invention.maybe(self._random.randint(1, len(words.ORIGINS))),
            "import_id": number + 70_000 if number % 4 == 0 else None,
            "archived_at": self._invention.rarely(self._invention.text_of_moment()),
        }

    def _contact(self, number: int) -> Row:
        first, last = self._invention.person()
        return {
            "first_name": self._invention.maybe(first),
            "last_name": last,
            "email": self._invention.maybe(f"contact{number}@example.nl"),
            "phone": self._invention.maybe(self._invention.phone()),
            "mobile": self._invention.maybe(f"06 0000 {self._random.randrange(10**4):04}"),
            "function": self._random.choice(words.FUNCTIONS),
            "description": self._invention.remark(),
            "customer_id": self._one_of("customer"),
            "user_id": self._one_of("user"),
            "import_id": number + 90_000 if number % 4 == 0 else None,
            "archived_at": self._invention.rarely(self._invention.text_of_moment()),
        }

    def _chance(self, _: int) -> Row:
        return {
            **self._deal(),
            "percentage": self._random.choice((0, 10, 25, 50, 75, 90, 100)),
            "origin_id": self._invention.maybe(self._random.randint(1, len(words.ORIGINS))),
        }

    def _assignment(self, _: int) -> Row:
        return {
            **self._deal(),
            **self._invention.period(days=60),
            "price_type": self._random.choice((1, 1, 2)),
            "chance_id": self._invention.maybe(self._one_of("chance")),
        }

    def _contract(self, number: int) -> Row:
        deal = self._deal()
        return {
            **deal,
            **self._invention.period(days=365),
            "price_type": self._random.choice((1, 1, 2)),
            "calculated_price": deal["price"],
            "reminder_date": self._invention.maybe(self._invention.text_of_moment()),
            "import_id": number if number % 3 == 0 else None,
            "chance_id": self._invention.maybe(self._one_of("chance")),
        }

    def _task(self, _: int) -> Row:
        return {
            **self._job(),
            "deadline": self._invention.maybe(self._invention.text_of_moment()),
            "completed_at": self._invention.maybe(self._invention.text_of_moment()),
            "priority": self._random.randint(0, 3),
            "archived_at": self._invention.rarely(self._invention.text_of_moment()),
        }

    def _appointment(self, _: int) -> Row:
        return {
            **self._job(),
            **self._invention.period(days=0),
            "location": self._invention.maybe(self._random.choice(words.CITIES)),
        }

    def _email(self, number: int) -> Row:
        job = self._job()
        return {
            "subject": f"{job['name']} #{number}",
            "body": f"Beste relatie,\n\n{job['description'] or 'Zie de bijlage.'}\n\nGroet",
            "from": f"gebruiker{job['user_id']}@voorbeeld.example",
            "to": f"contact{self._random.randrange(1, 999)}@example.nl",
            "sent_at": self._invention.maybe(self._invention.text_of_moment()),
            **{key: job[key] for key in ("customer_id", "contact_id", "user_id")},
        }

    def _note(self, _: int) -> Row:
        job = self._job()
        return {
            "description": job["description"] or job["name"],
            **{key: job[key] for key in ("customer_id", "contact_id", "user_id")},
        }

    def _todo(self, _: int) -> Row:
        return {
            "name": self._random.choice(words.JOBS),
            "completed_at": self._invention.maybe(self._invention.text_of_moment()),
            "task_id": self._one_of("task"),
            "user_id": self._one_of("user"),
        }

    def _template(self, _: int) -> Row:
        return {"name": f"Sjabloon {self._random.choice(words.PRODUCTS)}"}

    def _webhook(self, number: int) -> Row:
        event = words.EVENTS[number % len(words.EVENTS)]
        return {"url": f"https://hooks.example.nl/{number}", "event": event}

    def _deal(self) -> Row:
        customer = self._one_of("customer")
        cents = self._random.randrange(5_000, 9_000_000)
        return {
            "name": f"{self._random.choice(words.PRODUCTS)} {self._random.randrange(2019, 2026)}",
            "price": Decimal(cents).scaleb(-2),
            "description": self._invention.remark(),
            "customer_id": customer,
            "contact_id": self._contact_of(customer),
            "user_id": self._one_of("user"),
            "archived_at": self._invention.rarely(self._invention.text_of_moment()),
        }

    def _job(self) -> Row:
        customer = self._one_of("customer")
        return {
            "name": self._random.choice(words.JOBS),
            "description": self._invention.remark(),
            "customer_id": customer,
            "contact_id": self._contact_of(customer),
            "user_id": self._one_of("user"),
        }

    def _one_of(self, resource: str) -> int | None:
        ids = self._database.tables[resource].ids
        return self._random.choice(ids) if ids else None

    def _contact_of(self, customer: int | None) -> int | None:
        contacts = self._contacts.get(customer)
        return self._random.choice(contacts) if contacts else None


_MAKERS: dict[str, Callable[[Records, int], Row]] = {
    "user": Records._user, "customer": Records._customer, "contact": Records._contact,
    "chance": Records._chance, "assignment": Records._assignment, "contract": Records._contract,
    "task": Records._task, "appointment": Records._appointment, "email": Records._email,
    "note": Records._note, "todo": Records._todo, "template": Records._template,
    "webhook": Records._webhook,
}  # fmt: skip

MADE = frozenset(_MAKERS)
"""The resources whose records are made; the others have fixed ones."""
