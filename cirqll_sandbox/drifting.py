"""Letting the records of a database drift, one epoch after the other."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from cirqll_sandbox.drift import drifted, drifting_names
from cirqll_sandbox.invention import Invention
from cirqll_sandbox.records import MADE, Records

if TYPE_CHECKING:
    from cirqll_sandbox.drift import Drift
    from cirqll_sandbox.tables import Database, Row, Table


class Drifting:
    """The steps so far; each is the same for the same seed and the same rows before it."""

    def __init__(self, database: Database, *, seed: int, timezone: str) -> None:
        self._database = database
        self._seed = seed
        self._timezone = timezone
        self.epoch = 0

    def begin(self, drift: Drift) -> None:
        """All rows as they are in the first epoch; nobody seems to have touched them."""
        for table in self._tables(drift):
            for row in table.all():
                self._change(row, table, drift, updated_at=row["updated_at"])

    def step(self, drift: Drift) -> int:
        """Change a share of the rows and make new ones; the number of the epoch that begins."""
        self.epoch += 1
        dice = Random(f"{self._seed} {self.epoch}")
        records = Records(self._database, Invention(dice, self._timezone))
        records.remember_contacts()
        for table in self._tables(drift):
            self._change_some(table, drift, dice)
            if table.resource.name in MADE:
                self._add_some(table, drift, records)
        return self.epoch

    def _tables(self, drift: Drift) -> list[Table]:
        return [self._database.tables[name] for name in drift.resources]

    def _change_some(self, table: Table, drift: Drift, dice: Random) -> None:
        chosen = set(dice.sample(table.ids, round(len(table) * drift.changed_share)))
        for id_ in sorted(chosen | {drift.late_row}):
            row = table.get(id_)
            if row is not None:
                self._change(row, table, drift)

    def _change(self, row: Row, table: Table, drift: Drift, **times: str) -> None:
        documented = table.resource.by_name
        lasting = {k: v for k, v in row.items() if k not in _UNSTEADY or k in documented}
        lasting.pop("updated_at")
        table.replace({**lasting, **self._odd(table, row["id"], drift), **times})

    def _add_some(self, table: Table, drift: Drift, records: Records) -> None:
        first = table.next_id
        table.insert_many(
            {**records.made(table.resource.name, id_), **self._odd(table, id_, drift)}
            for id_ in range(first, first + drift.new_rows)
        )

    def _odd(self, table: Table, id_: int, drift: Drift) -> Row:
        name = table.resource.name
        return drifted(self._seed, name, id_, self.epoch, late_row=drift.late_row)


_UNSTEADY = drifting_names()
