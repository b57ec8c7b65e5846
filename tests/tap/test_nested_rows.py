"""Rows out of a relation, in any form that it may have."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.nested import NESTED
from cirqll_client.resources import FIELD_VALUES, MOST_WEIGHT, RESOURCES, weight_of
from tap_cirqll.field_value_rows import label_of, text_of, value_rows
from tap_cirqll.nested_rows import entries, placed, with_id

ONE = {"id": 3, "name": "Groot"}


@pytest.mark.parametrize(
    ("relation", "expected"),
    [
        ({"data": [ONE], "limit": 50, "total": 1, "offset": 0}, [ONE]),
        ([ONE], [ONE]),
        ({"3": {"name": "Groot"}}, [ONE]),
        ({"3": "Groot"}, [ONE]),
        ({"0": ONE, "1": {"id": "3"}}, [{**ONE, "key": "0"}, {"id": "3", "key": "1"}]),
        ({"3": {**ONE, "id": "3"}}, [{**ONE, "id": "3"}]),
        ({"data": {"3": "Groot"}, "total": 1}, [ONE]),
        ({"data": None, "total": 0}, []),
        ({"data": ONE}, [ONE]),
        ("Groot", []),
        (ONE, [ONE]),
        (["Groot"], [{"name": "Groot"}]),
        ({}, []),
        ([], []),
        (None, []),
    ],
)
def test_every_form_is_read(relation: Any, expected: Any) -> None:
    assert entries(relation).records == expected


@pytest.mark.parametrize(
    ("relation", "is_cut"),
    [
        ({"data": [ONE], "total": 2}, True),
        ({"data": [ONE], "total": "2"}, True),
        ({"data": [ONE], "total": "many"}, True),
        ({"data": {"3": "Groot"}, "total": 60}, True),
        ({"data": None, "total": 60}, True),
        ({"data": [ONE] * 50}, True),
        ([ONE] * 49, False),
    ],
)
def test_what_may_lack_some_says_so(relation: Any, is_cut: Any) -> None:
    assert entries(relation).may_lack_some == is_cut


@pytest.mark.parametrize("relation", ["x", 7, {"data": "x"}, {"data": False, "total": 60}])
def test_what_is_no_relation_is_told_and_makes_no_row(relation: Any) -> None:
    assert entries(relation).odd == "it is neither a page, nor a list, nor a map"
    assert entries(relation).records == []
    assert entries([ONE]).odd is None


@pytest.mark.parametrize("said", [7, "7", " 07 ", "7.0", Decimal("7.0")], ids=repr)
def test_an_id_that_says_a_number_is_that_number(said: Any) -> None:
    assert with_id({"id": said, "name": "Groot"}) == {"id": 7, "name": "Groot"}


@pytest.mark.parametrize(
    "said", ["a1", "0", 2**63, -(2**63) - 1, str(2**63), 10**30, True, 7.5], ids=repr
)
def test_an_id_that_fits_no_column_makes_one_that_no_other_change_touches(said: Any) -> None:
    first = with_id({"id": said, "name": "Groot"})

    assert 0 <= first["id"] < 2**32
    assert first["id_as_it_came"] == said
    assert with_id({"id": said, "name": "Klein"})["id"] == first["id"]
    assert with_id({"id": "b2", "name": "Groot"})["id"] != first["id"]


@pytest.mark.parametrize("key", ["groot", str(2**63), "0", "9" * 500])
def test_a_key_of_a_map_that_is_no_id_makes_one(key: str) -> None:
    (first,) = entries({key: {"name": "Groot"}}).records
    (second,) = entries({key: {"name": "Klein", "key": "x"}}).records

    assert 0 <= first["id"] < 2**32
    assert second["id"] == first["id"]
    assert first["key"] == second["key"] == key
    assert second["key_as_it_came"] == "x"


def test_an_entry_without_an_id_gets_the_same_one_each_time() -> None:
    first = with_id({"name": "Groot", "order": 1})

    assert with_id({"order": 1, "name": "Groot"}) == first
    assert with_id({"name": "Klein", "order": 1})["id"] != first["id"]
    assert with_id({"id": "a1"})["id_as_it_came"] == "a1"


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers()), st.integers())
def test_nothing_is_lost_where_a_place_is_taken(entry: dict[str, int], value: int) -> None:
    row = placed(entry, {"a": value})

    assert row["a"] == value
    assert set(entry.values()) <= set(row.values())


def test_a_name_of_an_option_wins_over_an_id() -> None:
    labels = {1: "Groot", 2: "1"}

    assert label_of("1", labels) == "1"
    assert label_of([1, "2"], labels) == "Groot, 1"
    assert label_of(7, labels) is None


@pytest.mark.parametrize(
    ("value", "text"), [("x", "x"), (12, "12"), (True, "true"), (["a"], '["a"]'), (None, None)]
)
def test_any_value_has_a_text(value: Any, text: str | None) -> None:
    assert text_of(value) == text


def test_several_values_of_a_field_are_one_row() -> None:
    came = [{"id": 1, "field_id": 3, "value": "a"}, {"id": 2, "field_id": 3, "value": "b"}]

    (row,) = value_rows(came, {}, resource=RESOURCES[0], tells_empty=True)

    assert row["value_json"] == ["a", "b"]
    assert row["entries"] == came


def test_what_comes_along_with_a_resource_is_within_the_weight() -> None:
    for resource in RESOURCES:
        relations = [one.relation for one in NESTED if resource in one.parents]

        assert weight_of({*relations, FIELD_VALUES}) <= MOST_WEIGHT
