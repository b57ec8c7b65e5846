"""Who may do what: tokens, scopes, and paths that do not exist."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox
    from tests.sandbox.conftest import Client


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Bearer", "Basic abc"])
def test_without_a_valid_token_the_answer_is_401(api: Client, header: str) -> None:
    answer = api.send("GET", "/api/customer", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json() == {"message": "Unauthenticated."}


def test_a_revoked_token_is_not_valid(sandbox: Sandbox, api: Client) -> None:
    sandbox.tokens.revoke(sandbox.access_token)
    assert api.get("/api/customer").status_code == 401


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("customer.read.all", "GET", "/api/customer"),
        ("customer.read.all", "GET", "/api/customer/1"),
        ("customer.create.all", "POST", "/api/customer"),
        ("customer.update.all", "PATCH", "/api/customer/1"),
        ("customer.delete.all", "DELETE", "/api/customer/1"),
    ],
)
def test_each_action_needs_its_own_scope(
    sandbox: Sandbox, api: Client, scope: str, method: str, path: str
) -> None:
    sandbox.rows("customer").insert(name="a")
    for scopes, allowed in (([scope], True), (["user.read.all"], False)):
        token = sandbox.tokens.grant("another-token-not-a-secret", scopes=scopes)
        headers = {"Authorization": f"Bearer {token}"}
        answer = api.send(method, path, json={"name": "b"}, headers=headers)
        assert answer.ok is allowed
    assert answer.status_code == 403
    assert scope in answer.json()["message"]


def test_relations_may_need_the_scope_of_what_they_lead_to(sandbox: Sandbox, api: Client) -> None:
    sandbox.tokens.grant(sandbox.access_token, scopes=["customer.read.all"])
    assert api.get("/api/customer", with_="user").status_code == 200
    sandbox.behaviour = replace(sandbox.behaviour, relations_need_scopes=True)
    assert api.get("/api/customer", with_="user").status_code == 403


def test_me_is_the_user_of_the_token_with_the_company(company_api: Client, api: Client) -> None:
    me = company_api.get("/api/auth/me").json()
    assert me["company"]["id"] == me["company_id"]
    assert api.get("/api/auth/me").json()["company"]["name"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nonsense", 404), ("GET", "/api/address", 404),
        ("GET", "/api/customer/1", 404),
        ("GET", "/api/customer/x", 404), ("GET", "/customer", 404), ("GET", "/oauth/nonsense", 404),
        ("GET", "/oauth/token", 405),
        ("PUT", "/api/customer/1", 405), ("POST", "/api/customer/1", 405),
        ("GET", "/api/setting/1", 405), ("POST", "/api/setting", 405),
        ("DELETE", "/api/setting/1", 405),
    ],
)  # fmt: skip
def test_what_does_not_exist_is_404_and_what_cannot_be_done_is_405(
    api: Client, method: str, path: str, status: int
) -> None:
    answer = api.send(method, path)
    assert answer.status_code == status
    assert answer.json()["message"]


def test_a_setting_can_be_listed_and_updated(sandbox: Sandbox, api: Client) -> None:
    sandbox.rows("setting").insert(key="language", value="nl")
    assert api.send("PATCH", "/api/setting/1", json={"value": "en"}).json()["value"] == "en"
    assert api.rows("/api/setting")[0]["key"] == "language"
