"""What a user reads where signing in has failed: one sentence, what to do, and no secret."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.sealing import KEY_VARIABLE, FernetSealing
from cirqll_client.token_store import Origin
from tests.tap.signing_in import Accounts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tap.conftest import Source
    from tests.tap.tap_runs import Run, TapRuns

KEY = "Y2FuYXJ5LWtleS1vZi10aGUtc3RvcmUtMzItYnl0ZXM="
DAY = 86_400.0
OTHER_KEY = "Y2FuYXJ5LWFub3RoZXIta2V5LW9mLTMyLWJ5dGVzLS0="
STATE = {"bookmarks": {"customers": {"replication_key_value": "2026-01-01T00:00:00Z"}}}


@pytest.fixture
def accounts(source: Source, tmp_path: Path) -> Accounts:
    """A store in which nobody is signed in."""
    return Accounts(source.sandbox, source.url, tmp_path / "store" / "store.sqlite")


@pytest.fixture
def tap(run_tap: TapRuns, accounts: Accounts) -> TapRuns:
    """The tap with the OAuth client and the store, and without any token."""
    return replace(run_tap, config=accounts.settings)


def assert_told(run: Run, *words: str) -> None:
    """One sentence on stderr, the state given back, and neither a traceback nor a token."""
    assert run.code == 1
    assert len(run.sentences("ERROR")) == 1, run.log
    for one in words:
        assert one in run.sentences("ERROR")[0]
    assert "Traceback" not in run.log
    assert "def50200" not in run.log, "a refresh token of the sandbox begins so"
    bookmarks = {name: of for name, of in run.state["bookmarks"].items() if of}
    assert bookmarks == STATE["bookmarks"]
    assert run.of_type("RECORD") == []


def test_nobody_signed_in(tap: TapRuns) -> None:
    run = tap(state=STATE)

    assert_told(run, "Nobody has signed in", "`cirqll login`")


def test_nobody_signed_in_for_this_account(tap: TapRuns, accounts: Accounts) -> None:
    accounts.sign_in()

    run = tap(state=STATE, account="second")

    assert_told(run, "the account second", "`cirqll login --account second`")


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("token_of", ["the settings", "the store"])
def test_the_refresh_token_is_dead(
    token_of: str, concurrency: int, tap: TapRuns, accounts: Accounts
) -> None:
    seed = accounts.sandbox.grant().refresh_token if token_of == "the settings" else None
    if seed is None:
        accounts.sign_in(is_expired=True)
    accounts.sandbox.revoke_everything()

    run = tap(state=STATE, concurrency=concurrency, refresh_token=seed)

    assert_told(run, "no longer accepts the refresh token", "Sign in again with `cirqll login`")
    assert accounts.refreshes == ["invalid_grant"]


@pytest.mark.parametrize(
    ("fault", "concurrency"),
    [("lost-answer", 1), ("lost-answer", 4), ("truncated", 4), ("empty", 4)],
)
def test_the_answer_of_the_token_service_is_lost(
    fault: str, concurrency: int, tap: TapRuns, accounts: Accounts
) -> None:
    """It may have spent the refresh token, so nothing sends it again: no stream, no later run."""
    accounts.sign_in(is_expired=True)
    accounts.sandbox.faults.add(fault, path="/oauth/token")

    first = tap(state=STATE, concurrency=concurrency)
    second = tap(state=STATE, concurrency=concurrency)

    for run in (first, second):
        assert_told(run, "may be spent", "Sign in again with `cirqll login`")
    assert len(accounts.refreshes) == 1


def test_the_client_is_not_known_when_tokens_are_due(tap: TapRuns, accounts: Accounts) -> None:
    pair = accounts.sign_in(is_expired=True)
    with accounts.tokens() as tokens:
        tokens.save("default", pair, Origin())

    run = tap(state=STATE, client_id=None, client_secret=None)

    assert_told(run, "give the settings client_id and client_secret")
    assert accounts.refreshes == []


def test_the_client_secret_is_wrong(tap: TapRuns, accounts: Accounts) -> None:
    accounts.sign_in(is_expired=True)

    wrong = tap(state=STATE, client_secret="canary-wrong-secret")
    right = tap()

    assert_told(wrong, "check the settings client_id and client_secret")
    assert "canary" not in wrong.log
    assert right.code == 0, right.log


def test_the_client_is_another_one_than_signed_in(tap: TapRuns, accounts: Accounts) -> None:
    accounts.sign_in(is_expired=True)

    run = tap(state=STATE, client_id="another")

    assert_told(run, "another OAuth client", "client_id")


@pytest.mark.parametrize("path", ["/nowhere", "/api/customer"])
def test_the_token_url_is_wrong(path: str, tap: TapRuns, accounts: Accounts) -> None:
    """A service that says that it did nothing leaves the refresh token as good as before."""
    accounts.sign_in(is_expired=True)

    wrong = tap(state=STATE, token_url=f"{accounts.url}{path}")
    right = tap()

    assert_told(wrong, f"{accounts.url}{path}", "token_url")
    assert right.code == 0, right.log
    assert accounts.refreshes == ["issued"]


def test_the_token_url_is_not_safe(tap: TapRuns, accounts: Accounts) -> None:
    accounts.sign_in(is_expired=True)

    run = tap(state=STATE, token_url="http://cirqll.example/oauth/token")

    assert_told(run, "token_url must be a URL with https")


@pytest.mark.parametrize("key", [None, OTHER_KEY, "no-key"])
def test_the_key_of_the_store_is_wrong(key: str | None, tap: TapRuns, accounts: Accounts) -> None:
    sealed = replace(accounts, sealing=FernetSealing(KEY))
    sealed.sign_in(is_expired=True)
    environment: dict[str, Any] = {KEY_VARIABLE: key} if key else {}

    wrong = tap(state=STATE, environment=environment)
    right = tap(environment={KEY_VARIABLE: KEY})

    assert_told(wrong, KEY_VARIABLE)
    assert OTHER_KEY not in wrong.log
    assert right.code == 0, right.log
    assert accounts.refreshes == ["issued"]


def test_tokens_that_are_due_and_cannot_be_renewed_do_while_they_last(
    tap: TapRuns, accounts: Accounts
) -> None:
    """The client secret is missed two weeks before it stops anything."""
    pair = accounts.sign_in()
    old = replace(pair, obtained_at=pair.obtained_at - 20 * DAY, expires_at=time.time() + 10 * DAY)
    with accounts.tokens() as tokens:
        tokens.save("default", old, accounts.origin)

    run = tap(client_secret=None)

    assert run.code == 0
    assert len(run.sentences("WARNING")) == 1
    assert "the setting client_secret is not set" in run.sentences("WARNING")[0]
