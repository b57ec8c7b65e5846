"""What the client asks, and what it learns from the answers."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cirqll_client.connection import Connection, connect
from cirqll_client.errors import (
    CirqllError,
    NotFound,
    RequestRefused,
    ScopeMissing,
    SettingInvalid,
    SignInRequired,
)
from cirqll_client.query import Condition, IndexQuery
from cirqll_client.resources import RESOURCES
from cirqll_client.settings import ConnectionSettings
from cirqll_sandbox import Behaviour, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

CUSTOMER = next(one for one in RESOURCES if one.stream == "customers")


@pytest.fixture
def sandbox() -> Sandbox:
    sandbox = Sandbox(size=0, behaviour=Behaviour(rate_limit=0))
    sandbox.rows("customer").insert_many([{"name": f"Customer {n}"} for n in range(250)])
    return sandbox


@pytest.fixture
def settings(sandbox: Sandbox, sqlite_url: str) -> Iterator[ConnectionSettings]:
    with sandbox.running() as url:
        yield ConnectionSettings(
            api_url=url, access_token=sandbox.access_token, store_url=sqlite_url
        )


@pytest.fixture
def connection(settings: ConnectionSettings) -> Iterator[Connection]:
    connection = connect(settings)
    yield connection
    connection.close()


def limits(sandbox: Sandbox) -> list[str]:
    return [request.query["limit"][0] for request in sandbox.requests]


def test_the_largest_page_is_asked_for(connection: Connection, sandbox: Sandbox) -> None:
    page = connection.client.index(CUSTOMER, IndexQuery())
    assert (len(page), page.total, page.limit) == (250, 250, 1000)
    assert limits(sandbox) == ["1000"]


def test_a_server_that_caps_the_page_says_so(connection: Connection, sandbox: Sandbox) -> None:
    sandbox.behaviour = replace(sandbox.behaviour, page_maximum=50)
    page = connection.client.index(CUSTOMER, IndexQuery())
    assert (len(page), page.limit) == (50, 50)
    assert connection.client.is_total_proven


def test_that_total_counts_what_matches_is_remembered_by_the_next_run(
    settings: ConnectionSettings,
) -> None:
    # Given a run that was told of more rows than it got
    first = connect(settings)
    first.client.index(CUSTOMER, IndexQuery(limit=10))
    first.close()
    # When another one begins
    second = connect(settings)
    second.close()
    # Then it need not find that out again
    assert second.client.is_total_proven


@pytest.mark.parametrize("status", [400, 422])
def test_a_refused_page_size_is_remembered_by_this_run_and_the_next(
    settings: ConnectionSettings, sandbox: Sandbox, status: int
) -> None:
    sandbox.behaviour = replace(
        sandbox.behaviour,
        page_maximum=100,
        page_maximum_mode="refuse",
        page_refusal_status=status,
    )
    for _ in range(2):
        connection = connect(settings)
        assert len(connection.client.index(CUSTOMER, IndexQuery())) == 100
        connection.client.index(CUSTOMER, IndexQuery())
        connection.close()
    assert limits(sandbox) == ["1000", "100", "100", "100", "100"]


def test_a_refusal_that_is_not_about_the_page_size_is_not_taken_for_one(
    connection: Connection, sandbox: Sandbox
) -> None:
    sandbox.behaviour = replace(sandbox.behaviour, filter_mode="refuse")
    refused = IndexQuery(filter=Condition("name", "eq", "x"))
    with pytest.raises(RequestRefused):
        connection.client.index(CUSTOMER, refused)
    sandbox.behaviour = replace(sandbox.behaviour, filter_mode="honour")
    connection.client.index(CUSTOMER, IndexQuery())
    assert limits(sandbox) == ["1000", "100", "1000"]


def test_one_record_is_shown_by_its_id(connection: Connection) -> None:
    assert connection.client.show(CUSTOMER, 7)["name"] == "Customer 6"
    with pytest.raises(NotFound):
        connection.client.show(CUSTOMER, 9999)


def test_whom_the_token_belongs_to_is_asked_in_both_spellings(
    connection: Connection, sandbox: Sandbox
) -> None:
    sandbox.faults.add("404", path="/auth/me")
    sandbox.faults.add("404", path="/user/me")
    with pytest.raises(NotFound):
        connection.client.me()
    assert [request.path for request in sandbox.requests] == ["/api/auth/me", "/api/user/me"]


def test_without_a_token_nothing_is_sent(settings: ConnectionSettings, sandbox: Sandbox) -> None:
    with pytest.raises(SignInRequired) as caught:
        connect(replace(settings, access_token=""))
    assert caught.value.sentence == (
        f"Nobody has signed in to Cirqll at {settings.api_url} for the account default, so there "
        "is no token: run `cirqll login`, or give the settings refresh_token or access_token."
    )
    assert not sandbox.requests


@pytest.mark.parametrize("wrong", [{"access_token": ""}, {"store_url": "sqlite:////proc/none/x"}])
def test_a_connection_that_cannot_be_made_leaves_nothing_open(
    settings: ConnectionSettings, wrong: dict[str, str]
) -> None:
    # Given
    filters = len(logging.getLogger("urllib3.connection").filters)
    # When
    with pytest.raises(CirqllError):
        connect(replace(settings, **wrong))  # type: ignore[arg-type]
    # Then
    assert len(logging.getLogger("urllib3.connection").filters) == filters


def test_who_may_not_ask_whom_the_token_belongs_to_is_told_the_scope(
    connection: Connection, sandbox: Sandbox
) -> None:
    sandbox.faults.add("403", path="/auth/me")
    with pytest.raises(ScopeMissing) as caught:
        connection.client.me()
    assert caught.value.sentence == (
        'The access token may not read /auth/me ("Forbidden"). Grant it the scope '
        "user.read.all, or leave the stream out."
    )


def test_a_time_zone_that_is_none_is_a_setting(settings: ConnectionSettings) -> None:
    with pytest.raises(SettingInvalid) as caught:
        connect(replace(settings, api_timezone="Mars/Base"))
    assert caught.value.sentence == (
        "The setting api_timezone (Mars/Base) is not the name of a time zone; write it like UTC or "
        "Europe/Amsterdam."
    )
