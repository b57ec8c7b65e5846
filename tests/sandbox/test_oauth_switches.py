"""Each switch of the sign-in changes what it says, and a preset turns many."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from cirqll_sandbox import LUCA, Behaviour
from tests.sandbox.browser import told

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox
    from cirqll_sandbox.behaviour import RefreshRefusal
    from tests.sandbox.program import Program

CHALLENGE = "c" * 43


def switch(sandbox: Sandbox, **options: Any) -> None:
    """Turn switches."""
    sandbox.behaviour = replace(sandbox.behaviour, **options)


def pair(program: Program) -> dict[str, Any]:
    """What the token URL gives."""
    fields: dict[str, Any] = program.exchange(program.code()).json()
    return fields


def test_without_rotation_the_same_refresh_token_comes_back(
    sandbox: Sandbox, program: Program
) -> None:
    switch(sandbox, refresh_rotates=False)
    pair = sandbox.grant()
    before = pair.access_token
    for _ in range(2):
        new = program.refresh(pair.refresh_token).json()
        assert new["refresh_token"] == pair.refresh_token
        assert program.me(before).status_code == 401
        assert program.me(before := new["access_token"]).status_code == 200


@pytest.mark.parametrize("rotates", [True, False])
def test_the_old_access_token_may_live_on(
    sandbox: Sandbox, program: Program, *, rotates: bool
) -> None:
    switch(sandbox, refresh_rotates=rotates, refresh_revokes_access_token=False)
    old = sandbox.grant()
    program.refresh(old.refresh_token)
    assert program.me(old.access_token).status_code == 200


@pytest.mark.parametrize("revokes", [True, False])
def test_a_refresh_token_used_twice_may_end_what_replaced_it(
    sandbox: Sandbox, program: Program, *, revokes: bool
) -> None:
    switch(sandbox, reused_refresh_token_revokes=revokes)
    old, stranger = sandbox.grant(), sandbox.grant()
    new = program.refresh(old.refresh_token).json()
    assert program.refresh(old.refresh_token).status_code == 400
    assert program.me(new["access_token"]).status_code == (401 if revokes else 200)
    assert program.refresh(new["refresh_token"]).ok is not revokes
    assert program.me(stranger.access_token).status_code == 200


def test_both_ages_can_be_set(sandbox: Sandbox, program: Program) -> None:
    switch(sandbox, access_token_seconds=5, refresh_token_seconds=10)
    sandbox.clock.stop()
    tokens = pair(program)
    assert tokens["expires_in"] == 5
    sandbox.clock.move(5)
    assert program.me(tokens["access_token"]).status_code == 401
    sandbox.clock.move(5)
    assert program.refresh(tokens["refresh_token"]).status_code == 400


def test_access_tokens_may_be_opaque(sandbox: Sandbox, program: Program) -> None:
    switch(sandbox, access_tokens="opaque")
    token = pair(program)["access_token"]
    assert "." not in token
    assert program.me(token).status_code == 200


@pytest.mark.parametrize(
    ("options", "field", "expected"),
    [
        ({"token_type_word": "bearer"}, "token_type", "bearer"),
        ({"expires_in_told": "text"}, "expires_in", "2592000"),
        ({"expires_in_told": "missing"}, "expires_in", None),
        ({"scope_told_in_token": True}, "scope", "customer.read.all user.read.all"),
        (
            {"scope_told_in_token": True, "withheld_scopes": ("user.read.all",)},
            "scope",
            "customer.read.all",
        ),
        ({"token_answer_lacks": ("refresh_token", "scope")}, "refresh_token", None),
    ],
)
def test_the_answer_can_look_different(
    sandbox: Sandbox, program: Program, options: dict[str, Any], field: str, expected: object
) -> None:
    switch(sandbox, **options)
    assert pair(program).get(field) == expected


def test_the_answer_can_be_a_form(sandbox: Sandbox, program: Program) -> None:
    switch(sandbox, token_answer_form="form")
    answer = program.exchange(program.code())
    assert answer.headers["Content-Type"] == "application/x-www-form-urlencoded"
    fields = parse_qs(answer.text, strict_parsing=True)
    assert fields["expires_in"] == ["2592000"]
    assert program.me(fields["access_token"][0]).status_code == 200


@pytest.mark.parametrize(
    ("mode", "sent", "status"),
    [
        ("ignored", None, 200), ("ignored", "http://other.example/", 200),
        ("refused", None, 200), ("refused", "http://127.0.0.1:51234/callback", 400),
    ],
)  # fmt: skip
def test_a_redirect_uri_in_the_token_request_may_be_ignored_or_refused(
    sandbox: Sandbox, program: Program, mode: str, sent: str | None, status: int
) -> None:
    switch(sandbox, redirect_uri_in_token_request=mode)
    assert program.exchange(program.code(), redirect_uri=sent).status_code == status


@pytest.mark.parametrize("refusal", ["401 invalid_grant", "400 invalid_request"])
def test_a_dead_refresh_token_can_be_refused_otherwise(
    sandbox: Sandbox, program: Program, refusal: RefreshRefusal
) -> None:
    switch(sandbox, refresh_refusal=refusal)
    answer = program.refresh("dead")
    assert f"{answer.status_code} {answer.json()['error']}" == refusal


def test_pkce_can_be_unknown_to_the_server(sandbox: Sandbox, program: Program) -> None:
    switch(sandbox, pkce="ignored")
    code = program.code(code_challenge=CHALLENGE, code_challenge_method="S256")
    assert program.exchange(code, code_verifier="whatever").status_code == 200
    switch(sandbox, pkce="refused")
    assert told(program.open(code_challenge=CHALLENGE))["error"] == "invalid_request"
    assert program.open().status_code == 200


def test_a_code_can_live_shorter(sandbox: Sandbox, program: Program) -> None:
    switch(sandbox, code_seconds=1)
    sandbox.clock.stop()
    code = program.code()
    sandbox.clock.move(1)
    assert program.exchange(code).status_code == 400


def test_the_list_of_scopes_may_need_a_token(sandbox: Sandbox, program: Program) -> None:
    switch(sandbox, scopes_list_needs="token")
    assert program.send("GET", "/oauth/scopes").status_code == 401
    assert program.get("/oauth/scopes", sandbox.access_token).status_code == 200


@pytest.mark.parametrize("counts", [True, False])
def test_signing_in_may_count_against_the_rate_limit(
    sandbox: Sandbox, program: Program, *, counts: bool
) -> None:
    switch(sandbox, rate_limit=1, oauth_counts=counts)
    refresh_token = sandbox.grant().refresh_token
    statuses = [program.refresh(refresh_token).status_code for _ in range(2)]
    assert statuses == [200, 429 if counts else 400]
    assert program.me(sandbox.access_token).status_code == (429 if counts else 200)


def test_luca_keeps_the_refresh_token_and_tells_the_scope_in_the_redirect(
    sandbox: Sandbox, program: Program
) -> None:
    sandbox.behaviour = replace(LUCA, rate_limit=0)
    sandbox.clock.stop()
    redirect = program.browser.consent(**program.query(scope="accounting", locale="nb"))
    assert redirect["scope"] == "accounting"

    first = program.exchange(redirect["code"], redirect_uri=None).json()
    sandbox.clock.move(3599)
    assert (first["token_type"], first["expires_in"]) == ("bearer", 3600)
    assert program.get("/api/customer", first["access_token"]).status_code == 200
    sandbox.clock.move(1)
    assert program.get("/api/customer", first["access_token"]).status_code == 401

    sandbox.clock.move(10 * 365 * 24 * 3600)
    second = program.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] == first["refresh_token"]
    assert program.get("/api/customer", second["access_token"]).status_code == 200


def test_the_page_tells_a_scope_of_another_make(sandbox: Sandbox, program: Program) -> None:
    sandbox.behaviour = LUCA
    page = program.open(scope="accounting").text
    assert '<th scope="row">Accounting</th><td><ul><li class="use">Use</li></ul>' in page
    assert sandbox.behaviour != Behaviour()
