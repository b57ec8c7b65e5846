"""What is read back may differ from what was written."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_sandbox import Behaviour
from cirqll_sandbox.cleaning import cleaned
from cirqll_sandbox.resources import RESOURCES
from cirqll_sandbox.stored_forms import stored_form

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox
    from tests.sandbox.conftest import Client

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(" a\t\u200b\u00a0", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=8,
)


def behave(sandbox: Sandbox, **options: Any) -> None:
    """Change some options."""
    sandbox.behaviour = replace(sandbox.behaviour, **options)


def written(api: Client, resource: str = "customer", **fields: Any) -> dict[str, Any]:
    """What an Update reads back, after a Create that must read back the same."""
    needed = {"name": "A", **fields}
    created = api.send("POST", f"/api/{resource}", json=needed)
    assert created.status_code == 201, created.text
    path = f"/api/{resource}/{created.json()['id']}"
    updated = api.send("PATCH", path, json=fields)
    assert updated.status_code == 200, updated.text
    assert updated.json() == created.json() == api.get(path).json()
    row: dict[str, Any] = updated.json()
    return row


@pytest.fixture(autouse=True)
def stopped(sandbox: Sandbox) -> None:
    """The clock stands still."""
    sandbox.clock.stop()


@pytest.mark.parametrize("trims", [True, False])
def test_blanks_around_a_text_are_left_out(api: Client, sandbox: Sandbox, *, trims: bool) -> None:
    behave(sandbox, trims_texts=trims)
    sent = " \t\u00a0Bakkerij  De Korenaar\u200b\n"
    assert written(api, name=sent)["name"] == ("Bakkerij  De Korenaar" if trims else sent)


@pytest.mark.parametrize(
    ("behaviour", "sent", "stored"),
    [
        ({}, "", None),
        ({}, "  ", None),
        ({"empty_texts_become_null": False}, "  ", ""),
        ({"trims_texts": False}, "", None),
        ({"trims_texts": False}, "  ", "  "),
        ({"trims_texts": False, "empty_texts_become_null": False}, "", ""),
    ],
)
def test_an_empty_text_becomes_null(
    api: Client, sandbox: Sandbox, behaviour: dict[str, bool], sent: str, stored: str | None
) -> None:
    behave(sandbox, **behaviour)
    assert written(api, description=sent)["description"] == stored


def test_a_required_text_of_blanks_only_is_missing(api: Client, sandbox: Sandbox) -> None:
    assert list(api.send("POST", "/api/customer", json={"name": "  "}).json()["errors"]) == ["name"]
    sandbox.rows("customer").insert(name="A")
    assert api.send("PATCH", "/api/customer/1", json={"name": "  "}).status_code == 422
    assert sandbox.rows("customer").all()[0]["name"] == "A"


def test_an_empty_text_is_no_date_unless_it_becomes_null(api: Client, sandbox: Sandbox) -> None:
    assert written(api, "task", deadline="")["deadline"] is None
    behave(sandbox, empty_texts_become_null=False)
    answer = api.send("POST", "/api/task", json={"name": "a", "deadline": ""})
    assert list(answer.json()["errors"]) == ["deadline"]


def test_the_values_of_custom_fields_are_trimmed_too(api: Client, sandbox: Sandbox) -> None:
    sandbox.rows("field").insert(name="Branche", type="text", model="customer")
    body = {"name": "a", "field_values": [{"field_id": 1, "value": " brood "}]}
    api.send("POST", "/api/customer", json=body)
    assert sandbox.rows("field_value").all()[0]["value"] == "brood"


def texts(value: Any) -> list[str]:
    """All texts in a value, at any depth."""
    if isinstance(value, (dict, list)):
        inner = value.values() if isinstance(value, dict) else value
        return [text for item in inner for text in texts(item)]
    return [value] if isinstance(value, str) else []


@given(JSON)
def test_cleaning_leaves_no_blanks_around_and_no_empty_text_at_any_depth(value: Any) -> None:
    once = cleaned(value, Behaviour())
    assert cleaned(once, Behaviour()) == once
    assert all(text and text == text.strip(" \t\u200b\u00a0") for text in texts(once))
    assert cleaned(value, Behaviour(trims_texts=False, empty_texts_become_null=False)) == value


def test_a_password_keeps_its_blanks() -> None:
    body = {"password": " not-a-secret ", "name": " a "}
    assert cleaned(body, Behaviour()) == {"password": " not-a-secret ", "name": "a"}


@pytest.mark.parametrize(
    ("places", "sent", "stored"),
    [
        (None, "12.345", "12.345"), (None, "12", "12"), (2, "12.345", "12.35"), (2, "12", "12.00"),
        (2, "-12.345", "-12.35"), (2, "12.344999", "12.34"), (0, "12.5", "13"),
        (2, "1e3", "1000.00"),
    ],
)  # fmt: skip
def test_a_price_is_stored_with_so_many_decimals(
    api: Client, sandbox: Sandbox, places: int | None, sent: str, stored: str
) -> None:
    behave(sandbox, price_places=places)
    body = f'{{"name": "a", "start_date": "2025-01-01", "price": {sent}}}'
    text = api.send("POST", "/api/contract", data=body).text
    assert f'"price":{stored},' in text
    assert f'"calculated_price":{stored},' in text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9))
def test_a_rounded_price_is_never_further_off_than_half_a_cent(price: Decimal) -> None:
    field = RESOURCES["contract"].by_name["price"]
    rounded = stored_form(price, field, Behaviour(price_places=2))
    assert abs(rounded - price) <= Decimal("0.005")
    assert rounded.as_tuple().exponent == -2


def test_a_price_beyond_every_column_is_not_valid(api: Client, sandbox: Sandbox) -> None:
    behave(sandbox, price_places=2)
    answer = api.send("POST", "/api/chance", data='{"name": "a", "price": 1e400}')
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["price"])


def test_a_text_that_is_too_long_may_be_cut(api: Client, sandbox: Sandbox) -> None:
    behave(sandbox, text_limit_mode="cut")
    row = written(api, name="é" * 300, description="x" * 70_000)
    assert (row["name"], row["description"]) == ("é" * 255, "x" * 65_535)


@pytest.mark.parametrize("normalises", [True, False])
def test_addresses_and_numbers_may_be_stored_in_one_form(
    api: Client, sandbox: Sandbox, *, normalises: bool
) -> None:
    behave(sandbox, normalises_email=normalises, normalises_phone=normalises)
    sent = {"email": "Info@Voorbeeld.example", "phone": "000 000 12 34"}
    stored = {"email": "info@voorbeeld.example", "phone": "0000001234"} if normalises else sent
    assert written(api, **sent).items() >= stored.items()


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2025-07-01T10:00:00.999Z", "2025-07-01 10:00:00"),
        ("2025-07-01 10:00:00.999999", "2025-07-01 10:00:00"),
        ("2025-07-01T10:00:59.5+02:00", "2025-07-01 08:00:59"),
        ("0001-01-01", "0001-01-01 00:00:00"),
        ("0987-06-05T04:03:02Z", "0987-06-05 04:03:02"),
    ],
)
def test_a_time_is_stored_in_whole_seconds_and_years_of_four_digits(
    api: Client, sent: str, stored: str
) -> None:
    assert written(api, "task", deadline=sent)["deadline"] == stored


def test_a_moment_that_no_zone_can_tell_is_no_date(api: Client, sandbox: Sandbox) -> None:
    behave(sandbox, timezone="Europe/Amsterdam")
    body = {"name": "a", "deadline": "9999-12-31T23:59:59Z"}
    assert list(api.send("POST", "/api/task", json=body).json()["errors"]) == ["deadline"]


@pytest.mark.parametrize("names", [("phone",), ("customer.phone",)])
def test_a_field_may_be_taken_without_a_word_and_not_stored(
    api: Client, sandbox: Sandbox, names: tuple[str, ...]
) -> None:
    behave(sandbox, ignored_write_fields=names)
    assert written(api, phone=5)["phone"] is None  # not even valid
    contact = {"last_name": "B", "phone": "1"}
    stored = api.send("POST", "/api/contact", json=contact).json()["phone"]
    assert (stored is None) is (names == ("phone",))


def test_custom_fields_may_be_ignored_too(api: Client, sandbox: Sandbox) -> None:
    sandbox.rows("field").insert(name="Branche", type="text", model="customer")
    behave(sandbox, ignored_write_fields=("field_values",))
    body = {"name": "a", "field_values": [{"field_id": 1, "value": "x"}]}
    assert api.send("POST", "/api/customer", json=body).status_code == 201
    assert len(sandbox.rows("field_value")) == 0


@pytest.mark.parametrize("parameters", [{}, {"show": "name,phone"}, {"with_": "user"}])
def test_a_hidden_field_is_stored_but_no_answer_shows_it(
    api: Client, sandbox: Sandbox, parameters: dict[str, str]
) -> None:
    sandbox.rows("user").insert(name="u", email="u@voorbeeld.example")
    behave(sandbox, hidden_fields=("phone", "user.email"))
    body = {"name": "a", "phone": "1", "user_id": 1, "email": "a@voorbeeld.example"}

    created = api.send("POST", "/api/customer", json=body).json()
    shown = [api.get("/api/customer/1", **parameters).json()]
    shown += api.rows("/api/customer", **parameters)

    assert not any("phone" in row for row in [created, *shown])
    assert created["email"] == "a@voorbeeld.example"
    assert not any("email" in row.get("user", {}) for row in shown)
    assert sandbox.rows("customer").all()[0]["phone"] == "1"
    assert api.ids("/api/customer", filter="phone:eq:1") == [1]
