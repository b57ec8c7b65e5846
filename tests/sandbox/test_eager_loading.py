"""`show`, `with` and `count` decide what an answer holds of each row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox
    from tests.sandbox.conftest import Client


BREAD = {"id": 1, "field_id": 1, "value": "brood"}


@pytest.fixture
def related(sandbox: Sandbox) -> Sandbox:
    """One company, user, customer with 60 contacts, contract, and a custom field with its value."""
    insert = {name: sandbox.rows(name).insert for name in sandbox.database.tables}
    insert["company"](name="Voorbeeld")
    insert["user"](name="Sjoerd", company_id=1)
    insert["customer"](name="Bakkerij", user_id=1)
    sandbox.rows("contact").insert_many(
        [{"last_name": f"C{n}", "customer_id": 1} for n in range(60)]
    )
    insert["contract"](name="Onderhoud", customer_id=1, user_id=None)
    insert["field"](name="Branche", type="text", model="customer")
    insert["field_value"](field_id=1, value="brood", owner_type="customer", owner_id=1)
    insert["field_value"](field_id=1, value="van een ander", owner_type="contact", owner_id=1)
    return sandbox


@pytest.mark.usefixtures("related")
def test_show_gives_the_fields_asked_for_and_the_id(api: Client) -> None:
    for parameters in ({"show": "name,user_id"}, {"show[]": ["name", "user_id"]}):
        assert api.rows("/api/customer", **parameters) == [
            {"id": 1, "name": "Bakkerij", "user_id": 1}
        ]


@pytest.mark.usefixtures("related")
def test_show_of_a_related_field_adds_the_key_and_the_id_of_the_relation(api: Client) -> None:
    assert api.get("/api/user/1", show="name,company.name").json() == {
        "id": 1, "name": "Sjoerd", "company_id": 1, "company": {"id": 1, "name": "Voorbeeld"},
    }  # fmt: skip


@pytest.mark.usefixtures("related")
@pytest.mark.parametrize("show", ["nonsense", "nonsense.name", "user.nonsense"])
def test_an_unknown_field_in_show_is_refused(api: Client, show: str) -> None:
    assert api.get("/api/customer", show=show).status_code == 400


@pytest.mark.usefixtures("related")
def test_with_puts_one_row_in_its_place_and_many_in_a_page_of_fifty(api: Client) -> None:
    customer = api.get("/api/customer/1", with_="user.company,contacts").json()

    assert customer["user"]["company"]["name"] == "Voorbeeld"
    contacts = customer["contacts"]
    assert len(contacts.pop("data")) == 50
    assert contacts == {"limit": 50, "total": 60, "offset": 0}


@pytest.mark.usefixtures("related")
def test_a_null_reference_loads_null(api: Client) -> None:
    assert api.rows("/api/contract", with_="user,customer.user")[0]["user"] is None


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("page", {"data": [BREAD], "limit": 50, "total": 1, "offset": 0}),
        ("list", [BREAD]),
        ("map", {"1": "brood"}),
    ],
)  # fmt: skip
def test_custom_values_come_in_any_of_three_shapes(
    related: Sandbox, api: Client, shape: Any, expected: Any
) -> None:
    related.behaviour = replace(related.behaviour, field_values_shape=shape)
    assert api.get("/api/customer/1", with_="field_values").json()["field_values"] == expected


@pytest.mark.parametrize(
    ("with_", "weight"),
    [
        ("", "0"), ("user", "1"), ("user.company", "3"), ("contacts", "3"), ("field_values", "1"),
        ("user.company,user", "3"),
        ("contacts,appointments,assignments,chances,contracts,field_values", "16"),
        ("contacts.field_values,user", "6"),
    ],
)  # fmt: skip
def test_the_weight_of_relations_is_told_in_a_header(
    company_api: Client, with_: str, weight: str
) -> None:
    answer = company_api.get("/api/customer", limit=1, with_=with_)
    assert answer.headers["X-Eager-Loading-Weight"] == weight


@pytest.mark.parametrize(
    "with_",
    [
        "contacts,appointments,assignments,chances,contracts,tasks", "contacts.notes", "nonsense",
        "user.customers", "name",
    ],
)  # fmt: skip
def test_too_heavy_too_deep_and_unknown_relations_are_refused(
    company_api: Client, with_: str
) -> None:
    assert company_api.get("/api/customer", with_=with_).status_code == 400


def test_unknown_fields_and_relations_may_be_ignored(related: Sandbox, api: Client) -> None:
    related.behaviour = replace(
        related.behaviour, unknown_show_field="ignore", unknown_with_relation="ignore"
    )
    shown = api.rows(
        "/api/customer", show="name,nonsense,user.nonsense,nonsense.x", with_="nonsense"
    )
    assert shown == [{"id": 1, "name": "Bakkerij"}]


def test_a_relation_that_show_loads_may_weigh_nothing(related: Sandbox, api: Client) -> None:
    weights = []
    for counts in (True, False):
        related.behaviour = replace(related.behaviour, show_counts_as_with=counts)
        answer = api.get("/api/customer", show="contacts.last_name")
        weights.append(answer.headers["X-Eager-Loading-Weight"])
    assert weights == ["3", "0"]


@pytest.mark.usefixtures("related")
def test_count_counts_to_many_relations_only(api: Client) -> None:
    answer = api.rows("/api/customer", count="contacts,tasks", show="name")
    assert answer == [{"id": 1, "name": "Bakkerij", "contacts_count": 60, "tasks_count": 0}]
    assert api.get("/api/customer", count="user").status_code == 400
