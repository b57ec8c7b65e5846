"""The kind of column that values give to a field nobody documented."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.connection import timestamps_in
from cirqll_client.kinds import Kind
from cirqll_client.responses import decoded
from tap_cirqll.columns import Misfit, fitted
from tap_cirqll.inference import kind_for
from tests.tap.odd_json import values

AMSTERDAM = timestamps_in("Europe/Amsterdam")
TIME, DAY, ZERO = "2026-07-01 12:00:00", "2026-07-01", "0000-00-00 00:00:00"


def kind(*some: Any, name: str = "loyalty") -> Kind | None:
    return kind_for(name, some, AMSTERDAM)


@pytest.mark.parametrize(
    ("some", "expected"),
    [
        ([], None),
        ([None, None], None),
        ([1, None], Kind.NUMBER),
        ([1, Decimal("1.10")], Kind.NUMBER),
        ([True, False, None], Kind.BOOLEAN),
        ([True, 1], Kind.JSON),
        (["a", ""], Kind.STRING),
        ([""], Kind.STRING),
        ([TIME, None, "2026-07-01T12:00:00+02:00"], Kind.TIME),
        ([DAY, "2024-02-29"], Kind.DATE),
        ([DAY, TIME], Kind.TIME),
        ([DAY, "2026-02-30"], Kind.STRING),
        (["2026-02-30"], Kind.STRING),
        ([TIME, "soon"], Kind.STRING),
        (["12", "12.5"], Kind.STRING),
        ([{"a": 1}], Kind.JSON),
        ([[1], {"a": 1}], Kind.JSON),
        ([[]], Kind.JSON),
        ([1, "1"], Kind.JSON),
        (["a", {"a": 1}], Kind.JSON),
    ],
)
def test_a_kind_is_the_widest_that_the_values_look_like(
    some: list[Any], expected: Kind | None
) -> None:
    assert kind(*some) is expected
    assert kind(*reversed(some)) is expected


@pytest.mark.parametrize(
    ("some", "expected"),
    [
        ([ZERO], Kind.STRING),
        (["0000-00-00"], Kind.STRING),
        ([ZERO, TIME], Kind.TIME),
        (["0000-00-00", DAY], Kind.DATE),
        ([ZERO, DAY], Kind.DATE),
        ([ZERO, "soon"], Kind.STRING),
    ],
)
def test_a_zero_date_says_nothing_where_others_speak(some: list[str], expected: Kind) -> None:
    assert kind(*some) is expected


@pytest.mark.parametrize("name", ["branch_id", "BRANCH_ID", "deals_count"])
def test_what_is_called_an_id_or_a_count_is_whole(name: str) -> None:
    assert kind(5, None, name=name) is Kind.INTEGER
    assert kind("5", name=name) is Kind.STRING
    assert kind(Decimal("5.5"), name=name) is Kind.NUMBER


@pytest.mark.parametrize("name", ["id", "_id", "paid", "count", "discount", "idea_idx", "x_ids"])
def test_what_only_looks_so_is_a_number(name: str) -> None:
    assert kind(5, name=name) is Kind.NUMBER


def test_whole_numbers_and_decimals_of_an_id_agree_on_a_number() -> None:
    assert kind(5, Decimal("5.5"), name="branch_id") is Kind.NUMBER
    assert kind(5, "5", name="branch_id") is Kind.JSON


@given(st.lists(values, max_size=4))
def test_nothing_that_came_disagrees_with_its_kind(some: list[str]) -> None:
    """Only what no database takes, or a zero date, may be kept apart already on the first page."""
    came = [decoded(value.encode()) for value in some]

    chosen = kind_for("loyalty", came, AMSTERDAM)

    for value in came:
        if chosen is not None and not is_odd(value):
            fitted(value, chosen, AMSTERDAM)
    assert (chosen is None) is all(value is None for value in came)


def is_odd(value: Any) -> bool:
    """Tell whether even a column of JSON does not take it as it is."""
    try:
        fitted(value, Kind.JSON, AMSTERDAM)
    except Misfit:
        return True
    return isinstance(value, str) and value.startswith("0000-00-00")


@given(st.permutations([1, "a", None, True, DAY, {"a": json.dumps(1)}]), st.integers(0, 6))
def test_the_order_of_values_makes_no_difference(some: list[Any], number: int) -> None:
    assert kind(*some[:number]) is kind(*sorted(some[:number], key=repr))
