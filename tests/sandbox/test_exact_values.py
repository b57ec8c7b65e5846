"""Values leave the sandbox exactly as they were put in, however odd."""

from __future__ import annotations

import copy
import json
import pickle
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_sandbox import SpelledNumber
from cirqll_sandbox.exact_json import dumps, loads

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox
    from tests.sandbox.conftest import Client

ODD = {
    "price": "text in a number",
    "description": 'emoji 🌷, "quotes", NUL \0, lone \ud83d, tab \t, line\r\nline, / and \\ and é',
    "reminder_date": "0000-00-00 00:00:00",
    "nested": {"list": [1, None, True, {"deep": ""}], "empty": {}},
    "": "a field without a name",
}


@pytest.mark.parametrize(
    ("value", "digits"),
    [
        (Decimal("12345678901234567.89"), "12345678901234567.89"), (0.1, "0.1"),
        (2**70, str(2**70)),
        (Decimal("100.00"), "100.00"), (SpelledNumber("1e400"), "1e400"), (True, "true"),
        (SpelledNumber("-0.0"), "-0.0"), (1e22, "1e+22"), (Decimal("1e-7"), "1E-7"),
    ],
)  # fmt: skip
def test_a_number_keeps_its_digits(sandbox: Sandbox, api: Client, value: Any, digits: str) -> None:
    sandbox.rows("contract").insert(price=value)
    for parameters in ({}, {"show": "price"}):
        assert f'"price":{digits}' in api.get("/api/contract/1", **parameters).text
    assert sandbox.rows("contract").all()[0]["price"] == value


def test_a_number_that_comes_over_http_keeps_its_digits(sandbox: Sandbox, api: Client) -> None:
    body = '{"name": "a", "start_date": "2025-01-01", "price": 12345678901234567.890}'
    created = api.send("POST", "/api/contract", data=body)
    assert '"price":12345678901234567.890,' in created.text

    inserted = api.send("POST", "/_sandbox/rows/contract", data='{"price": 1e400, "odd": 0.10}')
    assert '"price":1e400,' in inserted.text
    assert '"odd":0.10' in api.get("/api/contract/2").text
    assert sandbox.rows("contract").all()[1]["odd"] == Decimal("0.1")


def test_odd_texts_and_nested_values_come_through(sandbox: Sandbox, api: Client) -> None:
    sandbox.rows("contract").insert(**ODD)
    row = json.loads(api.get("/api/contract/1").text)
    assert {name: row[name] for name in ODD} == ODD
    assert api.ids("/api/contract", order_by="price,reminder_date,nested") == [1]


def test_what_goes_in_and_comes_out_is_a_copy(sandbox: Sandbox) -> None:
    table, labels = sandbox.rows("customer"), ["a"]
    returned = table.insert(labels=labels)
    labels.append("b")
    returned["labels"].append("c")
    table.all()[0]["labels"].append("d")
    assert table.all()[0]["labels"] == ["a"]


def test_a_spelled_number_stays_spelled_when_it_is_copied() -> None:
    number = SpelledNumber("1e400")
    assert number == Decimal("1e400")
    for twin in (copy.copy(number), copy.deepcopy(number), pickle.loads(pickle.dumps(number))):  # noqa: S301
        assert repr(twin) == "SpelledNumber('1e400')"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)  # fmt: skip


@given(JSON)
def test_json_that_is_written_and_read_is_the_same(value: Any) -> None:
    text = dumps(value)
    assert loads(text) == json.loads(text, parse_float=Decimal)
    assert dumps(loads(text)) == text
