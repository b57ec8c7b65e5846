"""Which settings of target-postgres are safe: `meltano.yml` rests on what is tried here."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.pipeline.comparison import SIXTEEN, assert_equal, assert_same_rows, table_rows
from tests.pipeline.odd_rows import insert_odd_rows

if TYPE_CHECKING:
    import psycopg

    from demo.embedded_postgres import EmbeddedPostgres
    from tests.pipeline.conftest import Database, RunningSandbox
    from tests.pipeline.pipes import Pipe

CAREFUL = {"validate_records": True, "use_copy": False, "batch_size_rows": 50}
COPY = {"validate_records": False, "use_copy": True}


def test_careful_and_fast_settings_make_the_same_tables(
    pipe: Pipe, source: RunningSandbox, database: Database, postgres: EmbeddedPostgres
) -> None:
    """The fast path of `meltano.yml` leaves out only a second check; COPY rounds long numbers."""
    insert_odd_rows(source.sandbox)
    messages = pipe.output_of_tap()

    assert pipe.load(messages).succeeded

    assert_equal(database.connection, source.sandbox)
    fast = _tables(database.connection)
    careful = _loaded(pipe, postgres, messages, CAREFUL)
    copied = _loaded(pipe, postgres, messages, COPY)
    for name in SIXTEEN:
        assert_same_rows(name, fast[name], careful[name])
        assert_same_rows(name, map(_rounded, fast[name]), map(_rounded, copied[name]))


def test_copy_is_not_the_default_because_it_rounds(
    pipe: Pipe, source: RunningSandbox, postgres: EmbeddedPostgres
) -> None:
    """When this fails the loader has been mended: `use_copy` may be set in `meltano.yml`."""
    price = Decimal("12345678901234567.89")
    source.sandbox.rows("chance").insert(name="precies", price=price)

    copied = _loaded(pipe, postgres, pipe.output_of_tap(), COPY)

    assert price not in {row["price"] for row in copied["chance"]}


@pytest.mark.parametrize("zone", ["UTC", "Europe/Amsterdam"])
def test_times_of_any_zone_arrive_in_utc(
    pipe: Pipe, source: RunningSandbox, database: Database, zone: str
) -> None:
    """The hour that autumn repeats included; the database's session has a zone of its own."""
    source.sandbox.rows("contract").insert(name="herfst", start_date="2024-10-27 02:30:05")
    pipe.tap["api_timezone"] = zone

    assert pipe.run().succeeded

    assert_equal(database.connection, source.sandbox, zone=zone)


def _loaded(
    pipe: Pipe, postgres: EmbeddedPostgres, messages: bytes, settings: dict[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    url = postgres.new_database("other")
    pipe.target.update({"sqlalchemy_url": url, **settings})
    outcome = pipe.load(messages)
    assert outcome.succeeded, outcome.log
    with postgres.connect("other") as connection:
        return _tables(connection)


def _tables(connection: psycopg.Connection) -> dict[str, list[dict[str, Any]]]:
    return {name: table_rows(connection, f"{name}s") for name in SIXTEEN}


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _without_long_numbers(value) for name, value in row.items()}


def _without_long_numbers(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else value
