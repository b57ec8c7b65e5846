"""What every schema file of `cirqll_client/schemas` promises to its readers."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

SCHEMA_FILES = sorted((Path(__file__).parents[2] / "cirqll_client" / "schemas").glob("*.json"))

RESOURCES = (
    "user role customer contact task appointment chance assignment contract email field note "
    "todo template setting webhook"
)

MAX_ID = 4294967296
CERTAINTIES = {"doc", "likely", "guess"}
ANNOTATIONS = {"$schema", "title", "description", "readOnly", "writeOnly", "x-certainty"}
KEYWORDS = ANNOTATIONS | set(Draft202012Validator.VALIDATORS)
LAST_FIELDS = ["archived_at", "import_id", "created_at", "updated_at"]

DOCUMENTED = {
    "contract": "name price price_type start_date end_date description reminder_date import_id "
    "calculated_price customer_id contact_id chance_id",
    "chance": "name price description percentage customer_id user_id archived_at",
    "user": "name email company_id password",
    "customer": "name user_id",
    "contact": "first_name last_name user_id customer_id",
}

each_schema = pytest.mark.parametrize(
    "schema",
    [pytest.param(json.loads(path.read_text("utf-8")), id=path.stem) for path in SCHEMA_FILES],
)


def schema_of(resource: str) -> dict[str, Any]:
    """Read the file of one resource."""
    (path,) = (path for path in SCHEMA_FILES if path.stem == resource)
    schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return schema


def keywords_of(schema: dict[str, Any]) -> set[str]:
    """Collect the keywords of a schema and of the properties inside it."""
    properties = schema.get("properties", {}).values()
    return set(schema).union(*(keywords_of(field) for field in properties))


def place_of(field: str) -> int:
    """Tell where a field belongs: the id, own fields, foreign keys, then the last four in turn."""
    if field in LAST_FIELDS:
        return 3 + LAST_FIELDS.index(field)
    if field.endswith("_id"):
        return 2
    return 0 if field == "id" else 1


def test_every_resource_with_an_endpoint_has_a_file() -> None:
    """Given the sixteen resources, when the folder is listed, then none is missing."""
    found = {path.stem for path in SCHEMA_FILES}

    assert found >= set(RESOURCES.split())


@each_schema
def test_a_file_is_a_valid_schema_of_an_object(schema: dict[str, Any]) -> None:
    """Given a file, when it is checked as draft 2020-12, then it is valid and names itself."""
    Draft202012Validator.check_schema(schema)

    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema["type"] == "object"
    assert schema["title"]
    assert schema["description"].endswith(".")


@each_schema
def test_a_file_has_only_keywords_that_exist(schema: dict[str, Any]) -> None:
    """Given a file, when its keywords are collected, then draft 2020-12 or this test has each."""
    assert keywords_of(schema) <= KEYWORDS


def test_a_misspelled_keyword_is_noticed() -> None:
    """Given a property with `maxlength`, when keywords are collected, then it stands out."""
    schema = {"type": "object", "properties": {"name": {"type": "string", "maxlength": 255}}}

    assert keywords_of(schema) - KEYWORDS == {"maxlength"}


@each_schema
def test_the_id_is_the_only_field_that_must_be_there(schema: dict[str, Any]) -> None:
    """Given a file, when its fields are read, then `id` comes first and alone refuses null."""
    (first, identity), *others = schema["properties"].items()

    assert first == "id"
    assert schema["required"] == ["id"]
    assert identity["type"] == "integer"
    assert identity["readOnly"] is True
    assert [name for name, field in others if field["type"][-1] != "null"] == []


@each_schema
def test_fields_stand_in_the_agreed_order(schema: dict[str, Any]) -> None:
    """Given a file, when its fields are read, then keys and times follow the own fields."""
    places = [place_of(name) for name in schema["properties"]]

    assert places == sorted(places)


@each_schema
def test_every_field_is_described_with_its_certainty(schema: dict[str, Any]) -> None:
    """Given a file, when a field is read, then it has a sentence and a known certainty."""
    for name, field in schema["properties"].items():
        assert field["description"].endswith("."), name
        assert field["x-certainty"] in CERTAINTIES, name


@each_schema
def test_times_of_the_record_are_read_only(schema: dict[str, Any]) -> None:
    """Given a file, when the two times of the record are read, then nobody may write them."""
    for name in ("created_at", "updated_at"):
        field = schema["properties"][name]

        assert field["type"] == ["string", "null"]
        assert field["format"] == "date-time"
        assert field["readOnly"] is True


@each_schema
def test_every_key_is_a_32_bit_id(schema: dict[str, Any]) -> None:
    """Given a file, when its keys are read, then each counts from 1, an import id from 0."""
    for name, field in schema["properties"].items():
        if name == "id" or name.endswith("_id"):
            lowest = 0 if name == "import_id" else 1

            assert "integer" in field["type"], name
            assert (field["minimum"], field["maximum"]) == (lowest, MAX_ID), name


@each_schema
def test_only_a_password_is_write_only(schema: dict[str, Any]) -> None:
    """Given a file, when its fields are read, then a password, and nothing else, is hidden."""
    fields = schema["properties"]
    hidden = {name for name, field in fields.items() if field.get("writeOnly")}

    assert hidden == fields.keys() & {"password"}


@pytest.mark.parametrize("resource", DOCUMENTED)
def test_what_the_vendor_documents_is_marked_so(resource: str) -> None:
    """Given a resource, when its certain fields are listed, then they are the documented ones."""
    fields = schema_of(resource)["properties"]
    certain = {name for name, field in fields.items() if field["x-certainty"] == "doc"}

    assert certain == {"id", "created_at", "updated_at", *DOCUMENTED[resource].split()}


@pytest.mark.parametrize(
    ("resource", "field", "limits"),
    [
        ("contract", "name", {"maxLength": 255}),
        ("contract", "description", {"maxLength": 65535}),
        ("contract", "calculated_price", {"readOnly": True}),
        ("chance", "name", {"maxLength": 255}),
        ("chance", "description", {"maxLength": 65535}),
        ("chance", "price", {"minimum": 0}),
        ("chance", "percentage", {"minimum": 0, "maximum": 100}),
    ],
)
def test_documented_limits_are_kept(resource: str, field: str, limits: dict[str, Any]) -> None:
    """Given a documented field, when it is read, then it carries exactly the documented limits."""
    found = schema_of(resource)["properties"][field]
    plain = {"type", "description", "x-certainty"}

    assert {key: value for key, value in found.items() if key not in plain} == limits
