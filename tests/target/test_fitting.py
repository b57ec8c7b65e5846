"""Values fitted to the fields of the API: what it takes, as it writes it, and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.kinds import kind_of
from cirqll_client.resources import RESOURCES, Resource, parent_of, resource_of_stream
from cirqll_client.timestamps import Timestamps
from target_cirqll.conversions import Misfit
from target_cirqll.fitting import fitted, missing_for_create
from target_cirqll.values import canonical
from tests.tap.odd_json import numbers, times, words

AMSTERDAM = Timestamps(ZoneInfo("Europe/Amsterdam"))
INTEGER: dict[str, Any] = {"type": ["integer", "null"]}
PERCENTAGE = {**INTEGER, "minimum": 0, "maximum": 100}
NUMBER: dict[str, Any] = {"type": ["number", "null"]}
PRICE = {**NUMBER, "minimum": 0}
BOOLEAN: dict[str, Any] = {"type": ["boolean", "null"]}
TEXT: dict[str, Any] = {"type": ["string", "null"]}
SHORT = {**TEXT, "maxLength": 5}
TIME = {**TEXT, "format": "date-time"}
JSON: dict[str, Any] = {"type": ["object", "array", "string", "number", "boolean", "null"]}
OBJECT: dict[str, Any] = {"type": ["object", "null"]}
ARRAY: dict[str, Any] = {"type": ["array", "null"]}
FAR_EAST = timezone(timedelta(hours=9))


def fit(value: Any, schema: dict[str, Any]) -> Any:
    return fitted(value, schema, timestamps=AMSTERDAM)


@pytest.mark.parametrize(
    ("schema", "value", "fits"),
    [
        (INTEGER, Decimal("7.0"), 7),
        (INTEGER, " 7 ", 7),
        (INTEGER, 7.0, 7),
        (INTEGER, "", None),
        (PERCENTAGE, 100, 100),
        (NUMBER, 12.1, Decimal("12.1")),
        (NUMBER, "0.10", Decimal("0.10")),
        (NUMBER, Decimal("12.50"), Decimal("12.50")),
        (NUMBER, 2**70, Decimal(2**70)),
        (BOOLEAN, "t", True),
        (BOOLEAN, "False", False),
        (BOOLEAN, 0, False),
        (BOOLEAN, " ", None),
        (TEXT, " as it is\r\n", " as it is\r\n"),
        (TEXT, "", ""),
        (TEXT, 31612345678, "31612345678"),
        (TEXT, Decimal("31612345678.0"), "31612345678"),
        (TEXT, Decimal("1E+3"), "1000"),
        (TEXT, Decimal("12.50"), "12.50"),
        (SHORT, "ééééé", "ééééé"),
        (TIME, "2025-01-01T12:00:00Z", "2025-01-01 13:00:00"),
        (TIME, "2025-01-01 12:00:00", "2025-01-01 12:00:00"),
        (TIME, "2025-01-01T12:00:00.999", "2025-01-01 12:00:00"),
        (TIME, "2024-05-18", "2024-05-18 00:00:00"),
        (TIME, date(2024, 5, 18), "2024-05-18 00:00:00"),
        (TIME, datetime(2025, 1, 1, 12, 0, 0, 5, tzinfo=UTC), "2025-01-01 13:00:00"),
        (TIME, datetime(2025, 1, 1, 12, tzinfo=FAR_EAST), "2025-01-01 04:00:00"),
        (TIME, datetime(2025, 1, 1, 12), "2025-01-01 12:00:00"),  # noqa: DTZ001 - without a zone
        (TIME, "0000-00-00 00:00:00", None),
        (TIME, "9999-12-31 23:59:59", "9999-12-31 23:59:59"),
        (JSON, '{"city": "Zwolle"}', '{"city": "Zwolle"}'),
        (JSON, {"a": [0.1, None, True]}, {"a": [Decimal("0.1"), None, True]}),
        (OBJECT, {"a": 1}, {"a": 1}),
        (ARRAY, ["a"], ["a"]),
    ],
)
def test_a_value_is_written_as_the_api_writes_it(
    schema: dict[str, Any], value: Any, fits: Any
) -> None:
    result = fit(value, schema)

    assert (result, type(result)) == (fits, type(fits))


@pytest.mark.parametrize(
    "schema", [INTEGER, PERCENTAGE, NUMBER, BOOLEAN, TEXT, SHORT, TIME, JSON, OBJECT, ARRAY]
)
def test_null_fits_everywhere(schema: dict[str, Any]) -> None:
    assert fit(None, schema) is None


@pytest.mark.parametrize(
    ("schema", "value", "reason"),
    [
        (INTEGER, True, "it is no whole number"),
        (INTEGER, "seven", "it is no whole number"),
        (INTEGER, "1_000", "it is no whole number"),
        (INTEGER, "\u0667", "it is no whole number"),
        (INTEGER, Decimal("7.5"), "it is no whole number of at most 64 bits"),
        (INTEGER, 2**63, "it is no whole number of at most 64 bits"),
        (INTEGER, "1e9999", "it is no whole number of at most 64 bits"),
        (PERCENTAGE, 101, "it is not between 0 and 100"),
        (PERCENTAGE, "-1", "it is not between 0 and 100"),
        (PRICE, Decimal("-0.01"), "it is less than 0"),
        ({**NUMBER, "maximum": 5}, 6, "it is more than 5"),
        (NUMBER, "12,50", "it is no number"),
        (NUMBER, False, "it is no number"),
        (NUMBER, Decimal("NaN"), "it is no number"),
        (NUMBER, float("inf"), "it is no number"),
        (NUMBER, Decimal("1E+10000"), "it has more digits than a number can have"),
        (NUMBER, Decimal("1E-10001"), "it has more digits than a number can have"),
        (BOOLEAN, "yes", "it is neither true nor false"),
        (BOOLEAN, 2, "it is neither true nor false"),
        (BOOLEAN, Decimal("sNaN"), "it is neither true nor false"),
        (TEXT, True, "it is no text"),
        (TEXT, {"a": 1}, "it is no text"),
        (TEXT, "a\0b", "it holds a character that no database takes"),
        (TEXT, "\ud83d", "it holds a character that no database takes"),
        (SHORT, "sixsix", "it is longer than the 5 characters that fit"),
        (TIME, "soon", "it is no time"),
        (TIME, "2024-02-30", "it is no time"),
        (TIME, 1715000000, "it is no time"),
        (TIME, "9999-12-31T23:30:00Z", "it is no time"),
        (TIME, datetime.max.replace(tzinfo=UTC), "it is no time"),
        (JSON, {"a": float("nan")}, "it is no JSON"),
        (JSON, {1: "a"}, "it is no JSON"),
        (JSON, {"\0": "a"}, "it holds a character that no database takes"),
        (OBJECT, "{}", "it is no object"),
        (ARRAY, {}, "it is no list"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_the_reason(
    schema: dict[str, Any], value: Any, reason: str
) -> None:
    with pytest.raises(Misfit) as refusal:
        fit(value, schema)

    assert refusal.value.reason == reason


def test_what_is_nested_too_deep_is_refused() -> None:
    deep: Any = "x"
    for _ in range(50):
        deep = [{"a": deep}]

    assert fit(deep, JSON) == deep
    with pytest.raises(Misfit, match="deeper than 100 levels"):
        fit([deep], JSON)


@given(
    value=numbers | times | words | st.integers() | st.booleans() | st.floats() | st.decimals(),
    schema=st.sampled_from([PERCENTAGE, PRICE, NUMBER, BOOLEAN, SHORT, TEXT, TIME, JSON]),
)
def test_fitting_changes_no_meaning_and_never_the_second_time(
    value: Any, schema: dict[str, Any]
) -> None:
    try:
        fits = fit(value, schema)
    except Misfit:
        return

    kind = kind_of(schema)
    assert canonical(fits, kind, AMSTERDAM) == canonical(value, kind, AMSTERDAM)
    assert fit(fits, schema) == fits


def resource(stream: str) -> Resource:
    found = resource_of_stream(stream)
    assert found
    return found


def test_what_a_create_needs_and_lacks_is_named() -> None:
    users = resource("users")

    assert missing_for_create(users, {"name": "Jo", "email": "jo@example.test"}) is None
    assert missing_for_create(users, {"name": " ", "email": "jo@example.test"}) == "name"
    assert missing_for_create(users, {"name": "Jo", "email": None}) == "email"
    assert missing_for_create(users, {"name": "Jo"}) == "email"
    assert missing_for_create(resource("contacts"), {}) is None


def test_what_a_create_needs_can_be_written() -> None:
    for one in RESOURCES:
        properties = one.schema["properties"]
        assert not [name for name in one.required if properties[name].get("readOnly")]


@pytest.mark.parametrize(
    ("name", "parent"),
    [
        ("customer_id", "customer"),
        ("user_id", "user"),
        ("company_id", None),
        ("import_id", None),
        ("id", None),
        ("customer", None),
    ],
)
def test_an_id_names_the_resource_it_refers_to(name: str, parent: str | None) -> None:
    found = parent_of(name)

    assert (found.name if found else None) == parent
