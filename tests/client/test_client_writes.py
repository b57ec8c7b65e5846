"""Records are created, changed and deleted, whatever befalls the answers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client import errors
from cirqll_client.connection import connect
from cirqll_client.query import Condition, IndexQuery
from cirqll_client.resources import resource_of_stream
from cirqll_client.settings import ConnectionSettings
from tests.client.raw_server import answer, serving

if TYPE_CHECKING:
    from cirqll_client.client import CirqllClient
    from cirqll_client.resources import Resource
    from tests.reading_fixtures import Source


def resource(stream: str) -> Resource:
    """A resource by its stream."""
    one = resource_of_stream(stream)
    assert one
    return one


CUSTOMERS = resource("customers")


@pytest.fixture
def client(crm: Source) -> CirqllClient:
    return crm.connection(request_timeout=0.5).client


def nothing() -> None:
    """Write nothing down."""


def methods(crm: Source) -> list[str]:
    """What was sent."""
    return [request.method for request in crm.sandbox.requests]


def create(client: CirqllClient, name: str = "Voorbeeld B.V.") -> dict[str, Any]:
    """Create a customer."""
    return client.create(CUSTOMERS, {"name": name}, on_sending=nothing)


@pytest.mark.parametrize("behaviour", [{}, {"create_status": 200, "wrap_single": True}])
def test_a_record_is_created(crm: Source, client: CirqllClient, behaviour: dict[str, Any]) -> None:
    crm.behave(**behaviour)
    created = create(client)
    assert crm.customers.get(created["id"])["name"] == "Voorbeeld B.V."
    assert methods(crm) == ["POST"]


@pytest.mark.parametrize(
    "price", ["12.50", "1E+2", "0.1", "12345678901.23", "0"], ids=lambda text: f"price {text}"
)
def test_decimals_and_texts_arrive_as_they_are(client: CirqllClient, price: str) -> None:
    body = {"name": 'Zoë "de" \\ Jong\n€ 🙂', "price": Decimal(price), "archived_at": None}
    chance = client.create(resource("chances"), body, on_sending=nothing)
    assert {name: chance[name] for name in body} == body


@pytest.mark.parametrize(
    ("fault", "rows"),
    [
        ("lost-answer", 1), ("cut-middle", 1), ("truncated", 1), ("empty", 1), ("slow", 1),
        ("cut-before", 0), ("html-200", 0), ("login-redirect", 0), ("500", 0), ("502-html", 0),
        ("503", 0), ("408", 0),
    ],
)  # fmt: skip
def test_a_create_whose_answer_does_not_tell_is_sent_once(
    crm: Source, client: CirqllClient, fault: str, rows: int
) -> None:
    # Given
    crm.sandbox.faults.add(fault, method="POST")
    # When
    with pytest.raises(errors.OutcomeUnknown):
        create(client)
    # Then
    assert methods(crm) == ["POST"]
    assert len(crm.customers.all()) == rows


def test_a_create_that_was_not_taken_is_sent_again(crm: Source, client: CirqllClient) -> None:
    # Given
    crm.sandbox.faults.add("429", method="POST", times=1, seconds=1)
    announced: list[int] = []
    # When
    client.create(CUSTOMERS, {"name": "A"}, on_sending=lambda: announced.append(1))
    # Then
    assert methods(crm) == ["POST", "POST"]
    assert len(announced) == 2
    assert len(crm.customers.all()) == 1


def test_a_create_that_is_wrong_names_the_field(crm: Source, client: CirqllClient) -> None:
    with pytest.raises(errors.RequestRefused) as caught:
        create(client, "x" * 256)
    assert (caught.value.status, list(caught.value.fields)) == (422, ["name"])
    assert methods(crm) == ["POST"]


def test_only_what_changes_is_sent(crm: Source, client: CirqllClient) -> None:
    (key,) = crm.fill(1)
    crm.customers.update(key, phone="010")
    updated = client.update(CUSTOMERS, key, {"name": "Nieuw"})
    assert (updated["name"], updated["phone"]) == ("Nieuw", "010")
    assert methods(crm) == ["PATCH"]


def test_a_change_whose_answer_is_lost_is_sent_again(crm: Source, client: CirqllClient) -> None:
    (key,) = crm.fill(1)
    crm.sandbox.faults.add("lost-answer", method="PATCH", times=1)
    assert client.update(CUSTOMERS, key, {"name": "Nieuw"})["name"] == "Nieuw"
    assert methods(crm) == ["PATCH", "PATCH"]


@pytest.mark.parametrize("status", [200, 204])
def test_a_record_is_deleted(crm: Source, client: CirqllClient, status: int) -> None:
    (key,) = crm.fill(1)
    crm.behave(delete_status=status)
    client.delete(CUSTOMERS, key)
    assert not crm.customers.all()
    assert methods(crm) == ["DELETE"]


def test_a_page_of_a_proxy_is_no_deletion(crm: Source, client: CirqllClient) -> None:
    (key,) = crm.fill(1)
    crm.sandbox.faults.add("html-200", method="DELETE", times=1)
    client.delete(CUSTOMERS, key)
    assert not crm.customers.all()
    assert methods(crm) == ["DELETE", "DELETE"]


def test_a_record_that_an_earlier_try_deleted_is_not_found(
    crm: Source, client: CirqllClient
) -> None:
    (key,) = crm.fill(1)
    crm.sandbox.faults.add("lost-answer", method="DELETE", times=1)
    with pytest.raises(errors.NotFound):
        client.delete(CUSTOMERS, key)
    assert not crm.customers.all()


def test_a_record_that_is_not_there_is_neither_changed_nor_shown(client: CirqllClient) -> None:
    with pytest.raises(errors.NotFound, match="There is no customer with the id 9 any more"):
        client.update(CUSTOMERS, 9, {"name": "A"})
    with pytest.raises(errors.NotFound, match="There is no customer with the id 9 any more"):
        client.show(CUSTOMERS, 9)


def test_what_a_resource_does_not_offer_is_not_sent(crm: Source, client: CirqllClient) -> None:
    settings = resource("settings")
    with pytest.raises(ValueError, match="the resource setting has no create"):
        client.create(settings, {"key": "a"}, on_sending=nothing)
    with pytest.raises(ValueError, match="the resource setting has no delete"):
        client.delete(settings, 1)
    assert not crm.sandbox.requests


def test_a_token_that_may_only_read_is_told_the_scope(crm: Source) -> None:
    crm.sandbox.tokens.grant("reader-not-a-secret", scopes=["customer.read.all"])
    connection = connect(
        ConnectionSettings(
            api_url=crm.url, access_token="reader-not-a-secret", store_url="sqlite://"
        )
    )
    with pytest.raises(errors.ScopeMissing, match=r"Grant it the scope customer\.create\.all,"):
        create(connection.client)
    connection.close()


def test_a_list_that_is_too_long_for_a_url_is_told_once(crm: Source, client: CirqllClient) -> None:
    crm.fill(3)
    crm.behave(url_maximum=2000)
    fits = Condition("id", "in", tuple(range(1, 400)))
    assert len(client.index(CUSTOMERS, IndexQuery(filter=fits))) == 3
    too_long = Condition("id", "in", tuple(range(1, 600)))
    with pytest.raises(errors.RequestRefused) as caught:
        client.index(CUSTOMERS, IndexQuery(filter=too_long))
    assert caught.value.status == 414
    assert methods(crm) == ["GET", "GET"]


@pytest.mark.parametrize(("status", "body"), [(204, ""), (200, ""), (200, " ")])
def test_a_change_that_is_answered_without_a_word_was_made(status: int, body: str) -> None:
    with serving(answer(status, body)) as server:
        connection = connect(
            ConnectionSettings(api_url=server.url, access_token="t", store_url="sqlite://")
        )
        assert connection.client.update(CUSTOMERS, 7, {"name": "B"}) == {}
        connection.close()
    assert len(server.received) == 1
