"""Custom fields of a record: three forms that they may come in, and what they say."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.custom_fields import (
    INCOMPLETE,
    NEITHER,
    NO_ID,
    column_key,
    field_id,
    id_in_key,
    read,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

anything = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())


def listed(pairs: Mapping[int, Any]) -> list[dict[str, Any]]:
    return [{"id": 7, "field_id": number, "value": value} for number, value in pairs.items()]


def said(value: Any) -> dict[int, Any]:
    return {entry["field_id"]: entry["value"] for entry in read(value).entries}


@given(st.dictionaries(st.integers(1, 2**32), anything))
def test_a_page_a_list_and_a_map_say_the_same(pairs: dict[int, Any]) -> None:
    page = {"data": listed(pairs), "limit": 50, "total": len(pairs), "offset": 0}

    for value in (page, listed(pairs), {str(n): one for n, one in pairs.items()}):
        assert said(value) == pairs
        assert read(value).odd is None


@given(st.lists(st.sampled_from([*listed({3: "x"}), 7, {"value": 3}, {"field_id": 0, "value": 1}])))
def test_an_odd_entry_hides_no_other(entries: list[Any]) -> None:
    good = [one for one in entries if one == listed({3: "x"})[0]]

    values = read(entries)

    assert values.entries == good
    assert len(values.relation.entries) == len(entries)
    assert (values.odd is None) == (len(good) == len(entries))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("red", NEITHER),
        ({"data": 3, "total": 1}, NEITHER),
        ([{"value": 3}], INCOMPLETE),
        ({"colour": "red"}, INCOMPLETE),
        ({"colour": {"nl": "rood"}}, NO_ID),
        ({"0": "red"}, NO_ID),
        ([{"field_id": True, "value": 1}], NO_ID),
    ],
)
def test_what_cannot_be_read_is_told(value: Any, reason: str) -> None:
    assert read(value).odd == reason
    assert read(value).entries == []


def test_a_value_that_was_left_out_is_null() -> None:
    assert read([{"id": 7, "field_id": 3}]).odd is None
    assert read([{"id": 7, "field_id": 3}]).entries == [{"id": 7, "field_id": 3, "value": None}]


@pytest.mark.parametrize(
    "value", [{"data": {"3": "red"}, "total": 1}, {"field_id": 3, "value": "red"}]
)
def test_a_map_in_a_page_and_a_single_entry_are_read(value: Any) -> None:
    assert said(value) == {3: "red"}


@pytest.mark.parametrize("value", [3, " 003 ", "+3", 3.0, "3.", Decimal("3.00")])
def test_an_id_is_read_however_it_is_written(value: object) -> None:
    assert field_id(value) == 3


@pytest.mark.parametrize(
    "value", [0, -3, True, None, "", "3a", "1_0", 3.5, "\u0663", [3], "9" * 30]
)
def test_anything_else_is_no_id(value: object) -> None:
    assert field_id(value) is None


@pytest.mark.parametrize(
    ("value", "may_lack_some"),
    [
        ({"data": listed({1: 1}), "total": 2}, True),
        ({"data": listed({1: 1}), "total": 1}, False),
        ({"data": listed(dict.fromkeys(range(1, 51))), "total": 50}, False),
        ({"data": listed(dict.fromkeys(range(1, 51))), "total": None}, True),
        (listed(dict.fromkeys(range(1, 51))), True),
        (listed(dict.fromkeys(range(1, 50))), False),
        (listed(dict.fromkeys(range(1, 52))), False),
        ({str(n): 1 for n in range(1, 51)}, True),
        (None, False),
    ],
)
def test_a_page_tells_whether_all_came_and_fifty_may_not_be_all(
    value: Any, *, may_lack_some: bool
) -> None:
    assert read(value).relation.may_lack_some == may_lack_some


@given(st.integers(1, 2**32))
def test_the_key_of_a_column_leads_back_to_its_field(number: int) -> None:
    assert id_in_key(column_key(number)) == number


@pytest.mark.parametrize(
    "key", ["field_values", "field_values[]", "field_values[x]", "field_values[0]", "x[3]", "None"]
)
def test_the_names_of_other_fields_are_no_keys(key: str) -> None:
    assert id_in_key(key) is None
