"""What the tap hands out, the target takes: back into its account it changes nothing."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.kinds import NONCONFORMING, UNDOCUMENTED, kind_of
from cirqll_client.query import IndexQuery
from cirqll_client.resources import RESOURCES
from cirqll_sandbox import Behaviour, Sandbox
from tap_cirqll.conformance import RecordReader
from tap_cirqll.messages import record_lines
from tap_cirqll.shape import Shape
from tests.tap.catalog_edits import choose, discovered
from tests.tap.conftest import Source, environment_in
from tests.tap.odd_json import values as odd_values
from tests.tap.tap_runs import TapRuns
from tests.target.target_runs import TargetRuns
from tests.target.writing_fixtures import over_http
from tests.target.written_values import contents

if TYPE_CHECKING:
    from pathlib import Path

    from cirqll_client.resources import Resource
    from tests.target.writing_fixtures import Record, Target

ZONES = st.sampled_from(["UTC", "Europe/Amsterdam"])
TWO_ZONES = [
    ("UTC", "UTC"),
    ("Europe/Amsterdam", "UTC"),
    ("Europe/Amsterdam", "Europe/Amsterdam"),
]
"""Not from UTC to Amsterdam: a text without a zone cannot say the hour that autumn repeats."""
BEYOND_LIMITS = ("it is not between", "it is less than", "it is longer than")
PARENTS = ("user", "role", "customer", "contact", "chance", "task")
FEW = over_http(8)


def tapped(target: Target, resource: Resource) -> list[Record]:
    """All records of a resource as the tap hands them out."""
    schemas = resource.schema["properties"]
    shape = Shape(
        columns={k: kind_of(of) for k, of in schemas.items() if not of.get("writeOnly")},
        hidden=frozenset(k for k, of in schemas.items() if of.get("writeOnly")),
        keeps_undocumented=True,
        keeps_nonconforming=True,
    )
    connection = target.source.connection(**target.settings)
    reader = RecordReader(resource, shape, timestamps=connection.timestamps)
    page = connection.client.index(resource, IndexQuery(), read_rows=reader)
    lines = record_lines(resource.stream, list(page.rows.rows)).splitlines()
    return [json.loads(line, parse_float=Decimal)["record"] for line in lines]


def begin(target: Target, zone: str) -> None:
    target.begin(timezone=zone)
    target.settings = {"api_timezone": zone}


def odd_rows(resource: Resource) -> st.SearchStrategy[list[Record]]:
    """Rows as a server may have them, whatever the schema says."""
    exact = odd_values.map(lambda text: json.loads(text, parse_float=Decimal))
    names = [name for name in resource.schema["properties"] if not name.endswith("_at")]
    fields = {name: exact for name in [*names, "undocumented"] if name != "id"}
    return st.lists(st.fixed_dictionaries({}, optional=fields), min_size=1, max_size=3)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: one.stream)
@FEW
@given(data=st.data(), zone=ZONES)
def test_what_the_tap_reads_goes_back_without_a_write(
    target: Target, resource: Resource, data: st.DataObject, zone: str
) -> None:
    begin(target, zone)
    target.source.sandbox.rows(resource.name).insert_many(data.draw(odd_rows(resource)))
    records = tapped(target, resource)

    written = target(records, stream=resource.stream, keys=("id",))

    # What Cirqll has beyond the limits of our schema is refused, though it would not be sent.
    assert all(any(map(reason.count, BEYOND_LIMITS)) for _, reason in written.reasons())
    assert written.writes == []
    assert tapped(target, resource) == records


@pytest.mark.parametrize(
    "resource", [one for one in RESOURCES if "create" in one.actions], ids=lambda one: one.stream
)
@FEW
@given(data=st.data(), zones=st.sampled_from(TWO_ZONES))
def test_what_the_tap_reads_makes_the_same_in_an_empty_account(
    target: Target, resource: Resource, data: st.DataObject, zones: tuple[str, str]
) -> None:
    rows = data.draw(st.lists(contents(resource, {name: [1] for name in PARENTS}), max_size=3))
    begin(target, zones[0])
    _with_parents(target)
    target(
        [{"no": number, **row} for number, row in enumerate(rows)],
        stream=resource.stream,
    )
    records = tapped(target, resource)

    begin(target, zones[1])
    _with_parents(target)
    strangers = [_renamed(record) for record in records if record["id"] > 1]
    written = target(strangers, stream=resource.stream, keys=("old_id",))

    assert written.reasons() == []
    assert sorted(map(_content, tapped(target, resource))) == sorted(map(_content, records))


def _with_parents(target: Target) -> None:
    for resource in RESOURCES:
        target.source.sandbox.rows(resource.name).insert(name="The first")


def _renamed(record: Record) -> Record:
    """A record of one account as a row for another, which has other ids."""
    return {"old_id": record["id"], **{k: v for k, v in record.items() if k != "id"}}


def _content(record: Record) -> str:
    read_only = {"id", "created_at", "updated_at", "calculated_price"}
    return json.dumps({k: v for k, v in record.items() if k not in read_only}, default=_plainly)


def _plainly(value: Decimal) -> str:
    return f"{value.normalize():f}"


def test_what_did_not_conform_is_not_overwritten_with_nothing(target: Target) -> None:
    (there,) = target.source.customers.insert_many([{"name": "A", "import_id": "a text"}])
    (customer,) = [one for one in RESOURCES if one.name == "customer"]
    (record,) = tapped(target, customer)

    written = target([{**record, "name": "B"}], keys=("id",))

    assert record[NONCONFORMING]
    assert record["import_id"] is None
    assert written.writes == [("PATCH", f"customer/{there}", {"name": "B"})]


def test_what_is_undocumented_is_not_sent_and_not_warned_of(target: Target) -> None:
    target.source.customers.insert(name="A", colour="red")
    (customer,) = [one for one in RESOURCES if one.name == "customer"]
    (record,) = tapped(target, customer)

    written = target([{**record, "name": "B"}], keys=("id",))

    assert record[UNDOCUMENTED]
    assert [body for *_, body in written.writes] == [{"name": "B"}]
    assert not any(UNDOCUMENTED in line for line in written.log)


def test_a_whole_company_goes_through_the_programs_without_a_write(tmp_path: Path) -> None:
    sandbox = Sandbox(size=0.05, behaviour=Behaviour(rate_limit=0))
    sandbox.add_undocumented_fields()
    with sandbox.running() as url:
        source = Source(sandbox, url)
        environment = environment_in(tmp_path)
        tap = TapRuns(tmp_path, environment, source.settings)
        target = TargetRuns(tmp_path, environment, source.settings)
        streams = [one.stream for one in RESOURCES]
        read = tap(catalog=choose(discovered(tap), *streams), custom_fields="array")
        before: dict[str, Any] = {one.name: sandbox.rows(one.name).all() for one in RESOURCES}
        sandbox.forget_requests()

        written = target(read.output, write_custom_fields=True)

        assert (read.code, written.code) == (0, 0), written.log
        assert {one.method for one in sandbox.requests} == {"GET"}
        assert {one.name: sandbox.rows(one.name).all() for one in RESOURCES} == before
