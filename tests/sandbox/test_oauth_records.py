"""Requests for tokens can be counted and told apart, and no record holds a secret."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
import requests

from cirqll_sandbox import Sandbox, fingerprint
from tests.sandbox.browser import form_of, told

if TYPE_CHECKING:
    from tests.sandbox.conftest import Client
    from tests.sandbox.program import Program


def test_each_token_request_is_recorded_with_its_outcome(
    sandbox: Sandbox, program: Program
) -> None:
    code = program.code()
    first = program.exchange(code).json()
    program.refresh(first["refresh_token"])
    program.refresh(first["refresh_token"])
    program.post({}, {"grant_type": "password"})

    told_of = [(r.grant_type, r.credential, r.outcome, r.status) for r in sandbox.token_requests]
    sent = fingerprint(first["refresh_token"])
    assert told_of == [
        ("authorization_code", fingerprint(code), "issued", 200),
        ("refresh_token", sent, "issued", 200),
        ("refresh_token", sent, "invalid_grant", 400),
        ("password", None, "unsupported_grant_type", 400),
    ]
    times = [record.time for record in sandbox.token_requests]
    assert times == sorted(times)
    assert {record.client_id for record in sandbox.token_requests} == {sandbox.client.id}


def test_they_are_no_api_requests(sandbox: Sandbox, program: Program) -> None:
    program.refresh("any")
    program.open()
    program.send("GET", "/oauth/scopes")
    program.send("GET", "/oauth/nonsense")
    assert sandbox.requests == ()
    assert (len(sandbox.token_requests), len(sandbox.authorize_requests)) == (1, 1)


def test_a_wrong_method_is_recorded_as_refused(sandbox: Sandbox, program: Program) -> None:
    assert program.send("GET", "/oauth/token").status_code == 405
    assert sandbox.token_requests[0].outcome == "refused"


def test_the_records_can_be_forgotten(sandbox: Sandbox, program: Program) -> None:
    program.refresh("any")
    program.open()
    sandbox.forget_requests()
    assert (sandbox.token_requests, sandbox.authorize_requests) == ((), ())


def test_tests_can_act_before_a_token_request_is_answered(
    sandbox: Sandbox, program: Program
) -> None:
    pair = sandbox.grant()
    end = sandbox.before_token_request(
        lambda request: (
            sandbox.refresh_as_another_program(pair.refresh_token)
            if request.credential == fingerprint(pair.refresh_token)
            else None
        )
    )
    assert program.refresh(pair.refresh_token).status_code == 400
    end()
    assert program.refresh(sandbox.grant().refresh_token).status_code == 200


def test_a_mistake_in_a_callback_is_raised_at_the_end() -> None:
    sandbox = Sandbox(size=0)
    sandbox.before_token_request(lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError), sandbox.running() as url:
        assert requests.post(f"{url}/oauth/token", timeout=5).status_code == 500


def test_no_record_no_admin_answer_and_no_log_line_holds_a_secret(
    sandbox: Sandbox, program: Program, api: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="cirqll_sandbox")
    page = program.open(state="a-secret-state")
    code = told(program.browser.press("allow", page))["code"]
    first = program.exchange(code).json()
    second = program.refresh(first["refresh_token"]).json()
    program.refresh(first["refresh_token"])
    program.me(second["access_token"])
    secrets = [
        code, "a-secret-state", form_of(page)["csrf_token"],
        *(pair[name] for pair in (first, second) for name in ("access_token", "refresh_token")),
    ]  # fmt: skip

    lists = ("requests", "oauth/token-requests", "oauth/authorize-requests", "oauth/clients", "")
    seen = [api.get(f"/_sandbox/{name}").text for name in lists]
    seen += [repr(sandbox.token_requests), repr(sandbox.authorize_requests)]
    seen += [repr(sandbox.requests), repr(sandbox.client), caplog.text]

    assert not [secret for secret in secrets for text in seen if secret in text]
    (listed,) = json.loads(seen[0])["data"]
    assert listed["token"] == fingerprint(second["access_token"])
    client_secret = sandbox.client.secret
    assert not [text for text in seen if client_secret in text and '"rows"' not in text]


def test_fingerprints_tell_secrets_apart() -> None:
    assert fingerprint("a") != fingerprint("b")
    assert fingerprint("a") == fingerprint("a")
    assert fingerprint(None) is None
