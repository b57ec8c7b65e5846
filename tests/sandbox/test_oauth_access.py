"""What the API lets the bearer of a token do, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cirqll_sandbox.tokens import DeadTokenError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_sandbox import Sandbox
    from tests.sandbox.program import Program

DAY = 24 * 3600


def test_the_scopes_that_were_given_hold(program: Program) -> None:
    code = program.code(scope="customer.read.all")
    token = program.exchange(code).json()["access_token"]
    assert program.get("/api/customer", token).status_code == 200
    refused = program.get("/api/user", token)
    assert refused.status_code == 403
    assert "user.read.all" in refused.json()["message"]


def test_without_scopes_one_may_still_ask_who_one_is(program: Program) -> None:
    token = program.exchange(program.code(scope=None)).json()["access_token"]
    assert program.me(token).status_code == 200
    assert program.get("/api/customer", token).status_code == 403


def test_a_grant_without_a_browser_permits_everything_unless_told(
    sandbox: Sandbox, program: Program
) -> None:
    everything, little = sandbox.grant(), sandbox.grant(["user.read.all"])
    assert everything.expires_in == 30 * DAY
    assert program.get("/api/webhook", everything.access_token).status_code == 200
    assert program.get("/api/webhook", little.access_token).status_code == 403


def test_a_user_of_the_company_can_be_granted_by_id(sandbox: Sandbox, program: Program) -> None:
    sandbox.rows("user").insert_many([{"name": "a"}, {"name": "b", "company_id": 1}])
    assert program.me(sandbox.grant(user=2).access_token).json()["name"] == "b"


def test_an_access_token_lives_thirty_days_and_a_refresh_token_ninety(
    sandbox: Sandbox, program: Program
) -> None:
    sandbox.clock.stop()
    pair, late = sandbox.grant(), sandbox.grant()
    sandbox.clock.move(30 * DAY - 1)
    assert program.me(pair.access_token).status_code == 200
    sandbox.clock.move(1)
    assert program.me(pair.access_token).json() == {"message": "Unauthenticated."}
    sandbox.clock.move(60 * DAY - 1)
    assert program.refresh(pair.refresh_token).status_code == 200
    sandbox.clock.move(1)
    assert program.refresh(late.refresh_token).json()["hint"] == "Token has expired"


def test_tokens_can_expire_on_request(sandbox: Sandbox, program: Program) -> None:
    pair = sandbox.grant()
    sandbox.expire_access_tokens()
    assert program.me(pair.access_token).status_code == 401
    fresh = program.refresh(pair.refresh_token).json()
    assert program.me(fresh["access_token"]).status_code == 200

    sandbox.expire_refresh_tokens()
    assert program.me(fresh["access_token"]).status_code == 200
    assert program.refresh(fresh["refresh_token"]).status_code == 400


def test_a_token_can_be_revoked_alone_or_with_its_pair(sandbox: Sandbox, program: Program) -> None:
    first, second = sandbox.grant(), sandbox.grant()
    sandbox.revoke(first.access_token)
    assert program.me(first.access_token).status_code == 401
    assert program.refresh(first.refresh_token).status_code == 200
    sandbox.revoke(second.refresh_token)
    assert program.me(second.access_token).status_code == 401
    assert program.refresh(second.refresh_token).status_code == 400


def test_all_access_can_be_withdrawn_and_fixed_tokens_stay(
    sandbox: Sandbox, program: Program
) -> None:
    pair, code = sandbox.grant(), program.code()
    sandbox.revoke_everything()
    assert program.me(pair.access_token).status_code == 401
    assert program.refresh(pair.refresh_token).status_code == 400
    assert program.exchange(code).status_code == 400
    assert program.me(sandbox.access_token).status_code == 200


def test_fixed_tokens_do_not_expire(sandbox: Sandbox, program: Program) -> None:
    sandbox.expire_access_tokens()
    sandbox.clock.move(1000 * DAY)
    assert program.me(sandbox.access_token).status_code == 200


def test_another_program_that_refreshes_kills_the_pair(sandbox: Sandbox, program: Program) -> None:
    pair = sandbox.grant()
    theirs = sandbox.refresh_as_another_program(pair.refresh_token)
    assert program.me(pair.access_token).status_code == 401
    assert program.refresh(pair.refresh_token).status_code == 400
    assert program.me(theirs.access_token).status_code == 200
    assert len(sandbox.token_requests) == 1
    with pytest.raises(DeadTokenError, match="revoked"):
        sandbox.refresh_as_another_program(pair.refresh_token)


@pytest.mark.parametrize("show", [repr, str])
def test_a_pair_does_not_show_its_tokens(sandbox: Sandbox, show: Callable[[object], str]) -> None:
    pair = sandbox.grant()
    assert pair.access_token not in show(pair)
    assert pair.refresh_token not in show(pair)


def test_tokens_clients_and_accounts_outlast_a_reset(sandbox: Sandbox, program: Program) -> None:
    account = sandbox.add_account("Noor Zandwijker", company="Verzonnen Zaken B.V.")
    pair = sandbox.grant(user=account, client=sandbox.add_client("other"))
    sandbox.reset()
    assert program.me(pair.access_token).json()["name"] == "Noor Zandwijker"


def test_the_default_client_can_be_registered_anew(sandbox: Sandbox, program: Program) -> None:
    uri = "https://connect.voorbeeld.example/back"
    sandbox.add_client(sandbox.client.id, redirect_uris=[uri], name="Our own program")
    assert sandbox.client.redirect_uris == (uri,)
    assert "Our own program asks for access" in program.open(redirect_uri=uri).text


def test_the_scopes_can_be_listed_as_passport_does(program: Program) -> None:
    listed = program.send("GET", "/oauth/scopes").json()
    assert {"id": "customer.read.all", "description": "Read all customers"} in listed
    assert len(listed) == 64
