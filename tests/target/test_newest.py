"""The newest records over HTTP: all of them, or a word that they cannot be told."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from cirqll_client.resources import resource_of_stream
from target_cirqll.newest import CannotTell, Newest
from tests.client.meddling import meddled
from tests.client.raw_server import answer, serving
from tests.reading_fixtures import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.resources import Resource


def resource(stream: str) -> Resource:
    found = resource_of_stream(stream)
    assert found
    return found


CUSTOMER = resource("customers")


def newest(source: Source) -> Newest:
    """Ask as a new process does."""
    client = source.connection().client
    source.sandbox.forget_requests()
    return Newest(client)


def since(source: Source, floor_id: int) -> list[int]:
    records = newest(source).since(CUSTOMER, floor_id, fields=["name"])
    return [record["id"] for record in records]


@pytest.mark.parametrize("rows", [1, 2, 5, 25])
def test_the_highest_id_takes_one_request(crm: Source, rows: int) -> None:
    ids = crm.fill(rows)

    assert newest(crm).newest_id(CUSTOMER) == ids[-1]
    assert len(crm.queries) == 1


def test_without_records_the_highest_id_is_zero(crm: Source) -> None:
    assert newest(crm).newest_id(CUSTOMER) == 0


def test_what_was_created_since_comes_newest_first_with_its_fields(crm: Source) -> None:
    crm.fill(5)
    asking = newest(crm)
    floor = asking.newest_id(CUSTOMER)
    crm.customers.insert_many([{"name": "A"}, {"name": "B", "email": "b@voorbeeld.nl"}])

    records = asking.since(CUSTOMER, floor, fields=["name"])

    assert records == [{"id": 7, "name": "B"}, {"id": 6, "name": "A"}]


def test_nothing_was_created_since(crm: Source) -> None:
    ids = crm.fill(5)

    assert since(crm, ids[-1]) == []
    assert len(crm.queries) == 2


def test_the_order_is_proven_once(crm: Source) -> None:
    ids = crm.fill(5)
    asking = newest(crm)

    for _ in range(3):
        asking.since(CUSTOMER, ids[-2], fields=["name"])

    assert len(crm.queries) == 4


def test_a_floor_that_was_deleted_is_still_a_floor(crm: Source) -> None:
    ids = crm.fill(5)
    crm.customers.delete(ids[-1])
    crm.customers.insert(name="new")

    assert since(crm, ids[-1]) == [6]


@pytest.mark.parametrize("mode", ["cap", "cap_silently", "obey"])
@pytest.mark.parametrize("limit", ["true", "wrong", "missing"])
@pytest.mark.parametrize("total", ["true", "lying", "missing"])
@pytest.mark.parametrize("floor_id", [0, 3, 40, 54])
def test_no_record_is_left_out_whatever_the_server_says_of_pages(
    crm: Source, mode: str, limit: str, total: str, floor_id: int
) -> None:
    crm.begin(page_maximum=10, page_maximum_mode=mode, limit_echo=limit, total_echo=total)
    ids = crm.fill(55)

    assert since(crm, floor_id) == [one for one in reversed(ids) if one > floor_id]


@pytest.mark.parametrize("total", ["true", "lying", "missing"])
@pytest.mark.parametrize("rows", [0, 2, 3])
def test_all_are_new_where_nothing_was_before(crm: Source, total: str, rows: int) -> None:
    crm.begin(total_echo=total)
    ids = crm.fill(rows)

    assert since(crm, 0) == ids[::-1]


@pytest.mark.parametrize(("floor_id", "new"), [(0, [1]), (1, []), (7, [])])
def test_a_single_record_is_believed_if_it_is_the_only_one(
    crm: Source, floor_id: int, new: list[int]
) -> None:
    crm.fill(1)

    assert since(crm, floor_id) == new


def test_too_many_new_records_cannot_be_told(crm: Source) -> None:
    crm.begin(page_maximum=2, total_echo="missing")
    crm.fill(60)

    with pytest.raises(CannotTell, match="more than 20 pages"):
        since(crm, 1)


@pytest.mark.parametrize("mode", ["ignore", "refuse"])
def test_without_the_order_nothing_can_be_told(crm: Source, mode: str) -> None:
    crm.begin(order_mode=mode)
    ids = crm.fill(5)

    with pytest.raises(CannotTell):
        newest(crm).newest_id(CUSTOMER)
    with pytest.raises(CannotTell):
        since(crm, ids[-1])


def test_a_single_record_that_may_not_be_the_only_one_proves_nothing(crm: Source) -> None:
    crm.begin(page_maximum=1, total_echo="missing")
    ids = crm.fill(5)

    with pytest.raises(CannotTell, match="single record"):
        newest(crm).newest_id(CUSTOMER)
    with pytest.raises(CannotTell, match="single record"):
        since(crm, ids[-1])


@pytest.mark.parametrize("said", ['"total": 0', '"total": 5', '"offset": 0'])
@pytest.mark.parametrize("floor_id", [0, 7])
def test_an_empty_list_is_not_believed_where_there_are_records(
    crm: Source, said: str, floor_id: int
) -> None:
    empty = f'{{"data": [], "limit": 100, {said}}}'
    one = '{"data": [{"id": 7}], "limit": 1, "total": 7}'

    with (
        serving(answer(200, empty), answer(200, one)) as server,
        closing(Source(crm.sandbox, server.url)) as odd,
        pytest.raises(CannotTell, match="no records where there must be some"),
    ):
        since(odd, floor_id)


def test_an_empty_list_without_a_count_is_not_believed_above_a_floor(crm: Source) -> None:
    with (
        serving(answer(200, '{"data": [], "limit": 100}')) as server,
        closing(Source(crm.sandbox, server.url)) as odd,
    ):
        assert since(odd, 0) == []
        with pytest.raises(CannotTell):
            since(odd, 7)


def test_ids_that_descend_by_chance_are_no_order(crm: Source) -> None:
    page = '{"data": [{"id": 9}, {"id": 4}], "limit": 100, "total": 50}'

    with (
        serving(answer(200, page)) as server,
        closing(Source(crm.sandbox, server.url)) as odd,
        pytest.raises(CannotTell, match="in the order of their ids"),
    ):
        since(odd, 5)


def test_a_record_without_a_usable_id_proves_nothing(crm: Source) -> None:
    with (
        serving(answer(200, '{"data": [{"id": null}], "total": 1}')) as server,
        closing(Source(crm.sandbox, server.url)) as odd,
        pytest.raises(CannotTell, match="without a usable id"),
    ):
        since(odd, 5)


def nothing(_: str) -> str:
    """Find nothing, whatever was asked for."""
    return "id:lt:0"


def inclusive(text: str) -> str:
    """Take ``lt`` for ``lte``."""
    return text.replace(":lt:", ":lte:")


def from_far_below(text: str) -> str:
    """Leave out what lies right below."""
    return re.sub(r":lt:(\d+)", lambda found: f":lt:{int(found[1]) - 5}", text)


@pytest.mark.parametrize("mishear", [nothing, inclusive, from_far_below])
def test_a_misread_filter_proves_nothing(crm: Source, mishear: Callable[[str], str]) -> None:
    crm.begin(page_maximum=10)
    crm.fill(35)

    with meddled(crm.sandbox, mishear) as url, closing(Source(crm.sandbox, url)) as misheard:
        with pytest.raises(CannotTell):
            since(misheard, 3)
        assert since(misheard, 30) == [35, 34, 33, 32, 31]
