"""Definitions of custom fields, as the account has them: read once for all, whatever it takes."""

from __future__ import annotations

import gc
import logging
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.field_definitions import (
    SECONDS_BETWEEN_LOOKS,
    FieldDefinitions,
    definition_of,
)
from cirqll_client.kinds import Kind
from cirqll_client.resources import RESOURCES
from tests.client.fake_time import FakeTime

if TYPE_CHECKING:
    from cirqll_client.field_definitions import FieldDefinition
    from tests.reading_fixtures import Source

CUSTOMER = next(one for one in RESOURCES if one.name == "customer")


def defined(**record: Any) -> FieldDefinition:
    definition = definition_of({"id": 3, **record})
    assert definition
    return definition


def options(*labels: str) -> dict[str, Any]:
    entries = [{"id": 30 + n, "name": label} for n, label in enumerate(labels, 1)]
    return {"data": entries, "limit": 50, "total": len(entries), "offset": 0}


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("text", Kind.STRING),
        ("Text Area", Kind.STRING),
        ("number", Kind.NUMBER),
        ("checkbox", Kind.BOOLEAN),
        ("date", Kind.DATE),
        ("date-time", Kind.TIME),
        ("select", Kind.STRING),
        ("multi_select", Kind.ARRAY),
        ("user", None),
        (7, None),
        (None, None),
    ],
)
def test_the_word_for_the_type_tells_the_kind(word: Any, kind: Kind | None) -> None:
    assert defined(type=word).kind is kind


def test_choices_have_labels_and_other_fields_have_none() -> None:
    labels = {31: "Laag", 32: "Hoog"}

    assert defined(type="select", options=options("Laag", "Hoog")).labels == labels
    assert defined(type="unheard-of", options=options("Laag", "Hoog")["data"]).labels == labels
    assert defined(type="text", options=options("Laag")).labels == {}
    boxes = defined(type="checkbox", options=options("Laag", "Hoog"))
    assert (boxes.kind, boxes.labels) == (Kind.ARRAY, labels)


@pytest.mark.parametrize(
    "odd", [None, 7, "x", {"data": "x"}, [7, {"id": 3, "name": 4}], {"min": 1, "max": 9}]
)
def test_odd_options_are_none(odd: Any) -> None:
    assert defined(type="select", options=odd).labels == {}


@pytest.mark.parametrize(
    "odd",
    [
        {"1": "Rood", "2": "Blauw"},
        {"data": {"1": {"name": "Rood"}, "2": {"label": "Blauw"}}, "total": 2},
        {"7": {"id": 1, "name": "Rood"}, "8": {"id": "2", "name": "Blauw"}},
    ],
)
def test_options_are_read_from_a_map(odd: Any) -> None:
    assert defined(type="select", options=odd).labels == {1: "Rood", 2: "Blauw"}


def test_options_that_are_texts_alone_have_labels_that_no_number_means() -> None:
    labels = defined(type="select", options=["Rood", {"id": 1, "name": "Wit"}, "Blauw"]).labels

    assert set(labels.values()) == {"Rood", "Wit", "Blauw"}
    assert [number for number in labels if number > 0] == [1]


@pytest.mark.parametrize(
    ("model", "is_of"),
    [
        ("customer", True),
        ("App\\Models\\Customer", True),
        ("customers", True),
        ("task", False),
        (None, False),
        (7, False),
    ],
)
def test_the_model_tells_whose_field_it_is(model: Any, *, is_of: bool) -> None:
    assert defined(model=model).is_of(CUSTOMER) == is_of


def test_a_record_without_an_id_defines_nothing() -> None:
    assert definition_of({"name": "Kleur"}) is None
    assert defined(name=None).name == ""


def asked(crm: Source) -> list[str]:
    return [request.path for request in crm.sandbox.requests]


def test_all_are_read_in_one_request_for_all_threads(crm: Source) -> None:
    fields = crm.sandbox.custom_fields
    chosen = fields.add("Maat", owner="customer", type="select", options=["S", "M"])
    plain = [fields.add(f"Veld {n}", owner="contact") for n in range(120)]
    definitions = crm.connection().definitions
    crm.sandbox.forget_requests()

    with ThreadPoolExecutor(8) as threads:
        known, *others = threads.map(lambda _: definitions.known(), range(8))

    assert sorted(known) == sorted([chosen, *plain])
    assert all(one is known for one in others)
    assert sorted(known[chosen].labels.values()) == ["M", "S"]
    assert crm.connection().definitions is definitions
    assert asked(crm) == ["/api/field"]


@pytest.mark.parametrize("echo", ["true", "missing", "lying"])
def test_more_than_a_page_of_them_are_read_to_the_end(crm: Source, echo: str) -> None:
    crm.begin(page_maximum=100, total_echo=echo)
    ids = [crm.sandbox.custom_fields.add(f"Veld {n}", owner="contact") for n in range(230)]

    assert sorted(FieldDefinitions(crm.connection().client).known()) == ids


def test_a_total_that_repeats_the_length_of_a_full_page_ends_nothing(crm: Source) -> None:
    crm.begin(page_maximum=100, total_echo="lying")
    ids = [crm.sandbox.custom_fields.add(f"Veld {n}", owner="contact") for n in range(230)]
    client = crm.connection().client
    client.is_total_proven = True  # of another resource, or weeks ago

    assert sorted(FieldDefinitions(client).known()) == ids


def test_a_connection_that_is_done_with_is_not_kept(crm: Source) -> None:
    crm.connection().definitions.known()
    client = weakref.ref(crm.connection().client)

    crm.close()
    crm.connections.clear()
    gc.collect()

    assert client() is None


@pytest.mark.parametrize("page", [2, 10])
def test_options_that_did_not_all_come_along_are_fetched(crm: Source, page: int) -> None:
    crm.begin(relation_page=page)
    names = [f"Keuze {n}" for n in range(12)]
    field = crm.sandbox.custom_fields.add("Maat", owner="task", type="select", options=names)

    labels = FieldDefinitions(crm.connection().client).known()[field].labels

    assert set(labels.values()) <= set(names)
    assert len(labels) >= page


def test_a_new_field_is_looked_for_once_and_not_before_a_minute(crm: Source) -> None:
    time = FakeTime()
    definitions = FieldDefinitions(crm.connection().client, clock=time)
    definitions.known()
    new = crm.sandbox.custom_fields.add("Maat", owner="task")
    crm.sandbox.forget_requests()

    too_early = definitions.including({new, 999})
    time.sleep(SECONDS_BETWEEN_LOOKS)
    known = [definitions.including({new, 999}) for _ in range(3)]
    time.sleep(SECONDS_BETWEEN_LOOKS)
    definitions.including({999})

    assert new not in too_early
    assert all(new in one for one in known)
    assert asked(crm) == ["/api/field"]


def test_refused_options_cost_a_warning_and_no_definition(
    crm: Source, caplog: pytest.LogCaptureFixture
) -> None:
    crm.begin(refused_relations=("options",))
    field = crm.sandbox.custom_fields.add("Maat", owner="task", type="select", options=["S"])

    known = FieldDefinitions(crm.connection().client).known()

    assert known[field].kind is Kind.STRING
    assert known[field].labels == {}
    (warning,) = caplog.messages
    assert warning.startswith("Cirqll refused to bring the options of custom fields along (400), ")


@pytest.mark.parametrize("fault", [403, 404])
def test_definitions_that_cannot_be_read_cost_one_warning(
    crm: Source, caplog: pytest.LogCaptureFixture, fault: int
) -> None:
    rule = crm.sandbox.faults.add(fault, path="/field")
    time = FakeTime()
    definitions = FieldDefinitions(crm.connection().client, clock=time)

    try:
        first = definitions.known()
        time.sleep(SECONDS_BETWEEN_LOOKS)
        again = definitions.including({3})
    finally:
        crm.sandbox.faults.remove(rule)

    assert (first, again) == ({}, {})
    (warning,) = caplog.messages
    assert warning.startswith("The definitions of custom fields are not read, so a custom field ")


def test_what_is_known_not_to_be_permitted_is_not_asked(
    crm: Source, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    definitions = FieldDefinitions(crm.connection().client, may_be_read=lambda: False)
    crm.sandbox.forget_requests()

    assert definitions.including({3}) == {}

    assert asked(crm) == []
    assert [one.levelname for one in caplog.records] == ["INFO"]
    assert "lacks the scope field.read.all" in caplog.text
