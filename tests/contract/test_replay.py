"""The client reads each recording as it should, without any server."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.connection import token_service
from cirqll_client.errors import (
    CirqllError,
    NotFound,
    RequestRefused,
    ScopeMissing,
    SignInRequired,
)
from cirqll_client.oauth import PendingSignIn, Redirect
from cirqll_client.redaction import Redaction
from cirqll_client.responses import Page
from cirqll_client.scope_choice import known_scopes
from cirqll_client.settings import ConnectionSettings, SignInSettings
from cirqll_client.token_service import NotRenewed
from cirqll_client.tokens import TokenPair
from tests.contract.account_stage import suites_of
from tests.contract.interview import Outcome, Waits, interview, never_wait
from tests.contract.questions import Suite, fault_suite
from tests.contract.recorder import replaying
from tests.contract.recordings import SANDBOX, Exchange, exchanges_of, folders
from tests.contract.scrubbing import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = ConnectionSettings(
    api_url=ROOT,
    access_token="stand-in",
    client_id="stand-in",
    client_secret="stand-in",
    store_url="sqlite://",
    requests_per_minute=1_000_000,
)
SUITES = {suite.name: suite for suite in (*suites_of(has_writes=True), fault_suite())}
FILES = [
    (file, SUITES[file.stem])
    for folder in folders()
    for file in sorted(folder.glob("*.yaml"))
    if file.stem in SUITES
]
ERRORS: dict[int, type[CirqllError]] = {
    400: RequestRefused,
    401: SignInRequired,
    403: ScopeMissing,
    404: NotFound,
    422: RequestRefused,
}


@pytest.mark.parametrize(
    ("file", "suite"), FILES, ids=[f"{file.parent.name}-{file.stem}" for file, _ in FILES]
)
def test_the_client_reads_what_was_recorded(file: Path, suite: Suite) -> None:
    # Given
    exchanges = exchanges_of(file)
    # When
    with replaying(file) as tape:
        outcomes, _ = interview(suite, SETTINGS, tape, pause=never_wait)
    # Then
    assert tape.played == len(exchanges)
    told = [one for one in exchanges if not _is_between(one)]
    for outcome, exchange in zip(outcomes, told, strict=True):
        assert _is_read_rightly(outcome, exchange), (exchange.place, outcome.question.words)


def test_the_sandbox_is_replayed_whole() -> None:
    replayed = {file for file, _ in FILES} | {SANDBOX / "oauth.yaml"}
    assert replayed >= set(SANDBOX.iterdir())


def test_a_sign_in_and_renewals_are_read_as_recorded() -> None:
    # Given
    pending = PendingSignIn(
        authorize_url=ROOT, redirect_uri=ROOT, scopes=(), state="s", code_verifier="v"
    )
    service = token_service(SETTINGS, redact=Redaction())
    # When
    with replaying(SANDBOX / "oauth.yaml"):
        scopes = known_scopes(SETTINGS, SignInSettings())
        first = service.exchange(pending, Redirect("code", None))
        second, third, fourth = service.renew(first), service.renew(first), service.renew(first)
    service.close()
    # Then
    assert "customer.read.all" in scopes
    assert first.refresh_token == "stand-in-refresh-token-1"
    assert isinstance(second, TokenPair)
    assert second.refresh_token == "stand-in-refresh-token-2"
    assert [one.kind for one in (third, fourth) if isinstance(one, NotRenewed)] == ["dead", "dead"]


def _is_between(exchange: Exchange) -> bool:
    """Whether the client went on from it by itself: ``/auth/me`` has another spelling."""
    return exchange.path == "/api/auth/me" and exchange.status == 404


def _is_read_rightly(outcome: Outcome, exchange: Exchange) -> bool:
    came = outcome.came
    if exchange.status in ERRORS:
        return type(came) is ERRORS[exchange.status]
    if not exchange.is_good:
        return isinstance(came, Waits)
    said = json.loads(exchange.body, parse_float=Decimal) if exchange.body else None
    return (
        _is_page(came, said)
        if isinstance(came, Page)
        else came in (said, said and said.get("data"))
    )


def _is_page(page: Page, said: Any) -> bool:
    if page.is_whole:
        return len(page) > 0
    rows = page.rows.rows
    return rows == said["data"] and (page.total, page.limit) == (said["total"], said["limit"])
