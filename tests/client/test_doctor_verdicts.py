"""What answers prove: never a yes without proof, and a no where the answers contradict."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.cli.doctor import access_checks, zones
from cirqll_client.cli.doctor.answers import Failed, Listing
from cirqll_client.cli.doctor.asking import Enough, Meter
from cirqll_client.cli.doctor.evidence import Evidence
from cirqll_client.cli.doctor.fields import fields_seen, type_of
from cirqll_client.cli.doctor.honesty import Row, filter_verdict, order_verdict, threshold
from cirqll_client.cli.doctor.page_sizes import Asked, limit_truth, page_maximum, total_truth
from cirqll_client.cli.doctor.shapes import field_values_shape, relation_doing, show_doing
from cirqll_client.resources import resource_of_stream
from cirqll_client.timestamps import Timestamps

if TYPE_CHECKING:
    from cirqll_client.cli.doctor.page_sizes import Truth

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
keys = st.lists(st.integers(0, 6), max_size=12)
page_sizes = st.integers(1, 8)


def table(of: list[int], *, shuffled: Any) -> list[Row]:
    """Rows with these keys, in the server's own order."""
    rows = [Row(number, key) for number, key in enumerate(of, start=1)]
    return [rows[index] for index in shuffled.draw(st.permutations(range(len(rows))))]


@given(of=keys, size=page_sizes, data=st.data())
def test_a_server_that_ignores_the_order_is_never_said_to_honour_it(
    of: list[int], size: int, data: Any
) -> None:
    own = table(of, shuffled=data)
    assert order_verdict(own[:size], own[:size]).honesty != "honoured"


@given(of=keys, size=page_sizes, data=st.data())
def test_a_server_that_honours_the_order_is_never_said_to_ignore_it(
    of: list[int], size: int, data: Any
) -> None:
    rows = sorted(table(of, shuffled=data), key=lambda row: row.key)
    came = order_verdict(rows[::-1][:size], rows[:size]).honesty
    assert came in {"honoured", "unknown"}
    if len(set(of)) > 1 and size >= len(of):
        assert came == "honoured"


@given(of=keys, size=page_sizes, data=st.data())
def test_a_server_that_ignores_the_filter_is_never_said_to_honour_it(
    of: list[int], size: int, data: Any
) -> None:
    own = table(of, shuffled=data)
    known = own[:size]
    behind = threshold(known)
    if behind is not None:
        verdict = filter_verdict(own[:size], behind=behind, known=known, page_rows=size)
        assert verdict.honesty == "ignored"


@given(of=keys, size=page_sizes, data=st.data())
def test_a_server_that_honours_the_filter_is_never_said_to_ignore_it(
    of: list[int], size: int, data: Any
) -> None:
    own = table(of, shuffled=data)
    known = own[:size]
    behind = threshold(known)
    if behind is not None:
        came = sorted((row for row in own if row.key > behind.key), key=lambda row: row.key)
        verdict = filter_verdict(came[:size], behind=behind, known=known, page_rows=size)
        assert verdict.honesty in {"honoured", "unknown"}


@given(of=keys)
def test_some_rows_lie_behind_the_mark_and_some_do_not(of: list[int]) -> None:
    rows = [Row(number, key) for number, key in enumerate(of)]
    mark = threshold(rows)
    assert (mark is None) is (len(set(of)) < 2)
    if mark:
        assert mark in rows
        later = {row.key for row in rows if row.key > mark.key}
        assert len(later) >= min(2, len(set(of)) - 1)


def test_an_empty_answer_to_a_filter_is_no_proof() -> None:
    known = [Row(1, "a"), Row(2, "b")]
    verdict = filter_verdict([], behind=known[0], known=known, page_rows=100)
    assert verdict.honesty == "ignored"


def test_a_full_page_in_any_order_may_be_chance() -> None:
    known = [Row(1, 1), Row(2, 2), Row(3, 3)]
    came = [Row(3, 3), Row(2, 2)]
    assert filter_verdict(came, behind=known[0], known=known, page_rows=2).honesty == "unknown"
    came.reverse()
    assert filter_verdict(came, behind=known[0], known=known, page_rows=2).honesty == "honoured"


def test_a_filter_that_compares_only_the_day_is_noticed() -> None:
    known = [Row(1, "2026-05-01 10"), Row(2, "2026-05-01 12"), Row(3, "2026-05-02 10")]
    verdict = filter_verdict(known[2:], behind=known[0], known=known, page_rows=100)
    assert verdict.honesty == "ignored"


@pytest.mark.parametrize(
    ("came", "there", "expected"),
    [
        ((1001, 1001, 5000), 0, ("obeyed", 1001)),
        ((500, 500, 5000), 0, ("capped", 500)),
        ((500, 1001, 5000), 0, ("capped_silently", 500)),
        ((500, None, None), 501, ("capped_silently", 500)),
        ((500, 1001, 500), 501, ("capped_silently", 500)),
        ((500, 700, 5000), 0, ("capped_silently", 500)),
        ((70, 500, 70), 70, ("capped", 500)),
        ((70, 1001, 70), 70, ("not_reached", 1001)),
        ((70, 50, 70), 70, ("not_reached", 1001)),
    ],
)  # fmt: skip
def test_the_largest_page_is_what_came(
    came: tuple[int, int | None, int | None], there: int, expected: tuple[str, int]
) -> None:
    rows, limit, total = came
    page = Listing([{"id": n} for n in range(rows)], limit, total)
    found = page_maximum([(1001, page)], there=there)
    assert (found.enforcement, found.rows) == expected


def test_a_page_that_was_refused_for_another_reason_says_nothing_of_pages() -> None:
    assert page_maximum([(1001, Failed("failing", 500))], there=9).enforcement == "unknown"


@pytest.mark.parametrize(
    ("rows", "limit", "there", "truth"),
    [(100, 100, 150, "true"), (40, 100, 150, "wrong"), (100, 40, 150, "wrong"),
     (30, 100, 30, "unknown"), (30, None, 30, "missing")],
)  # fmt: skip
def test_the_limit_that_is_told_is_held_against_the_rows(
    rows: int, limit: int | None, there: int, truth: Truth
) -> None:
    asked = Asked(Listing([{}] * rows, limit, there), None, there=there)
    assert limit_truth([asked]) == truth


@pytest.mark.parametrize(
    ("rows", "total", "there", "truth"),
    [(100, 150, 100, "true"), (100, 100, 150, "wrong"), (100, 100, 100, "unknown"),
     (100, None, 100, "missing"), (100, 20, 100, "wrong")],
)  # fmt: skip
def test_the_total_is_held_against_the_rows(
    rows: int, total: int | None, there: int, truth: Truth
) -> None:
    asked = Asked(Listing([{}] * rows, 100, total), None, there=there)
    assert total_truth([asked]) == truth
    assert total_truth([asked, replace(asked, listing=Listing([{}], 1, 0))]) == "wrong"


@pytest.mark.parametrize(
    ("values", "shape"),
    [({"data": [{}]}, "page"), ({"data": []}, "page"), ([{}], "list"), ({"3": "x"}, "map"),
     ([], "none"), ({}, "none"), (None, "none")],
)  # fmt: skip
def test_the_shape_of_values_is_told_where_there_are_some(values: Any, shape: str) -> None:
    rows: list[dict[str, Any]] = [{"id": 1, "field_values": []}]
    came = Listing([*rows, {"id": 2, "field_values": values}])
    assert field_values_shape(came) == shape


def test_what_was_asked_for_and_did_not_come_is_ignored() -> None:
    came = Listing([{"id": 1, "name": "x"}])
    assert field_values_shape(came) == "ignored"
    assert relation_doing(came, ["user"], known=["id"]) == "ignored"
    assert show_doing(came, ["id"], known=["id", "name"]) == "ignored"


def test_what_came_is_no_proof_where_it_would_have_come_anyway() -> None:
    came = Listing([{"id": 1, "name": "x", "user": {}}])
    assert relation_doing(came, ["user"], known=["id"]) == "honoured"
    assert relation_doing(came, ["user"], known=["id", "user"]) == "unknown"
    assert show_doing(came, came.rows[0], known=["id", "email"]) == "honoured"
    assert show_doing(came, came.rows[0], known=["id"]) == "unknown"
    assert show_doing(Listing([]), ["id"], known=["email"]) == "unknown"


ZONES = {
    "UTC": Timestamps(UTC),
    "Europe/Amsterdam": Timestamps(timezone(timedelta(hours=2))),
}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [("2026-06-01 13:59:00", ("UTC",)), ("2026-06-01 12:01:00", ()), ("2026-06-01 08:00:00", ()),
     ("2026-06-01 18:00:00", ()), ("no time", ())],
)  # fmt: skip
def test_a_zone_is_proven_wrong_by_the_future_only(text: str, wrong: tuple[str, ...]) -> None:
    assert zones.proven_wrong(zones.Newest(text, NOON), ZONES) == wrong


def test_clocks_are_compared_where_they_are_closest() -> None:
    heard = [(NOON + timedelta(hours=1), NOON), (NOON - timedelta(seconds=3), NOON), (None, NOON)]
    assert zones.clock_difference(heard) == timedelta(seconds=-3)
    assert zones.clock_difference([(None, NOON)]) is None


@pytest.mark.parametrize(
    ("value", "name"),
    [(None, "null"), (True, "boolean"), (1, "integer"), (Decimal("1.5"), "number"), ("x", "text"),
     ("2026-06-01", "date"), ("2026-06-01 12:00:00", "time"), ("2026-06-01T12:00:00Z", "time"),
     ("0000-00-00 00:00:00", "zero date"), ({}, "object"), ([], "list")],
)  # fmt: skip
def test_types_are_named_for_people(value: Any, name: str) -> None:
    assert type_of(value) == name


def test_fields_are_held_against_the_documentation() -> None:
    contracts = resource_of_stream("contracts")
    assert contracts
    rows: list[dict[str, Any]] = [
        {"id": 1, "price": Decimal("1.5"), "name": None},
        {"id": 1, "price": True},
    ]
    seen = fields_seen(contracts, [*rows, {"id": None, "end_date": "0000-00-00 00:00:00"}])
    assert seen.rows == 2
    assert {one.name: one.contradiction for one in seen.contradicting} == {
        "id": "null in place of integer",
        "price": "boolean in place of number",
    }
    assert "start_date" in seen.missing
    assert "end_date" not in seen.missing


def test_nothing_is_missing_where_no_record_came() -> None:
    users = resource_of_stream("users")
    assert users
    assert fields_seen(users, []).missing == ()
    assert "password" not in fields_seen(users, [{"id": 1}]).missing


@pytest.mark.parametrize(("seconds", "state"), [(0.1, "good"), (3.0, "warning")])
def test_a_slow_server_is_told(seconds: float, state: str) -> None:
    evidence = Evidence("https://api.example", "default", "UTC", seconds=[0.1, seconds, seconds])
    assert access_checks.reach(evidence).state == state


def test_waits_are_spent_before_a_question_and_once_in_it() -> None:
    slept: list[float] = []
    meter = Meter(60, sleep=slept.append)
    meter.begin()
    meter.pause(40)
    meter.tries = 1
    meter.pause(1)
    meter.tries = 2
    with pytest.raises(Enough):
        meter.pause(2)
    assert slept == [40, 1]
