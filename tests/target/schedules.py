"""What goes wrong in trials of writing: which answers are lost, in how many runs, of which rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from target_cirqll.policy import Policy
from tests.target.writing_runs import KILL_POINTS, Death, dice_of

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping

    from cirqll_sandbox import Sandbox
    from tests.reading_fixtures import Source
    from tests.target.writing_runs import Ended, SourceRow, Writing

Style = Literal["key", "match", "content"]
"""By what the rows of a trial are known again."""

STYLES: tuple[Style, ...] = ("key", "match", "content")

DONE_UNHEARD = (
    "lost-answer",
    "500-after-commit",
    "502-after-commit",
    "503-after-commit",
    "empty",
    "truncated",
    "cut-middle",
)
"""Faults of which the record is there, but its answer does not say so."""
NOT_DONE = ("cut-before", "500", "502-html", "html-200", "login-redirect")
"""Faults that look the same, and nothing is there."""
REFUSED = ("429",)
"""A fault after which the same create may be sent again."""
ALTERATIONS: tuple[dict[str, Any], ...] = (
    {"normalises_email": True},
    {"normalises_phone": True},
    {"ignored_write_fields": ("customer.email",)},
    {"ignored_write_fields": ("customer.phone", "customer.import_id")},
    {"hidden_fields": ("customer.email",)},
    {"order_mode": "ignore"},
    {"total_echo": "missing"},
    {"page_maximum": 2},
    {"touch_unchanged": False, "quotes": "literal"},
)
"""What an API may make of values, or how it answers: then nothing may tell of some rows."""
_LIKELIHOODS = (0.1, 0.3, 0.6)


@dataclass(frozen=True, slots=True)
class Schedule:
    """What one trial is made of; the seed tells all of it."""

    seed: int
    style: Style
    rows: int
    batch_size: int
    concurrency: int
    faults: Mapping[str, float]
    kills: tuple[int | None, ...]
    """For each of the first runs, how many points it passes before it is killed."""

    @property
    def keys(self) -> tuple[str, ...]:
        return ("no",) if self.style == "key" else ()

    @property
    def policy(self) -> Policy:
        match_on = {"customer": ("import_id",)} if self.style == "match" else {}
        return Policy(match_on=match_on, concurrency=self.concurrency)

    def source_rows(self) -> list[SourceRow]:
        """Rows whose name tells them apart."""
        return [self._row(number) for number in range(1, self.rows + 1)]

    def _row(self, number: int) -> dict[str, Any]:
        row: dict[str, Any] = {
            "name": f"Zaak {number}",
            "email": "Info@Example.com",
            "phone": f"06 {number}",
        }
        if self.style == "key":
            row["no"] = f"K{number}"
        if self.style == "match":
            row["import_id"] = 1000 + number
        return row


def schedule(seed: int, *, style: Style | None = None) -> Schedule:
    """Throw the dice."""
    dice = dice_of(seed)
    chosen = style or STYLES[dice.randrange(len(STYLES))]
    faults = dice.sample((*DONE_UNHEARD, *NOT_DONE, *REFUSED), dice.randint(1, 3))
    return Schedule(
        seed=seed,
        style=chosen,
        rows=dice.randint(1, 9),
        batch_size=dice.choice((1, 3, 100)),
        concurrency=dice.choice((1, 4)),
        faults={fault: dice.choice(_LIKELIHOODS) for fault in faults},
        kills=tuple(_kill(dice) for _ in range(dice.randint(0, 3))),
    )


def begin(plan: Schedule, source: Source) -> None:
    """Empty the sandbox, and let creates go wrong as planned."""
    source.begin()
    source.sandbox.faults.clear()
    for fault, probability in plan.faults.items():
        # Each 429 takes time that is not skipped.
        few: dict[str, Any] = {"seconds": 0, "times": 1} if fault in REFUSED else {}
        source.sandbox.faults.add(fault, method="POST", probability=probability, **few)


def carried_out(plan: Schedule, writing: Writing) -> Ended:
    """Run as planned, then twice without a fault; never is a row there twice.

    Gives the last run.
    """
    sandbox = writing.source.sandbox
    rows = plan.source_rows()
    for kill in (*plan.kills, None):
        writing.run(rows, kill=None if kill is None else Death(kill))
        assert_nothing_twice(sandbox)
    sandbox.faults.clear()
    # A record that a later batch's create made, whose answer was lost too, may be what an earlier
    # row became, until that batch had its turn: so the first of these two runs settles them all.
    writing.run(rows)
    assert_nothing_twice(sandbox)
    return writing.run(rows)


def assert_nothing_twice(sandbox: Sandbox) -> None:
    """No two customers have one name."""
    assert twice(sandbox) == []


def twice(sandbox: Sandbox) -> list[str]:
    """Name the customers that are there more than once."""
    return [name for name, number in _names(sandbox).items() if number > 1]


def assert_each_once_or_unknown(
    sandbox: Sandbox, rows: Iterable[SourceRow], rejects: Mapping[int, str]
) -> None:
    """No row is there twice, and one that is not there was rejected as unknown."""
    assert_nothing_twice(sandbox)
    assert set(rejects.values()) <= {"unknown"}
    there = _names(sandbox)
    missing = {position for position, row in enumerate(rows, 1) if row["name"] not in there}
    assert missing <= rejects.keys()


def assert_each_once(sandbox: Sandbox, rows: Iterable[SourceRow]) -> None:
    """Each row is a customer, and there is no other."""
    assert _names(sandbox) == Counter(str(row["name"]) for row in rows)


def _names(sandbox: Sandbox) -> Counter[str]:
    return Counter(row["name"] for row in sandbox.rows("customer").all())


def _kill(dice: random.Random) -> int | None:
    return dice.choice((None, dice.randint(1, 4 * len(KILL_POINTS))))
