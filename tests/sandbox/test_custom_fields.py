"""Custom fields: their definitions, the forms of their values, and what people do to them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_sandbox import words
from cirqll_sandbox.resources import CUSTOM_FIELD_OWNERS, ENDPOINTS, RESOURCES

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox
    from tests.sandbox.conftest import Client

CUSTOMER = "/api/customer/1"


@pytest.fixture
def customer(sandbox: Sandbox) -> Sandbox:
    """A customer without values."""
    sandbox.rows("customer").insert(name="Bakkerij", updated_at="2025-01-01 00:00:00")
    return sandbox


def values(api: Client, path: str = CUSTOMER) -> Any:
    """The relation `field_values` of one record."""
    return api.get(path, with_="field_values").json()["field_values"]


def behave(sandbox: Sandbox, **options: Any) -> None:
    sandbox.behaviour = replace(sandbox.behaviour, **options)


# The invented company


def test_all_seven_owners_have_fields_and_all_types_occur(company: Sandbox) -> None:
    fields = company.rows("field").all()
    assert {field["model"] for field in fields} == {*CUSTOM_FIELD_OWNERS}
    assert {field["type"] for field in fields} == {*words.FIELD_TYPES}


def test_names_of_fields_are_awkward_where_real_ones_are(company: Sandbox) -> None:
    names = [row["name"] for row in company.rows("field").all() if row["model"] == "customer"]
    assert names.count("Branche") == 2
    assert "branche" in names
    assert any(len(row["name"].encode()) > 63 for row in company.rows("field").all())


def test_fields_with_options_have_them_and_their_values_choose_from_them(company: Sandbox) -> None:
    for field in company.rows("field").all():
        options = company.rows("field_option").referring("field_id", field["id"])
        names = {option["name"] for option in options}
        assert bool(names) == (field["type"] in {"select", "multiselect"})
        for row in company.rows("field_value").referring("field_id", field["id"]):
            chosen = row["value"] if isinstance(row["value"], list) else [row["value"]]
            assert not names or set(chosen) <= names | {None}


def test_many_records_of_each_owner_have_values_of_all_kinds(company: Sandbox) -> None:
    rows = company.rows("field_value").all()
    for owner in CUSTOM_FIELD_OWNERS:
        owned = [row for row in rows if row["owner_type"] == owner]
        assert len({row["owner_id"] for row in owned}) > 0.5 * len(company.rows(owner))
        models = {company.database.tables["field"].find(row["field_id"])["model"] for row in owned}  # type: ignore[index]  # every field is there
        assert models == {owner}
    assert {type(row["value"]) for row in rows} == {str, int, bool, Decimal, list, type(None)}


# The forms of values


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12, "12"), (Decimal("1.50"), "1.50"), (True, "1"), (False, "0"), ("x", "x"), ("", ""),
        (None, None), (["a", 1], '["a",1]'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("shape", ["page", "list", "map"])
def test_values_may_come_as_texts(
    customer: Sandbox, api: Client, shape: Any, value: Any, text: Any
) -> None:
    field = customer.custom_fields.add("Veld", owner="customer")
    customer.custom_fields.set_value("customer", 1, field, value)
    behave(customer, field_value_types="text", field_values_shape=shape)

    expected: dict[str, Any] = {
        "list": [{"id": 1, "field_id": field, "value": text}], "map": {str(field): text}
    }  # fmt: skip
    expected["page"] = {"data": expected["list"], "limit": 50, "total": 1, "offset": 0}
    assert values(api) == expected[shape]
    assert api.rows("/api/customer", with_="field_values")[0]["field_values"] == expected[shape]


def test_chosen_options_may_come_as_their_ids(customer: Sandbox, api: Client) -> None:
    desk = customer.custom_fields
    one = desk.add("Soort", owner="customer", type="select", options=["Groot", "Klein"])
    many = desk.add("Talen", owner="customer", type="multiselect", options=["nl", "de", "Klein"])
    plain = desk.add("Vrij", owner="customer")
    for field, value in ((one, "Klein"), (many, ["nl", "Klein", "weg"]), (plain, "Klein")):
        desk.set_value("customer", 1, field, value)
    behave(customer, option_values="id")
    assert [item["value"] for item in values(api)["data"]] == [2, [3, 5, "weg"], "Klein"]
    behave(customer, field_value_types="text", field_values_shape="map")
    assert values(api) == {str(one): "2", str(many): '[3,5,"weg"]', str(plain): "Klein"}


def test_a_field_of_the_same_name_as_the_relation_gives_way(customer: Sandbox, api: Client) -> None:
    customer.rows("customer").update(1, field_values="undocumented")
    assert api.get(CUSTOMER, with_="field_values").text.count('"field_values"') == 1
    assert values(api) == {"data": [], "limit": 50, "total": 0, "offset": 0}


def test_a_change_shows_at_once(customer: Sandbox, api: Client) -> None:
    desk = customer.custom_fields
    field = desk.add("Soort", owner="customer", type="select", options=["Groot", "Klein"])
    desk.set_value("customer", 1, field, "Klein")
    behave(customer, option_values="id", field_values_shape="map")
    seen = [values(api)]
    desk.change_type(field, "text")
    seen.append(values(api))
    desk.set_value("customer", 1, field, "Groot")
    seen.append(values(api))
    assert [list(value.values()) for value in seen] == [[2], ["Klein"], ["Groot"]]


def test_the_definition_of_a_value_may_come_along(customer: Sandbox, api: Client) -> None:
    field = customer.custom_fields.add("Veld", owner="customer")
    customer.custom_fields.set_value("customer", 1, field, "x")
    answer = api.get(CUSTOMER, with_="field_values.field").json()["field_values"]
    assert answer["data"][0]["field"]["name"] == "Veld"


# More values than come along


@pytest.fixture
def full(customer: Sandbox) -> Sandbox:
    """A customer with 120 values, beside a contact of the same id with one."""
    customer.custom_fields.add_values("customer", 1, 120)
    customer.rows("contact").insert(last_name="Hazel")
    customer.custom_fields.add_values("contact", 1, 1)
    return customer


@pytest.mark.parametrize(("rest", "shown"), [("show", 120), ("index", 50), ("nowhere", 50)])
@pytest.mark.parametrize("shape", ["page", "list", "map"])
def test_an_index_gives_fifty_values_and_a_show_may_give_all(
    full: Sandbox, api: Client, rest: Any, shown: int, shape: Any
) -> None:
    behave(full, field_values_rest=rest, field_values_shape=shape)
    one = values(api)
    listed = api.rows("/api/customer", with_="field_values")[0]["field_values"]
    if shape == "page":
        assert (one["total"], listed["total"], listed["limit"]) == (120, 120, 50)
        one, listed = one["data"], listed["data"]
    assert (len(one), len(listed)) == (shown, 50)


def test_values_may_have_an_index_of_their_own(full: Sandbox, api: Client) -> None:
    behave(full, field_values_rest="index", field_value_types="text")
    answer = api.get("/api/field_value", filter="(customer_id:eq:1)", limit=1000).json()
    assert (len(answer["data"]), answer["total"], answer["offset"]) == (120, 120, 0)
    first = answer["data"][0]
    assert first.keys() == {
        "id", "field_id", "value", "created_at", "updated_at",
        *(f"{owner}_id" for owner in CUSTOM_FIELD_OWNERS),
    }  # fmt: skip
    assert (first["customer_id"], first["contact_id"]) == (1, None)
    assert all(isinstance(row["value"], str | None) for row in answer["data"])
    in_pages = [
        *api.ids("/api/field_value", filter="customer_id:in:1;2", order_by="id", limit=70),
        *api.ids("/api/field_value", filter="customer_id:in:1;2,and,id:gt:70", order_by="id"),
    ]
    assert in_pages == [row["id"] for row in answer["data"]]
    assert len(api.rows("/api/field_value", filter="customer_id:not:eq:1")) == 0
    assert len(api.rows("/api/field_value", filter="contact_id:eq:1")) == 1


@pytest.mark.parametrize("rest", ["show", "nowhere"])
def test_otherwise_there_is_no_such_index(full: Sandbox, api: Client, rest: Any) -> None:
    behave(full, field_values_rest=rest)
    assert api.get("/api/field_value").status_code == 404


def test_the_index_of_values_can_only_be_read_and_by_whom_may_read_fields(
    full: Sandbox, api: Client
) -> None:
    behave(full, field_values_rest="index")
    full.tokens.grant("no-fields-not-a-secret", scopes=["customer.read.all"])
    headers = {"Authorization": "Bearer no-fields-not-a-secret"}
    assert api.send("GET", "/api/field_value", headers=headers).status_code == 403
    assert api.get("/api/field_value/1").status_code == 405
    assert api.send("POST", "/api/field_value", json={}).status_code == 405
    assert len(ENDPOINTS) == 16


@pytest.mark.parametrize(
    ("refused", "with_", "status"),
    [
        ("field_values", "field_values", 400), ("customer.field_values", "field_values", 400),
        ("contact.field_values", "field_values", 200),
        ("contact.field_values", "contacts.field_values", 400), ("field_values", "contacts", 200),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/api/customer", CUSTOMER])
def test_a_relation_may_be_refused(  # noqa: PLR0913, PLR0917 - one case
    customer: Sandbox, api: Client, path: str, refused: str, with_: str, status: int
) -> None:
    behave(customer, refused_relations=(refused,))
    assert api.get(path, with_=with_).status_code == status


# What people do


def test_values_are_added_of_fields_that_lack_and_touch_the_record(customer: Sandbox) -> None:
    own = customer.custom_fields.add("Branche", owner="customer")
    customer.custom_fields.add("Hobby", owner="contact")

    fields = customer.custom_fields.add_values("customer", 1, 30)

    assert (fields[0], len(set(fields))) == (own, 30)
    types = {row["type"] for row in customer.rows("field").all() if row["model"] == "customer"}
    assert types == {*words.FIELD_TYPES}
    assert customer.rows("customer").all()[0]["updated_at"] > "2025-01-01 00:00:00"
    assert not set(fields) & set(customer.custom_fields.add_values("customer", 1, 2))


def test_values_are_added_of_the_owners_own_fields_only(customer: Sandbox) -> None:
    foreign = customer.custom_fields.add("Hobby", owner="contact")
    assert foreign not in customer.custom_fields.add_values("customer", 1, 3)


def test_a_value_of_another_owner_with_the_same_id_stays_as_it_is(customer: Sandbox) -> None:
    customer.rows("contact").insert(last_name="Hazel")
    field = customer.custom_fields.add("Veld", owner="customer")
    for owner, value in (("contact", "a"), ("customer", "b"), ("customer", "c")):
        customer.custom_fields.set_value(owner, 1, field, value)
    stored = [(row["owner_type"], row["value"]) for row in customer.rows("field_value").all()]
    assert stored == [("contact", "a"), ("customer", "c")]


def test_fields_and_options_can_be_renamed_and_do_not_touch_records(
    customer: Sandbox, api: Client
) -> None:
    desk = customer.custom_fields
    field = desk.add("Soort", owner="customer", type="multiselect", options=["Groot", "Klein"])
    other = desk.add("Maat", owner="customer", type="select", options=["Groot"])
    desk.set_value("customer", 1, field, ["Groot", "Klein"])
    desk.set_value("customer", 1, other, "Groot")
    customer.rows("customer").update(1, updated_at="2025-01-01 00:00:00")

    desk.rename(field, "Omvang")
    desk.rename_option(1, "Reusachtig")
    desk.add_option(field, "Piepklein")

    assert api.get(f"/api/field/{field}", with_="options").json()["name"] == "Omvang"
    options = customer.rows("field_option").all()
    assert [row["name"] for row in options if row["field_id"] == field] == [
        "Reusachtig", "Klein", "Piepklein",
    ]  # fmt: skip
    assert [item["value"] for item in values(api)["data"]] == [["Reusachtig", "Klein"], "Groot"]
    assert api.get(CUSTOMER).json()["updated_at"] == "2025-01-01 00:00:00"


def test_a_deleted_field_takes_its_options_and_values_along(customer: Sandbox, api: Client) -> None:
    desk = customer.custom_fields
    gone = desk.add("Soort", owner="customer", type="select", options=["Groot"])
    kept = desk.add("Branche", owner="customer")
    for field in (gone, kept):
        desk.set_value("customer", 1, field, "Groot")
    desk.delete(gone)
    assert [item["field_id"] for item in values(api)["data"]] == [kept]
    assert len(customer.rows("field_option")) == 0
    with pytest.raises(KeyError):
        desk.rename(gone, "x")


# Other nested things


@pytest.mark.parametrize(
    ("resource", "relation", "table"),
    [
        ("role", "permissions", "permission"), ("template", "items", "template_item"),
        ("field", "options", "field_option"),
    ],
)  # fmt: skip
def test_parts_come_along_with_index_and_show(
    company: Sandbox, company_api: Client, resource: str, relation: str, table: str
) -> None:
    column = RESOURCES[resource].relations[relation].column
    listed = company_api.rows(f"/api/{resource}", with_=relation)
    for row in listed:
        parts = company.rows(table).referring(column, row["id"])
        assert row[relation]["data"] == parts[:50]
        assert row[relation]["total"] == len(parts)
    assert any(row[relation]["data"] for row in listed)
    assert company_api.get(f"/api/{resource}/1", with_=relation).json() == listed[0]


def test_the_signed_in_user_has_a_company_with_address_and_subscription(
    company_api: Client,
) -> None:
    company = company_api.get("/api/auth/me").json()["company"]
    assert company["address"]["country"] == "NL"
    assert company["subscription"]["seats"] == 25
    assert company["address_id"] == company["address"]["id"]


@pytest.mark.parametrize(
    ("me_path", "statuses"),
    [
        ("/auth/me", (200, 404)), ("/user/me", (404, 200)), ("both", (200, 200)),
        ("nowhere", (404, 404)),
    ],
)  # fmt: skip
def test_the_signed_in_user_is_found_at_one_path_at_both_or_nowhere(
    sandbox: Sandbox, api: Client, me_path: Any, statuses: tuple[int, int]
) -> None:
    behave(sandbox, me_path=me_path)
    answers = [api.get("/api/auth/me"), api.get("/api/user/me")]
    assert tuple(answer.status_code for answer in answers) == statuses
