"""Custom fields: three shapes that they may come in, one that they are probably written in."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from target_cirqll.conversions import Misfit
from target_cirqll.custom_fields import read, written

LIST = [
    {"id": 90, "field_id": 5, "value": None},
    {"id": 91, "field_id": "3", "value": ["a", "b"]},
]
PAGE = {"data": LIST, "limit": 50, "total": 70, "offset": 0}
MAP = {"5": None, 3: ["a", "b"]}


@pytest.mark.parametrize("value", [PAGE, LIST, MAP, json.dumps(PAGE), json.dumps(LIST)])
def test_all_three_shapes_and_their_json_say_the_same(value: Any) -> None:
    assert read(value) == {5: None, 3: ["a", "b"]}


def test_an_entry_without_a_value_is_not_written() -> None:
    """It would clear the field, which nobody said."""
    with pytest.raises(Misfit, match="an entry without a value"):
        read([{"field_id": 5}])


@pytest.mark.parametrize("value", [None, [], {}, {"data": []}, {"data": None}, "[]"])
def test_none_are_none(value: Any) -> None:
    assert read(value) == {}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("red", "it is neither a page, nor a list, nor a map of custom fields"),
        (7, "it is neither a page, nor a list, nor a map of custom fields"),
        ({"data": "red"}, "it is neither a page, nor a list, nor a map of custom fields"),
        (["red"], "it holds an entry without field_id"),
        ([{"value": "red"}], "it holds an entry without field_id"),
        ({"colour": "red"}, "it holds an entry without field_id"),
        ({"colour": {}}, "it names a custom field by something that is no id"),
        ({"0": "red"}, "it names a custom field by something that is no id"),
        ([{"field_id": None, "value": 1}], "it names a custom field by something that is no id"),
        ({"5": "re\0d"}, "it holds a character that no database takes"),
        (
            [{"field_id": 5, "value": "red"}, {"field_id": 5, "value": "blue"}],
            "it holds two values for one custom field",
        ),
    ],
)
def test_what_is_none_of_them_is_refused(value: Any, reason: str) -> None:
    with pytest.raises(Misfit) as refusal:
        read(value)

    assert refusal.value.reason == reason


def test_numbers_stay_exact() -> None:
    assert read('{"5": 0.12345678901234567890}') == {5: Decimal("0.12345678901234567890")}


def test_a_value_that_is_told_twice_is_one() -> None:
    assert read([*LIST, *LIST]) == read(LIST)


def test_they_are_written_as_a_list_in_the_order_of_their_fields() -> None:
    values = {5: "red", 3: None}

    assert written(values) == [{"field_id": 3, "value": None}, {"field_id": 5, "value": "red"}]
    assert read(written(values)) == values
