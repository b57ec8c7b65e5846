"""The command `cirqll logout`."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pytest

from tests.client.raw_server import answer, serving

if TYPE_CHECKING:
    import socket

    from tests.client.token_desk import Desk

KEY = base64.urlsafe_b64encode(bytes(32)).decode()


def test_logout_removes_the_account_and_says_that_its_tokens_live_on(desk: Desk) -> None:
    # Given
    pair = desk.bring()
    desk.sandbox.forget_requests()
    # When
    done = desk.run("logout")
    # Then
    assert done.exit_code == 0
    assert re.fullmatch(
        r"Removed the account default from the store. Its tokens stay valid at Cirqll until they "
        r"expire \(about 20\d\d-\d\d-\d\d\). To end them now, remove the client in Cirqll under "
        r"Settings > Marketplace. Another time, `cirqll tokens revoke` ends them and removes them "
        r"in one go.\n",
        done.stdout,
    )
    assert desk.stored() is None
    assert desk.is_accepted(pair.access_token)
    assert not desk.sandbox.requests
    assert not desk.sandbox.token_requests


@pytest.mark.parametrize(
    ("expires_at", "more"),
    [
        (1e9, ""),
        (4e9, " Its tokens stay valid at Cirqll until they expire (about 2096-10-02). "),
    ],
)
def test_of_refused_tokens_only_the_access_token_lives_on(
    desk: Desk, expires_at: float, more: str
) -> None:
    # Given
    desk.put(expires_at=expires_at, refresh_expires_at=5e9)
    desk.lose(state="refused")
    # When
    said = desk.run("logout").stdout
    # Then
    assert said.startswith(f"Removed the account default from the store.{more}")
    assert ("stay valid" in said) is bool(more)


def test_logout_of_nobody_is_no_failure(desk: Desk) -> None:
    done = [desk.run("logout"), desk.run("logout", "--all"), desk.run("logout", "--local")]
    assert [one.exit_code for one in done] == [0, 0, 0]
    assert (
        done[0].stdout
        == done[2].stdout
        == ("Nobody is signed in for the account default; there is nothing to remove.\n")
    )
    assert done[1].stdout == f"Nobody is signed in to {desk.url}.\n"


def test_logout_leaves_the_other_accounts(desk: Desk) -> None:
    # Given
    desk.bring("a")
    pair = desk.bring("b")
    # When
    desk.run("logout", "--account", "a")
    # Then
    assert desk.stored("a") is None
    assert desk.pair("b").refresh_token == pair.refresh_token


def test_logout_all_removes_every_account_of_this_api(desk: Desk) -> None:
    # Given
    desk.bring("a")
    desk.run("tokens", "import", "--account", "b", given="{}")
    elsewhere = "http://127.0.0.1:1"
    desk.run("tokens", "import", "--api-url", elsewhere, given="{}")
    # When
    done = desk.run("logout", "--all")
    # Then
    assert done.exit_code == 0
    assert [line[:22] for line in done.stdout.splitlines()] == [
        "Removed the account a ",
        "Removed the account b ",
    ]
    with desk.tokens(elsewhere) as tokens:
        assert [one.account for one in tokens.accounts()] == ["default"]


def test_tokens_are_revoked_first_where_that_can_be_done(desk: Desk) -> None:
    # Given
    pair = desk.bring()

    def revoke(connection: socket.socket) -> None:
        desk.sandbox.revoke(pair.refresh_token)
        connection.sendall(answer(200, "", "Connection: close"))

    # When
    with serving(revoke) as server:
        done = desk.run("logout", CIRQLL_REVOKE_URL=server.url)
    # Then
    assert done.stdout == (
        "Revoked the tokens of the account default. Cirqll was asked, and takes the access token "
        "no longer. Removed the account default from the store.\n"
    )
    assert desk.stored() is None


def test_an_account_that_could_not_be_revoked_stays_and_stops_no_other(desk: Desk) -> None:
    # Given
    desk.bring("a")
    desk.run("tokens", "import", "--account", "b", given="{}")
    # When
    with serving(answer(503, "")) as server:
        done = desk.run("logout", "--all", CIRQLL_REVOKE_URL=server.url)
    # Then
    assert done.exit_code == 1
    assert done.stdout == "Removed the account b from the store.\n"
    assert done.stderr == (
        "The tokens could not be revoked (status 503). They are still in the store: run again "
        "later.\nError: 1 of 2 accounts could not be signed out.\n"
    )
    assert desk.stored("a")


def test_local_asks_nobody(desk: Desk) -> None:
    # Given
    pair = desk.bring()
    # When
    with serving(answer(503, "")) as server:
        done = desk.run("logout", "--local", CIRQLL_REVOKE_URL=server.url)
    # Then
    assert (done.exit_code, done.stdout) == (0, "Removed the account default from the store.\n")
    assert not server.received
    assert desk.stored() is None
    assert desk.is_accepted(pair.access_token)


def test_local_removes_also_what_nobody_can_decrypt(desk: Desk) -> None:
    # Given
    desk.run("tokens", "import", given='{"RefreshToken": "rrrrrrrr"}', CIRQLL_STORE_KEY=KEY)
    kept = desk.run("logout")
    # When
    done = desk.run("logout", "--local")
    # Then
    assert (kept.exit_code, done.exit_code) == (1, 0)
    assert desk.stored() is None


@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_a_setting_that_signs_in_all_the_same_is_named(desk: Desk, name: str) -> None:
    # Given
    desk.bring()
    # When
    done = desk.run("logout", **{f"CIRQLL_{name.upper()}": "s" * 20})
    # Then
    assert done.stderr == (f"Note: the setting {name} is still set, and goes on to be used.\n")


def test_help_has_an_example(desk: Desk) -> None:
    for command in ("logout", "whoami"):
        assert f"\n    cirqll {command} --account bakery\n" in desk.run(command, "--help").stdout
