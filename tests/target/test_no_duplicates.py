"""Whatever is lost on the way, and wherever a run is killed, each row becomes one record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.target import plain_writer
from tests.target.schedules import (
    ALTERATIONS,
    DONE_UNHEARD,
    STYLES,
    Schedule,
    Style,
    assert_each_once,
    assert_each_once_or_unknown,
    begin,
    carried_out,
    schedule,
    twice,
)
from tests.target.writing_fixtures import over_http
from tests.target.writing_runs import Writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.reading_fixtures import Source

_PLAIN_TRIALS = 12


def new_writing(crm: Source, folder: Path, plan: Schedule) -> Writing:
    """Write as planned, with a store of its own."""
    store = folder / f"{plan.style}-{plan.seed}.sqlite"
    store.unlink(missing_ok=True)
    return Writing(
        crm,
        f"sqlite:///{store}",
        keys=plan.keys,
        policy=plan.policy,
        batch_size=plan.batch_size,
    )


@pytest.fixture
def trial(crm: Source, tmp_path: Path) -> Callable[[Schedule], None]:
    """Carry a schedule out on a sandbox and a store without rows."""

    def carry_out(plan: Schedule) -> None:
        begin(plan, crm)
        last = carried_out(plan, new_writing(crm, tmp_path, plan))

        assert last.is_whole, (plan, last.error)
        assert last.rejects == {}, (plan, last)
        assert_each_once(crm.sandbox, plan.source_rows())

    return carry_out


@pytest.fixture
def odd_trial(crm: Source, tmp_path: Path) -> Iterator[Callable[[Schedule, int], None]]:
    """Carry it out on a sandbox that is odd in one way."""
    before = crm.sandbox.behaviour

    def carry_out(plan: Schedule, oddity: int) -> None:
        begin(plan, crm)
        crm.sandbox.behaviour = before
        crm.behave(**ALTERATIONS[oddity])
        last = carried_out(plan, new_writing(crm, tmp_path, plan))

        assert last.is_whole, (plan, oddity, last.error)
        assert_each_once_or_unknown(crm.sandbox, plan.source_rows(), last.rejects)

    yield carry_out
    crm.sandbox.behaviour = before


@over_http(10)
@given(seed=st.integers(0, 2**32), style=st.sampled_from(STYLES))
def test_each_row_is_there_once_whatever_happens_on_the_way(
    trial: Callable[[Schedule], None], seed: int, style: Style
) -> None:
    trial(schedule(seed, style=style))


@over_http(8)
@given(
    seed=st.integers(0, 2**32),
    style=st.sampled_from(STYLES),
    oddity=st.integers(0, len(ALTERATIONS) - 1),
)
def test_whatever_an_odd_api_makes_of_the_values_no_row_is_there_twice(
    odd_trial: Callable[[Schedule, int], None], seed: int, style: Style, oddity: int
) -> None:
    odd_trial(schedule(seed, style=style), oddity)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("oddity", range(len(ALTERATIONS)))
def test_nor_in_hundreds_of_trials(odd_trial: Callable[[Schedule, int], None], oddity: int) -> None:
    for seed in range(50):
        odd_trial(schedule(seed), oddity)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("hundred", range(5))
def test_each_row_is_there_once_in_hundreds_of_trials(
    trial: Callable[[Schedule], None], hundred: int
) -> None:
    for number in range(100):
        trial(schedule(hundred * 100 + number))


def test_a_plain_writer_writes_rows_twice_by_the_same_schedules(
    crm: Source, trial: Callable[[Schedule], None]
) -> None:
    """So these trials can tell a writer that does from one that does not."""
    plans = [plan for plan in map(schedule, range(100)) if plan.faults.keys() & {*DONE_UNHEARD}]
    failing = []
    for plan in plans[:_PLAIN_TRIALS]:
        begin(plan, crm)
        plain_writer.write(crm, plan.source_rows())
        if twice(crm.sandbox):
            failing.append(plan)

    assert len(failing) > _PLAIN_TRIALS / 2
    for plan in failing[:3]:
        trial(plan)
