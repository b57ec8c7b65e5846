"""Facts about records: what `cirqll_client/schemas` says of each field, and what holds for all."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from cirqll_client.resources import RESOURCES, resource_of_stream
from tests.contract.fact import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cirqll_client.resources import Resource
    from tests.contract.fact import Certainty
    from tests.contract.recordings import Exchange

LARGEST_ID = 4_294_967_296
_WRITTEN_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_ANY_TIME = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
"""MySQL's zero date is one too."""
_ALWAYS = {"contract": ("name", "price", "price_type", "start_date", "end_date")}
_TO_ONE = frozenset(name for one in RESOURCES for name in one.to_one)


def records_in(one: Exchange) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """Give each record with its resource, those of relations that came along too."""
    if one.resource is None:
        return
    for record in one.records:
        yield one.resource, record
        yield from _related(record)


def _related(record: dict[str, Any]) -> Iterator[tuple[Resource, dict[str, Any]]]:
    for name, value in record.items():
        resource = resource_of_stream(name)
        if resource is None or not isinstance(value, dict):
            continue
        rows = value.get("data") if isinstance(value.get("data"), list) else [value]
        for row in rows or ():
            if isinstance(row, dict) and "id" in row:
                yield resource, row


def _fields(certainty: Certainty) -> Any:
    def contradictions(one: Exchange) -> Iterator[str]:
        for resource, record in records_in(one):
            schemas = resource.schema["properties"]
            for name in record.keys() & schemas.keys():
                if schemas[name]["x-certainty"] == certainty:
                    yield from _misfits(resource.name, name, record[name])

    return contradictions


def _misfits(resource: str, name: str, value: object) -> Iterator[str]:
    schema, validator = _validator(resource, name)
    for error in validator.iter_errors(value):
        yield f"{resource}.{name} does not fit the {error.validator} of its schema"
    is_time = schema.get("format") == "date-time"
    if is_time and isinstance(value, str) and not _ANY_TIME.fullmatch(value):
        yield f"{resource}.{name} is no date-time"


@cache
def _validator(resource: str, name: str) -> tuple[dict[str, Any], Draft202012Validator]:
    found = resource_of_stream(resource)
    assert found
    schema = found.schema["properties"][name]
    return schema, Draft202012Validator(schema)


def _ids(one: Exchange) -> Iterator[str]:
    for resource, record in records_in(one):
        for name, value in record.items():
            is_id = name == "id" or (name.endswith("_id") and name != "import_id")
            is_missing = value is None and name != "id"
            if is_id and not is_missing and not _is_identity(value):
                yield f"{resource.name}.{name} is no id"


def _is_identity(value: object) -> bool:
    return type(value) is int and 1 <= value <= LARGEST_ID


def _times(one: Exchange) -> Iterator[str]:
    for resource, record in records_in(one):
        for name in ("created_at", "updated_at"):
            value = record.get(name)
            if value is not None and not _WRITTEN_TIME.fullmatch(str(value)):
                yield f"{resource.name}.{name} is not written like 2024-05-18 13:38:35"


def _deleted(one: Exchange) -> Iterator[str]:
    for resource, record in records_in(one):
        if "deleted_at" in record:
            yield f"{resource.name} has a deleted_at"


def _password(one: Exchange) -> Iterator[str]:
    if any("password" in record for _, record in records_in(one)):
        yield "a password came"


def _always_there(one: Exchange) -> Iterator[str]:
    if one.listed("show"):
        return
    for resource, record in records_in(one):
        missing = [name for name in _ALWAYS.get(resource.name, ()) if name not in record]
        if missing:
            yield f"a {resource.name} lacks {', '.join(missing)}"


RECORD_FACTS = (
    Fact("documented fields", "doc", "Fields are as their schemas say", _fields("doc")),
    Fact("likely fields", "likely", "Fields are as their schemas say", _fields("likely")),
    Fact("guessed fields", "guess", "Fields are as their schemas say", _fields("guess")),
    Fact("ids", "doc", "id and every x_id are integers, 1..4294967296", _ids),
    Fact("times", "doc", "created_at, updated_at: 2024-05-18 13:38:35", _times),
    Fact("no deleted_at", "doc", "There is no deleted_at anywhere", _deleted),
    Fact("password", "doc", "A password is write-only", _password),
    Fact("always there", "doc", "A contract always has five fields", _always_there),
)
