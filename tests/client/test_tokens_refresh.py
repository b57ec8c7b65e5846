"""The command `cirqll tokens refresh`."""

from __future__ import annotations

import re
from dataclasses import replace

from cirqll_sandbox.token_services import LUCA_OPTIONS
from tests.client.token_desk import DAY, UTC_MINUTE, Desk, alone, state


def test_refresh_renews_at_once_and_says_until_when(desk: Desk) -> None:
    # Given
    pair = desk.bring()
    # When
    done = desk.run("tokens", "refresh")
    # Then
    assert done.exit_code == 0
    assert re.fullmatch(
        "Renewed the tokens of the account default: the access token is good until "
        rf"{UTC_MINUTE}, and the sign-in ends about 20\d\d-\d\d-\d\d\.\n",
        done.stdout,
    )
    assert desk.is_accepted(desk.pair().access_token)
    assert not desk.is_accepted(pair.access_token)


def test_refresh_of_a_pair_without_refresh_token_says_that_it_cannot(desk: Desk) -> None:
    # Given
    desk.run("tokens", "import", given=alone(desk.sandbox.grant()))
    # When
    done = desk.run("tokens", "refresh")
    # Then
    assert done.exit_code == 1
    assert re.search(
        "has an access token and no refresh token, so there is nothing to renew it with "
        rf"\(good until {UTC_MINUTE}, cannot be renewed\): run `cirqll login`",
        done.stderr,
    )


def test_a_lost_answer_is_not_sent_again_unless_a_person_says_so(desk: Desk) -> None:
    # Given
    desk.bring("bakery")
    desk.lose("bakery")
    # When
    refused = desk.run("tokens", "refresh", "--account", "bakery")
    # Then
    assert refused.exit_code == 1
    assert not desk.sandbox.token_requests
    command = "cirqll tokens refresh --account bakery --even-if-spent"
    assert f"`{command}` sends it once more all the same" in refused.stderr
    # When
    done = desk.run(*command.split()[1:])
    # Then
    assert done.exit_code == 0
    assert [one.outcome for one in desk.sandbox.token_requests] == ["issued"]
    assert state(desk, "bakery")[0] == "good"


def test_even_if_spent_sends_a_spent_token_once_and_says_that_it_was(desk: Desk) -> None:
    # Given
    pair = desk.bring()
    desk.sandbox.refresh_as_another_program(pair.refresh_token)
    desk.lose()
    # When
    done = desk.run("tokens", "refresh", "--even-if-spent")
    # Then
    assert done.exit_code == 1
    assert [one.outcome for one in desk.sandbox.token_requests] == ["invalid_grant"]
    assert "Cirqll no longer accepts the refresh token of the account default" in done.stderr
    assert "--even-if-spent" not in done.stderr


def test_refresh_all_goes_on_after_one_that_fails(desk: Desk) -> None:
    # Given
    for account in ("a", "b", "c"):
        pair = desk.bring(account)
        if account == "a":
            desk.sandbox.refresh_as_another_program(pair.refresh_token)
    desk.lose("b")
    desk.run("tokens", "import", "--account", "empty", given="{}")
    # When
    done = desk.run("tokens", "refresh", "--all")
    # Then
    assert done.exit_code == 1
    out, errors = done.stdout.splitlines(), done.stderr.splitlines()
    assert out[0].startswith("Renewed the tokens of the account c")
    assert out[1] == "The account empty has no refresh token; passed over."
    assert "refresh token of the account a" in errors[0]
    assert "cirqll tokens refresh --account b --even-if-spent" in errors[1]
    assert errors[2] == "Error: 2 of 4 accounts could not be renewed."


def test_refresh_all_gives_no_account_the_refresh_token_of_the_settings(desk: Desk) -> None:
    # Given
    pairs = {account: desk.bring(account) for account in ("a", "b")}
    foreign = desk.sandbox.grant()
    # When
    done = desk.run("tokens", "refresh", "--all", CIRQLL_REFRESH_TOKEN=foreign.refresh_token)
    # Then
    assert done.exit_code == 0
    assert desk.is_accepted(foreign.access_token)
    assert not any(desk.is_accepted(pair.access_token) for pair in pairs.values())


def test_refresh_all_leaves_other_apis_alone(desk: Desk) -> None:
    # Given
    desk.put("bakery", aged=20 * DAY)
    # When
    done = desk.run("tokens", "refresh", "--all", "--api-url", "http://127.0.0.1:1")
    # Then
    assert (done.exit_code, done.stdout) == (
        0,
        "The store holds no account of http://127.0.0.1:1.\n",
    )


def test_a_program_that_is_at_it_is_waited_for_and_named(desk: Desk) -> None:
    # Given
    desk.bring()
    desk.lose(state="sent", seconds=0.5)
    # When
    done = desk.run("tokens", "refresh")
    # Then
    assert done.exit_code == 1
    assert "Another program is renewing these tokens; waiting for it.\n" in done.stderr
    assert "cirqll tokens refresh --even-if-spent" in done.stderr
    assert not desk.sandbox.token_requests


def test_a_lifetime_that_nobody_tells_is_not_made_up(desk: Desk) -> None:
    # Given
    desk.sandbox.behaviour = replace(
        desk.sandbox.behaviour, **LUCA_OPTIONS, expires_in_told="missing", access_tokens="opaque"
    )
    desk.bring()
    # When
    done = desk.run("tokens", "refresh")
    # Then
    assert done.stdout == "Renewed the tokens of the account default.\n"
    assert state(desk)[1].startswith("good, renewed from 20")
