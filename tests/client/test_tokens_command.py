"""The commands `cirqll tokens list` and `show`, and what holds for all of `cirqll tokens …`."""

from __future__ import annotations

import base64
import json
import os
import pty
import re
import subprocess
from typing import Any

import pytest

from cirqll_client.sealing import KEY_VARIABLE
from cirqll_client.tokens import fingerprint
from tests.client.token_desk import (
    BAKERY,
    COMMAND,
    DAY,
    UTC_MINUTE,
    Desk,
    as_authvalue,
    state,
)

KEY, OTHER_KEY = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2))


def test_an_empty_store_says_how_to_fill_it(desk: Desk) -> None:
    assert desk.run("tokens", "list").stdout == (
        "The store holds no account: sign in with `cirqll login`.\n"
    )
    assert desk.run("tokens", "list", "--json").stdout == "[]\n"


def test_the_list_names_each_account_and_asks_nobody(desk: Desk) -> None:
    # Given
    desk.bring("bakery", user=desk.sandbox.add_account("Noor", company=BAKERY))
    desk.bring("all", scopes=["customer.read.all", "contact.read.all", "accounting"])
    desk.run("tokens", "import", "--account", "new", given="{}")
    desk.sandbox.forget_requests()
    # When
    lines = desk.run("tokens", "list").stdout.splitlines()
    # Then
    good = rf"good until {UTC_MINUTE}, renewed from {UTC_MINUTE}"
    assert re.split("  +", lines[0]) == [
        "Account", "Signed in as", "State", "Sign-in ends", "Scopes"
    ]  # fmt: skip
    assert re.fullmatch(
        rf"all +Sandbox of Sandbox B.V. +{good} +not known +read 2; accounting", lines[1]
    )
    assert re.fullmatch(
        rf"bakery +Noor of {BAKERY} +{good} +not known +read, create, update, delete everything.*",
        lines[2],
    )
    assert re.fullmatch(r"new +not known +no tokens: sign in +- +not known", lines[3])
    assert not desk.sandbox.requests
    assert not desk.sandbox.token_requests


def test_the_list_holds_every_api_and_then_names_it(desk: Desk) -> None:
    # Given
    desk.put("bakery")
    elsewhere = "https://crm.invalid"
    desk.run("tokens", "import", "--api-url", elsewhere, given="{}")
    # When
    lines = desk.run("tokens", "list").stdout.splitlines()
    told = json.loads(desk.run("tokens", "list", "--json").stdout)
    # Then
    assert [line.split()[0] for line in lines] == ["API", desk.url, elsewhere]
    assert {(one["api_url"], one["account"]) for one in told} == {
        (desk.url, "bakery"),
        (elsewhere, "default"),
    }


STATES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "good": ({"expires_at": 4e9}, "ready", "good", rf"good until {UTC_MINUTE}, renewed from .*"),
    "end unknown": ({}, "ready", "good", rf"good, renewed from {UTC_MINUTE}"),
    "alone": ({"refresh_token": None}, "ready", "good", "good, cannot be renewed"),
    "due": ({"aged": 20 * DAY}, "ready", "due", "renewed at the next use"),
    "expired": ({"expires_at": 1e9}, "ready", "due", "renewed at the next use"),
    "refresh token only": ({"access_token": None}, "ready", "due", "renewed at the next use"),
    "ended": (
        {"refresh_token": None, "expires_at": 1e9},
        "ready",
        "ended",
        "expired, cannot be renewed: sign in again",
    ),
    "sent": ({}, "sent", "renewing", "being renewed now"),
    "lost": ({"expires_at": 1e9}, "lost", "lost", "may be spent: sign in again"),
    "lost, usable": (
        {"expires_at": 4e9},
        "lost",
        "lost",
        rf"may be spent: sign in again \(the access token may do until {UTC_MINUTE}\)",
    ),
    "refused": ({}, "refused", "refused", "refused by Cirqll: sign in again"),
}


@pytest.mark.parametrize("what", STATES)
def test_each_state_has_a_name_for_programs_and_words_for_people(desk: Desk, what: str) -> None:
    # Given
    pair, mark, name, words = STATES[what]
    desk.put(**pair)
    if mark != "ready":
        desk.lose(state=mark)
    # When
    told, listed = state(desk), desk.run("tokens", "list").stdout
    # Then
    assert told[0] == name
    assert re.fullmatch(words, told[1])
    assert told[1] in listed


def test_a_renewal_that_was_put_off_says_why(desk: Desk) -> None:
    # Given
    desk.put(expires_at=1e9)
    desk.sandbox.faults.add("429", path="/oauth/token", seconds=500)
    # When
    done = desk.run("tokens", "refresh")
    # Then
    assert done.exit_code == 1
    name, words = state(desk)
    assert name == "postponed"
    assert re.fullmatch(r"could not be renewed yet \(.+\); tried again at the next use", words)


def test_an_account_that_cannot_be_decrypted_hides_no_other(desk: Desk) -> None:
    # Given
    desk.run("tokens", "import", "--account", "sealed", given=as_authvalue(desk.sandbox.grant()),
             CIRQLL_STORE_KEY=KEY)  # fmt: skip
    desk.put("open", expires_at=4e9)
    for key in ("", OTHER_KEY):
        # When
        told = json.loads(desk.run("tokens", "list", "--json", CIRQLL_STORE_KEY=key).stdout)
        # Then
        assert {one["account"]: one["state"] for one in told} == {
            "open": "good",
            "sealed": "unreadable",
        }
        listed = desk.run("tokens", "list", CIRQLL_STORE_KEY=key).stdout
        assert "cannot be decrypted: check CIRQLL_STORE_KEY" in listed
        assert "Sandbox of Sandbox B.V." in listed


@pytest.mark.parametrize(
    "command",
    [
        ("tokens", "show"),
        ("tokens", "refresh"),
        ("tokens", "export", "--show-secrets"),
        ("tokens", "import"),
        ("tokens", "revoke", "--yes"),
        ("logout",),
        ("logout", "--all"),
        ("tokens", "refresh", "--all"),
        ("whoami",),
    ],
    ids=" ".join,
)
def test_a_wrong_key_changes_nothing(desk: Desk, command: tuple[str, ...]) -> None:
    # Given
    desk.variables[KEY_VARIABLE] = KEY
    pair = desk.bring()
    # When
    given = as_authvalue(desk.sandbox.grant())
    done = desk.run(*command, given=given, CIRQLL_STORE_KEY=OTHER_KEY)
    # Then
    assert done.exit_code == 1
    assert "holds another key than the one with which" in done.stderr
    told = desk.run("tokens", "export", "--show-secrets").stdout
    assert json.loads(told)["RefreshToken"] == pair.refresh_token
    assert desk.is_accepted(pair.access_token)


def test_show_tells_everything_but_the_tokens(desk: Desk) -> None:
    # Given
    pair = desk.bring(scopes=["user.read.all"])
    # When
    done = desk.run("tokens", "show")
    # Then
    facts = dict(re.split("  +", line, maxsplit=1) for line in done.stdout.splitlines())
    assert list(facts) == [
        "Account", "API", "Signed in as", "Company", "State", "Access token", "Refresh token",
        "Obtained", "Sign-in ends", "Scopes", "OAuth client", "Token URL",
    ]  # fmt: skip
    assert facts["Signed in as"] == "Sandbox of Sandbox B.V."
    assert facts["Access token"] == f"fingerprint {fingerprint(pair.access_token)[:8]}"
    assert facts["Refresh token"] == f"fingerprint {fingerprint(pair.refresh_token)[:8]}"
    assert facts["Scopes"] == "read user"
    assert facts["OAuth client"] == desk.sandbox.client.id
    assert done.stderr == ""


def test_show_as_json_has_names_that_stay(desk: Desk) -> None:
    # Given
    desk.bring(scopes=["user.read.all"])
    # When
    told = json.loads(desk.run("tokens", "show", "--json").stdout)
    # Then
    assert list(told) == [
        "account", "api_url", "signed_in_as", "company_id", "state", "state_in_words",
        "obtained_at", "expires_at", "renewed_from", "sign_in_ends_at", "scopes",
        "access_token_fingerprint", "refresh_token_fingerprint", "client_id", "token_url",
    ]  # fmt: skip
    assert [told] == json.loads(desk.run("tokens", "list", "--json").stdout)


def test_show_warns_of_a_setting_that_goes_before_the_store(desk: Desk) -> None:
    desk.bring()
    done = desk.run("tokens", "show", CIRQLL_ACCESS_TOKEN="T" * 20)
    assert done.stderr == (
        "Note: the setting access_token is set, so runs and `cirqll whoami` use that token and not "
        "those of the store: remove CIRQLL_ACCESS_TOKEN (or TAP_CIRQLL_ACCESS_TOKEN) from the "
        "environment and from .env.\n"
    )


def test_a_refresh_token_that_was_used_goes_before_nothing(desk: Desk) -> None:
    # Given
    desk.bring()
    desk.variables["CIRQLL_REFRESH_TOKEN"] = desk.sandbox.grant().refresh_token
    before = desk.run("tokens", "show")
    desk.run("whoami")
    # When
    done = [desk.run("tokens", "show"), desk.run("logout")]
    # Then
    assert "the setting refresh_token is set" in before.stderr
    assert [one.stderr for one in done] == ["", ""]
    assert "the setting refresh_token was used before" in desk.run("whoami").stderr


@pytest.mark.parametrize("mark", ["lost", "refused"])
def test_what_nothing_renews_any_more_ends_with_the_access_token(desk: Desk, mark: str) -> None:
    # Given
    desk.put(refresh_expires_at=4e9)
    desk.lose(state=mark)
    # When
    shown, told = desk.run("tokens", "show").stdout, desk.run("tokens", "show", "--json").stdout
    # Then
    assert "Sign-in ends   with the access token\n" in shown
    assert json.loads(told)["sign_in_ends_at"] is None


@pytest.mark.parametrize("command", ["show", "export --show-secrets", "refresh"])
def test_an_account_that_is_not_there_is_told_with_the_remedy(desk: Desk, command: str) -> None:
    done = desk.run("tokens", *command.split(), "--account", "bakkery")
    assert done.exit_code == 1
    assert "Nobody has signed in to Cirqll for the account bakkery" in done.stderr
    assert desk.stored("bakkery") is None


def test_what_the_store_holds_cannot_colour_the_terminal(desk: Desk) -> None:
    # Given
    desk.put("\x1b[31mred")
    # When
    printed = desk.run("tokens", "list").output
    # Then
    assert "\ufffd[31mred" in printed
    assert "\x1b" not in printed


def at_a_terminal(desk: Desk, *arguments: str, typed: str = "", columns: int = 80) -> str:
    """What a person at a terminal sees."""
    mine, its = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "COLUMNS": str(columns), **desk.variables}
    with subprocess.Popen(
        [COMMAND, *arguments], stdin=its, stdout=its, stderr=its, env=environment, cwd=desk.folder
    ):
        os.close(its)
        os.write(mine, typed.encode())
        seen = b""
        while True:
            try:
                piece = os.read(mine, 65536)
            except OSError:
                break
            seen += piece
    os.close(mine)
    return seen.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(("typed", "is_done"), [("y\n", True), ("n\n", False)])
def test_a_person_is_asked_before_tokens_are_revoked(
    desk: Desk, *, typed: str, is_done: bool
) -> None:
    desk.bring()
    seen = at_a_terminal(desk, "tokens", "revoke", typed=typed)
    assert "Make the tokens of the account default worthless?" in seen
    assert (desk.stored() is None) is is_done


def test_an_authvalue_is_not_typed_where_it_can_be_seen(desk: Desk) -> None:
    seen = at_a_terminal(desk, "tokens", "import")
    assert "Give the AuthValue on stdin or by --input FILE" in seen


def test_the_list_fits_the_terminal_without_colours(desk: Desk) -> None:
    # Given
    desk.bring("bakery", user=desk.sandbox.add_account("Noor Zandwijker", company=BAKERY))
    # When
    seen = at_a_terminal(desk, "tokens", "list", columns=70)
    # Then
    assert max(map(len, seen.splitlines())) <= 70
    assert "bakery" in seen
    assert "\x1b" not in seen


TELLING_NOTHING = (
    "whoami --account a",
    "whoami --account a --json",
    "tokens list",
    "tokens list --json",
    "tokens show --account a",
    "tokens show --account a --json",
    "tokens export --account a",
    "tokens refresh --account a",
    "tokens refresh --all",
    "tokens revoke --account a --yes",
    "logout --all",
)


def test_no_command_but_export_gives_a_secret_away(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    # Given
    caplog.set_level("DEBUG")
    secrets = {desk.sandbox.client.secret}

    def brought(account: str) -> str:
        pair = desk.sandbox.grant()
        secrets.update({pair.access_token, pair.refresh_token})
        return desk.run("tokens", "import", "--account", account, given=as_authvalue(pair)).output

    def learn() -> None:
        with desk.tokens() as tokens:
            for stored in tokens.accounts():
                secrets.update(stored.pair.secrets() if stored.pair else ())

    # When
    heard = [brought("a"), brought("b"), brought("b")]
    heard.append(desk.run("tokens", "export", "--output", str(desk.folder / "secret")).output)
    for command in TELLING_NOTHING:
        heard.append(desk.run(*command.split()).output)
        learn()
    # Then
    everything = "\n".join([*heard, caplog.text])
    assert len(secrets) > 8
    assert "Renewed the tokens of the account a" in everything
    assert not [one for one in secrets if one in everything]


@pytest.mark.parametrize(
    "command", ["", "list", "show", "refresh", "export", "import", "revoke"], ids=str
)
def test_help_is_quick_and_has_an_example(desk: Desk, command: str) -> None:
    # When
    done = desk.run("tokens", *command.split(), "--help")
    # Then
    assert done.exit_code == 0
    assert "..." not in done.stdout.replace("[ARGS]...", "")
    if command:
        assert f"\n    cirqll tokens {command} " in done.stdout
