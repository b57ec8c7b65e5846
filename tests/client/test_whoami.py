"""The command `cirqll whoami`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from cirqll_client.settings import ConnectionSettings
from cirqll_client.token_owner import hasty
from tests.client.raw_server import answer, serving
from tests.client.token_desk import DAY, Desk


def test_it_names_the_user_the_company_the_account_and_what_the_token_may_do(desk: Desk) -> None:
    # Given
    noor = desk.sandbox.add_account("Noor Zandwijker", company="Verzonnen Zaken B.V.")
    desk.bring(
        "zaken", user=noor, scopes=["customer.read.all", "contact.read.all", "user.read.all"]
    )
    # When
    done = desk.run("whoami", "--account", "zaken")
    # Then
    lines = done.stdout.splitlines()
    assert done.exit_code == 0
    assert lines[0] == f"User     Noor Zandwijker <{noor.email}>"
    assert lines[1] == f"Company  Verzonnen Zaken B.V. ({noor.company_id})"
    assert lines[2] == "Account  zaken"
    assert lines[3] == f"API      {desk.url}"
    assert lines[4] == "Scopes   read user, customer, contact"
    assert lines[5].startswith("Token    good until 20")
    assert ", renewed from 20" in lines[5]
    assert done.stderr == ""


def test_json_has_names_that_stay(desk: Desk) -> None:
    # Given
    desk.bring(scopes=["user.read.all"])
    desk.run("tokens", "refresh")
    # When
    told = json.loads(desk.run("whoami", "--json").stdout)
    # Then
    pair = desk.pair()
    assert list(told) == [
        "user", "email", "company", "company_id", "account", "api_url", "token_from", "scopes",
        "expires_at", "renewed_from", "sign_in_ends_at",
    ]  # fmt: skip
    assert told["company_id"] == "1"
    assert told["token_from"] == "store"
    assert told["scopes"] == ["user.read.all"]
    assert pair.expires_at
    assert told["expires_at"] > told["renewed_from"]
    assert told["sign_in_ends_at"] > told["expires_at"]


def test_the_setting_access_token_is_asked_about_as_it_is(desk: Desk) -> None:
    # Given
    token = desk.sandbox.grant(["user.read.all"]).access_token
    # When
    done = desk.run("whoami", CIRQLL_ACCESS_TOKEN=token)
    told = json.loads(desk.run("whoami", "--json", CIRQLL_ACCESS_TOKEN=token).stdout)
    # Then
    assert "Account  default, by the setting access_token\n" in done.stdout
    assert "Sign-in  ends with the token: nothing renews it\n" in done.stdout
    assert (told["token_from"], told["scopes"]) == ("setting", ["user.read.all"])
    assert told["renewed_from"] is None


def test_a_token_that_tells_nothing_of_itself_is_good_until_it_is_refused(desk: Desk) -> None:
    done = desk.run("whoami", CIRQLL_ACCESS_TOKEN=desk.sandbox.access_token)
    assert "Scopes   not known\nToken    good until it is refused\n" in done.stdout


def test_an_old_token_of_the_settings_ends_when_it_says_so_itself(desk: Desk) -> None:
    # Given
    token = desk.sandbox.grant().access_token
    desk.sandbox.clock.move(-29 * DAY)
    young = desk.sandbox.grant().access_token
    # When
    ends = [
        json.loads(desk.run("whoami", "--json", CIRQLL_ACCESS_TOKEN=one).stdout)["expires_at"]
        for one in (young, token)
    ]
    # Then
    assert ends[0] < ends[1]


def test_nobody_signed_in_is_said_in_a_sentence(desk: Desk) -> None:
    done = desk.run("whoami", "--account", "bakkerij")
    assert done.exit_code == 1
    assert done.stderr == (
        f"Error: Nobody has signed in to Cirqll at {desk.url} for the account bakkerij, so there "
        "is no token: run `cirqll login --account bakkerij`, or give the settings refresh_token or "
        "access_token.\n"
    )


def test_tokens_that_are_due_are_renewed_and_told_as_they_are_then(desk: Desk) -> None:
    # Given
    pair = desk.bring()
    desk.put(
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
        aged=20 * DAY,
        expires_at=desk.pair().obtained_at + 10 * DAY,
    )
    # When
    done = desk.run("whoami")
    # Then
    assert done.exit_code == 0
    assert [request.outcome for request in desk.sandbox.token_requests] == ["issued"]
    assert "ends about 20" in done.stdout


def test_a_name_cannot_colour_the_terminal_or_add_a_line(desk: Desk) -> None:
    # Given
    evil = desk.sandbox.add_account("Eve\x1b[31m\nAccount  another", company="\u202eB.V.")
    desk.bring(user=evil)
    # When
    printed = desk.run("whoami").output
    # Then
    assert not {"\x1b", "\u202e"} & set(printed)
    assert [line for line in printed.splitlines() if line.startswith("Account")] == [
        "Account  default"
    ]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("500", "could not be read at /auth/me"),
        ("login-redirect", "Check the setting api_url"),
    ],
)
def test_a_server_that_fails_is_told_in_a_sentence(desk: Desk, fault: str, sentence: str) -> None:
    # Given
    desk.bring()
    desk.sandbox.faults.add(fault, path="/api/")
    # When
    done = desk.run("whoami")
    # Then
    assert done.exit_code == 1
    assert sentence in done.stderr


def test_a_person_does_not_wait_as_long_as_a_pipeline() -> None:
    # Given
    usual = ConnectionSettings()
    # Then
    assert hasty(usual).give_up_after == 30
    assert hasty(replace(usual, give_up_after=5)).give_up_after == 5


@pytest.mark.parametrize(
    ("record", "company"),
    [
        ({"name": "Noor"}, "not known"),
        ({"name": "Noor", "company_id": 7}, "7"),
        ({"name": "Noor", "company": {"name": "Bakkerij de Korenaar"}}, "Bakkerij de Korenaar"),
    ],
    ids=str,
)
def test_a_user_record_may_tell_less(desk: Desk, record: dict[str, Any], company: str) -> None:
    with serving(answer(200, json.dumps(record))) as server:
        done = desk.run("whoami", "--api-url", server.url, CIRQLL_ACCESS_TOKEN="T" * 20)
    assert done.stdout.startswith(f"User     Noor\nCompany  {company}\n")
