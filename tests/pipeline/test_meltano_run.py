"""The real thing: Meltano, the tap, the loaders and PostgreSQL, as a user runs them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

from tests.pipeline.comparison import SIXTEEN, arrived_ids, assert_equal, newest_load
from tests.pipeline.odd_rows import insert_odd_rows

if TYPE_CHECKING:
    from pathlib import Path

    from demo.meltano_project import MeltanoProject
    from tests.pipeline.conftest import Database, RunningSandbox


def test_postgresql_equals_cirqll_after_a_whole_run_and_after_incremental_ones(
    project: MeltanoProject, source: RunningSandbox, database: Database, tmp_path: Path
) -> None:
    """And the second run brings what changed, not everything again."""
    sandbox = source.sandbox
    insert_odd_rows(sandbox)

    project.run("cirqll-to-postgres", log=tmp_path / "1.log")

    assert_equal(database.connection, sandbox)

    sandbox.clock.move(3600)
    first_load = newest_load(database.connection)
    changed = {name: set(sandbox.edit_rows(name, 3)) for name in SIXTEEN}
    changed["customer"].add(sandbox.rows("customer").insert(name="Nieuw 🆕")["id"])
    project.run("cirqll-to-postgres", log=tmp_path / "2.log")

    assert_equal(database.connection, sandbox)
    for name in SIXTEEN:
        arrived = arrived_ids(database.connection, f"{name}s", after=first_load)
        assert changed[name] <= arrived, name
        assert len(arrived) < max(len(sandbox.rows(name)) / 2, 30), f"{name} came whole again"


def test_json_lines_hold_every_row_with_every_digit(
    project: MeltanoProject, source: RunningSandbox, tmp_path: Path
) -> None:
    """The second loader, for those who have no PostgreSQL at hand."""
    price = "12345678901234567.89"
    chance = source.sandbox.rows("chance").insert(name="precies", price=Decimal(price))["id"]

    project.run("cirqll-to-jsonl", log=tmp_path / "jsonl.log")

    for name in SIXTEEN:
        lines = (tmp_path / "output" / f"{name}s.jsonl").read_text().splitlines()
        ids = [json.loads(line)["id"] for line in lines]
        assert sorted(ids) == [row["id"] for row in source.sandbox.rows(name).all()], name
    chances = (tmp_path / "output" / "chances.jsonl").read_text().splitlines()
    exact = {row["id"]: row for row in (json.loads(line, parse_float=Decimal) for line in chances)}
    assert exact[chance]["price"] == Decimal(price)
