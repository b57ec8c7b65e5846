"""A customer that somebody deletes in Cirqll, and brings back, told step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo.failures import DemoError

if TYPE_CHECKING:
    from demo.sandbox_process import SandboxProcess
    from demo.screen import Screen
    from demo.warehouse import Warehouse

RESOURCE, TABLE = "customer", "customers"
DELETED = 5
"""The customer's id: one that the shop, which comes later, does not know."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """One row that goes and comes, and what PostgreSQL has of it."""

    screen: Screen
    sandbox: SandboxProcess
    warehouse: Warehouse

    def delete(self) -> int:
        """Delete the customer, and give its id."""
        self.sandbox.delete(RESOURCE, DELETED)
        return DELETED

    def asked(self) -> int:
        """Count what was asked about customers so far."""
        return len(self.sandbox.reads(RESOURCE))

    def show_mark(self, *, asked_before: int, summary: str) -> None:
        """Show the row as it is now, what the tap says, and what it asked since."""
        self.screen.say(
            f"Customer {DELETED} is gone, and Cirqll does not tell what was deleted. In PostgreSQL "
            "the row keeps what it said, and is marked:"
        )
        self._show_row(is_gone=True)
        self.screen.say(f"The tap says: {summary}")
        self.screen.say(
            "It asked what had changed, which ids there are, for the row that is gone, and for one "
            "that lives:"
        )
        asked = self.sandbox.reads(RESOURCE)[asked_before:]
        self.screen.table(("request", "answer"), asked)

    def restore(self) -> None:
        """Bring the customer back."""
        with self.screen.step("Somebody brings the customer back") as step:
            self.sandbox.restore(RESOURCE, DELETED)
            step.outcome = "with its old id"

    def show_life(self) -> None:
        """Show that the row lives again."""
        self.screen.say("It lives again in PostgreSQL, too:")
        self._show_row(is_gone=False)

    def _show_row(self, *, is_gone: bool) -> None:
        answer = self.warehouse.customer(DELETED)
        self.screen.table(answer.columns, answer.rows)
        deleted_at = self.warehouse.value(TABLE, DELETED, "_sdc_deleted_at")
        name = self.warehouse.value(TABLE, DELETED, "name")
        if (deleted_at is not None) != is_gone or not name:
            message = f"Customer {DELETED} is not in PostgreSQL as it should be."
            raise DemoError(message)
