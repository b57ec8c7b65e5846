"""What is read from answers, proper ones and others."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cirqll_client import responses
from cirqll_client.responses import RateLimit, Unreadable

read_rows = partial(responses.plain_rows, bookmark_field="updated_at", key_without_id=None)


def page(body: str | bytes) -> responses.Page:
    content = body.encode() if isinstance(body, str) else body
    return responses.page(content, headers={}, read_rows=read_rows)


def test_a_page_tells_its_rows_its_limit_and_its_total() -> None:
    got = page('{"data": [{"id": 7, "updated_at": "2025-01-01"}], "limit": 100, "total": 2}')
    assert (len(got), got.limit, got.total, got.is_whole) == (1, 100, 2, False)
    assert (got.rows.ids, got.rows.times) == ([7], ["2025-01-01"])


@pytest.mark.parametrize("odd", ["-1", '"100"', "1.5", "null", "true"])
def test_a_limit_that_is_no_count_is_as_if_it_were_missing(odd: str) -> None:
    got = page(f'{{"data": [], "limit": {odd}, "total": {odd}}}')
    assert (got.limit, got.total) == (None, None)


@pytest.mark.parametrize("body", ['[{"id": 1}]', '{"id": 1}', '{"data": {"id": 1}}'])
def test_rows_without_an_envelope_are_all_there_is(body: str) -> None:
    got = page(body)
    assert got.is_whole
    assert got.rows.rows == [{"id": 1}]


def test_numbers_keep_every_digit() -> None:
    (row,) = page('{"data": [{"price": 12345678901234567.89}]}').rows.rows
    assert row["price"] == Decimal("12345678901234567.89")


def test_json_that_only_php_writes_is_read() -> None:
    (row,) = page(b'{"data": [{"name": "\\ud83d", "text": "\xff"}]}').rows.rows
    assert row == {"name": "\ud83d", "text": "\ufffd"}


@pytest.mark.parametrize(
    ("body", "words", "is_cut_short"),
    [
        ("", "it is empty", False),
        (" \n", "it is empty", False),
        ("<html>", "it is a web page", False),
        ("Not found", "it is no whole JSON", False),
        ('{"data": [{"id": 1', "it is no whole JSON", True),
        ("[1, 2", "it is no whole JSON", True),
        ("[" * 100_000, "it is no whole JSON", True),
    ],
    ids=["empty", "blank", "html", "text", "object", "list", "deep"],
)
def test_a_body_that_is_no_json_says_why(body: str, words: str, *, is_cut_short: bool) -> None:
    with pytest.raises(Unreadable, match=words) as caught:
        page(body)
    assert caught.value.is_cut_short is is_cut_short


@given(body=st.binary(max_size=60))
def test_no_body_does_worse_than_being_unreadable(body: bytes) -> None:
    try:
        page(body)
    except Unreadable:
        assert responses.reason(body) is not None


@given(body=st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8")))
def test_the_reason_of_any_error_is_one_line(body: bytes) -> None:
    assert "\n" not in responses.reason(body)


def test_the_budget_is_read_from_the_headers() -> None:
    headers = {"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": " 0 ", "Retry-After": "5"}
    assert responses.rate_limit(headers) == RateLimit(60, 0, 5)


@pytest.mark.parametrize("odd", ["", "-1", "1.5", "soon", "9" * 5000, "\u00b2"])
def test_a_header_that_is_no_count_is_as_if_it_were_missing(odd: str) -> None:
    headers = dict.fromkeys(("X-RateLimit-Limit", "X-RateLimit-Remaining", "Retry-After"), odd)
    assert responses.rate_limit(headers) == RateLimit()


def test_a_date_in_retry_after_needs_the_date_of_the_answer() -> None:
    then = "Sat, 22 Nov 2025 10:00:40 GMT"
    now = {"Date": "Sat, 22 Nov 2025 10:00:00 GMT"}
    assert responses.rate_limit({"Retry-After": then, **now}).retry_after_seconds == 40
    assert responses.rate_limit({"Retry-After": then}).retry_after_seconds is None


@pytest.mark.parametrize("text", ["Sat, 22 Nov 2025 10:00:40 GMT", "Sat, 22 Nov 2025 10:00:40"])
def test_the_time_of_the_server_is_in_utc(text: str) -> None:
    expected = datetime(2025, 11, 22, 10, 0, 40, tzinfo=UTC)
    assert responses.server_time({"Date": text}) == expected


@pytest.mark.parametrize("headers", [{}, {"Date": ""}, {"Date": "yesterday"}], ids=str)
def test_a_server_without_a_clock_tells_no_time(headers: dict[str, str]) -> None:
    assert responses.server_time(headers) is None


@pytest.mark.parametrize("body", [b'{"id": 1}', b'{"data": {"id": 1}}'])
def test_a_record_comes_bare_or_in_data(body: bytes) -> None:
    assert responses.record(body) == {"id": 1}


def test_a_list_is_no_record() -> None:
    with pytest.raises(Unreadable):
        responses.record(b"[]")


@pytest.mark.parametrize("body", [b'{"id": 1}', b'{"data": {"id": 1, "name": "A"}}'])
def test_a_new_record_tells_its_id(body: bytes) -> None:
    assert responses.new_record(body)["id"] == 1


@pytest.mark.parametrize("body", [b"{}", b'{"id": "1"}', b'{"id": true}', b'{"id": 1.0}', b"[]"])
def test_a_new_record_without_an_id_cannot_be_read(body: bytes) -> None:
    with pytest.raises(Unreadable):
        responses.new_record(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(value=st.dictionaries(st.text(), json_values, max_size=3))
@example(
    value={"price": Decimal("1E+2"), "big": 10**400, "half": "\ud83d", "small": Decimal("0E-9")}
)
def test_what_is_written_is_read_back_exactly(value: dict[str, Any]) -> None:
    text = responses.encoded(value)
    assert text.isascii()
    assert responses.decoded(text) == value


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_a_number_that_json_does_not_have_is_not_written(text: str) -> None:
    with pytest.raises(ValueError, match=r"NaN|JSON"):
        responses.encoded({"price": [Decimal(text)]})
