"""Custom fields read from an account: each in a column of its own, whatever becomes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from cirqll_sandbox import Behaviour, Sandbox
from tests.tap.catalog_edits import choose, deselect, discovered, entry_of
from tests.tap.conftest import Source
from tests.tap.loader_rules import complaints

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.tap.catalog_edits import Catalog
    from tests.tap.tap_runs import Run, TapRuns

STREAMS = {
    "customer": "customers",
    "contact": "contacts",
    "appointment": "appointments",
    "task": "tasks",
    "chance": "chances",
    "assignment": "assignments",
    "contract": "contracts",
}


@pytest.fixture
def source() -> Iterator[Source]:
    """A small company; its custom fields are of all kinds."""
    sandbox = Sandbox(size=0.1, behaviour=Behaviour(rate_limit=0, page_maximum=20))
    with sandbox.running() as url:
        yield Source(sandbox, url)


@pytest.fixture(autouse=True)
def _one_store(run_tap: TapRuns, tmp_path: Path) -> None:
    run_tap.config["store_url"] = f"sqlite:///{tmp_path / 'learned.sqlite'}"


@pytest.fixture
def catalog(run_tap: TapRuns) -> Catalog:
    """A catalog that was made before anything was known of the account."""
    return choose(discovered(replace(run_tap, config={})), *STREAMS.values())


def properties(run: Run, stream: str) -> dict[str, Any]:
    """The last schema of a stream."""
    schemas = [m["schema"] for m in run.of_type("SCHEMA") if m["stream"] == stream]
    last: dict[str, Any] = schemas[-1]["properties"]
    return last


def column_of(run: Run, field: int, stream: str = "customers") -> str | None:
    """The column that a custom field has."""
    title = f"field_values[{field}]"
    names = [name for name, of in properties(run, stream).items() if of.get("title") == title]
    return names[0] if names else None


def served(source: Source, owner: str) -> dict[int, dict[int, Any]]:
    """The values that the account has, by record and by field."""
    found: dict[int, dict[int, Any]] = {}
    for row in source.sandbox.rows("field_value").all():
        if row["owner_type"] == owner:
            found.setdefault(row["owner_id"], {})[row["field_id"]] = row["value"]
    return found


def says(cell: Any, value: Any) -> bool:
    """Tell whether a cell says what the account holds; times are in UTC there."""
    is_time = isinstance(value, str) and isinstance(cell, str) and value[10:11] == " "
    return bool(cell == (f"{value[:10]}T{value[11:]}Z" if is_time else value))


@pytest.mark.parametrize("shape", ["page", "list", "map"])
@pytest.mark.parametrize("written", ["typed name", "typed id", "text name", "text id"])
def test_every_value_is_in_its_column(
    run_tap: TapRuns, source: Source, catalog: Catalog, shape: Any, written: Any
) -> None:
    types, options = written.split()
    source.sandbox.behaviour = replace(
        source.sandbox.behaviour,
        field_values_shape=shape,
        field_value_types=types,
        option_values=options,
    )

    run = run_tap(catalog=catalog)

    assert run.code == 0, run.log
    assert run.sentences("WARNING") == []
    for owner, stream in STREAMS.items():
        fields = {row["id"]: row["type"] for row in source.sandbox.rows("field").all()}
        values = served(source, owner)
        columns = {number: column_of(run, number, stream) for number in fields}
        for record in run.records(stream):
            assert complaints(record, {"properties": properties(run, stream)}) == []
            for number, value in values.get(record["id"], {}).items():
                if fields[number] == "user" and types == "text":
                    value = value and str(value)  # noqa: PLW2901 - of a type that nobody knows
                name = columns[number]
                assert value is None if name is None else says(record[name], value), (number, value)


def test_the_first_schema_has_all_fields_of_the_resource_and_no_others(
    run_tap: TapRuns, source: Source, catalog: Catalog
) -> None:
    source.sandbox.rows("field_value").clear()

    run = run_tap(catalog=choose(catalog, "contacts"))

    names = {name: of for name, of in properties(run, "contacts").items() if name[:3] == "cf_"}
    rows = source.sandbox.rows("field").all()
    wanted = {row["id"] for row in rows if row["model"] == "contact" and row["type"] != "user"}
    assert {of["title"] for of in names.values()} == {f"field_values[{n}]" for n in wanted}
    assert names["cf_verjaardag"]["type"] == ["string", "null"]
    assert names["cf_verjaardag"]["format"] == "date"
    assert names["cf_verjaardag"]["description"] == 'Custom field "Verjaardag".'
    assert len([m for m in run.of_type("SCHEMA") if m["stream"] == "contacts"]) == 1


def test_a_column_stays_when_its_field_is_renamed_or_deleted(
    run_tap: TapRuns, source: Source, catalog: Catalog
) -> None:
    fields = source.sandbox.custom_fields
    first, second = (fields.add(name, owner="customer") for name in ("Kleur", "kleur"))
    for field in (first, second):
        fields.set_value("customer", 1, field, f"waarde {field}")
    before = run_tap(catalog=catalog)

    fields.rename(first, "kleur")
    fields.rename(second, "Kleur!")
    fields.delete(first)
    third = fields.add("Kleur", owner="customer")
    after = run_tap(catalog=catalog)

    assert [column_of(before, field) for field in (first, second)] == [
        column_of(after, field) for field in (first, second)
    ]
    names = [column_of(after, field) for field in (first, second, third)]
    assert len({name and name.lower() for name in names}) == 3
    customer = next(one for one in after.records("customers") if one["id"] == 1)
    assert customer[names[0] or ""] is None
    assert customer[names[1] or ""] == f"waarde {second}"


def test_a_changed_type_keeps_the_column_and_every_value(
    run_tap: TapRuns, source: Source, catalog: Catalog
) -> None:
    fields = source.sandbox.custom_fields
    field = fields.add("Gewicht", owner="customer", type="number")
    before = run_tap(catalog=catalog)

    fields.change_type(field, "text")
    fields.set_value("customer", 1, field, "zwaar")
    after = run_tap(catalog=catalog)

    column = column_of(before, field) or ""
    assert properties(after, "customers")[column] == properties(before, "customers")[column]
    customer = next(one for one in after.records("customers") if one["id"] == 1)
    assert (customer[column], customer["_nonconforming"]) == (None, {column: "zwaar"})


def test_a_cleared_value_is_null_in_its_column(
    run_tap: TapRuns, source: Source, catalog: Catalog
) -> None:
    values = source.sandbox.rows("field_value")
    row = next(row for row in values.all() if row["field_id"] == 1)

    values.delete(row["id"])
    run = run_tap(catalog=catalog)

    customer = next(one for one in run.records("customers") if one["id"] == row["owner_id"])
    column = column_of(run, 1)
    assert column in customer
    assert customer[column] is None


def test_an_array_holds_the_same_whatever_the_shape(run_tap: TapRuns, source: Source) -> None:
    arrays = []
    for shape in ("page", "list", "map"):
        source.sandbox.behaviour = replace(
            source.sandbox.behaviour,
            field_values_shape=shape,
        )
        run = run_tap(custom_fields="array")
        jsonschema.validate(
            run.records("customers")[0], {"properties": properties(run, "customers")}
        )
        arrays.append(
            {
                one["id"]: [(e["field_id"], e["value"]) for e in one["field_values"]]
                for one in run.records("customers")
            }
        )

    assert arrays[0] == arrays[1] == arrays[2]
    assert not any(name.startswith("cf_") for name in properties(run, "customers"))
    expected = served(source, "customer")
    assert all(dict(pairs) == expected.get(key, {}) for key, pairs in arrays[0].items())
    assert all(pairs == sorted(pairs, key=lambda pair: pair[0]) for pairs in arrays[0].values())


def test_a_field_that_the_catalog_does_not_know_is_taken_in_the_same_run(
    run_tap: TapRuns, source: Source
) -> None:
    catalog = choose(discovered(run_tap), "customers")
    run_tap(catalog=catalog)  # what discovery read is used up by one sync
    field = source.sandbox.custom_fields.add("Nieuw", owner="customer", type="decimal")
    source.sandbox.custom_fields.set_value("customer", 1, field, 1.25)

    run = run_tap(catalog=catalog)

    assert column_of(run, field) == "cf_nieuw"
    assert "title" in entry_of(catalog, "customers")["schema"]["properties"]["cf_klant_sinds"]
    customer = next(one for one in run.records("customers") if one["id"] == 1)
    assert float(customer["cf_nieuw"]) == 1.25
    told = [one for one in run.sentences("INFO") if "custom fields with a column" in one]
    assert told == [
        "customers: custom fields with a column from now on: 'Nieuw' in cf_nieuw (number)."
    ]


def test_a_deselected_column_does_not_come_and_new_ones_only_if_anything_new_does(
    run_tap: TapRuns, source: Source
) -> None:
    catalog = choose(discovered(run_tap), "customers")
    deselect(catalog, "customers", "cf_klant_sinds")
    run_tap(catalog=catalog)  # what discovery read is used up by one sync
    source.sandbox.custom_fields.add("Nieuw", owner="customer")

    some = run_tap(catalog=catalog)
    deselect(catalog, "customers", "_undocumented")
    fixed = run_tap(catalog=catalog)

    assert "cf_klant_sinds" not in some.output
    assert "cf_nieuw" in properties(some, "customers")
    assert "cf_nieuw" not in properties(fixed, "customers")
    assert "cf_branche" in properties(fixed, "customers")
    assert fixed.sentences("WARNING") == []


def test_a_catalog_may_call_a_column_otherwise(run_tap: TapRuns, source: Source) -> None:
    catalog = choose(discovered(run_tap), "customers")
    entry = entry_of(catalog, "customers")
    columns = entry["schema"]["properties"]
    columns["cf_sinds"] = columns.pop("cf_klant_sinds")

    run = run_tap(catalog=catalog)

    assert column_of(run, 3) == "cf_sinds"
    assert "cf_klant_sinds" not in run.output
    expected = served(source, "customer")
    for one in run.records("customers"):
        assert one["cf_sinds"] == expected.get(one["id"], {}).get(3)


def test_custom_fields_that_are_not_wanted_are_not_asked_for(
    run_tap: TapRuns, source: Source
) -> None:
    catalog = choose(discovered(run_tap), "customers")
    names = entry_of(catalog, "customers")["schema"]["properties"]
    deselect(catalog, "customers", "_undocumented", *(one for one in names if one[:3] == "cf_"))
    source.sandbox.forget_requests()

    run = run_tap(catalog=catalog)

    assert run.code == 0, run.log
    assert all("with" not in one.query for one in source.sandbox.requests)
    assert not any(one.path == "/api/field" for one in source.sandbox.requests)


@pytest.mark.parametrize("undocumented", ["columns", "json", "drop"])
def test_definitions_that_may_not_be_read_cost_no_value_and_no_request(
    run_tap: TapRuns, source: Source, undocumented: str
) -> None:
    run_tap.config["access_token"] = source.sandbox.grant(["customer.read.all"]).access_token
    source.sandbox.forget_requests()

    run = run_tap(undocumented_fields=undocumented)

    assert run.code == 0, run.log
    assert not any(one.path == "/api/field" for one in source.sandbox.requests)
    kept = "_nonconforming" if undocumented == "drop" else "_undocumented"
    expected = served(source, "customer")
    for record in run.records("customers"):
        entries = record.get(kept, {}).get("field_values", [])
        assert {e["field_id"]: e["value"] for e in entries} == expected.get(record["id"], {})


def test_more_than_fifty_values_come_whole_or_are_told(
    run_tap: TapRuns, source: Source, catalog: Catalog
) -> None:
    source.sandbox.custom_fields.add_values("customer", 3, 60)

    def read(rest: str) -> tuple[Run, dict[str, Any]]:
        source.sandbox.behaviour = replace(
            source.sandbox.behaviour,
            field_values_rest=rest,  # type: ignore[arg-type] # one of them
        )
        run = run_tap(catalog=catalog)
        return run, next(one for one in run.records("customers") if one["id"] == 3)

    (shown, whole), (_, found), (cut, rest) = read("show"), read("index"), read("nowhere")

    assert whole == found
    assert shown.sentences("WARNING") == []
    names = {name for name in whole if name.startswith("cf_")}
    assert len({name for name in rest if name.startswith("cf_")}) == 50 < len(names)
    (warning,) = cut.sentences("WARNING")
    assert warning.startswith(
        "customers: a record has more than 50 custom fields, and Cirqll gave "
    )


def test_a_server_that_refuses_them_is_read_without(
    run_tap: TapRuns, source: Source, catalog: Catalog
) -> None:
    source.sandbox.behaviour = replace(
        source.sandbox.behaviour, refused_relations=("customer.field_values",)
    )

    run = run_tap(catalog=choose(catalog, "customers"))

    assert run.code == 0, run.log
    assert len(run.records("customers")) == len(source.sandbox.rows("customer").all())
    assert not any(name.startswith("cf_") for name in run.records("customers")[0])
    (warning,) = run.sentences("WARNING")
    assert "refused to bring field_values along with customers (400)" in warning


def test_a_field_that_is_made_while_the_run_goes_on_loses_no_value(
    run_tap: TapRuns, source: Source, catalog: Catalog
) -> None:
    sandbox = source.sandbox
    made: list[int] = []

    def make(request: Any) -> None:
        if request.path == "/api/customer" and not made:
            made.append(sandbox.custom_fields.add("Net gemaakt", owner="customer"))
            sandbox.custom_fields.set_value("customer", 2, made[0], "pas op")

    sandbox.before_request(make)
    run = run_tap(catalog=choose(catalog, "customers"))

    assert run.code == 0, run.log
    customer = next(one for one in run.records("customers") if one["id"] == 2)
    (entry,) = customer["_undocumented"]["field_values"]
    assert (entry["field_id"], entry["value"]) == (made[0], "pas op")
