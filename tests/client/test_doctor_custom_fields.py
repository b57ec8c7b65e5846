"""`cirqll doctor` tells of custom fields what a user then finds in the warehouse."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.cli.doctor.answers import Listing
from cirqll_client.cli.doctor.custom_columns import custom_fields
from cirqll_client.cli.doctor.evidence import Evidence, StreamEvidence
from cirqll_client.cli.layout import table
from cirqll_client.custom_fields import column_key
from cirqll_client.kinds import Kind
from cirqll_client.learned_columns import LearnedColumn, LearnedColumns
from cirqll_client.resources import resource_of_stream
from cirqll_client.store import Store
from tests.client.doctors_office import Office, office_in
from tests.tap.conftest import environment_in
from tests.tap.tap_runs import TapRuns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMPANY = 0.02


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """A small company, whose custom fields are of all kinds and oddly named."""
    with office_in(tmp_path, monkeypatch, size=COMPANY) as one:
        yield one


def columns_of_a_run(office: Office) -> dict[tuple[str, str], str]:
    """The columns that a new user's first run gives, by stream and key."""
    tap = TapRuns(
        office.folder,
        environment_in(office.folder),
        {
            "api_url": office.url,
            "access_token": office.sandbox.access_token,
            "store_url": f"sqlite:///{office.folder / 'another.sqlite'}",
        },
    )
    run = tap()
    assert run.code == 0, run.log
    return {
        (message["stream"], schema["title"]): name
        for message in run.of_type("SCHEMA")
        for name, schema in message["schema"]["properties"].items()
        if name.startswith("cf_")
    }


@pytest.mark.parametrize("model", ["told", "hidden"])
def test_the_first_run_gives_the_columns_that_were_foretold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    hidden = ("field.model",) if model == "hidden" else ()
    with office_in(tmp_path, monkeypatch, size=COMPANY, hidden_fields=hidden) as office:
        # When
        foretold = office.told()["custom_fields"]
        came = columns_of_a_run(office)
    # Then what has a stream and a column is as foretold; only what nobody tells is left open
    sure = {
        (one["stream"], column_key(one["id"])): one["column"]
        for one in foretold
        if one["stream"] and one["column"]
    }
    assert {key: name for key, name in came.items() if key in sure} == {
        key: name for key, name in sure.items() if key in came
    }
    told = {column_key(one["id"]) for one in foretold}
    assert {key for _, key in came} <= told
    if model == "told":
        assert sure == came | {key: sure[key] for key in sure.keys() - came.keys()}
        assert came.keys() <= sure.keys()
        assert len(sure) == len(foretold) > 40


def test_they_are_listed_with_type_and_column(office: Office) -> None:
    done = office.run("--stream", "contracts")
    lines = [line.split("  ") for line in done.stdout.splitlines()]
    rows = [[cell.strip() for cell in line if cell] for line in lines]
    assert ["contracts", "Indexering %", "number", "cf_indexering"] in rows
    assert ["contracts", "Getekend op", "date", "cf_getekend_op"] in rows


def test_a_column_that_is_in_the_store_is_the_one(office: Office) -> None:
    # Given a field that was renamed since it got its column
    with closing(Store(office.store_url)) as store:
        LearnedColumns(store, account=f"{office.url} default").add(
            "contracts", {column_key(1): Kind.TIME}, name_of=lambda *_: "cf_old"
        )
    office.sandbox.rows("field").update(1, name="New", model="contract")
    # When
    told = office.told("--stream", "contracts")
    # Then
    expected = {"stream": "contracts", "id": 1, "name": "New", "type": "time", "column": "cf_old"}
    assert expected in told["custom_fields"]


@pytest.mark.parametrize("arguments", [(), ("--stream", "customers")])
def test_a_scope_that_lacks_is_one_sentence(office: Office, arguments: tuple[str, ...]) -> None:
    # Given
    token = office.sandbox.grant(["customer.read.all", "user.read.all"]).access_token
    # When
    told = office.told(*arguments, CIRQLL_ACCESS_TOKEN=token)
    # Then
    assert told["custom_fields"] == []
    assert told["checks"]["custom_fields"]["state"] == "warning"
    assert "with the scope field.read.all" in told["checks"]["custom_fields"]["remedy"]
    assert told["checks"]["custom_fields"]["remedy"].count(". ") == 0
    assert told["is_readable"]


def test_they_cost_one_request(office: Office) -> None:
    for stream, number in (("customers", 1), ("notes", 0)):
        office.sandbox.forget_requests()
        office.run("--stream", stream)
        paths = [request.path for request in office.sandbox.requests]
        assert paths.count("/api/field") == number


def test_all_are_told_where_there_are_more_than_a_usual_page(office: Office) -> None:
    # Given
    rows = [{"name": f"Veld {n}", "type": "text", "model": "contact"} for n in range(200)]
    office.sandbox.rows("field").insert_many(rows)
    # When
    told = office.told("--stream", "customers", "--stream", "contacts")
    # Then
    columns = {one["column"] for one in told["custom_fields"] if one["stream"] == "contacts"}
    assert {f"cf_veld_{n}" for n in range(200)} <= columns


def test_those_that_were_not_looked_at_are_told(office: Office) -> None:
    # Given
    rows = [{"name": f"Veld {n}", "type": "text", "model": "contact"} for n in range(200)]
    office.sandbox.rows("field").insert_many(rows)
    office.sandbox.behaviour = office.sandbox.behaviour.__class__(rate_limit=0, page_maximum=100)
    # When
    told = office.told("--stream", "contacts")
    # Then
    total = len(office.sandbox.rows("field").all())
    assert told["checks"]["custom_fields"]["words"] == f"{total} are defined, 100 were looked at"


def test_no_name_of_a_custom_field_is_in_report_or_findings(office: Office) -> None:
    # Given
    office.sandbox.rows("field").insert(name="Kanarie", type="text", model="customer")
    # When
    done = office.run("--json", "--report")
    with closing(Store(office.store_url)) as store, store.transaction() as connection:
        learned = connection.exec_driver_sql("select fact, value from learned").all()
    # Then the person who asked is told, and nobody else
    told = json.loads(done.stdout)
    assert "Kanarie" in {one["name"] for one in told.pop("custom_fields")}
    report = (office.folder / "cirqll-report.json").read_text()
    for text in (report, done.stderr, json.dumps(told), str(learned)):
        assert "kanarie" not in text.lower()
    assert "are defined" in report


def evidence_of(definitions: list[dict[str, Any]], values: Any = None) -> Evidence:
    """Customers with these values, and these definitions."""
    customers = resource_of_stream("customers")
    assert customers
    page = Listing([{"id": 1, "field_values": values}])
    evidence = Evidence("https://api.example", "default", "UTC")
    evidence.streams = [StreamEvidence(customers, page)]
    evidence.values = {"customers": page}
    evidence.definitions = Listing(definitions)
    return evidence


def test_where_the_order_of_values_decides_no_column_is_foretold() -> None:
    # Given two that have the same name, and a kind that their values will tell
    odd = {"name": "Kleur", "type": "nobody-knows", "model": "customer"}
    sure = {"id": 3, "name": "Maat", "type": "text", "model": "customer"}
    evidence = evidence_of([{"id": 1, **odd}, {"id": 2, **odd}, sure])
    # When
    told = {one.id: (one.type, one.column) for one in custom_fields(evidence)}
    # Then
    assert told == {1: (None, None), 2: (None, None), 3: ("text", "cf_maat")}


@pytest.mark.parametrize(
    ("values", "stream"), [([{"field_id": 1, "value": "x"}], "customers"), ([], None)]
)
def test_values_tell_whose_a_field_is_where_its_definition_does_not(
    values: Any, stream: str | None
) -> None:
    evidence = evidence_of([{"id": 1, "name": "Kleur", "type": "text"}], values)
    assert [(one.stream, one.column) for one in custom_fields(evidence)] == [(stream, "cf_kleur")]


def test_a_field_of_a_stream_that_is_not_checked_is_not_told() -> None:
    evidence = evidence_of([{"id": 1, "name": "Kleur", "type": "text", "model": "contact"}])
    assert custom_fields(evidence) == ()


def test_a_column_learned_before_tells_whose_a_field_is() -> None:
    evidence = evidence_of([{"id": 1, "name": "Kleur", "type": "text"}])
    column = LearnedColumn(column_key(1), "cf_oud", Kind.NUMBER)
    evidence.columns = {"customers": {column.field: column}}
    assert [(one.stream, one.type, one.column) for one in custom_fields(evidence)] == [
        ("customers", "number", "cf_oud")
    ]


def test_boxes_to_tick_are_a_list_where_there_are_several(office: Office) -> None:
    # Given a type that only its options tell apart from a single box
    field = office.sandbox.rows("field").insert(name="Hapjes", type="checkbox", model="contract")
    for name in ("kaas", "worst"):
        office.sandbox.rows("field_option").insert(field_id=field["id"], name=name)
    # When
    told = office.told("--stream", "contracts")
    # Then
    assert [one["type"] for one in told["custom_fields"] if one["name"] == "Hapjes"] == ["list"]


def test_a_narrow_terminal_cuts_no_name_off(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    name = "cf_a_rather_long_name_of_a_column"
    # When
    came = table(["Column"], [[name]])
    # Then
    assert "".join(came.split()) == f"Column{name}"
    assert all(len(line) <= 30 for line in came.splitlines())
