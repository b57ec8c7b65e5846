"""Reading with tokens that expire, rotate and die: no row is lost, and nobody renews twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cirqll_client.resources import RESOURCES
from cirqll_sandbox import Behaviour, Sandbox
from tests.tap.signing_in import Accounts, stored
from tests.tap.tap_runs import Run, TapRuns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECONDS_FOR_A_RUN = 60
WAITING = "Another process renews the tokens of the account default; waiting for it"
IN_THE_MIDDLE = 9
"""A request that comes after rows were read and before all of them were."""


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    """A small company on several pages, and a store in which nobody is signed in."""
    sandbox = Sandbox(size=0.1, behaviour=Behaviour(rate_limit=0, page_maximum=40))
    with sandbox.running() as url:
        yield Accounts(sandbox, url, tmp_path / "store" / "store.sqlite")


@pytest.fixture
def tap(tmp_path: Path, accounts: Accounts, environment: dict[str, str]) -> TapRuns:
    """The tap with the OAuth client and the store, and without any token."""
    return TapRuns(tmp_path, environment, accounts.settings)


def assert_everything_arrived(run: Run, accounts: Accounts) -> None:
    assert run.code == 0, run.log
    assert run.sentences("ERROR") == []
    for resource in RESOURCES:
        arrived = sorted({record["id"] for record in run.records(resource.stream)})
        assert arrived == sorted(row["id"] for row in accounts.sandbox.rows(resource.name).all())


def at_request(number: int, accounts: Accounts, act: Callable[[], object]) -> None:
    """Do something just before the server answers this request."""

    def look(_request: object) -> None:
        if len(accounts.sandbox.requests) == number:
            act()

    accounts.sandbox.before_request(look)


def test_a_signed_in_account_is_read_without_any_secret_in_the_settings(
    tap: TapRuns, accounts: Accounts
) -> None:
    accounts.sign_in()

    run = tap(client_id=None, client_secret=None)

    assert_everything_arrived(run, accounts)
    assert accounts.refreshes == []


def test_accounts_of_one_store_are_kept_apart(tap: TapRuns, accounts: Accounts) -> None:
    first, second = accounts.sign_in(), accounts.sign_in("second")

    run = tap(account="second")

    assert_everything_arrived(run, accounts)
    tokens = {one.token for one in accounts.sandbox.requests}
    assert tokens == {second.access_token} != {first.access_token}


def test_an_expired_access_token_is_renewed_once_for_all_streams(
    tap: TapRuns, accounts: Accounts
) -> None:
    accounts.sign_in(is_expired=True)

    run = tap(concurrency=4)

    assert_everything_arrived(run, accounts)
    assert accounts.refreshes == ["issued"]
    assert all(one.status == 200 for one in accounts.sandbox.requests)


def test_the_next_run_goes_on_with_the_renewed_tokens(tap: TapRuns, accounts: Accounts) -> None:
    before = accounts.sign_in(is_expired=True)
    tap()

    run = tap()

    assert_everything_arrived(run, accounts)
    assert accounts.refreshes == ["issued"]
    assert accounts.refresh_token() not in {None, before.refresh_token}


def test_a_refresh_token_in_the_settings_begins_and_is_sent_no_second_time(
    tap: TapRuns, accounts: Accounts
) -> None:
    """Though it stays in the settings, where nobody can put the newer one."""
    seed = accounts.sandbox.grant().refresh_token

    first = tap(refresh_token=seed)
    accounts.sandbox.expire_access_tokens()
    second = tap(refresh_token=seed, state=first.state)
    third = tap(refresh_token=seed)

    assert second.code == 0, second.log
    assert_everything_arrived(first, accounts)
    assert_everything_arrived(third, accounts)
    assert accounts.refreshes == ["issued", "issued"]


def test_a_newer_refresh_token_in_the_settings_comes_before_a_dead_one_in_the_store(
    tap: TapRuns, accounts: Accounts
) -> None:
    accounts.sign_in()
    accounts.sandbox.revoke_everything()

    run = tap(refresh_token=accounts.sandbox.grant().refresh_token)

    assert_everything_arrived(run, accounts)
    assert accounts.refreshes == ["issued"]


def expire(accounts: Accounts) -> None:
    accounts.sandbox.expire_access_tokens()


def revoke(accounts: Accounts) -> None:
    with accounts.tokens() as tokens:
        account = tokens.read("default")
    assert account is not None
    assert account.pair is not None
    accounts.sandbox.revoke(account.pair.access_token or "")


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("die", [expire, revoke])
def test_a_token_that_dies_in_mid_run_costs_no_row_and_one_refresh(
    die: Callable[[Accounts], None], concurrency: int, tap: TapRuns, accounts: Accounts
) -> None:
    accounts.sign_in()
    at_request(IN_THE_MIDDLE, accounts, lambda: die(accounts))

    run = tap(concurrency=concurrency)

    assert_everything_arrived(run, accounts)
    assert accounts.refreshes == ["issued"]
    refused = sum(one.status == 401 for one in accounts.sandbox.requests)
    assert 1 <= refused <= concurrency


def test_a_token_that_dies_again_and_again_costs_no_row(tap: TapRuns, accounts: Accounts) -> None:
    accounts.sign_in()
    for number in (3, 12, 20):
        at_request(number, accounts, lambda: expire(accounts))

    run = tap(concurrency=1)

    assert_everything_arrived(run, accounts)
    assert accounts.refreshes == ["issued"] * 3


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_token_that_another_program_renewed_in_mid_run_is_read_from_the_store(
    concurrency: int, tap: TapRuns, accounts: Accounts
) -> None:
    pair = accounts.sign_in()

    def renew_elsewhere() -> None:
        newer = accounts.sandbox.refresh_as_another_program(pair.refresh_token or "")
        with accounts.tokens() as tokens:
            tokens.save("default", stored(newer), accounts.origin)

    at_request(IN_THE_MIDDLE, accounts, renew_elsewhere)

    run = tap(concurrency=concurrency)

    assert_everything_arrived(run, accounts)
    assert accounts.refreshes == []


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_sign_in_that_dies_in_mid_run_ends_it_and_the_next_goes_on_from_its_state(
    concurrency: int, tap: TapRuns, accounts: Accounts
) -> None:
    """Another program has used the refresh token up, and its store is not ours."""
    pair = accounts.sign_in()
    at_request(
        IN_THE_MIDDLE,
        accounts,
        lambda: accounts.sandbox.refresh_as_another_program(pair.refresh_token or ""),
    )

    first = tap(concurrency=concurrency)
    accounts.sign_in()
    second = tap(state=first.state)

    assert first.code == 1
    assert len(first.sentences("ERROR")) == 1
    assert "Sign in again with `cirqll login`" in first.sentences("ERROR")[0]
    assert "Traceback" not in first.log
    assert accounts.refreshes == ["invalid_grant"]
    assert second.code == 0, second.log
    for resource in RESOURCES:
        arrived = {r["id"] for run in (first, second) for r in run.records(resource.stream)}
        assert arrived == {row["id"] for row in accounts.sandbox.rows(resource.name).all()}


def test_two_taps_at_once_renew_one_expired_token_once(tap: TapRuns, accounts: Accounts) -> None:
    accounts.sign_in(is_expired=True)

    both = [tap.start() for _ in range(2)]
    try:
        ended = [process.communicate(timeout=SECONDS_FOR_A_RUN) for process in both]
    finally:
        for process in both:
            process.kill()

    for process, (output, log) in zip(both, ended, strict=True):
        assert_everything_arrived(Run(process.returncode, output, log), accounts)
    assert accounts.refreshes == ["issued"]


def test_waiting_for_another_process_is_told_and_counted(tap: TapRuns, accounts: Accounts) -> None:
    """The other process holds the renewal until the tap has said that it waits."""
    old = accounts.sign_in(is_expired=True).refresh_token or ""
    with accounts.tokens() as tokens:
        account = tokens.read("default")
        assert account is not None
        assert tokens.begin_renewal(
            "default", version=account.version, refresh_token=old, by="other", seconds=60
        )

    with tap.start(concurrency=1) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        log = ""
        while WAITING not in log:
            line = process.stderr.readline()
            assert line, log
            log += line
        newer = stored(accounts.sandbox.refresh_as_another_program(old))
        with accounts.tokens() as tokens:
            tokens.finish_renewal("default", newer, by="other", origin=accounts.origin)
        output, rest = process.communicate(timeout=SECONDS_FOR_A_RUN)

    run = Run(process.returncode, output, log + rest)
    assert_everything_arrived(run, accounts)
    assert accounts.refreshes == []
    waited = re.search(r"requests, ([0-9.]+) s waited", run.sentences("INFO")[-1])
    assert waited is not None
    assert float(waited[1]) > 0
