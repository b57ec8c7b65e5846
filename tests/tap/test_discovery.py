"""Discovery of an account: what the catalog shows, what it costs, and what a sync gains by it."""

from __future__ import annotations

import json
import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.resources import RESOURCES
from cirqll_sandbox import Behaviour, Sandbox
from tests.tap.conftest import Source
from tests.tap.tap_runs import TapRuns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.tap.tap_runs import Run

Catalog = dict[str, Any]


@pytest.fixture
def crm() -> Iterator[Source]:
    """A small company whose records have fields that nobody documented."""
    sandbox = Sandbox(size=0.02, behaviour=Behaviour(rate_limit=0), undocumented_fields=True)
    with sandbox.running() as url:
        yield Source(sandbox, url)


@pytest.fixture
def run_tap(tmp_path: Path, crm: Source, environment: dict[str, str]) -> TapRuns:
    return TapRuns(tmp_path, environment, crm.settings)


def catalog_of(run: Run) -> Catalog:
    catalog: Catalog = json.loads(run.output)
    return catalog


def properties(catalog: Catalog, stream: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        one["schema"]["properties"] for one in catalog["streams"] if one["tap_stream_id"] == stream
    )
    return found


def questions(crm: Source) -> list[tuple[str, str]]:
    return [(one.path, repr(sorted(one.query.items()))) for one in crm.sandbox.requests]


def test_a_catalog_has_the_fields_that_nobody_documented(run_tap: TapRuns) -> None:
    catalog = catalog_of(run_tap("--discover"))
    # Then
    found = properties(catalog, "customers")
    assert found["lead_score"]["type"] == ["number", "null"]
    assert found["is_vip"]["type"] == ["boolean", "null"]


def test_discovery_and_the_sync_after_it_ask_nothing_twice(run_tap: TapRuns, crm: Source) -> None:
    catalog = catalog_of(run_tap("--discover"))
    asked = questions(crm)
    crm.sandbox.forget_requests()
    run = run_tap(catalog=catalog)
    # Then
    assert len(asked) <= len(catalog["streams"]) + 2
    assert not set(asked) & set(questions(crm))
    for resource in RESOURCES:
        assert len(run.records(resource.stream)) == len(crm.sandbox.rows(resource.name))


def test_an_account_is_looked_at_once(run_tap: TapRuns, crm: Source) -> None:
    first = catalog_of(run_tap("--discover"))
    crm.sandbox.forget_requests()
    assert catalog_of(run_tap("--discover")) == first
    # Custom fields may be new each time.
    assert [one.path for one in crm.sandbox.requests] == ["/api/field"]


def test_without_a_token_the_catalog_has_what_is_documented(run_tap: TapRuns, crm: Source) -> None:
    catalog = catalog_of(run_tap("--discover", access_token=None))
    assert "lead_score" not in properties(catalog, "customers")
    assert crm.sandbox.requests == ()


def test_what_was_read_is_not_given_to_another_token(run_tap: TapRuns, crm: Source) -> None:
    # Given what one token was shown
    catalog = catalog_of(run_tap("--discover"))
    crm.sandbox.forget_requests()
    # When another one reads
    token = crm.sandbox.tokens.grant("another-token")
    run_tap(catalog=catalog, access_token=token)
    # Then it asked for everything itself
    assert {one.path for one in crm.sandbox.requests} >= {f"/api/{r.name}" for r in RESOURCES}


def test_an_account_that_cannot_be_read_yields_what_is_known(run_tap: TapRuns) -> None:
    # Given a token that is refused, and an account that was looked at
    first = catalog_of(run_tap("--discover"))
    # When
    run = run_tap("--discover", access_token="wrong", account="another")
    # Then
    assert run.code == 0
    assert len(properties(first, "customers")) > len(properties(catalog_of(run), "customers"))
    (warning,) = run.sentences("WARNING")
    assert warning.startswith("The account could not be looked at, so the catalog has the fields")


def test_a_change_between_discovery_and_sync_is_not_lost(run_tap: TapRuns, crm: Source) -> None:
    # Given a page that was read by discovery, and then changed
    catalog = catalog_of(run_tap("--discover"))
    customers = crm.sandbox.rows("customer")
    number = customers.all()[0]["id"]
    crm.sandbox.clock.move(5)
    customers.update(number, name="Later")
    # When
    first = run_tap(catalog=catalog)
    second = run_tap(catalog=catalog, state=first.state)
    # Then
    names = [
        one["name"]
        for run in (first, second)
        for one in run.records("customers")
        if one["id"] == number
    ]
    assert names[-1] == "Later"


def test_a_signal_ends_discovery_at_once(run_tap: TapRuns, crm: Source) -> None:
    # Given a server that takes its time
    has_asked = threading.Event()
    crm.sandbox.behaviour = replace(crm.sandbox.behaviour, latency_seconds=8)
    crm.sandbox.before_request(lambda _: has_asked.set())
    discovery = run_tap.start("--discover")
    assert has_asked.wait(timeout=20)
    # When
    discovery.terminate()
    # Then
    discovery.communicate(timeout=4)
    assert discovery.returncode == 128 + signal.SIGTERM


def test_what_does_not_come_along_is_left_to_the_sync(run_tap: TapRuns, crm: Source) -> None:
    # Given customers with more custom fields than come along
    for row in crm.sandbox.rows("customer").all():
        crm.sandbox.custom_fields.add_values("customer", row["id"], 60)
    # When
    discovery = run_tap("--discover")
    # Then
    assert len(crm.sandbox.requests) <= len(catalog_of(discovery)["streams"]) + 2
    assert discovery.sentences("WARNING") == []
