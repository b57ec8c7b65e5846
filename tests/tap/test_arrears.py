"""Custom fields that Cirqll refused to bring along for a while: no row stays without them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_sandbox import Behaviour, Sandbox
from tests.tap.catalog_edits import choose, discovered
from tests.tap.conftest import Source
from tests.tap.tap_runs import TapRuns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.tap.tap_runs import Run

REFUSED = ("field_values",)


@pytest.fixture
def crm() -> Iterator[Source]:
    """A small company whose customers have custom fields."""
    sandbox = Sandbox(size=0.02, behaviour=Behaviour(rate_limit=0))
    with sandbox.running() as url:
        yield Source(sandbox, url)


@pytest.fixture
def run_tap(tmp_path: Path, crm: Source, environment: dict[str, str]) -> TapRuns:
    return TapRuns(tmp_path, environment, crm.settings)


def filled(run: Run) -> dict[int, dict[str, Any]]:
    """The custom fields that each customer came with."""
    return {
        one["id"]: {k: v for k, v in one.items() if k.startswith("cf_") and v is not None}
        for one in run.records("customers")
    }


def refuse(crm: Source, relations: tuple[str, ...]) -> None:
    crm.sandbox.behaviour = replace(crm.sandbox.behaviour, refused_relations=relations)


def touch(crm: Source, number: int) -> None:
    crm.sandbox.clock.move(600)
    crm.sandbox.rows("customer").update(number, name="Aangeraakt")


def test_rows_that_came_without_are_read_again(run_tap: TapRuns, crm: Source) -> None:
    # Given a customer with custom fields, who changes while they are refused
    catalog = choose(discovered(run_tap), "customers")
    first = run_tap(catalog=catalog)
    number = max(filled(first), key=lambda one: len(filled(first)[one]))
    touch(crm, number)
    refuse(crm, REFUSED)
    second = run_tap(catalog=catalog, state=first.state)
    assert filled(second)[number] == {}
    # When it changes again while they still are, and then they are not any more
    touch(crm, number)
    third = run_tap(catalog=catalog, state=second.state)
    refuse(crm, ())
    fourth = run_tap(catalog=catalog, state=third.state)
    fifth = run_tap(catalog=catalog, state=fourth.state)
    # Then all is there, and it was told
    assert filled(fourth) == filled(first)
    assert len(fifth.records("customers")) < len(fourth.records("customers"))
    assert any("still refuses to bring custom fields" in one for one in third.sentences("WARNING"))
    assert any("all rows are read again" in one for one in fourth.sentences("INFO"))


def test_what_is_still_refused_costs_one_question(run_tap: TapRuns, crm: Source) -> None:
    # Given
    refuse(crm, REFUSED)
    catalog = choose(discovered(run_tap), "customers")
    first = run_tap(catalog=catalog)
    crm.sandbox.forget_requests()
    # When
    run_tap(catalog=catalog, state=first.state)
    # Then
    asked = [one.query.get("with") for one in crm.sandbox.requests if one.path == "/api/customer"]
    assert asked == [["field_values"], None]


def test_values_that_could_not_be_had_are_not_told_to_be_empty(
    run_tap: TapRuns, crm: Source
) -> None:
    # Given a customer with more values than come along, all of which were read once
    crm.sandbox.custom_fields.add_values("customer", 1, 60)
    catalog = choose(discovered(run_tap), "field_values")
    first = run_tap(catalog=catalog)
    # When the others cannot be had any more
    crm.sandbox.behaviour = replace(crm.sandbox.behaviour, field_values_rest="nowhere")
    touch(crm, 1)
    second = run_tap(catalog=catalog, state=first.state)
    # Then
    of_customer = ("customer", 1)
    rows = [
        one
        for one in second.records("field_values")
        if (one["resource"], one["record_id"]) == of_customer
    ]
    assert len(first.records("field_values")) > 60
    assert len(rows) == 50
