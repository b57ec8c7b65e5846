"""A token loses scopes while it lives, or sees the records of some users only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox
    from tests.sandbox.conftest import Client

READ = "customer.read.all"


def _statuses(api: Client, *tokens: str) -> list[int]:
    headers = [{"Authorization": f"Bearer {token}"} for token in tokens]
    return [api.send("GET", "/api/customer", headers=one).status_code for one in headers]


def test_every_living_token_can_lose_a_scope_and_get_it_back(sandbox: Sandbox, api: Client) -> None:
    tokens = sandbox.access_token, sandbox.grant().access_token

    sandbox.take_scopes(READ)
    assert _statuses(api, *tokens) == [403, 403]
    assert api.get("/api/contact").status_code == 200
    assert _statuses(api, sandbox.grant().access_token) == [200]

    api.send("POST", "/_sandbox/oauth/give-scopes", json={"scopes": [READ]})
    assert _statuses(api, *tokens) == [200, 200]


def test_one_pair_can_lose_a_scope_for_good(sandbox: Sandbox, api: Client) -> None:
    pair, other = sandbox.grant(), sandbox.grant()

    body = {"scopes": [READ], "access_token": pair.access_token}
    assert api.send("POST", "/_sandbox/oauth/take-scopes", json=body).status_code == 200

    after = sandbox.refresh_as_another_program(pair.refresh_token)
    assert READ not in after.scopes
    tokens = (after.access_token, other.access_token, sandbox.access_token)
    assert _statuses(api, *tokens) == [403, 200, 200]


def test_a_fixed_token_can_lose_a_scope_alone(sandbox: Sandbox, api: Client) -> None:
    pair = sandbox.grant()
    sandbox.take_scopes(READ, "contact.read.all", access_token=sandbox.access_token)
    assert _statuses(api, sandbox.access_token, pair.access_token) == [403, 200]

    sandbox.give_scopes(READ, access_token=sandbox.access_token)
    assert _statuses(api, sandbox.access_token) == [200]
    assert api.get("/api/contact").status_code == 403


def test_a_scope_that_does_not_exist_is_refused_in_words(sandbox: Sandbox, api: Client) -> None:
    answer = api.send("POST", "/_sandbox/oauth/take-scopes", json={"scopes": ["customers.read"]})
    assert (answer.status_code, "no scope customers.read." in answer.text) == (400, True)
    with pytest.raises(ValueError, match="There is no scope"):
        sandbox.give_scopes("customers.read")


def test_beyond_its_reach_a_record_is_nowhere(sandbox: Sandbox, api: Client) -> None:
    sandbox.rows("user").insert_many([{}, {}, {}])
    owners = [1, 2, 3, None]
    sandbox.rows("customer").insert_many([{"name": "K", "user_id": one} for one in owners])
    sandbox.rows("contact").insert_many([{"customer_id": n} for n in (1, 2, 3, 4)])
    sandbox.behaviour = replace(sandbox.behaviour, reach={"customer": (1, 3)})

    answer = api.get("/api/customer", order_by="updated_at,id").json()
    assert (answer["total"], [row["id"] for row in answer["data"]]) == (2, [1, 3])
    shows = [api.get(f"/api/customer/{n}").status_code for n in (1, 2, 3, 4)]
    assert shows == [200, 404, 200, 404]
    writes = [
        api.send(verb, "/api/customer/2", json={}).status_code for verb in ("PATCH", "DELETE")
    ]
    assert writes == [404, 404]
    linked = [row["customer"] for row in api.rows("/api/contact", with_="customer")]
    assert [one is None for one in linked] == [False, True, False, True]
    assert api.ids("/api/contact", filter="customer.name:eq:K") == [1, 3]
    counts = [row["customers_count"] for row in api.rows("/api/user", count="customers")]
    assert counts == [1, 0, 1]

    sandbox.behaviour = replace(sandbox.behaviour, reach={"customer": ()})
    assert api.get("/api/customer").json()["total"] == 0
