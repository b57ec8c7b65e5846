"""Streams that this token cannot read: the others arrive, and one sentence says what to do."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.nested import TABLES, read_for
from cirqll_client.resources import RESOURCES
from tests.tap.catalog_edits import choose, discovered
from tests.tap.signing_in import Accounts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.tap.conftest import Source
    from tests.tap.tap_runs import Run, TapRuns

TOKEN = "reader-of-customers-not-a-secret"
NO_DEFINITIONS = (
    "The definitions of custom fields are not read, so a custom field that has no column yet gets "
    "none: its values are kept in _undocumented. The access token lacks the scope field.read.all: "
    "sign in again with it to have columns."
)


def scopes_of(streams: Iterable[str]) -> str:
    """Name the scopes of these streams of resources, as a warning does."""
    return ", ".join(f"{stream} ({stream.removesuffix('s')}.read.all)" for stream in streams)


def grant(source: Source, *names: str) -> None:
    source.sandbox.tokens.grant(TOKEN, scopes=[f"{name}.read.all" for name in names])
    source.sandbox.rows("customer").insert(name="A")


def test_other_streams_arrive_and_one_warning_names_the_scopes(
    run_tap: TapRuns, source: Source
) -> None:
    grant(source, *(one.name for one in RESOURCES if one.name not in {"email", "webhook"}))

    run = run_tap(access_token=TOKEN)

    assert run.code == 0
    assert run.records("customers")
    assert run.sentences("WARNING") == [
        (
            "Not read, because the access token lacks the scope: emails (email.read.all), webhooks "
            "(webhook.read.all). Sign in again with these scopes, or deselect the streams."
        )
    ]


def test_a_catalog_that_selects_everything_is_no_wish_for_each_stream(
    run_tap: TapRuns, source: Source
) -> None:
    """Meltano hands such a catalog over unless its user selects streams: it must not stay red."""
    grant(source, "customer")
    catalog = choose(discovered(run_tap), *(one.stream for one in RESOURCES))

    run = run_tap(access_token=TOKEN, catalog=catalog)

    assert run.code == 0
    beyond = scopes_of(sorted(one.stream for one in RESOURCES if one.name != "customer"))
    assert run.sentences("WARNING") == [
        NO_DEFINITIONS,
        (
            f"Not read, because the access token lacks the scope: {beyond}. Sign in again with "
            "these scopes, or deselect the streams."
        ),
    ]


def test_a_stream_beyond_the_scopes_is_asked_for_once_with_what_comes_along_and_once_without(
    run_tap: TapRuns, source: Source
) -> None:
    """Which of both took the scope, nobody tells."""
    grant(source, "customer")
    source.sandbox.forget_requests()

    run_tap(access_token=TOKEN, custom_fields="array")

    asked = [one.query for one in source.sandbox.requests if one.path == "/api/field"]
    assert [one.get("with") for one in asked] == [["options"], None]


def test_a_stream_that_a_choice_selects_must_be_readable(run_tap: TapRuns, source: Source) -> None:
    grant(source, "customer")
    catalog = choose(discovered(run_tap), "customers", "emails")

    run = run_tap(access_token=TOKEN, catalog=catalog)

    assert run.code == 1
    assert run.records("customers")
    assert run.sentences("ERROR") == [
        (
            "Not read, because the access token lacks the scope: emails (email.read.all). Sign in "
            "again with these scopes, or deselect the streams."
        )
    ]


def test_a_run_that_can_read_nothing_fails(run_tap: TapRuns, source: Source) -> None:
    grant(source)

    run = run_tap(access_token=TOKEN)

    assert run.code == 1
    assert "customers (customer.read.all)" in run.sentences("ERROR")[0]


def test_a_resource_that_the_account_does_not_have_is_left_out(
    run_tap: TapRuns, source: Source
) -> None:
    source.sandbox.faults.add("404", path="/api/todo")

    run = run_tap()

    assert run.code == 0
    assert run.sentences("WARNING") == [
        (
            "Not read, because Cirqll has no such thing for this account (404): todos (/todo). "
            "Deselect the streams."
        )
    ]


def test_nothing_at_any_path_is_a_wrong_address(run_tap: TapRuns, source: Source) -> None:
    run = run_tap(api_url=f"{source.url}/api")

    assert run.code == 1
    assert len(run.sentences("ERROR")) == 1
    assert "Check the setting api_url" in run.sentences("ERROR")[0]


def test_a_token_that_is_not_accepted_stops_everything(run_tap: TapRuns) -> None:
    run = run_tap(access_token="canary-token-that-is-wrong")

    assert run.code == 1
    assert len(run.sentences("ERROR")) == 1
    assert "put a new one into the setting access_token" in run.sentences("ERROR")[0]
    assert "canary" not in run.log + run.output


def test_a_stream_that_fails_does_not_stop_the_others(run_tap: TapRuns, source: Source) -> None:
    source.sandbox.rows("customer").insert(name="A")
    source.sandbox.faults.add("418", path="/api/todo")

    run = run_tap()

    assert run.code == 1
    assert run.records("customers")
    assert run.sentences("ERROR") == [
        "Not everything was read: todos failed, for the reasons told above."
    ]


def test_the_connection_test_names_what_it_cannot_read(run_tap: TapRuns, source: Source) -> None:
    grant(source, "customer")

    run = run_tap("--test", access_token=TOKEN)

    assert run.code == 0
    beyond = [one for one in TABLES if one.stream not in {"companies", "customers", "field_values"}]
    refused = [f"The access token may not read {read_for(one.stream)[0].path} (" for one in beyond]
    told = [one.partition('"')[0] for one in run.sentences("WARNING") if one != NO_DEFINITIONS]
    assert sorted(told) == sorted(refused)


# Scopes that are known before a request: an access token that tells them, or an account's.

OF_TWO = ["customer.read.all", "user.read.all"]
NOT_OFFERED = sorted(one.stream for one in RESOURCES if one.name not in {"customer", "user"})
NAMED = scopes_of(NOT_OFFERED)
OFFERED = ["_certificates", "companies", "customers", "field_values", "users"]
"""Everybody may know their company, the values of custom fields come with customers, and the tap
makes certificates by itself."""
READ = ["/api/auth/me", "/api/customer", "/api/user"]


@pytest.fixture
def accounts(source: Source, tmp_path: Path) -> Accounts:
    """A store in which nobody is signed in."""
    return Accounts(source.sandbox, source.url, tmp_path / "store" / "store.sqlite")


def with_access_token(accounts: Accounts, scopes: list[str] | None) -> dict[str, Any]:
    """Give the token that tells its scopes."""
    access_token = accounts.sandbox.grant(scopes).access_token
    return {**accounts.settings, "access_token": access_token}


def with_account(accounts: Accounts, scopes: list[str] | None) -> dict[str, Any]:
    """Let the store tell the scopes; nobody can read them in this access token."""
    accounts.sandbox.behaviour = replace(accounts.sandbox.behaviour, access_tokens="opaque")
    accounts.sign_in(scopes=scopes)
    return {**accounts.settings, "access_token": None}


KNOWN = pytest.mark.parametrize("settings_for", [with_access_token, with_account])


def offered(run: Run) -> list[str]:
    return [one["tap_stream_id"] for one in json.loads(run.output)["streams"]]


def not_offered(run: Run) -> list[str]:
    return [one for one in run.sentences("INFO") if one.startswith("Not offered")]


@KNOWN
def test_discovery_offers_what_the_scopes_allow_and_names_the_rest_once(
    settings_for: Callable[..., dict[str, Any]], run_tap: TapRuns, accounts: Accounts
) -> None:
    run = run_tap("--discover", **settings_for(accounts, OF_TWO))

    assert offered(run) == OFFERED
    assert not_offered(run) == [f"Not offered, because the access token lacks the scope: {NAMED}."]
    assert sorted(one.path for one in accounts.sandbox.requests) == READ


@KNOWN
def test_a_sync_without_a_catalog_reads_what_the_scopes_allow_and_warns_of_nothing(
    settings_for: Callable[..., dict[str, Any]], run_tap: TapRuns, accounts: Accounts
) -> None:
    accounts.sandbox.rows("customer").insert(name="A")

    run = run_tap(**settings_for(accounts, OF_TWO))

    assert run.code == 0
    assert run.records("customers")
    assert run.sentences("WARNING") == []
    assert len(not_offered(run)) == 1
    assert {one.path for one in accounts.sandbox.requests} == set(READ)


@KNOWN
def test_the_connection_test_reads_only_what_the_scopes_allow(
    settings_for: Callable[..., dict[str, Any]], run_tap: TapRuns, accounts: Accounts
) -> None:
    run = run_tap("--test", **settings_for(accounts, OF_TWO))

    assert run.code == 0
    assert run.sentences("WARNING") == []
    assert {one.path for one in accounts.sandbox.requests} == set(READ)


@KNOWN
def test_what_a_catalog_selects_beyond_the_scopes_costs_one_warning_and_no_request(
    settings_for: Callable[..., dict[str, Any]], run_tap: TapRuns, accounts: Accounts
) -> None:
    accounts.sandbox.rows("customer").insert(name="A")
    catalog = choose(discovered(run_tap), *(one.stream for one in RESOURCES))
    accounts.sandbox.forget_requests()

    run = run_tap(catalog=catalog, **settings_for(accounts, OF_TWO))

    assert run.code == 0
    assert run.records("customers")
    assert run.sentences("WARNING") == [
        (
            f"Not read, because the access token lacks the scope: {NAMED}. Sign in "
            "again with these scopes, or deselect the streams."
        )
    ]
    assert {one.path for one in accounts.sandbox.requests} == {"/api/customer", "/api/user"}


@KNOWN
def test_what_a_choice_selects_must_be_within_the_scopes(
    settings_for: Callable[..., dict[str, Any]], run_tap: TapRuns, accounts: Accounts
) -> None:
    accounts.sandbox.rows("customer").insert(name="A")
    catalog = choose(discovered(run_tap), "customers", "emails")
    accounts.sandbox.forget_requests()

    run = run_tap(catalog=catalog, **settings_for(accounts, OF_TWO))

    assert run.code == 1
    assert run.records("customers")
    assert run.state["bookmarks"]["customers"]
    assert run.sentences("ERROR") == [
        (
            "Not read, because the access token lacks the scope: emails (email.read.all). Sign in "
            "again with these scopes, or deselect the streams."
        )
    ]
    assert {one.path for one in accounts.sandbox.requests} == {"/api/customer"}


def test_the_catalog_that_was_offered_is_no_choice(run_tap: TapRuns, accounts: Accounts) -> None:
    """Meltano hands over what was discovered: a scope that is taken away then must not stay red."""
    catalog = json.loads(run_tap("--discover", **with_access_token(accounts, OF_TWO)).output)
    fewer = with_access_token(accounts, ["customer.read.all"])

    as_it_was = run_tap(catalog=catalog, **with_access_token(accounts, OF_TWO))
    later = run_tap(catalog=catalog, **fewer)

    assert as_it_was.code == later.code == 0
    assert as_it_was.sentences("WARNING") == []
    assert len(not_offered(as_it_was)) == 1
    assert len(later.sentences("WARNING")) == 1


@KNOWN
@pytest.mark.parametrize("arguments", [("--discover",), ()])
def test_scopes_that_allow_nothing_are_an_error(
    settings_for: Callable[..., dict[str, Any]],
    arguments: tuple[str, ...],
    run_tap: TapRuns,
    accounts: Accounts,
) -> None:
    run = run_tap(*arguments, **settings_for(accounts, ["customer.create.all"]))

    assert run.code == 1
    assert run.output == ""
    assert len(run.sentences("ERROR")) == 1
    assert "Nothing may be read with this access token" in run.sentences("ERROR")[0]
    assert "Traceback" not in run.log
    assert accounts.sandbox.requests == ()


def opaque(accounts: Accounts) -> dict[str, Any]:
    accounts.sandbox.behaviour = replace(accounts.sandbox.behaviour, access_tokens="opaque")
    return with_access_token(accounts, OF_TWO)


def of_a_form_that_nobody_knows(accounts: Accounts) -> dict[str, Any]:
    return with_access_token(accounts, [*OF_TWO, "all-that-there-is"])


def signed_in_elsewhere(accounts: Accounts) -> dict[str, Any]:
    return {**with_account(accounts, OF_TWO), "account": "another"}


def with_a_refresh_token_that_is_new(accounts: Accounts) -> dict[str, Any]:
    settings = with_account(accounts, OF_TWO)
    return {**settings, "refresh_token": accounts.sandbox.grant().refresh_token}


def with_a_store_that_cannot_be_opened(accounts: Accounts) -> dict[str, Any]:
    accounts.file.parent.mkdir()
    accounts.file.write_text("this is no database, but a text that is long enough to tell so")
    return {**accounts.settings, "access_token": None}


def with_a_setting_that_is_wrong(accounts: Accounts) -> dict[str, Any]:
    return {**with_access_token(accounts, OF_TWO), "account": 5}


@pytest.mark.parametrize(
    "settings_for",
    [
        opaque,
        of_a_form_that_nobody_knows,
        signed_in_elsewhere,
        with_a_refresh_token_that_is_new,
        with_a_store_that_cannot_be_opened,
        with_a_setting_that_is_wrong,
    ],
)
def test_discovery_offers_everything_where_scopes_are_not_known(
    settings_for: Callable[[Accounts], dict[str, Any]], run_tap: TapRuns, accounts: Accounts
) -> None:
    run = run_tap("--discover", **settings_for(accounts))

    assert run.code == 0, run.log
    assert offered(run) == ["_certificates", *sorted(one.stream for one in TABLES)]
    assert not_offered(run) == []


def test_the_scopes_of_a_refresh_token_that_the_account_has_used_are_known(
    run_tap: TapRuns, accounts: Accounts
) -> None:
    seed = accounts.sandbox.grant(OF_TWO).refresh_token
    settings = {**accounts.settings, "access_token": None, "refresh_token": seed}
    run_tap(**settings)

    run = run_tap("--discover", **settings)

    assert offered(run) == OFFERED


def test_discovery_leaves_no_store_behind(run_tap: TapRuns, accounts: Accounts) -> None:
    run = run_tap("--discover", **{**accounts.settings, "access_token": None})

    assert run.code == 0
    assert not accounts.file.parent.exists()
