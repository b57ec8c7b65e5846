"""Which scopes a sign-in asks for, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cirqll_client.errors import SettingInvalid
from cirqll_client.scope_choice import ScopeChoice, chosen_scopes
from cirqll_client.settings import ConnectionSettings, SignInSettings
from tests.client.raw_server import answer, serving

if TYPE_CHECKING:
    from tests.client.raw_server import Reply

WANTED = ("customer.read.all", "todo.read.all")


def chosen(reply: Reply) -> ScopeChoice:
    with serving(reply) as service:
        settings = ConnectionSettings(api_url=service.url)
        found = chosen_scopes(settings, SignInSettings(), WANTED)
        assert service.received[0].startswith(b"GET /oauth/scopes HTTP/1.1\r\n")
        assert b"Authorization" not in service.received[0]
    return found


@pytest.mark.parametrize(
    "body",
    [
        '["customer.read.all", "note.read.all"]',
        '[{"id": "customer.read.all", "description": "Read all customers"}]',
        '[{"name": "customer.read.all"}, {"id": 7}, null, 7]',
        '{"data": [{"id": "customer.read.all"}]}',
        '{"scopes": ["customer.read.all"]}',
        '{"customer.read.all": "Read all customers"}',
    ],
)
def test_scopes_that_cirqll_does_not_have_are_left_out(body: str) -> None:
    # Then
    assert chosen(answer(200, body)) == ScopeChoice(("customer.read.all",), ("todo.read.all",))


@pytest.mark.parametrize(
    "body",
    ["", "null", "7", '"read"', "<html>", "[" * 9999, '{"data": 5}', '{"message": "no"}', "[1]"],
)
def test_an_odd_list_is_passed_over(body: str) -> None:
    # Then
    assert chosen(answer(200, body)) == ScopeChoice(WANTED)


@pytest.mark.parametrize("status", [204, 302, 401, 403, 404, 429, 500, 503])
def test_a_list_that_is_not_given_is_passed_over(status: int) -> None:
    # Then
    assert chosen(answer(status, '["customer.read.all"]')) == ScopeChoice(WANTED)


@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[", b"odd"])
def test_an_answer_that_breaks_off_is_passed_over(part: bytes) -> None:
    # When
    found = chosen(lambda connection: connection.sendall(part))
    # Then
    assert (found.scopes, found.left_out) == (WANTED, ())
    assert found.silence


def test_a_url_that_cannot_be_called_is_refused() -> None:
    # Given
    sign_in = SignInSettings(scopes_url="nonsense")
    # When
    with pytest.raises(SettingInvalid) as caught:
        chosen_scopes(ConnectionSettings(), sign_in, WANTED)
    # Then
    assert "The setting scopes_url (nonsense) is not a URL" in caught.value.sentence
