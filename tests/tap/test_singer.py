"""What the Singer specification asks of the output, where the SDK's own tests cannot fail."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal

import pytest

from cirqll_client.nested import NESTED, TABLES
from cirqll_client.resources import RESOURCES
from tests.tap.catalog_edits import choose, deselect, discovered, entry_of
from tests.tap.conftest import Source, environment_in
from tests.tap.loader_rules import complaints
from tests.tap.tap_runs import Run, TapRuns

KEYS = {table.stream: list(table.keys) for table in TABLES}
BY_DEFAULT = {table.stream for table in TABLES if table.is_read_by_default}


@pytest.fixture(scope="module")
def whole(company: Source, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A full read of the company."""
    folder = tmp_path_factory.mktemp("whole")
    return TapRuns(folder, environment_in(folder), company.settings)()


def test_a_full_read_brings_every_row_of_every_resource(whole: Run, company: Source) -> None:
    assert whole.code == 0
    for resource in RESOURCES:
        ids = [record["id"] for record in whole.records(resource.stream)]

        assert sorted(ids) == company.sandbox.rows(resource.name).ids


def test_a_full_read_brings_every_row_that_comes_along_with_others(
    whole: Run, company: Source
) -> None:
    for rows in (one.rows for one in NESTED if one.rows.is_read_by_default):
        ids = [record["id"] for record in whole.records(rows.stream)]

        assert ids
        assert sorted(ids) == company.sandbox.rows(rows.name).ids


def test_keys_are_unique_and_never_null(whole: Run) -> None:
    keys = Counter(
        (m["stream"], *(m["record"][name] for name in KEYS[m["stream"]]))
        for m in whole.of_type("RECORD")
    )

    assert max(keys.values()) == 1
    assert all(type(number) is int for _, *key in keys for number in key)


def test_one_schema_comes_before_the_records_of_each_stream(whole: Run) -> None:
    described: set[str] = set()

    for message in whole.messages:
        if message["type"] == "SCHEMA":
            assert message["stream"] not in described
            assert message["key_properties"] == KEYS[message["stream"]]
            described.add(message["stream"])
        elif message["type"] == "RECORD":
            assert message["stream"] in described

    assert described == BY_DEFAULT


def test_every_record_fits_the_schema_before_it(whole: Run) -> None:
    schemas = {message["stream"]: message["schema"] for message in whole.of_type("SCHEMA")}

    for message in whole.of_type("RECORD"):
        assert complaints(message["record"], schemas[message["stream"]]) == []


def test_a_state_is_never_ahead_of_the_records_before_it(whole: Run) -> None:
    newest: dict[str, str] = {}

    for message in whole.messages:
        if message["type"] == "RECORD":
            time = message["record"]["updated_at"]
            newest[message["stream"]] = max(time, newest.get(message["stream"], ""))
        elif message["type"] == "STATE":
            for stream, bookmark in message["value"]["bookmarks"].items():
                assert bookmark.get("replication_key_value", "") <= newest.get(stream, "")


def test_the_last_state_is_that_of_the_newest_rows(whole: Run) -> None:
    for resource in RESOURCES:
        newest = max(record["updated_at"] for record in whole.records(resource.stream))

        bookmark = dict(whole.state["bookmarks"][resource.stream])
        assert bookmark.pop("unfinished", None) is None
        assert bookmark == {"replication_key": "updated_at", "replication_key_value": newest}


def test_an_empty_stream_has_a_schema_all_the_same(run_tap: TapRuns) -> None:
    run = run_tap()

    assert run.code == 0
    assert sorted(message["stream"] for message in run.of_type("SCHEMA")) == sorted(BY_DEFAULT)
    assert {message["stream"] for message in run.of_type("RECORD")} == {"companies"}


def test_a_second_run_brings_what_changed_and_the_newest_row_again(
    run_tap: TapRuns, source: Source
) -> None:
    customers = source.sandbox.rows("customer")
    customers.insert_many([{"updated_at": f"{year}-01-01 00:00:00"} for year in (2023, 2024, 2025)])
    first = run_tap()
    customers.update(2, name="B", updated_at="2026-02-01 00:00:00")

    second = run_tap(state=first.state)

    assert [record["id"] for record in second.records("customers")] == [3, 2]
    bookmark = second.state["bookmarks"]["customers"]
    assert bookmark["replication_key_value"] == "2026-02-01T00:00:00Z"


def test_rows_before_the_start_date_are_not_read(run_tap: TapRuns, source: Source) -> None:
    for year in (2024, 2025, 2026):
        source.sandbox.rows("note").insert(updated_at=f"{year}-01-01 00:00:00")

    run = run_tap(start_date="2025-01-01")

    assert [record["id"] for record in run.records("notes")] == [2, 3]


def test_a_catalog_can_ask_for_the_full_table(run_tap: TapRuns, source: Source) -> None:
    source.sandbox.rows("role").insert_many([{"name": "A"}, {"name": "B"}])
    catalog = choose(discovered(run_tap), "roles")
    entry_of(catalog, "roles")["replication_method"] = "FULL_TABLE"
    first = run_tap(catalog=catalog)

    second = run_tap(catalog=catalog, state=first.state)

    assert [record["id"] for record in second.records("roles")] == [1, 2]


def test_undocumented_fields_get_columns_or_are_kept_in_one_or_dropped(
    run_tap: TapRuns, source: Source
) -> None:
    source.sandbox.rows("todo").insert(name="x", loyalty=Decimal("1.10"))

    columns, kept, dropped = (
        run_tap(),
        *(run_tap(undocumented_fields=mode) for mode in ("json", "drop")),
    )

    assert columns.records("todos")[0]["loyalty"] == Decimal("1.10")
    assert kept.records("todos")[0]["_undocumented"] == {"loyalty": Decimal("1.10")}
    assert "1.10" in columns.output
    assert "1.10" in kept.output
    assert "loyalty" not in dropped.output
    assert "_undocumented" not in dropped.output


def test_passwords_never_come_out(run_tap: TapRuns, source: Source) -> None:
    source.sandbox.rows("user").insert(name="Jan", password="canary-password")

    run = run_tap()

    assert run.records("users")[0]["name"] == "Jan"
    assert "canary-password" not in run.output + run.log


def test_passwords_do_not_even_come_out_if_a_catalog_asks(run_tap: TapRuns, source: Source) -> None:
    source.sandbox.rows("user").insert(name="Jan", password="canary-password")
    catalog = choose(discovered(run_tap), "users")
    entry_of(catalog, "users")["schema"]["properties"]["password"] = {"type": "string"}

    run = run_tap(catalog=catalog)

    assert run.records("users")[0]["name"] == "Jan"
    assert "canary-password" not in run.output + run.log


def test_rows_have_a_key_even_if_a_catalog_has_none(run_tap: TapRuns) -> None:
    catalog = choose(discovered(run_tap), "users")
    del entry_of(catalog, "users")["key_properties"]
    for one in entry_of(catalog, "users")["metadata"]:
        one["metadata"].pop("table-key-properties", None)

    run = run_tap(catalog=catalog)

    assert run.of_type("SCHEMA")[0]["key_properties"] == ["id"]


def test_deselected_fields_never_come_out(run_tap: TapRuns, source: Source) -> None:
    source.sandbox.rows("customer").insert(name="canary-name", email="a@b.example")
    catalog = choose(discovered(run_tap), "customers")
    deselect(catalog, "customers", "name", "website")

    run = run_tap(catalog=catalog)

    assert run.records("customers")[0]["email"] == "a@b.example"
    assert "canary-name" not in run.output
    assert "name" not in run.of_type("SCHEMA")[0]["schema"]["properties"]
    assert "show" not in source.sandbox.requests[-1].query  # an undocumented field may come


def test_deselected_fields_are_not_asked_for_where_nothing_else_is_wanted(
    run_tap: TapRuns, source: Source
) -> None:
    source.sandbox.rows("customer").insert(name="A")
    catalog = choose(discovered(run_tap), "customers")
    deselect(catalog, "customers", "name", "website", "_undocumented")

    run = run_tap(catalog=catalog)

    assert len(run.records("customers")) == 1
    asked = str(source.sandbox.requests[-1].query)
    assert "show" in asked
    assert "website" not in asked


def test_a_documented_field_that_an_older_catalog_lacks_is_kept(
    run_tap: TapRuns, source: Source
) -> None:
    source.sandbox.rows("customer").insert(name="A")
    catalog = choose(discovered(run_tap), "customers")
    del entry_of(catalog, "customers")["schema"]["properties"]["name"]

    run = run_tap(catalog=catalog)

    assert run.records("customers")[0]["name"] == "A"
    properties = run.of_type("SCHEMA")[0]["schema"]["properties"]
    assert properties["name"]["type"] == ["string", "null"]


def test_stream_maps_change_records_and_names(run_tap: TapRuns, source: Source) -> None:
    source.sandbox.rows("chance").insert_many(
        [{"name": "A", "price": Decimal("12345678901234567.89")}, {"name": "B"}]
    )
    maps = {"chances": {"__alias__": "kansen", "upper": "name.lower()", "__filter__": "id == 1"}}

    run = run_tap(stream_maps=maps)

    assert [record["upper"] for record in run.records("kansen")] == ["a"]
    assert run.records("kansen")[0]["price"] == Decimal("12345678901234567.89")
    assert run.records("chances") == []
    assert run.state["bookmarks"]["chances"]["replication_key"] == "updated_at"


def test_flattening_makes_columns_of_what_lies_inside(run_tap: TapRuns, source: Source) -> None:
    source.sandbox.rows("customer").insert(name="A", custom={"color": "blue"})

    run = run_tap(flattening_enabled=True, flattening_max_depth=2)

    assert json.loads(run.records("customers")[0]["custom"]) == {"color": "blue"}


def test_the_connection_test_reads_a_record_of_each_stream(run_on_company: TapRuns) -> None:
    run = run_on_company("--test")

    assert run.code == 0
    counts = Counter(message["stream"] for message in run.of_type("RECORD"))
    assert counts == dict.fromkeys(KEYS, 1)
    assert "error" not in run.log.lower()


def test_the_schema_test_needs_no_server(run_tap: TapRuns) -> None:
    run = run_tap("--test=schema", api_url="http://127.0.0.1:9")

    assert run.code == 0
    assert {message["type"] for message in run.messages} == {"SCHEMA"}
    assert sorted(message["stream"] for message in run.messages) == sorted([*KEYS, "_certificates"])
