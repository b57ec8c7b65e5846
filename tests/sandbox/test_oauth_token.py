"""The token URL: what it gives for a code and for a refresh token, and what it refuses."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest

from tests.sandbox.program import REDIRECT_URI

if TYPE_CHECKING:
    import requests

    from cirqll_sandbox import Sandbox
    from tests.sandbox.program import Program

VERIFIER = "a-verifier-that-is-long-enough-for-the-standard.~_"


def s256(verifier: str) -> str:
    """The challenge of a verifier."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def error_of(answer: requests.Response) -> tuple[int, str]:
    """Status and error word of a refusal in Passport's form."""
    body = answer.json()
    assert body["message"] == body["error_description"]
    return answer.status_code, body["error"]


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT."""
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def test_a_code_gives_a_pair_as_passport_does(program: Program) -> None:
    answer = program.exchange(program.code())
    pair = answer.json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert pair.keys() == {"token_type", "expires_in", "access_token", "refresh_token"}
    assert (pair["token_type"], pair["expires_in"]) == ("Bearer", 2_592_000)
    assert len(pair["refresh_token"]) > 300
    assert program.me(pair["access_token"]).status_code == 200


def test_an_access_token_is_a_jwt(sandbox: Sandbox, program: Program) -> None:
    sandbox.clock.stop()
    claims = claims_of(program.exchange(program.code()).json()["access_token"])
    assert (claims["aud"], claims["sub"]) == (sandbox.client.id, "1")
    assert claims["scopes"] == ["customer.read.all", "user.read.all"]
    assert claims["iat"] == claims["nbf"] == sandbox.clock.now().timestamp()
    assert claims["exp"] == claims["iat"] + 2_592_000
    assert len(claims["jti"]) == 80


@pytest.mark.parametrize("form", ["form", "json", "basic"])
def test_a_request_is_a_form_or_json_and_names_the_client_in_it_or_by_basic(
    sandbox: Sandbox, program: Program, form: str
) -> None:
    fields = {
        "grant_type": "authorization_code", "code": program.code(), "redirect_uri": REDIRECT_URI,
    }  # fmt: skip
    client = {"client_id": sandbox.client.id, "client_secret": sandbox.client.secret}
    options: dict[str, dict[str, Any]] = {
        "form": {"data": fields | client},
        "json": {"json": fields | client},
        "basic": {"data": fields, "auth": (sandbox.client.id, sandbox.client.secret)},
    }
    assert program.send("POST", "/oauth/token", **options[form]).status_code == 200
    assert sandbox.token_requests[0].client_id == sandbox.client.id


def test_basic_credentials_are_decoded_as_rfc_6749_says(sandbox: Sandbox, program: Program) -> None:
    client = sandbox.add_client("a program: ours", secret="100% not a secret+")
    pair = sandbox.grant(client=client)
    fields = {"grant_type": "refresh_token", "refresh_token": pair.refresh_token}
    credentials = (quote_plus(client.id), quote_plus(client.secret))
    answer = program.send("POST", "/oauth/token", data=fields, auth=credentials)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"client_secret": "wrong"}, (401, "invalid_client")),
        ({"client_secret": None}, (401, "invalid_client")),
        ({"client_id": "nobody"}, (401, "invalid_client")),
        ({"client_id": None}, (400, "invalid_request")),
        ({"grant_type": "password"}, (400, "unsupported_grant_type")),
        ({"grant_type": None}, (400, "unsupported_grant_type")),
        ({"code": None}, (400, "invalid_request")),
        ({"code": "invented"}, (400, "invalid_grant")),
        ({"redirect_uri": None}, (400, "invalid_request")),
        ({"redirect_uri": "http://127.0.0.1/callback"}, (400, "invalid_grant")),
        ({"code_verifier": VERIFIER}, (400, "invalid_request")),
    ],
)
def test_a_wrong_exchange_is_refused_and_leaves_the_code_good(
    program: Program, change: dict[str, str | None], refused: tuple[int, str]
) -> None:
    code = program.code()
    wrong = {"code": code, **change}
    fields = {"grant_type": "authorization_code", "redirect_uri": REDIRECT_URI}
    assert error_of(program.post(fields, wrong)) == refused
    assert program.exchange(code).status_code == 200


@pytest.mark.parametrize(
    "options",
    [
        {"data": b"\xff\xfe", "headers": {"Content-Type": "application/json"}},
        {"json": ["a list"]},
        {"data": "grant_type=refresh_token", "headers": {"Authorization": "Basic ???"}},
        {"data": "grant_type=refresh_token", "headers": {"Authorization": "Basic /w=="}},
        {},
    ],
)
def test_a_request_that_cannot_be_read_is_refused(
    program: Program, options: dict[str, Any]
) -> None:
    assert program.send("POST", "/oauth/token", **options).status_code == 400


@pytest.mark.parametrize("revokes", [True, False])
def test_a_code_used_twice_is_refused_and_may_end_what_it_gave(
    sandbox: Sandbox, program: Program, *, revokes: bool
) -> None:
    sandbox.behaviour = replace(sandbox.behaviour, reused_code_revokes=revokes)
    code = program.code()
    pair = program.exchange(code).json()
    assert error_of(program.exchange(code)) == (400, "invalid_grant")
    assert program.me(pair["access_token"]).status_code == (401 if revokes else 200)
    assert program.refresh(pair["refresh_token"]).ok is not revokes


def test_a_code_is_good_for_ten_minutes(sandbox: Sandbox, program: Program) -> None:
    sandbox.clock.stop()
    young, old = program.code(), program.code()
    sandbox.clock.move(599)
    assert program.exchange(young).status_code == 200
    sandbox.clock.move(1)
    assert error_of(program.exchange(old)) == (400, "invalid_grant")


def test_a_code_is_good_for_its_own_client_only(sandbox: Sandbox, program: Program) -> None:
    other = sandbox.add_client("other")
    changes: dict[str, str | None] = {"client_id": other.id, "client_secret": other.secret}
    assert error_of(program.exchange(program.code(), **changes)) == (400, "invalid_grant")


@pytest.mark.parametrize(("method", "challenge"), [("S256", s256(VERIFIER)), ("plain", VERIFIER)])
def test_pkce_proves_who_asked(program: Program, method: str, challenge: str) -> None:
    sent = {"code_challenge": challenge, "code_challenge_method": method}
    code = program.code(**sent)
    wrong = VERIFIER.replace("a", "b")
    assert error_of(program.exchange(code)) == (400, "invalid_request")
    for verifier in (wrong, "short", challenge if method == "S256" else s256(VERIFIER)):
        refused = program.exchange(code, code_verifier=verifier)
        assert error_of(refused) == (400, "invalid_grant")
    assert program.exchange(code, code_verifier=VERIFIER).status_code == 200


def test_a_verifier_that_anybody_could_guess_is_refused(program: Program) -> None:
    code = program.code(code_challenge=s256("short"), code_challenge_method="S256")
    assert error_of(program.exchange(code, code_verifier="short")) == (400, "invalid_grant")


def test_a_challenge_without_a_method_is_plain(program: Program) -> None:
    code = program.code(code_challenge=VERIFIER)
    assert program.exchange(code, code_verifier=VERIFIER).status_code == 200


def test_a_refresh_ends_the_old_pair_at_once(sandbox: Sandbox, program: Program) -> None:
    old = sandbox.grant(["user.read.all"])
    new = program.refresh(old.refresh_token).json()

    assert new["refresh_token"] != old.refresh_token
    assert program.me(old.access_token).status_code == 401
    assert program.me(new["access_token"]).status_code == 200
    assert error_of(program.refresh(old.refresh_token)) == (400, "invalid_grant")
    assert program.refresh(new["refresh_token"]).status_code == 200


def test_a_refresh_keeps_user_and_scopes_or_fewer_when_asked(
    sandbox: Sandbox, program: Program
) -> None:
    account = sandbox.add_account("Noor Zandwijker", company="Verzonnen Zaken B.V.")
    pair = sandbox.grant(["customer.read.all", "user.read.all"], user=account)
    first = program.refresh(pair.refresh_token).json()
    assert claims_of(first["access_token"])["scopes"] == ["customer.read.all", "user.read.all"]
    assert program.me(first["access_token"]).json()["name"] == "Noor Zandwijker"

    more = program.refresh(first["refresh_token"], scope="role.read.all")
    assert error_of(more) == (400, "invalid_scope")
    fewer = program.refresh(first["refresh_token"], scope="user.read.all").json()
    assert claims_of(fewer["access_token"])["scopes"] == ["user.read.all"]


def test_a_refresh_token_is_good_for_its_own_client_only(
    sandbox: Sandbox, program: Program
) -> None:
    other = sandbox.add_client("other", secret="another-not-a-secret")
    pair = sandbox.grant(client=other)
    assert error_of(program.refresh(pair.refresh_token)) == (400, "invalid_grant")
    credentials = {"client_id": other.id, "client_secret": "another-not-a-secret"}
    assert program.refresh(pair.refresh_token, **credentials).status_code == 200


@pytest.mark.parametrize("token", [None, "", "invented"])
def test_no_refresh_token_or_an_invented_one_is_refused(
    program: Program, token: str | None
) -> None:
    fields = {"grant_type": "refresh_token"}
    word = "invalid_grant" if token else "invalid_request"
    assert error_of(program.post(fields, {"refresh_token": token})) == (400, word)


def test_a_refusal_tells_no_secret(sandbox: Sandbox, program: Program) -> None:
    refused = program.refresh("dead-refresh-token", client_secret=sandbox.client.secret)
    assert "dead-refresh-token" not in refused.text
    assert sandbox.client.secret not in refused.text
