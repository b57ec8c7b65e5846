"""The way back, told step by step: a shop's rows out of PostgreSQL into Cirqll."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from demo.failures import DemoError, end_of
from demo.shop import (
    BROKEN_OFFER,
    CLIENTS_KNOWN,
    CLIENTS_MOVED,
    CLIENTS_NEW,
    OFFERS,
    Shop,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from demo.meltano_project import MeltanoProject
    from demo.sandbox_process import SandboxProcess
    from demo.screen import Screen

JOB = "postgres-to-cirqll"
BACK = "cirqll-to-postgres"
_OF_A_STREAM = re.compile(r"Summary: (?:to_cirqll-)?([a-z]\w*: .*)$", re.MULTILINE)
_REJECTS, _DRY_RUN = "cirqll-rejects.jsonl", "cirqll-dry-run.json"


@dataclass(frozen=True, slots=True)
class WriteBack:
    """The demo from the shop on."""

    screen: Screen
    sandbox: SandboxProcess
    project: MeltanoProject
    shop: Shop
    logs: Path

    def tell(self) -> None:
        """Look first, write, write again, find what was refused, mend it, and read it all back."""
        self._open_the_shop()
        self._look_first()
        self._write()
        self._write_again()
        self._break_a_row()
        self._show_the_reject()
        self._repair_it()
        self._read_it_back()

    def _open_the_shop(self) -> None:
        self.screen.say("\nNow the other way: a shop keeps its clients and offers in PostgreSQL.")
        with self.screen.step("Opening the shop") as step:
            self.shop.open()
            step.outcome = (
                f"{CLIENTS_KNOWN + CLIENTS_NEW} clients, {CLIENTS_KNOWN} of which Cirqll knows by "
                f"import_id, {CLIENTS_MOVED} of these with another address; {OFFERS} offers"
            )
        self.screen.say(
            "Two views, to_cirqll.customers and to_cirqll.chances, say which column goes where."
        )

    def _look_first(self) -> None:
        self._run(
            f"A dry run of `meltano run {JOB}`", name="dry-run", writes=0, CIRQLL_DRY_RUN="true"
        )
        path = self.project.folder / _DRY_RUN
        streams = json.loads(path.read_text(), parse_float=Decimal)["streams"]
        self.screen.say("Nothing was written. This is what it would change:")
        columns = ("row of the shop", "field", "in Cirqll", "in the shop")
        self.screen.table(columns, _changes(streams))
        self.screen.say("And this is what it would add:")
        self.screen.table(("row of the shop", "to", "with"), _additions(streams))

    def _write(self) -> None:
        before = self.sandbox.row_counts()
        writes = CLIENTS_NEW + CLIENTS_MOVED + OFFERS
        self._run(f"Now `meltano run {JOB}` itself", name="write", writes=writes)
        new = {name: rows - before[name] for name, rows in self.sandbox.row_counts().items()}
        self.screen.say(
            f"Cirqll has {new['customer']} customers and {new['chance']} chances more. That took "
            f"{writes} writes, one for each row that is new or changed."
        )

    def _write_again(self) -> None:
        self._run("The same once more", name="again", writes=0)
        self.screen.say("Nothing changed, so nothing was written.")

    def _break_a_row(self) -> None:
        self.shop.break_a_row()
        text = "Two more offers come in, one of them with a slip"
        self._run(text, name="reject", writes=1, is_to_fail=True)

    def _show_the_reject(self) -> None:
        path = self.project.folder / _REJECTS
        refused = [json.loads(line) for line in path.read_text().splitlines()]
        if [one["key"]["source_key"] for one in refused] != [BROKEN_OFFER]:
            message = f"Not the row with the slip was refused: see {path}."
            raise DemoError(message)
        self.screen.say(
            f"The good one is in Cirqll. The other one is in {_REJECTS}, and the exit code says so:"
        )
        self.screen.table(
            ("row of the shop", "field", "reason"),
            [(one["key"]["source_key"], one["field"], one["reason"]) for one in refused],
        )

    def _repair_it(self) -> None:
        self.shop.repair_it()
        self._run("It is mended in the shop, and the run repeated", name="repair", writes=1)

    def _read_it_back(self) -> None:
        with self.screen.step(f"And back again: `meltano run {BACK}`") as step:
            self.project.run(BACK, log=self._log("back"))
            differences = self.shop.differences()
            step.outcome = f"{self.shop.rows()} rows compared, {differences} differ"
        answer = self.shop.offers_and_chances()
        self.screen.table(answer.columns, answer.rows)
        if differences:
            message = f"What came back is not what the shop has: see {self._log('back')}."
            raise DemoError(message)

    def _run(
        self, text: str, *, name: str, writes: int, is_to_fail: bool = False, **settings: str
    ) -> None:
        """Run the job; the sandbox has to tell that it was written to so many times."""
        before = self.sandbox.writes()
        with self.screen.step(text) as step:
            status = self.project.setting(**settings).status_of(JOB, log=self._log(name))
            step.outcome = " ".join(_OF_A_STREAM.findall(self._log(name).read_text()))
        done = self.sandbox.writes() - before
        if bool(status) != is_to_fail or done != writes:
            message = (
                f"`meltano run {JOB}` ended with exit code {status} and wrote {done} times, not "
                f"{writes}. {end_of(self._log(name))}"
            )
            raise DemoError(message)

    def _log(self, name: str) -> Path:
        return self.logs / f"meltano-{name}.log"


def _changes(streams: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Give a line for each field that would change."""
    for plan in streams.values():
        for row in plan["update"]["first"]:
            for name, value in row["fields"].items():
                before, after = str(value["before"]), str(value["after"])
                yield row["key"]["source_key"], name, before, after


def _additions(streams: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Give a line for each record that would be new."""
    for stream, plan in streams.items():
        for row in plan["create"]["first"]:
            fields = ", ".join(f"{name} {value}" for name, value in row["fields"].items())
            yield row["key"]["source_key"], stream.removeprefix("to_cirqll-"), fields
