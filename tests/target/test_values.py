"""Values compared: all that mean the same in the API have one text, whatever form they came in."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cirqll_client.kinds import Kind
from cirqll_client.timestamps import Timestamps
from tap_cirqll import columns
from target_cirqll.conversions import Misfit, rule_for
from target_cirqll.values import canonical, digest, folded
from tests.tap.odd_json import numbers, times, values

AMSTERDAM = Timestamps(ZoneInfo("Europe/Amsterdam"))
SAME = [
    (Kind.NUMBER, [12.5, Decimal("12.50"), "12.5", " 1.25E1 ", Decimal("1.25E+1"), "+012.500"]),
    (Kind.NUMBER, [0, "-0", Decimal("-0.00"), 0.0, Decimal("0E5")]),
    (Kind.NUMBER, [100, "1e2", Decimal("1E+2"), 100.0]),
    (Kind.INTEGER, [7, "7", Decimal("7.0"), "7.00", 7.0]),
    (Kind.BOOLEAN, [True, 1, "1", "true", "T", Decimal(1)]),
    (Kind.BOOLEAN, [False, 0, "0", "FALSE", "f"]),
    (Kind.STRING, ["Jansen", " Jansen\t", "Jansen\u200b", "\ufeffJansen\r\n"]),
    (Kind.STRING, ["one\ntwo", "one\r\ntwo"]),
    (Kind.STRING, ["612345678", 612345678, Decimal(612345678), Decimal("612345678.0")]),
    (
        Kind.TIME,
        [
            "2025-07-01 14:00:00",
            "2025-07-01T14:00:00",
            "2025-07-01T12:00:00Z",
            "2025-07-01T12:00:00.900Z",
            "2025-07-01 08:00:00-0400",
            datetime(2025, 7, 1, 12, tzinfo=UTC),
            datetime(2025, 7, 1, 14),  # noqa: DTZ001 - a time of the API's zone
        ],
    ),
    (Kind.TIME, ["2024-05-18", "2024-05-18 00:00:00", date(2024, 5, 18), "2024-05-17T22:00:00Z"]),
    (Kind.JSON, [{"a": 1, "b": [1.50]}, {"b": [Decimal("1.5")], "a": Decimal("1.0")}]),
    (Kind.JSON, [{"a": "x", "b": None}, {"b": " ", "a": " x"}, '{"b": null, "a": "x"}']),
    (Kind.JSON, [{}, [], "{}", "[ ]"]),
    *(
        (kind, [None, "", " \t", "\u200b \u200b"])
        for kind in (Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN, Kind.STRING, Kind.TIME, Kind.JSON)
    ),
    (Kind.TIME, [None, "0000-00-00 00:00:00", "0000-00-00", "0000-00-00T00:00:00Z"]),
]
DIFFERENT = [
    (Kind.NUMBER, [None, 0, 12.5, "12.51", "12,5", "many", True, [12.5], Decimal("NaN"), "1e-30"]),
    (Kind.NUMBER, [Decimal("Infinity"), Decimal("sNaN"), Decimal("1E+99999999"), 10**50]),
    (Kind.INTEGER, [None, 0, 1, True, 7.5, 2**70, "seven", {"id": 7}, "\x00"]),
    (Kind.BOOLEAN, [None, True, False, 2, "yes", [], Decimal("sNaN")]),
    (Kind.STRING, [None, "a", "A", "a b", "a\nb", "\x00", "a\x00", "\ud800", True, ["a"], "null"]),
    (Kind.TIME, [None, "2024-05-18", "2024-05-19", "soon", 20240518, "2024-02-30", True]),
    (Kind.TIME, ["9999-12-31T23:30:00Z", "9999-12-31 23:59:59", "0001-01-01 00:00:00"]),
    (Kind.JSON, [None, True, 1, "1", "true", [1], ["1"], {"a": 1}, {"a": True}, {"a": None}]),
    (Kind.JSON, ["{", "[1", '{"a": 1e999999999999999999999}', {"b": "\x00"}, [[]], "[NaN]"]),
]
kinds = st.sampled_from(Kind)
live = st.one_of(
    values.map(lambda text: json.loads(text, parse_float=Decimal)), numbers.map(Decimal), times
)
anything = st.one_of(
    live,
    numbers,
    st.floats(),
    st.datetimes(timezones=st.none() | st.just(UTC)),
    st.binary(),
)


def text_of(value: Any, kind: Kind) -> str | None:
    return canonical(value, kind, AMSTERDAM)


@pytest.mark.parametrize(("kind", "same"), SAME)
def test_all_forms_of_one_value_have_one_text(kind: Kind, same: list[Any]) -> None:
    assert len({text_of(value, kind) for value in same}) == 1


@pytest.mark.parametrize(("kind", "different"), DIFFERENT)
def test_no_two_values_share_a_text(kind: Kind, different: list[Any]) -> None:
    assert len({text_of(value, kind) for value in different}) == len(different)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Kind.NUMBER, Decimal("1E+2"), "100"),
        (Kind.NUMBER, Decimal("1.10"), "1.1"),
        (Kind.TIME, "2025-07-01T12:00:00.5Z", "2025-07-01 14:00:00"),
        (Kind.BOOLEAN, 1, "true"),
        (Kind.STRING, " Café ", "Café"),
        (Kind.JSON, {"b": "Café", "a": [1.50, None]}, '{"a":[1.5,null],"b":"Caf\\u00e9"}'),
    ],
)
def test_a_text_reads_like_its_value(kind: Kind, value: Any, text: str) -> None:
    assert text_of(value, kind) == text


def test_the_hour_that_autumn_repeats_is_no_endless_difference() -> None:
    there = "2025-10-26 02:30:00"

    both = ["2025-10-26T00:30:00Z", "2025-10-26T01:30:00Z"]

    assert {text_of(one, Kind.TIME) for one in [there, *both]} == {there}


def test_the_hour_that_spring_leaves_out_is_the_one_that_the_tap_tells() -> None:
    there = "2025-03-30 02:30:00"

    assert text_of(there, Kind.TIME) == text_of(AMSTERDAM.utc_text(there), Kind.TIME)


def converted(value: Any, kind: Kind) -> Any:
    """The value as a field of this kind holds it."""
    return None if value is None else rule_for(kind, AMSTERDAM)(value)


@given(value=anything, kind=kinds)
@example(value=Decimal("1E+999999999999999"), kind=Kind.STRING)
@example(value=10**5000, kind=Kind.NUMBER)
@example(value=[10**5000], kind=Kind.STRING)
@example(value=float("nan"), kind=Kind.JSON)
def test_a_value_that_fits_is_the_same_before_and_after(value: Any, kind: Kind) -> None:
    before = text_of(value, kind)

    try:
        fits = converted(value, kind)
    except Misfit:
        assert before is not None
        assert before.startswith("\0")
    else:
        assert before == text_of(fits, kind)
        assert not (before or "").startswith("\0")
    assert len(digest(before)) == 16


@given(value=live, kind=kinds)
@example(value="2025-03-30 02:30:00", kind=Kind.TIME)
@example(value="2025-10-26T01:30:00Z", kind=Kind.TIME)
def test_what_the_tap_hands_out_equals_what_it_read(value: Any, kind: Kind) -> None:
    try:
        emitted = columns.fitted(value, kind, AMSTERDAM)
        text = text_of(emitted, kind)
    except columns.Misfit:
        return

    assert text == text_of(value, kind)


@given(value=live, kind=kinds)
def test_what_the_tap_hands_out_can_be_written(value: Any, kind: Kind) -> None:
    try:
        emitted = columns.fitted(value, kind, AMSTERDAM)
    except columns.Misfit:
        return

    converted(emitted, kind)


def test_nesting_without_end_has_a_text_too() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    assert text_of(deep, Kind.JSON) not in {None, text_of([[]], Kind.JSON)}


def test_a_digest_is_the_same_in_every_process() -> None:
    program = "from target_cirqll.values import digest; print(digest('Jansen'), digest(None))"

    other = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert other.stdout.split() == [digest("Jansen"), digest(None)]
    assert digest("Jansen") != digest("jansen")


def test_keys_are_the_same_whatever_their_case() -> None:
    assert folded("Jansen@Example.TEST") == folded("jansen@example.test")
