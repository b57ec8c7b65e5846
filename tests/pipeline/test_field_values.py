"""Values of custom fields as a long table, for those who want no column for each field."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from psycopg.types.json import set_json_loads

from tap_cirqll.catalogs import everything
from tests.pipeline.comparison import exact, exact_json

if TYPE_CHECKING:
    import psycopg

    from cirqll_sandbox import Sandbox
    from tests.pipeline.conftest import Database, RunningSandbox
    from tests.pipeline.pipes import Pipe

    Values = dict[tuple[str, int, int], Any]
    """By resource, record and field."""


def test_each_value_is_a_row_and_the_next_run_brings_what_changed(
    pipe: Pipe, source: RunningSandbox, database: Database
) -> None:
    streams = [one for one in everything()["streams"] if one["tap_stream_id"] == "field_values"]
    long_table = replace(pipe, catalog={"streams": streams})

    first = long_table.run()

    assert first.succeeded, first.log
    assert arrived(database.connection) == there(source.sandbox)

    source.sandbox.clock.move(3600)
    fields = source.sandbox.custom_fields
    fields.set_value("customer", 1, 1, 12)
    fields.set_value("contract", 2, 44, "ナ € 🆕")
    second = long_table.run(first.state)

    assert second.succeeded, second.log
    assert arrived(database.connection) == there(source.sandbox)


def arrived(connection: psycopg.Connection) -> Values:
    set_json_loads(exact_json, connection)
    query = "select resource, record_id, field_id, value_json from cirqll.field_values"
    return {(*key,): value for *key, value in connection.execute(query) if value is not None}


def there(sandbox: Sandbox) -> Values:
    return {
        (row["owner_type"], row["owner_id"], row["field_id"]): exact(row["value"])
        for row in sandbox.rows("field_value").all()
        if row["value"] is not None
    }
