"""PostgreSQL → Cirqll → PostgreSQL, through Meltano: the same comes back, and nothing twice."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from demo.meltano_project import MeltanoProject
    from tests.pipeline.conftest import Database, RunningSandbox

JOB = "postgres-to-cirqll"
BACK = "cirqll-to-postgres"

_FIRST, _LATER = "2025-01-01T00:00:00+00:00", "2025-02-01T00:00:00+00:00"
_SHOP = """
    create schema shop;
    create table shop.clients (
        id text primary key, name text, email text, changed_at timestamptz not null
    );
    create table shop.contracts (
        number int primary key, client text, title text, fee numeric, begins timestamptz
    );
    create schema to_cirqll;
    create view to_cirqll.customers as
        select id as source_key, name, email, changed_at from shop.clients;
    create view to_cirqll.chances as
        select number as source_key, client as customer__source_key, title as name, fee as price
        from shop.contracts;
    create view to_cirqll.contracts as
        select
            number as source_key, title as name, fee as price, begins as start_date,
            jsonb_build_object('source_key', client) as customer
        from shop.contracts;
"""
_CLIENTS: tuple[tuple[Any, ...], ...] = (
    ("K1", "Café De Hoek 🥐", "hoek@example.com", _FIRST),
    ("K2", "'; drop table customers; --", None, _FIRST),
    ("K3", 'a "quoted" \\name\t, (1);', "x@example.com", _FIRST),
)
_CONTRACTS = (
    (1, "K1", "groot", Decimal("12345678901234567.89"), "2024-10-27 02:30:05.987654+02"),
    (2, "K1", "klein", Decimal("0.10"), "2024-10-27 02:30:05+01"),
    (3, "K3", "laatste", Decimal("1E+3"), "9999-12-31 23:59:59+00"),
    (4, None, "leeg", Decimal(0), "1900-01-01 00:00:00+00"),
)
_CAME_BACK = """
    select customers.name, email, chances.name, chances.price, contracts.price, start_date
    from cirqll.chances
    join cirqll.contracts on contracts.name = chances.name
        and contracts.customer_id is not distinct from chances.customer_id
    left join cirqll.customers on customers.id = chances.customer_id
    where chances.name in ('groot', 'klein', 'laatste', 'leeg')
    order by chances.name
"""
_WENT_OUT = """
    select clients.name, email, title, fee, fee, date_trunc('second', begins at time zone 'UTC')
    from shop.contracts left join shop.clients on clients.id = contracts.client
    order by title
"""
_BY_CHANGE = {"replication-method": "INCREMENTAL", "replication-key": "changed_at"}


@pytest.fixture
def shop(database: Database) -> psycopg.Connection:
    """A database that has what is to be in Cirqll, and the views that say so."""
    database.connection.execute(_SHOP)
    return database.connection


@pytest.fixture
def by_change(project: MeltanoProject) -> MeltanoProject:
    """The project, as it is set to read only customers, and of these what changed."""
    return project.setting(
        TAP_POSTGRES__SELECT='["to_cirqll-customers.*"]',
        TAP_POSTGRES__METADATA=json.dumps({"to_cirqll-customers": _BY_CHANGE}),
    )


def test_what_went_into_cirqll_comes_back_as_it_was_and_the_second_run_writes_nothing(
    project: MeltanoProject, source: RunningSandbox, shop: psycopg.Connection, tmp_path: Path
) -> None:
    """Digits, moments, JSON, nulls and parents that are named by the source's key."""
    for client in _CLIENTS:
        _insert(shop, "clients", *client)
    for contract in _CONTRACTS:
        _insert(shop, "contracts", *contract)

    project.run(JOB, log=tmp_path / "1.log")
    written = _writes(source)
    project.run(JOB, log=tmp_path / "2.log")
    project.run(BACK, log=tmp_path / "back.log")

    assert written == len(_CLIENTS) + 2 * len(_CONTRACTS)
    assert _writes(source) == written
    went_out = shop.execute(_WENT_OUT).fetchall()
    assert len(went_out) == len(_CONTRACTS)
    assert shop.execute(_CAME_BACK).fetchall() == went_out


def test_one_bad_row_fails_the_run_but_stops_neither_the_others_nor_the_state(
    by_change: MeltanoProject, source: RunningSandbox, shop: psycopg.Connection, tmp_path: Path
) -> None:
    """And once it is mended, only that row is read and written."""
    for key, name in (("K1", "Eerste"), ("K2", None), ("K3", "Derde")):
        _insert(shop, "clients", key, name, None, _FIRST)

    status = by_change.status_of(JOB, log=tmp_path / "1.log")

    assert status != 0
    assert {"Eerste", "Derde"} <= _names(source)
    assert _bookmark(by_change) == datetime.fromisoformat(_FIRST)
    rejects = (by_change.folder / "cirqll-rejects.jsonl").read_text().splitlines()
    assert [json.loads(line)["key"] for line in rejects] == [{"source_key": "K2"}]

    shop.execute(
        "update shop.clients set name = 'Tweede', changed_at = %s where id = 'K2'", [_LATER]
    )
    source.sandbox.forget_requests()
    by_change.run(JOB, log=tmp_path / "2.log")

    assert "Tweede" in _names(source)
    assert _writes(source) == 1
    assert _bookmark(by_change) == datetime.fromisoformat(_LATER)


def test_a_dry_run_says_what_the_next_run_does_and_keeps_the_bookmark(
    by_change: MeltanoProject, source: RunningSandbox, shop: psycopg.Connection, tmp_path: Path
) -> None:
    _insert(shop, "clients", "K1", "Eerste", None, _FIRST)

    by_change.setting(CIRQLL_DRY_RUN="true").run(JOB, log=tmp_path / "1.log")

    report = json.loads((by_change.folder / "cirqll-dry-run.json").read_text())
    assert report["streams"]["to_cirqll-customers"]["create"]["first"] == [
        {"key": {"source_key": "K1"}, "fields": {"name": "Eerste"}}
    ]
    assert _writes(source) == 0
    assert _bookmark(by_change) is None

    by_change.run(JOB, log=tmp_path / "2.log")

    assert _writes(source) == 1


def _insert(connection: psycopg.Connection, table: str, *values: object) -> None:
    query = sql.SQL("insert into {} values ({})").format(
        sql.Identifier("shop", table), sql.SQL(", ").join([sql.Placeholder()] * len(values))
    )
    connection.execute(query, values)


def _writes(source: RunningSandbox) -> int:
    return sum(one.method != "GET" for one in source.sandbox.requests)


def _names(source: RunningSandbox) -> set[str]:
    return {row["name"] for row in source.sandbox.rows("customer").all()}


def _bookmark(project: MeltanoProject) -> datetime | None:
    """Read from Meltano's own database where the next run begins."""
    with closing(sqlite3.connect(project.folder / ".meltano" / "meltano.db")) as database:
        rows = database.execute("select partial_state, completed_state from state").fetchall()
    states = [json.loads(state) for row in rows for state in row if state]
    bookmarks = [one["singer_state"]["bookmarks"] for one in states if "singer_state" in one]
    values = [one["to_cirqll-customers"].get("replication_key_value") for one in bookmarks]
    return max((datetime.fromisoformat(one) for one in values if one), default=None)
