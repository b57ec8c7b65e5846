"""The admin API does over HTTP what tests do in Python, for signing in too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cirqll_sandbox import fingerprint

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox
    from tests.sandbox.conftest import Client
    from tests.sandbox.program import Program


def send(api: Client, path: str, body: object = None) -> dict[str, Any]:
    """`POST` below `/_sandbox/oauth`, which must succeed."""
    answer = api.send("POST", f"/_sandbox/oauth/{path}", json=body)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


def test_a_pair_can_be_granted_and_refreshed_by_another_program(
    program: Program, api: Client
) -> None:
    first = send(api, "grant", {"scopes": ["user.read.all"], "user": 3})
    assert (first["token_type"], first["scope"]) == ("Bearer", "user.read.all")
    assert program.me(first["access_token"]).json()["id"] == 3
    second = send(api, "refresh", {"refresh_token": first["refresh_token"]})
    assert program.me(first["access_token"]).status_code == 401
    assert program.me(second["access_token"]).status_code == 200


def test_tokens_can_expire_and_be_revoked(program: Program, api: Client) -> None:
    first, second, third = (send(api, "grant") for _ in range(3))
    send(api, "revoke", {"token": first["access_token"]})
    assert program.me(first["access_token"]).status_code == 401
    assert program.me(second["access_token"]).status_code == 200
    send(api, "expire-access-tokens")
    assert program.me(second["access_token"]).status_code == 401
    assert program.refresh(second["refresh_token"]).status_code == 200
    send(api, "expire-refresh-tokens")
    assert program.refresh(third["refresh_token"]).json()["hint"] == "Token has expired"
    fourth = send(api, "grant")
    send(api, "revoke-everything")
    assert program.me(fourth["access_token"]).status_code == 401


def test_clients_and_accounts_can_be_added_and_listed(
    sandbox: Sandbox, program: Program, api: Client
) -> None:
    uri = "https://connect.voorbeeld.example/back"
    send(api, "clients", {"id": "other", "redirect_uris": [uri], "name": "Other"})
    account = send(api, "accounts", {"name": "Noor", "company": "Zaken B.V."})
    page = program.open(client_id="other", redirect_uri=uri).text
    assert "Other asks for access" in page
    assert "Zaken B.V." in page

    clients = api.get("/_sandbox/oauth/clients").json()["data"]
    accounts = api.get("/_sandbox/oauth/accounts").json()["data"]
    assert clients[1] == {"id": "other", "name": "Other", "redirect_uris": [uri]}
    assert accounts[1] == account
    assert account["user_id"] == sandbox.oauth.accounts.find(account["user_id"]).user_id


def test_requests_are_listed_without_secrets(program: Program, api: Client) -> None:
    program.code(locale="nb")
    program.refresh("dead-token")
    (asked, decided) = api.get("/_sandbox/oauth/authorize-requests").json()["data"]
    assert (asked["parameters"]["locale"], decided["outcome"]) == ("nb", "allowed")
    (refresh,) = api.get("/_sandbox/oauth/token-requests").json()["data"]
    assert refresh["credential"] == fingerprint("dead-token")
    api.send("DELETE", "/_sandbox/requests")
    assert api.get("/_sandbox/oauth/token-requests").json() == {"data": []}


def test_the_summary_tells_what_to_sign_in_with(sandbox: Sandbox, api: Client) -> None:
    summary = api.get("/_sandbox/").json()
    assert summary["client_id"] == sandbox.client.id
    assert summary["client_secret"] == sandbox.client.secret


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("grant", {"client": "nobody"}, 404, "There is no client nobody here."),
        ("refresh", {"refresh_token": "dead"}, 400, "The refresh token gives nothing: "),
        ("refresh", {}, 400, "The body lacks 'refresh_token'."),
        ("revoke", None, 400, "The body lacks 'token'."),
        ("clients", {}, 400, "The body lacks 'id'."),
        ("accounts", {"name": "Noor"}, 400, "The body lacks 'company'."),
    ],
)
def test_what_cannot_be_done_is_said_in_words(
    api: Client, path: str, body: object, status: int, words: str
) -> None:
    answer = api.send("POST", f"/_sandbox/oauth/{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["message"].startswith(words)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"refresh_rotates": False, "refresh_token_seconds": None}, 200),
        ({"broad_scopes": ["accounting"]}, 200), ({"refresh_refusal": "418 teapot"}, 400),
        ({"access_token_seconds": "long"}, 400), ({"pkce": "sometimes"}, 400),
    ],
)  # fmt: skip
def test_the_switches_are_checked(api: Client, options: dict[str, Any], status: int) -> None:
    assert api.send("PATCH", "/_sandbox/behaviour", json=options).status_code == status
