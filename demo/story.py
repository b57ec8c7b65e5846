"""The way into the warehouse, told step by step, once the sandbox and PostgreSQL run."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from demo.deletion import Deletion
from demo.failures import DemoError
from demo.summaries import summary_in, summary_of
from demo.warehouse import Warehouse

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from demo.meltano_project import MeltanoProject
    from demo.sandbox_process import SandboxProcess
    from demo.screen import Screen

JOB = "cirqll-to-postgres"
NEW_NAME = "Drukkerij De Gouden Letter 🖨️"


@dataclass(slots=True)
class Changes:
    """Which rows changed in the sandbox, by table."""

    ids: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def add(self, resource: str, *ids: int) -> None:
        """Remember these rows of a resource."""
        self.ids[table_of(resource)].update(ids)

    def total(self) -> int:
        """Count the rows."""
        return sum(map(len, self.ids.values()))


@dataclass(frozen=True, slots=True)
class Story:
    """The demo from the first run on."""

    screen: Screen
    sandbox: SandboxProcess
    project: MeltanoProject
    connection: psycopg.Connection
    logs: Path

    def tell(self) -> None:
        """Run, look, change and delete, run again, look again, bring back, run once more."""
        self._first_run()
        self._show_counts()
        self._show_customers()
        first_load = self._warehouse.last_load()
        deletion = Deletion(self.screen, self.sandbox, self._warehouse)
        asked = deletion.asked()
        changes = self._change_rows(deletion)
        self._let_the_token_die()
        self._second_run()
        self._show_arrivals(changes, after=first_load)
        self._show_change(changes)
        deletion.show_mark(asked_before=asked, summary=summary_of("customers", self._log(2)))
        deletion.restore()
        self._third_run()
        deletion.show_life()

    @property
    def _warehouse(self) -> Warehouse:
        return Warehouse(self.connection)

    def _log(self, run: int) -> Path:
        return self.logs / f"meltano-{run}.log"

    def _first_run(self) -> None:
        with self.screen.step(f"Running `meltano run {JOB}`") as step:
            self.project.run(JOB, log=self._log(1))
            tables = self._warehouse.tables()
            rows = sum(map(self._warehouse.row_count, tables))
            step.outcome = f"{rows:,} rows in {len(tables)} tables"
        self.screen.say(f"The tap says: {summary_in(self._log(1))}")
        self.screen.say(
            "And of each stream, whether all came that Cirqll counts, such as of "
            f"{summary_of('customers', self._log(1))}"
        )

    def _show_counts(self) -> None:
        counts = [
            (table_of(resource), rows, self._warehouse.row_count(table_of(resource)))
            for resource, rows in self.sandbox.row_counts().items()
        ]
        self.screen.table(("table", "rows in Cirqll", "rows in PostgreSQL"), counts)
        wrong = [table for table, source, arrived in counts if source != arrived]
        if wrong:
            message = f"These tables are not complete: {', '.join(wrong)}. See {self._log(1)}."
            raise DemoError(message)

    def _show_customers(self) -> None:
        self.screen.say("Joined in PostgreSQL: the customers with the most valuable chances.")
        answer = self._warehouse.customers()
        self.screen.table(answer.columns, answer.rows)

    def _change_rows(self, deletion: Deletion) -> Changes:
        changes = Changes()
        with self.screen.step("Somebody works in Cirqll") as step:
            self.sandbox.update("customer", 1, name=NEW_NAME)
            changes.add("customer", 1)
            customer = self.sandbox.insert("customer", name="Nieuwe Klant B.V.", user_id=1)
            changes.add("customer", customer)
            contact = self.sandbox.insert("contact", first_name="Sanne", customer_id=customer)
            changes.add("contact", contact)
            changes.add("chance", *self.sandbox.edit_some("chance", 5))
            step.outcome = f"{changes.total()} rows are new or changed, and one is deleted"
            changes.add("customer", deletion.delete())
        return changes

    def _let_the_token_die(self) -> None:
        with self.screen.step("A month goes by: the access token expires") as step:
            self.sandbox.expire_access_tokens()
            step.outcome = "the refresh token that came with it is good for one use"

    def _second_run(self) -> None:
        before = self.sandbox.refreshes()
        with self.screen.step(f"Running `meltano run {JOB}` again") as step:
            self.project.run(JOB, log=self._log(2))
            step.outcome = summary_in(self._log(2))
        renewed = self.sandbox.refreshes() - before
        if renewed != 1:
            message = f"The tokens were renewed {renewed} times, not once. See {self._log(2)}."
            raise DemoError(message)
        self.screen.say("It renewed the tokens on its way, once for all streams.")

    def _third_run(self) -> None:
        with self.screen.step(f"Running `meltano run {JOB}` once more") as step:
            self.project.run(JOB, log=self._log(3))
            step.outcome = summary_in(self._log(3))

    def _show_arrivals(self, changes: Changes, *, after: int) -> None:
        arrivals = [
            (
                table,
                changes.ids.get(table, set()),
                self._warehouse.ids_of_last_run(table, after=after),
            )
            for table in map(table_of, self.sandbox.row_counts())
        ]
        self.screen.table(
            ("table", "changed in Cirqll", "arrived", "of these read once more"),
            [
                (table, len(changed), len(arrived), len(arrived - changed))
                for table, changed, arrived in arrivals
            ],
        )
        missing = [table for table, changed, arrived in arrivals if changed - arrived]
        if missing:
            message = f"Changes are missing in: {', '.join(missing)}. See {self._log(2)}."
            raise DemoError(message)
        again = sum(len(arrived - changed) for _, changed, arrived in arrivals)
        self.screen.say(
            f"All {changes.total()} changes came, and {again} rows that had not changed: "
            "an incremental run begins\na minute before its bookmark, and what lies there is "
            "read once more and written over itself."
        )

    def _show_change(self, changes: Changes) -> None:
        name = self._warehouse.value("customers", min(changes.ids["customers"]), "name")
        self.screen.say(f"Customer 1 is now called “{name}” in PostgreSQL, too.")


def table_of(resource: str) -> str:
    """Name the stream of a resource, and so its table: the plural."""
    return f"{resource}s"
