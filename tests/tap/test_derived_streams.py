"""Tables of what lies within records: options, permissions, items, values, and the company."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.client.raw_server import answer, serving
from tests.tap.catalog_edits import choose, discovered

if TYPE_CHECKING:
    from tests.tap.conftest import Source
    from tests.tap.tap_runs import Run, TapRuns


def add_field(source: Source, *options: str, **values: Any) -> int:
    """A custom field of customers with options."""
    field: int = source.sandbox.rows("field").insert(name="Soort", model="customer", **values)["id"]
    for name in options:
        source.sandbox.rows("field_option").insert(name=name, field_id=field)
    return field


def add_value(source: Source, customer: int, field: int, value: Any) -> int:
    """A value of a custom field; the customer changed with it."""
    row = {"owner_type": "customer", "owner_id": customer, "field_id": field, "value": value}
    made: int = source.sandbox.rows("field_value").insert(**row)["id"]
    source.sandbox.edit_rows("customer", 1)
    return made


def behave(source: Source, **options: Any) -> None:
    source.sandbox.behaviour = replace(source.sandbox.behaviour, **options)


def asked(source: Source, path: str) -> list[dict[str, list[str]]]:
    return [one.query for one in source.sandbox.requests if one.path == path]


def order(run: Run, *streams: str) -> list[str]:
    """The messages of some streams, and the states, each as a word."""
    words = [f"{one['type']} {one.get('stream', '')}".strip() for one in run.messages]
    return [word for word in words if word == "STATE" or word.split()[1] in streams]


def test_rows_come_with_their_parents_pages_and_no_request_of_their_own(
    run_tap: TapRuns, source: Source
) -> None:
    add_field(source, "Groot", "Klein")
    catalog = choose(discovered(run_tap), "fields", "field_options")
    source.sandbox.forget_requests()

    run = run_tap(catalog=catalog, store_url="sqlite://")

    assert order(run, "fields", "field_options") == [
        "SCHEMA fields",
        "RECORD fields",
        "SCHEMA field_options",
        "RECORD field_options",
        "RECORD field_options",
        "STATE",
    ]
    (first, second) = run.records("field_options")
    assert (first["field_id"], first["id"], first["name"]) == (1, 1, "Groot")
    assert second["field_updated_at"] == run.records("fields")[0]["updated_at"]
    assert [one.path for one in source.sandbox.requests] == ["/api/field"]


def test_parents_that_are_not_selected_are_read_and_not_handed_out(
    run_tap: TapRuns, source: Source
) -> None:
    role = source.sandbox.rows("role").insert(name="Verkoop")["id"]
    source.sandbox.rows("permission").insert(name="customer.read", role_id=role)
    catalog = choose(discovered(run_tap), "role_permissions")

    run = run_tap(catalog=catalog)

    assert [one["name"] for one in run.records("role_permissions")] == ["customer.read"]
    assert {one.get("stream") for one in run.messages} == {"role_permissions", None}
    assert set(run.state["bookmarks"]) == {"role_permissions"}


def test_relations_are_not_asked_for_where_nobody_wants_them(
    run_tap: TapRuns, source: Source
) -> None:
    add_field(source)
    catalog = choose(discovered(run_tap), "fields", "roles", "templates")
    source.sandbox.forget_requests()

    run_tap(catalog=catalog)

    assert not any("with" in one.query for one in source.sandbox.requests)


def test_an_option_that_is_new_arrives_though_its_field_did_not_change(
    run_tap: TapRuns, source: Source
) -> None:
    field = add_field(source, "Groot", updated_at="2024-01-01 00:00:00")
    add_field(source, updated_at="2025-01-01 00:00:00")
    catalog = choose(discovered(run_tap), "fields", "field_options")
    first = run_tap(catalog=catalog, lookback=0)
    add_field(source, updated_at="2025-02-01 00:00:00")
    source.sandbox.rows("field_option").insert(name="Klein", field_id=field)

    second = run_tap(catalog=catalog, state=first.state, lookback=0)

    assert [one["name"] for one in second.records("field_options")] == ["Groot", "Klein"]
    assert [one["id"] for one in second.records("fields")] == [2, 3]


def test_a_value_is_a_row_with_text_json_and_label(run_tap: TapRuns, source: Source) -> None:
    field = add_field(source, "Groot", type="select")
    other = add_field(source, type="number")
    source.sandbox.rows("customer").insert(name="Bakkerij")
    add_value(source, 1, field, "Groot")
    add_value(source, 1, other, 12)
    behave(source, option_values="id")
    catalog = choose(discovered(run_tap), "field_values")

    rows = run_tap(catalog=catalog).records("field_values")

    told = [
        tuple(row[name] for name in ("field_id", "value", "value_json", "label")) for row in rows
    ]
    assert told == [(field, "1", 1, "Groot"), (other, "12", 12, None)]
    assert {(row["resource"], row["record_id"], row["field_name"]) for row in rows} == {
        ("customer", 1, "Soort")
    }


def test_a_value_that_was_removed_is_null_in_the_next_run(run_tap: TapRuns, source: Source) -> None:
    field = add_field(source)
    source.sandbox.rows("customer").insert(name="Bakkerij")
    value = add_value(source, 1, field, "x")
    catalog = choose(discovered(run_tap), "customers", "field_values")
    first = run_tap(catalog=catalog)
    source.sandbox.rows("field_value").delete(value)
    source.sandbox.edit_rows("customer", 1)

    second = run_tap(catalog=catalog, state=first.state)

    (row,) = second.records("field_values")
    assert (row["record_id"], row["field_id"], row["value"], row["value_json"]) == (
        1,
        field,
        None,
        None,
    )


def test_who_comes_late_gets_what_its_parent_passed_before(
    run_tap: TapRuns, source: Source
) -> None:
    field = add_field(source)
    source.sandbox.rows("customer").insert(name="A", updated_at="2025-01-01 00:00:00")
    source.sandbox.rows("customer").insert(name="B", updated_at="2025-02-01 00:00:00")
    row = {"owner_type": "customer", "owner_id": 1, "field_id": field, "value": "x"}
    source.sandbox.rows("field_value").insert(**row)
    catalog = discovered(run_tap)
    first = run_tap(catalog=choose(catalog, "customers"), lookback=0)
    both = choose(catalog, "customers", "field_values")

    second = run_tap(catalog=both, state=first.state, lookback=0)
    third = run_tap(catalog=both, state=second.state, lookback=0)

    assert [one["value"] for one in second.records("field_values")] == ["x"]
    assert [one["id"] for one in second.records("customers")] == [2]
    sentence = (
        "customers: read from an earlier moment than their own this time, because field_values has "
        "not all that came with them."
    )
    assert sentence in second.sentences("INFO")
    assert sentence not in third.sentences("INFO")
    assert [one["record_id"] for one in third.records("field_values")] == [2]


def test_a_relation_that_is_refused_costs_its_own_stream_only(
    run_tap: TapRuns, source: Source
) -> None:
    add_field(source, "Groot")
    behave(source, refused_relations=("options",))
    catalog = choose(discovered(run_tap), "fields", "field_options")

    run = run_tap(catalog=catalog)

    assert run.code == 1
    assert run.sentences("ERROR") == [
        (
            "Not read, because Cirqll does not bring it along: field_options (options of fields). "
            "Deselect the streams."
        )
    ]
    assert [one["id"] for one in run.records("fields")] == [1]
    assert not run.of_type("RECORD")[1:]
    assert run.state["bookmarks"]["field_options"] == {"parents": {"fields": {}}}
    assert "Summary: field_options: 0 rows, 0 requests, not readable." in run.sentences("INFO")


def test_who_takes_all_there_is_gets_a_warning_instead(run_tap: TapRuns, source: Source) -> None:
    add_field(source, "Groot")
    behave(source, refused_relations=("options",))

    run = run_tap(custom_fields="array")

    assert run.code == 0
    assert run.sentences("WARNING")[-1].startswith("Not read, because Cirqll does not bring it")


@pytest.mark.parametrize("rest", ["show", "nowhere"])
def test_more_than_come_along_are_fetched_or_told(
    run_tap: TapRuns, source: Source, rest: Any
) -> None:
    source.sandbox.rows("customer").insert(name="A")
    for _ in range(60):
        add_value(source, 1, add_field(source), "x")
    behave(source, field_values_rest=rest)
    catalog = choose(discovered(run_tap), "field_values")

    run = run_tap(catalog=catalog, custom_fields="array")

    assert run.code == 0
    is_whole = rest == "show"
    assert len(run.records("field_values")) == (60 if is_whole else 50)
    assert bool(run.state["bookmarks"]["field_values"]["parents"]["customers"]) == is_whole
    warning = (
        "field_values: of 1 customer Cirqll gives no more than the first 50 field_values, so the "
        "others are missing; the next run tries again."
    )
    assert (warning in run.sentences("WARNING")) != is_whole


def test_what_is_no_relation_is_told_and_makes_no_row(run_tap: TapRuns) -> None:
    catalog = choose(discovered(run_tap), "field_options")
    field = {"id": 3, "updated_at": "2026-01-31 12:00:00", "options": {"data": "x"}}
    page = {"data": [field], "limit": 100, "total": 1, "offset": 0}

    with serving(answer(200, json.dumps(page), "Content-Type: application/json")) as server:
        run = run_tap(catalog=catalog, api_url=server.url, store_url="sqlite://")

    assert run.code == 0, run.log
    assert run.records("field_options") == []
    warning, incomplete = run.sentences("WARNING")
    assert incomplete.startswith("field_options is incomplete: not all of what lies within")
    assert warning == (
        "field_options: some of what came with fields could not be read (it is neither a page, nor "
        "a list, nor a map), so it is missing; the next run tries again. Report it."
    )


def test_a_show_of_fewer_than_there_were_is_not_taken_for_all(
    run_tap: TapRuns, source: Source
) -> None:
    source.sandbox.rows("customer").insert(name="A")
    values = [add_value(source, 1, add_field(source), "x") for _ in range(60)]
    behave(source, field_values_rest="show")
    catalog = choose(discovered(run_tap), "field_values")

    def delete(request: Any) -> None:
        if request.path == "/api/customer/1" and values:
            source.sandbox.rows("field_value").delete(values.pop())

    source.sandbox.before_request(delete)
    run = run_tap(catalog=catalog, custom_fields="array")

    assert len(run.records("field_values")) == 50
    assert not run.state["bookmarks"]["field_values"]["parents"]["customers"]


def test_the_company_is_one_row_and_one_request(run_on_company: TapRuns) -> None:
    catalog = choose(discovered(run_on_company), "companies")

    run = run_on_company(catalog=catalog, store_url="sqlite://")

    (row,) = run.records("companies")
    assert row["name"] == "Voorbeeld & Verzinsel B.V."
    assert row["address"]["city"] == "Fantasieveen"
    assert run.sentences("INFO")[-1].startswith("Summary: 1 row of 1 stream")
    assert "; 1 request," in run.sentences("INFO")[-1]
