"""Whatever goes wrong at whichever request: no living row is marked, the next run mends it."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.tap.watched_account import WatchedAccount

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cirqll_sandbox import Sandbox
    from tests.reading_fixtures import Source
    from tests.tap.watched_account import Watched

ONE_PAGE, MANY_PAGES = 1000, 4
ONCE = ("500", "403", "404", "truncated")
MORE = ("cut-before", "cut-middle", "empty", "html-200", "502-html", "429", "lying-total")
FROM_THEN_ON = ("500", "403", "404")

LOOKS = "^/api/note/"
GONE = {4, 9, 20, 21, 27}
BACK = {12, 30}


def soaked(*values: Any) -> Any:
    """Try it in the long tests alone."""
    return pytest.param(*values, marks=pytest.mark.soak)


@pytest.fixture(params=[ONE_PAGE, MANY_PAGES])
def account(crm: Source, tmp_path: Path, request: pytest.FixtureRequest) -> WatchedAccount:
    """Thirty notes: five are gone since they were loaded, two that are marked have come back.

    On many pages they were touched by that, since one that went may hide another that came.
    """
    account = WatchedAccount(crm, tmp_path, {"max_deleted_share": 0.5})
    account.fill(30)
    account.edit(1)
    crm.behave(page_maximum=request.param)
    account.run()
    account.delete(*BACK)
    account.run()
    account.restore(*BACK, touches=request.param == MANY_PAGES)
    account.delete(*GONE)
    return account


@pytest.fixture
def trials(account: WatchedAccount, tmp_path: Path) -> Callable[[], WatchedAccount]:
    """Give the account as it is now, as often as wanted."""
    numbers = count()
    return lambda: account.copied(tmp_path / f"trial{next(numbers)}")


def requests_of_a_run(trials: Callable[[], WatchedAccount]) -> range:
    """Number the requests of a run, and some more that a trial may take."""
    return range(1, len(trials().run().requests) + 3)


def with_fault(account: WatchedAccount, kind: str, **when: Any) -> Watched:
    faults = account.source.sandbox.faults
    rule = faults.add(kind, **when)
    run = account.run()
    faults.remove(rule)
    return run


def assert_made_good(account: WatchedAccount) -> None:
    """Run in peace; all is as it should be then."""
    run = account.run()
    assert run.error is None
    account.assert_equal()
    assert account.table.marked == GONE


def test_without_a_fault_it_is_told_in_one_run(account: WatchedAccount) -> None:
    run = account.run()

    assert set(run.deleted) == GONE
    account.assert_equal()


@pytest.mark.parametrize(
    ("account", "kind"),
    [
        *((ONE_PAGE, kind) for kind in ONCE),
        (MANY_PAGES, "404"),
        *(soaked(ONE_PAGE, kind) for kind in MORE),
        *(soaked(MANY_PAGES, kind) for kind in (*ONCE, *MORE) if kind != "404"),
    ],
    indirect=["account"],
)
def test_one_faulty_answer(kind: str, trials: Callable[[], WatchedAccount]) -> None:
    for number in requests_of_a_run(trials):
        account = trials()

        run = with_fault(account, kind, at=number)

        assert set(run.deleted) <= GONE, number
        assert is_told(account, run), number
        assert_made_good(account)


@pytest.mark.parametrize(
    ("account", "kind", "path"),
    [
        *((ONE_PAGE, kind, "") for kind in FROM_THEN_ON),
        (ONE_PAGE, "404", LOOKS),
        *(soaked(MANY_PAGES, kind, path) for kind in FROM_THEN_ON for path in ("", LOOKS)),
    ],
    indirect=["account"],
)
def test_nothing_but_faulty_answers(
    kind: str, path: str, trials: Callable[[], WatchedAccount]
) -> None:
    for number in requests_of_a_run(trials):
        account = trials()

        run = with_fault(account, kind, since=number, path=path)

        assert set(run.deleted) <= GONE, number
        assert is_told(account, run), number
        assert_made_good(account)


def is_told(account: WatchedAccount, run: Watched) -> bool:
    """Tell whether all was done, or else an error or a warning says so."""
    return account.table.marked == GONE or run.error is not None or bool(run.said())


def test_a_server_that_denies_each_row_is_not_believed(account: WatchedAccount) -> None:
    run = with_fault(account, "404", path=LOOKS)

    assert run.deleted == []
    assert any("Cirqll denies rows, too, that it lists" in said for said in run.said())
    assert run.certificate["verdict"] == "incomplete"


def test_what_concerns_the_looks_alone_ends_no_run(account: WatchedAccount) -> None:
    run = with_fault(account, "403", path=LOOKS)

    assert run.error is None
    assert run.deleted == []
    (warning,) = [said for said in run.said() if "deleted rows were not found" in said]
    assert "a look at each of them failed: " in warning


def test_what_concerns_the_list_alone_ends_no_run(account: WatchedAccount) -> None:
    run = with_fault(account, "403", at=2)

    assert run.error is None
    assert run.deleted == []
    (warning,) = [said for said in run.said() if "deleted rows were not found" in said]
    assert "it could not be compared: " in warning
    assert run.certificate["verdict"] != "complete"


def test_a_server_that_fails_at_the_looks_ends_no_run(account: WatchedAccount) -> None:
    run = with_fault(account, "500", path=LOOKS)

    assert run.error is None
    assert run.deleted == []
    assert any("a look at each of them failed: " in said for said in run.said())


def one_for_another(sandbox: Sandbox) -> None:
    """Have a row come and another one go."""
    sandbox.restore("note", 9, touches=False)
    sandbox.delete("note", 10)


CHANGES: dict[str, Callable[[Sandbox], Any]] = {
    "a row goes that is listed": lambda of: of.delete("note", 2),
    "a row comes that was not": lambda of: of.restore("note", 4, touches=False),
    "a row comes that was not, and changes": lambda of: of.restore("note", 4),
    "a row goes that came again": lambda of: of.delete("note", 12),
    "a new row comes": lambda of: of.rows("note").insert(description="New"),
    "one goes for one that comes": one_for_another,
}
"""What somebody may do between two requests."""
HIDDEN_BY_COUNTS = {"a row comes that was not", "one goes for one that comes"}


@pytest.mark.parametrize(
    ("account", "change"),
    [
        *((ONE_PAGE, change) for change in CHANGES),
        *(soaked(MANY_PAGES, one) for one in CHANGES if one not in HIDDEN_BY_COUNTS),
    ],
    indirect=["account"],
)
def test_a_change_between_two_requests(
    change: str, account: WatchedAccount, trials: Callable[[], WatchedAccount]
) -> None:
    sandbox, ids = account.source.sandbox, set(account.rows.ids)
    for number in requests_of_a_run(trials):
        trial = trials()
        end = sandbox.before_request(partial(at_request, sandbox, number, CHANGES[change]))
        trial.run()
        end()
        trial.pass_time()

        run = trial.run()

        assert run.error is None
        trial.assert_equal()
        undo(account, ids)


def at_request(sandbox: Sandbox, number: int, do: Callable[[Sandbox], Any], _: Any) -> None:
    """Do it right before this request is answered."""
    if len(sandbox.requests) == number:
        do(sandbox)


def undo(account: WatchedAccount, ids: set[int]) -> None:
    """Have the rows that there were, no others, with the times that they had."""
    now = set(account.rows.ids)
    for row in ids - now:
        account.source.sandbox.restore("note", row, touches=False)
    if now - ids:
        account.source.sandbox.delete("note", *(now - ids))
