"""Whatever happens to an account between and during runs, no living row is ever marked deleted.

In the end PostgreSQL's rows without a mark are the account's, value by value; the others keep what
they last said.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from cirqll_sandbox import Behaviour, Sandbox
from tap_cirqll.catalogs import everything
from tests.pipeline.account_in_use import AccountInUse
from tests.pipeline.comparison import assert_equal
from tests.pipeline.conftest import RunningSandbox
from tests.pipeline.disturbed_runs import TROUBLES, DisturbedRuns, busy
from tests.pipeline.marked_rows import MarkedRows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.meltano_project import MeltanoProject
    from tests.pipeline.conftest import Database
    from tests.pipeline.pipes import Pipe, State


@dataclass(frozen=True)
class Company:
    """How large a company is, and the pages that it comes on."""

    size: float
    page: int


SOME = {"customers": "customer", "contacts": "contact", "field_options": "field_option"}
BIG, SMALL = Company(0.15, page=1000), Company(0.15, page=30)
FEW = 5
"""Less than what happens in a long history."""


@pytest.fixture
def source(request: pytest.FixtureRequest) -> Iterator[RunningSandbox]:
    """A company; by itself a very small one, each of whose tables comes on one page."""
    company: Company = getattr(request, "param", Company(0.05, page=1000))
    behaviour = Behaviour(rate_limit=0, page_maximum=company.page)
    sandbox = Sandbox(seed=7, size=company.size, behaviour=behaviour)
    with sandbox.running() as url:
        yield RunningSandbox(sandbox, url)


@pytest.fixture
def runs(project: MeltanoProject, tmp_path: Path) -> DisturbedRuns:
    """Runs that look for deletions, and load in small batches."""
    states = tmp_path / "states"
    settings = {
        "CIRQLL_DETECT_DELETIONS": "true",
        "MELTANO_STATE_BACKEND_URI": f"file://{states}",
        "TARGET_POSTGRES_BATCH_SIZE_ROWS": "25",
    }
    return DisturbedRuns(project.setting(**settings), states, tmp_path)


def test_living_rows_are_equal_and_none_was_ever_marked(
    runs: DisturbedRuns, pipe: Pipe, source: RunningSandbox, database: Database
) -> None:
    """Meltano begins; then the same tap and loader go on, as plain processes."""
    account = AccountInUse(source.sandbox, dice(6), SOME.values())
    marked = MarkedRows(database.connection, account, SOME)
    runs.only(*SOME).go(marked)
    state: State | None = runs.state()
    pipe.tap["detect_deletions"] = True
    streams = [one for one in everything()["streams"] if one["tap_stream_id"] in SOME]

    for share_of_requests in (0.4, 0.4, 0):
        time_passes(account, deeds=25)
        marked.begin_run()
        with busy(account, share=share_of_requests):
            outcome = replace(pipe, catalog={"streams": streams}).run(state)
        state = outcome.state
        assert outcome.succeeded, outcome.log
        assert "max_deleted_share" not in outcome.log
        marked.look(was_whole=True)

    assert_equal(database.connection, source.sandbox, tables=SOME)
    assert marked.met
    assert marked.lived_again


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("source", "seed"), [(BIG, 1), (BIG, 2), (BIG, 3), (SMALL, 4), (SMALL, 5)], indirect=["source"]
)
def test_so_it_is_for_all_resources_while_runs_are_killed_and_states_are_lost(
    runs: DisturbedRuns, source: RunningSandbox, database: Database, seed: int
) -> None:
    """A restore that a deletion hides in the count is found in time, not at once: where pages are
    small, none is.
    """
    is_one_page = source.sandbox.behaviour.page_maximum == BIG.page
    account = AccountInUse(source.sandbox, dice(seed), restores_untouched=is_one_page)
    marked = MarkedRows(database.connection, account)
    runs.go(marked)

    for trouble in account.dice.sample(TROUBLES, k=len(TROUBLES)):
        time_passes(account, deeds=30)
        runs.go(marked, trouble, share_of_requests=0.2)
    time_passes(account, deeds=30)
    runs.go(marked)

    assert_equal(database.connection, source.sandbox)
    assert len(marked.met) > FEW
    assert len(marked.lived_again) > FEW
    assert runs.broken


def dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - what happens in a test


def time_passes(account: AccountInUse, *, deeds: int) -> None:
    """Minutes, days or months, in which so much is done."""
    for _ in range(deeds):
        account.do_something()
    account.sandbox.clock.move(account.dice.choice([60, 3600, 86_400, 60 * 86_400]))
