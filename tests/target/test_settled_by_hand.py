"""A create of which nothing can tell: a person says what became of it, as the reject asks."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from cirqll_client.cli import main
from cirqll_client.connection import account_key
from cirqll_client.ledger import Ledger
from cirqll_client.store import Store
from target_cirqll.identities import key_identity
from tests.target.writing_fixtures import Target, resource

if TYPE_CHECKING:
    from tests.target.writing_fixtures import Written

LONG_AGO = 1_763_800_000.0
ROWS = [{"no": 1, "name": "Bakkerij"}]


@pytest.fixture
def in_doubt(target: Target) -> Target:
    """The first row was sent by an earlier run, and Cirqll did not tell which records are new."""
    settings = target.connection()
    assert settings.store_url
    with closing(Store(settings.store_url, clock=lambda: LONG_AGO)) as store:
        ledger = Ledger(store, account=account_key(settings))
        identity = key_identity({"no": 1}, source="")
        assert ledger.begin(resource("customers"), identity, floor_id=None, sent={})
    return target


def ask(target: Target, rejected: Written, *, about: str, with_id: str = "") -> str:
    """Run the command that the reason of the only reject names, as a person does."""
    ((kind, reason),) = rejected.reasons()
    assert kind == "unknown"
    found = re.search(rf"`cirqll (ledger {about} \w+)", reason)
    assert found
    settings = target.connection()
    environment = {
        "CIRQLL_API_URL": settings.api_url,
        "CIRQLL_ACCOUNT": settings.account,
        "CIRQLL_STORE_URL": settings.store_url,
    }
    arguments = f"{found[1]} {with_id}".split()
    done = CliRunner().invoke(main, arguments, env=environment, prog_name="cirqll")
    assert done.exit_code == 0, done.output
    return done.stdout


def test_what_nobody_can_tell_is_not_sent_again_by_any_run(in_doubt: Target) -> None:
    runs = [in_doubt(ROWS) for _ in range(3)]

    assert {kind for run in runs for kind, _ in run.reasons()} == {"unknown"}
    assert all(run.writes == [] for run in runs)


def test_a_create_that_was_settled_is_updated_by_the_next_run(in_doubt: Target) -> None:
    # Given
    there = in_doubt.source.customers.insert(name="Bakker")["id"]
    rejected = in_doubt(ROWS)
    # When
    told = ask(in_doubt, rejected, about="settle", with_id=str(there))
    second, third = in_doubt(ROWS), in_doubt(ROWS)
    # Then
    assert told.startswith(f"Settled: the row is customer {there}.")
    assert second.writes == [("PATCH", f"customer/{there}", {"name": "Bakkerij"})]
    assert second.reasons() == third.reasons() == []
    assert third.writes == []


def test_a_create_that_was_forgotten_is_sent_by_the_next_run(in_doubt: Target) -> None:
    # Given
    rejected = in_doubt(ROWS)
    # When
    ask(in_doubt, rejected, about="forget")
    second, third = in_doubt(ROWS), in_doubt(ROWS)
    # Then
    assert second.writes == [("POST", "customer", {"name": "Bakkerij"})]
    assert second.reasons() == third.reasons() == []
    assert third.writes == []
