"""A relation in full: from a Show or an Index, and only if it proves to be whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.custom_fields import read
from cirqll_client.resources import FIELD_VALUES, RESOURCES
from cirqll_client.whole_relations import WholeRelation
from tests.client.meddling import meddled
from tests.client.raw_server import answer, serving
from tests.reading_fixtures import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

CUSTOMER = next(one for one in RESOURCES if one.name == "customer")


def customers_with(crm: Source, *numbers: int) -> dict[int, int]:
    """Records with so many values each, by id."""
    ids = crm.fill(len(numbers))
    for record_id, number in zip(ids, numbers, strict=True):
        crm.sandbox.custom_fields.add_values("customer", record_id, number)
    return dict(zip(ids, numbers, strict=True))


def counts(relation: WholeRelation, wanted: Mapping[int, int]) -> list[int | None]:
    came = [relation.of(one, at_least=number) for one, number in wanted.items()]
    return [None if one is None else len(read(one).entries) for one in came]


def asked(crm: Source) -> list[str]:
    return [request.path.removeprefix("/api") for request in crm.sandbox.requests]


@pytest.mark.parametrize("shape", ["page", "list", "map"])
@pytest.mark.parametrize("rest", ["show", "index"])
def test_it_is_found_where_it_is_and_asked_for_there_first(
    crm: Source, rest: str, shape: str
) -> None:
    crm.begin(field_values_rest=rest, field_values_shape=shape)
    wanted = customers_with(crm, 60, 70)
    relation = WholeRelation(crm.connection().client, CUSTOMER, FIELD_VALUES)
    crm.sandbox.forget_requests()

    found = counts(relation, wanted)

    assert found == [60, 70]
    first, second = wanted
    by_show = [f"/customer/{first}", f"/customer/{second}"]
    assert asked(crm) == (by_show if rest == "show" else [by_show[0], *["/field_value"] * 2])


def test_an_index_is_read_to_its_end(crm: Source) -> None:
    crm.begin(field_values_rest="index", page_maximum=25)
    wanted = customers_with(crm, 60)

    assert counts(WholeRelation(crm.connection().client, CUSTOMER, FIELD_VALUES), wanted) == [60]


def test_what_is_nowhere_is_not_asked_for_again_and_again(crm: Source) -> None:
    crm.begin(field_values_rest="nowhere")
    wanted = customers_with(crm, 60, 60, 60, 60, 60)
    relation = WholeRelation(crm.connection().client, CUSTOMER, FIELD_VALUES)
    crm.sandbox.forget_requests()

    assert counts(relation, wanted) == [None] * 5
    assert len(asked(crm)) == 6


def everything(_: str) -> str:
    """Find all, whatever was asked for."""
    return "id:gt:0"


def test_an_index_that_does_not_heed_the_filter_is_not_believed(crm: Source) -> None:
    crm.begin(field_values_rest="index")
    wanted = customers_with(crm, 60, 60)

    with meddled(crm.sandbox, everything) as url:
        misheard = Source(crm.sandbox, url)
        found = counts(WholeRelation(misheard.connection().client, CUSTOMER, FIELD_VALUES), wanted)
        misheard.close()

    assert found == [None, None]


def test_a_record_that_is_gone_is_no_reason_to_ask_elsewhere_for_others(crm: Source) -> None:
    wanted = customers_with(crm, 60, 60)
    gone = min(wanted)
    relation = WholeRelation(crm.connection().client, CUSTOMER, FIELD_VALUES)
    crm.customers.delete(gone)

    assert counts(relation, wanted) == [None, 60]


def test_fewer_than_are_known_to_be_there_are_not_all(crm: Source) -> None:
    (record_id,) = customers_with(crm, 10)
    relation = WholeRelation(crm.connection().client, CUSTOMER, FIELD_VALUES)

    assert relation.of(record_id, at_least=11) is None
    assert relation.of(record_id, at_least=10) is not None


@pytest.mark.parametrize("came", ['"field_values": null', '"field_values": "x"', '"name": "A"'])
def test_a_show_without_the_relation_proves_nothing(crm: Source, came: str) -> None:
    with serving(answer(200, f'{{"id": 1, {came}}}')) as server:
        bare = Source(crm.sandbox, server.url)
        relation = WholeRelation(bare.connection().client, CUSTOMER, FIELD_VALUES)
        found = relation.of(1)
        bare.close()

    assert found is None


@pytest.mark.parametrize("number", [49, 50])
def test_fifty_without_a_total_prove_nothing(crm: Source, number: int) -> None:
    crm.begin(field_values_rest="nowhere", field_values_shape="list")
    wanted: Any = customers_with(crm, number)

    found = counts(WholeRelation(crm.connection().client, CUSTOMER, FIELD_VALUES), wanted)

    assert found == [49 if number == 49 else None]
