"""Any history of an account: after a quiet run the table has what lives, and marks what is gone."""

from __future__ import annotations

import random
import signal
import threading
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tap.watched_account import WatchedAccount

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.reading_fixtures import Source

folders = count()

SMALL_PAGE = 3


@dataclass(frozen=True)
class Deed:
    """Something that somebody does to a note: the one in this place among those that there are."""

    verb: str
    place: int = 0


@dataclass(frozen=True)
class Step:
    """What happens before a run, what during it at which request, and what the loader takes."""

    before: tuple[Deed, ...] = ()
    during: tuple[tuple[int, Deed], ...] = ()
    writes: int | None = None
    loaded: int | None = None
    acknowledged: int | None = None


@dataclass(frozen=True)
class History:
    """An account and all that happens to it."""

    rows: int
    steps: tuple[Step, ...]
    page: int = 1000
    home: str = "store"


def deeds(*verbs: str) -> st.SearchStrategy[Deed]:
    return st.builds(Deed, st.sampled_from(verbs), st.integers(0, 9))


@st.composite
def histories(draw: Callable[..., Any], *, longest: int) -> History:
    """Histories in which every difference can be seen in one run.

    Where the ids are in the state, no loader is ahead of its state: what it wrote is known by it.
    One that hides in a count, as many gone as come again untouched, is seen on a page that is
    looked at; so what is restored untouched needs a page with all rows.
    """
    page = draw(st.sampled_from([1000, SMALL_PAGE]))
    verbs = ["create", "edit", "delete", "delete", "restore and touch"]
    deed = deeds(*verbs, *(["restore"] if page > SMALL_PAGE else []))
    few = st.none() | st.integers(0, 12)
    step = st.builds(
        Step,
        st.lists(deed, max_size=4).map(tuple),
        st.lists(st.tuples(st.integers(1, 8), deed), max_size=3).map(tuple),
        writes=st.none() | st.integers(0, 10),
        loaded=few,
        acknowledged=few,
    )
    steps = draw(st.lists(step, min_size=1, max_size=longest))
    home = draw(st.sampled_from(["store", "store", "state"]))
    return History(draw(st.integers(0, 8)), tuple(steps), page, home)


def do(account: WatchedAccount, deed: Deed) -> None:
    """Do it, if there is a note to do it to."""
    notes, ids = account.rows, account.rows.ids
    gone = sorted(set(range(1, notes.next_id)) - set(ids))
    if deed.verb == "create":
        notes.insert(description="New")
    elif deed.verb.startswith("restore") and gone:
        account.source.sandbox.restore(
            "note", gone[deed.place % len(gone)], touches=deed.verb != "restore"
        )
    elif deed.verb == "edit" and ids:
        notes.update(ids[deed.place % len(ids)], description=f"Edited {deed.place}")
    elif deed.verb == "delete" and ids:
        account.source.sandbox.delete("note", ids[deed.place % len(ids)])


def go(account: WatchedAccount, step: Step) -> None:
    for deed in step.before:
        do(account, deed)
        account.pass_time()
    waiting = sorted(step.during, key=lambda one: one[0])

    def at_a_request(_: Any) -> None:
        while waiting and waiting[0][0] <= len(account.source.sandbox.requests):
            do(account, waiting.pop(0)[1])

    end = account.source.sandbox.before_request(at_a_request)
    # A loader that got rows got the state before them too.
    least = 0 if account.state or step.loaded == 0 else 1
    acknowledged = None if step.acknowledged is None else max(least, step.acknowledged)
    if account.settings["delivered_ids"] == "state":
        account.run(writes=step.writes, loaded=step.loaded, is_atomic=True)
    else:
        account.run(writes=step.writes, loaded=step.loaded, acknowledged=acknowledged)
    end()
    account.pass_time()


def tell(history: History, source: Source, folder: Path) -> None:
    """Let it all happen, then read once more in peace."""
    source.begin(page_maximum=history.page)
    own = folder / str(next(folders))
    own.mkdir()
    account = WatchedAccount(source, own, {"max_deleted_share": 1, "delivered_ids": history.home})
    account.fill(history.rows)
    for step in history.steps:
        go(account, step)

    last = account.run()

    assert last.error is None
    account.assert_nothing_false()
    account.assert_equal()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where stores lie."""
    return tmp_path_factory.mktemp("stores")


in_any_order = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@given(histories(longest=4))
@in_any_order
def test_after_any_history_the_table_is_as_the_account(
    crm: Source, folder: Path, history: History
) -> None:
    tell(history, crm, folder)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@given(histories(longest=8))
@settings(in_any_order, max_examples=3_000)
def test_after_any_of_thousands_of_histories(crm: Source, folder: Path, history: History) -> None:
    tell(history, crm, folder)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("seed", "kills"),
    [(1, 6), *(pytest.param(seed, 40, marks=pytest.mark.soak) for seed in range(2, 12))],
)
def test_killed_at_any_moment_it_loses_no_deletion_and_no_row(
    seed: int, kills: int, crm: Source, tmp_path: Path, environment: dict[str, str]
) -> None:
    dice = random.Random(seed)  # noqa: S311 - the moments of a test
    account = WatchedAccount(crm, tmp_path, {"max_deleted_share": 1})
    account.fill(40)
    account.run()
    has_news = False
    for _ in range(kills):
        for verb in dice.choices(["create", "edit", "delete", "restore", "delete"], k=6):
            has_news |= verb in {"create", "edit"}
            # Known not to be seen: a change of a row that is gone before a run, and put back as it
            # was once that run has died between its last page and its question for deleted rows.
            is_touched = verb == "restore" and has_news
            do(account, Deed("restore, touched" if is_touched else verb, dice.randrange(40)))
            account.pass_time()
        output, is_whole = killed(account, dice, environment)
        account.load(output)
        account.pass_time()
        has_news &= not is_whole

    last = account.run()

    assert last.error is None
    account.assert_equal()


def killed(
    account: WatchedAccount, dice: random.Random, environment: dict[str, str]
) -> tuple[bytes, bool]:
    """Run the program and kill it at a request, or a little later.

    Give what it wrote, and whether it came to its end before.
    """
    number, delay = dice.randrange(1, 14), dice.choice([0, 0, dice.uniform(0, 0.03)])
    sandbox = account.source.sandbox
    process = account.start(environment)

    def kill(_: Any) -> None:
        if len(sandbox.requests) == number:
            threading.Timer(delay, process.kill).start() if delay else process.kill()

    end = sandbox.before_request(kill)
    output, _ = process.communicate(timeout=60)
    end()
    return output, process.returncode == 0


def test_told_to_stop_between_looks_it_has_told_what_it_confirmed_and_the_rest_next_time(
    crm: Source, tmp_path: Path, environment: dict[str, str]
) -> None:
    account = WatchedAccount(crm, tmp_path, {"max_deleted_share": 0.9})
    account.fill(160)
    account.run()
    account.delete(*range(1, 131))
    process = account.start(environment)
    end = crm.sandbox.before_request(
        lambda _: process.terminate() if len(crm.sandbox.requests) == 80 else None
    )

    output, log = process.communicate(timeout=60)
    end()

    assert process.returncode == 128 + signal.SIGTERM, log
    account.load(output)
    assert 0 < len(account.table.marked) < 130
    account.run()
    account.assert_equal()
    assert account.table.marked == set(range(1, 131))
