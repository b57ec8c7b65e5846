"""The commands `cirqll tokens export` and `import`."""

from __future__ import annotations

import json
import os
import stat
from typing import Any

import pytest

from cirqll_client.token_store import Origin
from tests.client.token_desk import BAKERY, Desk, alone, as_authvalue, state


def test_export_prints_tokens_only_where_it_is_told_to(desk: Desk) -> None:
    # Given
    pair = desk.bring()
    # When
    refused = desk.run("tokens", "export")
    done = desk.run("tokens", "export", "--show-secrets")
    # Then
    assert refused.exit_code == 2
    assert "Say where the tokens go" in refused.stderr
    assert pair.access_token not in refused.output
    told = json.loads(done.stdout)
    assert told["AccessToken"] == pair.access_token
    assert told["RefreshToken"] == pair.refresh_token
    assert "The one that renews first locks the other out." in done.stderr


def test_an_exported_file_is_its_owners_alone_and_overwrites_nothing(desk: Desk) -> None:
    # Given
    desk.bring()
    path = desk.folder / "bakery.json"
    path.write_text("mine")
    path.chmod(0o644)
    arguments = ("tokens", "export", "--output", str(path))
    # When
    refused = desk.run(*arguments)
    # Then
    assert refused.exit_code == 1
    assert "There is a file" in refused.stderr
    assert path.read_text() == "mine"
    # When
    done = desk.run(*arguments, "--force")
    # Then
    assert done.exit_code == 0
    assert done.stdout == ""
    assert set(json.loads(path.read_text())) >= {"AccessToken", "RefreshToken", "Expires"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in desk.folder.glob("*bakery*")] == ["bakery.json"]


def test_a_new_file_is_readable_by_its_owner_only(desk: Desk) -> None:
    desk.bring()
    path = desk.folder / "new.json"
    before = os.umask(0)
    try:
        desk.run("tokens", "export", "--output", str(path))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_is_told_in_a_sentence(desk: Desk) -> None:
    desk.bring()
    for more in ((), ("--force",)):
        done = desk.run("tokens", "export", "--output", str(desk.folder / "no" / "x"), *more)
        assert done.exit_code == 1
        assert "could not be written (No such file or directory)" in done.stderr


def test_an_account_without_tokens_exports_an_empty_authvalue(desk: Desk) -> None:
    desk.run("tokens", "import", given="{}")
    done = desk.run("tokens", "export", "--show-secrets")
    assert (done.exit_code, done.stdout) == (0, "{}\n")


def test_tokens_are_not_exported_while_they_are_renewed(desk: Desk) -> None:
    desk.bring()
    desk.lose(state="sent")
    done = desk.run("tokens", "export", "--show-secrets")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "are being renewed at this moment" in done.stderr


@pytest.mark.parametrize(
    ("pair", "mark", "note"),
    [
        ({}, "lost", "the refresh token of the account default: may be spent"),
        ({}, "refused", "the refresh token of the account default: refused by Cirqll"),
        ({"refresh_token": None}, "ready", "has no refresh token: good, cannot be renewed."),
        ({"is_reusable": True}, "ready", "this service lets both renew them."),
    ],
)
def test_export_says_what_the_tokens_are_worth(
    desk: Desk, pair: dict[str, Any], mark: str, note: str
) -> None:
    # Given
    desk.put(**pair)
    if mark != "ready":
        desk.lose(state=mark)
    # When
    done = desk.run("tokens", "export", "--show-secrets")
    # Then
    assert done.exit_code == 0
    assert note in done.stderr
    assert "locks the other out" not in done.stderr


@pytest.mark.parametrize("times", [1, 2])
def test_what_one_store_exports_works_in_another(desk: Desk, times: int) -> None:
    # Given
    desk.bring()
    text = desk.run("tokens", "export", "--show-secrets").stdout
    given = text if times == 1 else json.dumps(text)
    elsewhere = {"XDG_STATE_HOME": str(desk.folder / "another machine")}
    # When
    done = desk.run("tokens", "import", "--account", "moved", given=given, **elsewhere)
    # Then
    assert done.exit_code == 0
    assert done.stdout.startswith(
        "Imported the tokens of Sandbox of Sandbox B.V. into the account moved; the access token "
        "is good until 20"
    )
    for command in (("tokens", "refresh"), ("whoami",)):
        assert desk.run(*command, "--account", "moved", **elsewhere).exit_code == 0


def test_import_reads_a_file(desk: Desk) -> None:
    path = desk.folder / "given.json"
    path.write_text(as_authvalue(desk.sandbox.grant()), encoding="utf-8-sig")
    assert desk.run("tokens", "import", "--input", str(path)).exit_code == 0
    missing = desk.run("tokens", "import", "--input", str(desk.folder / "none.json"))
    assert missing.exit_code == 2
    assert "No such file" in missing.stderr


@pytest.mark.parametrize(
    "given",
    [
        "",
        "{",
        "[]",
        '"{}',
        "null",
        '{"accessToken": "a"}',
        '{"AccessToken": 1}',
        '{"Expires": "2027-01-31T12:00:00Z"}',
        '{"AccessToken": "aaaaaaaa", "Expires": "soon"}',
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_authvalue_changes_nothing(desk: Desk, given: str | bytes) -> None:
    # Given
    desk.bring()
    before = desk.stored()
    # When
    done = desk.run("tokens", "import", "--replace", given=given)
    # Then
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: This is no AuthValue: it must be one JSON object")
    assert len(done.stderr.splitlines()) == 1
    assert desk.stored() == before


@pytest.mark.parametrize("name", ["AccessToken", "RefreshToken"])
def test_a_token_that_could_never_be_sent_is_not_imported(desk: Desk, name: str) -> None:
    done = desk.run("tokens", "import", given=json.dumps({name: "two words"}))
    assert done.exit_code == 1
    assert name in done.stderr
    assert desk.stored() is None


def test_an_empty_authvalue_keeps_the_tokens_there_are(desk: Desk) -> None:
    # Given
    desk.bring()
    before = desk.stored()
    # When
    done = desk.run("tokens", "import", "--replace", given='"{}"')
    # Then
    assert done.stdout == ("The AuthValue is empty: the account default keeps the tokens it has.\n")
    assert desk.stored() == before


def test_an_empty_authvalue_prepares_an_account(desk: Desk) -> None:
    # When
    done = [desk.run("tokens", "import", "--account", "new", given="{}") for _ in range(2)]
    # Then
    for one in done:
        assert one.exit_code == 0
        assert one.stdout == (
            "The AuthValue is empty: the account new is there, and has no tokens yet. "
            "`cirqll login --account new` or the setting refresh_token brings them.\n"
        )
    # When
    pair = desk.sandbox.grant()
    who = desk.run("whoami", "--account", "new", CIRQLL_REFRESH_TOKEN=pair.refresh_token)
    # Then
    assert who.exit_code == 0


def test_another_companys_tokens_do_not_take_the_place_of_an_accounts(desk: Desk) -> None:
    # Given
    desk.bring()
    before = desk.stored()
    noor = desk.sandbox.add_account("Noor", company=BAKERY)
    given = as_authvalue(desk.sandbox.grant(user=noor))
    # When
    refused = desk.run("tokens", "import", given=given)
    # Then
    assert refused.exit_code == 1
    assert refused.stderr == (
        "Error: The account default belongs to Sandbox of Sandbox B.V., and these tokens to Noor "
        f"of {BAKERY}, who is of another company: their data would be mixed. Nothing was changed: "
        "give another --account, or --replace if these are to take the place.\n"
    )
    assert desk.stored() == before
    # When
    done = desk.run("tokens", "import", "--replace", given=given)
    # Then
    assert done.exit_code == 0
    stored = desk.stored()
    assert stored
    assert stored.company_id == str(noor.company_id)


def test_the_company_of_an_account_is_kept_where_nobody_tells_it(desk: Desk) -> None:
    with desk.tokens() as tokens:
        tokens.save("default", None, Origin(company_id="1"))
    done = desk.run("tokens", "import", "--offline", given=as_authvalue(desk.sandbox.grant()))
    assert done.exit_code == 0, done.output
    stored = desk.stored()
    assert stored
    assert stored.company_id == "1"


def test_the_same_companys_new_tokens_take_the_place_of_old_ones(desk: Desk) -> None:
    # Given
    desk.bring()
    desk.lose(state="refused")
    # When
    pair = desk.bring()
    # Then
    assert desk.pair().refresh_token == pair.refresh_token
    assert state(desk)[0] == "good"


def test_an_export_that_has_become_old_does_not_take_the_place_of_newer_tokens(desk: Desk) -> None:
    # Given
    given = as_authvalue(desk.bring())
    desk.run("tokens", "refresh")
    before = desk.stored()
    # When
    done = desk.run("tokens", "import", given=given)
    # Then
    assert done.exit_code == 1
    assert "had this refresh token before, so it is most likely spent" in done.stderr
    assert desk.stored() == before


def test_the_same_tokens_again_change_nothing(desk: Desk) -> None:
    # Given
    given = as_authvalue(desk.bring())
    desk.lose()
    # When
    done = desk.run("tokens", "import", given=given)
    # Then
    assert done.stdout == "The account default has these tokens already; nothing to do.\n"
    assert state(desk)[0] == "lost"


@pytest.mark.parametrize("how", ["offline", "unreachable", "expired"])
def test_unknown_tokens_fill_a_new_account_and_replace_nothing(desk: Desk, how: str) -> None:
    # Given
    desk.bring("old")
    given = as_authvalue(desk.sandbox.grant())
    option = ["--offline"] if how == "offline" else []
    if how == "unreachable":
        desk.sandbox.faults.add("503", path="/api/")
    if how == "expired":
        desk.sandbox.expire_access_tokens()
    desk.sandbox.forget_requests()
    # When
    new = desk.run("tokens", "import", "--account", "new", *option, given=given)
    old = desk.run("tokens", "import", "--account", "old", *option, given=given)
    # Then
    assert (new.exit_code, old.exit_code) == (0, 1)
    assert ("Whose tokens these are could not be found out" in new.stderr) is (how != "offline")
    assert "and nobody knows whose these are. Nothing was changed" in old.stderr
    assert bool(desk.sandbox.requests) is (how != "offline")
    # When
    told = desk.run("tokens", "import", "--account", "old", "--replace", *option, given=given)
    # Then
    assert told.exit_code == 0


def test_an_access_token_that_is_refused_and_stands_alone_is_not_imported(desk: Desk) -> None:
    # Given
    pair = desk.sandbox.grant()
    desk.sandbox.revoke(pair.access_token)
    # When
    done = desk.run("tokens", "import", given=alone(pair))
    # Then
    assert done.exit_code == 1
    assert "and the AuthValue holds no refresh token to renew it with" in done.stderr
    assert desk.stored() is None


def test_import_tells_what_keeps_the_tokens_from_being_renewed(desk: Desk) -> None:
    # When
    without = desk.run(
        "tokens", "import", given=as_authvalue(desk.sandbox.grant()), CIRQLL_CLIENT_ID=""
    )
    lone = desk.run("tokens", "import", "--account", "b", given=alone(desk.sandbox.grant()))
    # Then
    assert without.exit_code == lone.exit_code == 0
    assert "cannot be renewed until the settings client_id and client_secret" in without.stderr
    assert "they end with the access token: then run `cirqll login --account b`" in lone.stderr


def test_an_account_without_tokens_takes_them_from_anybody(desk: Desk) -> None:
    # Given
    desk.run("tokens", "import", given="{}")
    # When
    done = desk.run("tokens", "import", "--offline", given=as_authvalue(desk.sandbox.grant()))
    # Then
    assert done.exit_code == 0
    assert desk.run("whoami").exit_code == 0


def test_a_wrong_setting_is_not_taken_for_tokens_of_nobody(desk: Desk) -> None:
    # Given
    desk.sandbox.faults.add("login-redirect", path="/api/")
    # When
    done = desk.run("tokens", "import", given=as_authvalue(desk.sandbox.grant()))
    # Then
    assert done.exit_code == 1
    assert "setting api_url" in done.stderr
    assert desk.stored() is None
