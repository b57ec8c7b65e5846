"""An account whose fields come, go and change: the run stays green, and nothing is lost."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from cirqll_client.kinds import Kind
from cirqll_client.learned_columns import LearnedColumns
from cirqll_client.store import Store
from tap_cirqll.shape import MOST_COLUMNS
from tests.tap.catalog_edits import choose, deselect, discovered, entry_of
from tests.tap.loader_rules import complaints

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.tap.catalog_edits import Catalog
    from tests.tap.conftest import Source
    from tests.tap.tap_runs import Run, TapRuns

NOTHING_THERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def _small_pages(source: Source) -> None:
    source.sandbox.behaviour = replace(source.sandbox.behaviour, page_maximum=10)


@pytest.fixture
def catalog(run_tap: TapRuns) -> Catalog:
    """A catalog that was made before anything was known of the account."""
    return choose(discovered(replace(run_tap, config={})), "notes")


@pytest.fixture
def store_file(run_tap: TapRuns, tmp_path: Path) -> Path:
    """The file where the runs of a test keep what they learn."""
    path = tmp_path / "learned.sqlite"
    run_tap.config["store_url"] = f"sqlite:///{path}"
    return path


def schemas(run: Run, stream: str = "notes") -> list[dict[str, Any]]:
    """The schemas of a stream, in their order."""
    return [message["schema"] for message in run.of_type("SCHEMA") if message["stream"] == stream]


def new_names(run: Run, stream: str = "notes") -> list[list[str]]:
    """Which columns each schema has that the one before had not."""
    names = [list(schema["properties"]) for schema in schemas(run, stream)]
    return [[name for name in now if name not in before] for before, now in pairwise(names)]


def assert_loadable(run: Run) -> None:
    """Every record fits the schema before it, and schemas only grow."""
    assert run.code == 0, run.log
    last: dict[str, dict[str, Any]] = {}
    for message in run.messages:
        stream = message.get("stream", "")
        if message["type"] == "SCHEMA":
            before = last.get(stream, {"properties": {}})["properties"]
            assert before.items() <= message["schema"]["properties"].items()
            last[stream] = message["schema"]
        elif message["type"] == "RECORD":
            jsonschema.validate(message["record"], last[stream])
            assert complaints(message["record"], last[stream]) == []


def insert(source: Source, number: int, **fields: Any) -> None:
    """Add notes with these fields."""
    source.sandbox.clock.move(1)
    source.sandbox.rows("note").insert_many([{"description": "x", **fields}] * number)


def test_a_field_that_appears_in_mid_stream_is_in_a_schema_before_its_first_record(
    run_tap: TapRuns, source: Source
) -> None:
    insert(source, 25)
    insert(source, 25, loyalty="gold")

    run = run_tap()

    assert_loadable(run)
    assert new_names(run) == [["loyalty"]]
    notes = [message for message in run.messages if message.get("stream") == "notes"]
    place = [message["type"] for message in notes].index("SCHEMA", 1)
    assert all("loyalty" not in message["record"] for message in notes[1:place])
    values = [record.get("loyalty") for record in run.records("notes")]
    assert values.count("gold") == 25


def test_a_new_field_is_told_once_and_by_name_and_kind(run_tap: TapRuns, source: Source) -> None:
    insert(source, 25, loyalty="gold", **{"Grootte!": 1})

    first, second = run_tap(), run_tap()

    told = [line for line in first.sentences("INFO") if "with a column from now on" in line]
    assert told == [
        (
            "notes: 2 new fields, not documented by Cirqll, with a column from now on: "
            "grootte (number), loyalty (string)."
        )
    ]
    assert first.sentences("WARNING") == []
    assert "with a column from now on" not in second.log
    assert len(schemas(first)) == len(schemas(second)) == 1


def test_a_field_that_goes_away_keeps_its_column(run_tap: TapRuns, source: Source) -> None:
    insert(source, 5, loyalty="gold")
    first = run_tap()
    source.sandbox.reset()
    insert(source, 5)

    second = run_tap()

    assert_loadable(second)
    assert schemas(second) == schemas(first)
    assert all(record.get("loyalty") is None for record in second.records("notes"))


def test_a_field_whose_type_changes_keeps_its_column_and_loses_nothing(
    run_tap: TapRuns, source: Source
) -> None:
    insert(source, 5, loyalty=1)
    first = run_tap()
    insert(source, 15, loyalty={"tier": "gold"})

    second = run_tap()

    assert_loadable(second)
    assert schemas(second) == schemas(first)
    records = second.records("notes")
    assert [record["loyalty"] for record in records] == [1] * 5 + [None] * 15
    assert records[-1]["_nonconforming"] == {"loyalty": {"tier": "gold"}}
    (warning,) = second.sentences("WARNING")
    assert "15 values did not fit the column (loyalty: 15)" in warning


def test_a_field_that_the_catalog_in_hand_does_not_know_is_taken(
    run_tap: TapRuns, source: Source, catalog: Catalog
) -> None:
    insert(source, 25, loyalty="gold")

    first, second = run_tap(catalog=catalog), run_tap(catalog=catalog)

    for run in (first, second):
        assert_loadable(run)
        assert {record["loyalty"] for record in run.records("notes")} == {"gold"}
    assert schemas(first) == schemas(second)
    assert run_tap(catalog=catalog, undocumented_fields="drop").output.count("gold") == 0


def test_a_discovered_catalog_has_what_was_learned(run_tap: TapRuns, source: Source) -> None:
    insert(source, 5, loyalty="gold", **{"Grootte!": 1})
    run = run_tap()

    properties = entry_of(discovered(run_tap), "notes")["schema"]["properties"]

    assert properties["grootte"]["title"] == "Grootte!"
    assert properties["loyalty"] == schemas(run)[0]["properties"]["loyalty"]


def test_nothing_new_comes_where_the_column_of_such_fields_is_deselected(
    run_tap: TapRuns, source: Source, catalog: Catalog
) -> None:
    insert(source, 25, loyalty="canary")
    run_tap()
    deselect(catalog, "notes", "_undocumented")

    run = run_tap(catalog=catalog)

    assert_loadable(run)
    assert len(run.records("notes")) == 25
    assert "canary" not in run.output
    assert "loyalty" not in run.output


def test_a_learned_column_can_be_deselected(run_tap: TapRuns, source: Source) -> None:
    insert(source, 25, **{"Grootte!": "canary", "loyalty": "gold"})
    run_tap()
    catalog = choose(discovered(run_tap), "notes")
    deselect(catalog, "notes", "grootte")

    run = run_tap(catalog=catalog)

    assert_loadable(run)
    assert {record["loyalty"] for record in run.records("notes")} == {"gold"}
    assert "canary" not in run.output
    assert "grootte" not in run.output.lower()


def test_a_catalog_made_when_they_were_dropped_loses_nothing_now(
    run_tap: TapRuns, source: Source
) -> None:
    """Not even where there is no room for a column."""
    fields = {f"field_{n}": n for n in range(MOST_COLUMNS)}
    catalog = choose(discovered(replace(run_tap, config={"undocumented_fields": "drop"})), "notes")
    insert(source, 1, **fields)

    run = run_tap(catalog=catalog)

    assert_loadable(run)
    (record,) = run.records("notes")
    assert record["_undocumented"]
    assert fields.items() <= {**record, **record["_undocumented"]}.items()


def test_stream_maps_work_on_a_column_that_appears_in_mid_stream(
    run_tap: TapRuns, source: Source
) -> None:
    insert(source, 15)
    insert(source, 15, loyalty="GOLD")
    maps = {"notes": {"__alias__": "notities", "tier": "record.get('loyalty', '').lower()"}}

    run = run_tap(stream_maps=maps)

    assert_loadable(run)
    assert new_names(run, "notities") == [["loyalty"]]
    records = run.records("notities")
    assert [(record.get("loyalty"), record["tier"]) for record in records] == [
        *[(None, "")] * 15,
        *[("GOLD", "gold")] * 15,
    ]


def test_stream_maps_that_leave_everything_else_out_leave_new_columns_out(
    run_tap: TapRuns, source: Source
) -> None:
    insert(source, 15)
    insert(source, 15, loyalty="canary")

    run = run_tap(stream_maps={"notes": {"id": "id", "__else__": None}})

    assert_loadable(run)
    assert all(record.keys() == {"id"} for record in run.records("notes"))
    assert "canary" not in run.output


def test_flattening_goes_on_while_columns_appear(run_tap: TapRuns, source: Source) -> None:
    insert(source, 15)
    insert(source, 15, preferences={"language": "nl"}, loyalty="gold")

    run = run_tap(flattening_enabled=True, flattening_max_depth=2)

    assert_loadable(run)
    assert new_names(run) == [["preferences", "loyalty"]]
    last = run.records("notes")[-1]
    assert (json.loads(last["preferences"]), last["loyalty"]) == ({"language": "nl"}, "gold")


def test_the_type_that_a_user_gives_a_field_in_the_catalog_counts(
    run_tap: TapRuns, source: Source, catalog: Catalog
) -> None:
    """As with Meltano's schema extra: for a documented field, and for another."""
    properties = entry_of(catalog, "notes")["schema"]["properties"]
    properties["description"] = {"type": ["number", "null"]}
    properties["loyalty"] = {"type": ["string", "null"]}
    source.sandbox.rows("note").insert_many(
        [{"description": 12, "loyalty": "1"}, {"description": "x", "loyalty": 1}]
    )

    run = run_tap(catalog=catalog)

    assert_loadable(run)
    (schema,) = schemas(run)
    assert schema["properties"]["description"]["type"] == ["number", "null"]
    one, another = run.records("notes")
    assert (one["description"], one["loyalty"]) == (12, "1")
    assert another["_nonconforming"] == {"description": "x", "loyalty": 1}


def test_columns_are_known_from_the_catalog_where_the_store_is_lost(
    run_tap: TapRuns, source: Source, store_file: Path
) -> None:
    insert(source, 5, loyalty="7", **{"Grootte!": 1})
    run_tap()
    catalog = choose(discovered(run_tap), "notes")
    store_file.unlink()
    source.sandbox.reset()
    insert(source, 5, loyalty=7, grootte="another", **{"Grootte!": "L"})

    with_catalog, without = run_tap(catalog=catalog), run_tap()

    for run in (with_catalog, without):
        assert_loadable(run)
        record = run.records("notes")[0]
        assert record["_nonconforming"] == {"loyalty": 7, "grootte": "L"}
        assert "another" in record.values()
    properties, again = schemas(with_catalog)[0]["properties"], schemas(without)[0]["properties"]
    assert {name: of["type"] for name, of in properties.items()} == {
        name: of["type"] for name, of in again.items()
    }


def test_columns_are_known_from_the_store_where_the_catalog_is_lost(
    run_tap: TapRuns, source: Source, catalog: Catalog
) -> None:
    insert(source, 5, loyalty="7")
    run_tap(catalog=catalog)
    source.sandbox.reset()
    insert(source, 5, loyalty=7)

    run = run_tap()

    assert_loadable(run)
    assert run.records("notes")[0]["_nonconforming"] == {"loyalty": 7}


def test_a_catalog_of_another_account_does_not_make_two_fields_one(
    run_tap: TapRuns, source: Source
) -> None:
    """Given a catalog and a store that gave the same name to two fields."""
    fields = {"Grootte!": "catalog", "grootte": "store"}
    insert(source, 5, **{"Grootte!": "catalog"})
    catalog = choose(discovered(run_tap), "notes")
    source.sandbox.reset()
    insert(source, 5, grootte="store")
    run_tap(account="another")
    source.sandbox.reset()
    insert(source, 5, **fields)

    run = run_tap(catalog=catalog, account="another")

    assert_loadable(run)
    record = run.records("notes")[0]
    assert record["grootte"] == "catalog"
    assert record["_undocumented"] == {"grootte": "store"}


@pytest.fixture
def learned(store_file: Path, source: Source) -> Iterator[LearnedColumns]:
    """What earlier runs learned."""
    with closing(Store(f"sqlite:///{store_file}")) as store:
        yield LearnedColumns(store, account=account_of(store, source))


def account_of(store: Store, source: Source) -> str:
    """Under which name the runs keep what they learn; they have to be asked."""
    from cirqll_client.connection import connect  # noqa: PLC0415 - only here
    from cirqll_client.settings import ConnectionSettings  # noqa: PLC0415

    del store
    settings = ConnectionSettings(
        api_url=source.url, access_token=source.sandbox.access_token, store_url="sqlite://"
    )
    with closing(connect(settings)) as connection:
        return connection.account


@pytest.mark.parametrize("with_catalog", [False, True])
def test_a_field_that_was_learned_and_is_documented_later_keeps_its_column(
    run_tap: TapRuns,
    source: Source,
    learned: LearnedColumns,
    catalog: Catalog,
    *,
    with_catalog: bool,
) -> None:
    learned.add("notes", {"description": Kind.NUMBER}, name_of=lambda field, _: field)
    insert(source, 5)

    run = run_tap(catalog=catalog if with_catalog else None)

    assert_loadable(run)
    assert schemas(run)[0]["properties"]["description"]["type"] == ["number", "null"]
    assert run.records("notes")[0]["_nonconforming"] == {"description": "x"}


def test_a_documented_field_that_an_older_catalog_lacks_has_its_documented_type(
    run_tap: TapRuns, source: Source, catalog: Catalog
) -> None:
    """Whatever its values look like."""
    del entry_of(catalog, "notes")["schema"]["properties"]["description"]
    source.sandbox.rows("note").insert(description="2026-01-31")

    run = run_tap(catalog=catalog)

    assert_loadable(run)
    (schema,) = schemas(run)
    assert schema["properties"]["description"]["type"] == ["string", "null"]
    assert "format" not in schema["properties"]["description"]


def test_streams_learn_side_by_side(run_tap: TapRuns, source: Source) -> None:
    for name in ("note", "todo", "user"):
        rows = source.sandbox.rows(name)
        rows.insert_many([{"name": "x"}] * 15)
        rows.insert_many([{"name": "x", "loyalty": name, f"of_{name}": 1}] * 15)

    run = run_tap(concurrency=3)

    assert_loadable(run)
    for name in ("note", "todo", "user"):
        assert new_names(run, f"{name}s") == [["loyalty", f"of_{name}"]]
        assert run.records(f"{name}s")[-1]["loyalty"] == name


ODD_NAMES = (
    *("_nonconforming", "_undocumented", "_sdc_deleted_at", "cf_branche", "Description", "ID"),
    *("", " ", "\0", 'a"b', "a\tb", "Größe!", "from", "x" * 63, "x" * 64, "X" * 64, "x" * 201),
)


def test_fields_of_any_name_arrive(run_tap: TapRuns, source: Source, catalog: Catalog) -> None:
    fields = {name: f"value {number}" for number, name in enumerate(ODD_NAMES)}
    insert(source, 15)
    insert(source, 15, **fields)

    for run in (run_tap(), run_tap(catalog=catalog)):
        assert_loadable(run)
        last = run.records("notes")[-1]
        without_column = last.pop("_undocumented")
        properties = schemas(run)[-1]["properties"]
        found = {of.get("title", name): last.get(name) for name, of in properties.items()}
        assert without_column == {"\\u0000": fields["\0"], "x" * 201: fields["x" * 201]}
        assert {name: found[name] for name in fields.keys() - {"\0", "x" * 201}} == {
            name: value for name, value in fields.items() if name not in {"\0", "x" * 201}
        }
        assert len({name.lower() for name in properties}) == len(properties)


def test_a_run_that_was_cut_off_after_it_learned_changes_nothing(
    run_tap: TapRuns, source: Source, store_file: Path
) -> None:
    """A column is remembered before anybody hears of it, so that nobody gives another."""
    insert(source, 15)
    insert(source, 15, loyalty="7")
    source.sandbox.faults.add("404", at=[3], path="/api/note")
    broken = run_tap()
    source.sandbox.reset()
    insert(source, 15, loyalty=7)

    run = run_tap()

    assert broken.code == 1
    assert_loadable(run)
    assert run.records("notes")[0]["_nonconforming"] == {"loyalty": 7}
    with closing(sqlite3.connect(store_file)) as store:
        assert store.execute("SELECT field, kind FROM learned_columns").fetchall() == [
            ("loyalty", "string")
        ]
