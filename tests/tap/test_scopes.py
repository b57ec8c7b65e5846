"""Streams that this token cannot read: the others arrive, and one sentence says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cirqll_client.resources import RESOURCES
from tests.tap.catalog_edits import choose, discovered

if TYPE_CHECKING:
    from tests.tap.conftest import Source
    from tests.tap.tap_runs import TapRuns

TOKEN = "reader-of-customers-not-a-secret"
SKIPPED = sorted(one.stream for one in RESOURCES if one.name != "customer")


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
            "(webhook.read.all). Give the token the scopes, or deselect the streams."
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
    assert len(run.sentences("WARNING")) == 1


def test_a_stream_that_a_choice_selects_must_be_readable(run_tap: TapRuns, source: Source) -> None:
    grant(source, "customer")
    catalog = choose(discovered(run_tap), "customers", "emails")

    run = run_tap(access_token=TOKEN, catalog=catalog)

    assert run.code == 1
    assert run.records("customers")
    assert run.sentences("ERROR") == [
        (
            "Not read, because the access token lacks the scope: emails (email.read.all). Give the "
            "token the scopes, or deselect the streams."
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
        "Not read, because the account has no such thing: todos (/todo). Deselect the streams."
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
    assert len(run.sentences("WARNING")) == len(SKIPPED)
