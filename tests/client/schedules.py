"""What may happen to a table while it is read, and the law that every reader must keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from hypothesis import strategies as st

from cirqll_client.reading import Beginning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from tests.reading_fixtures import Outcome, Source

    Reader = Callable[[Source, Beginning, int | None], Outcome]

Kind = Literal["insert", "edit", "delete", "touch", "pass"]


@dataclass(frozen=True)
class Event:
    """One thing that happens; ``number`` chooses the row, or is how many, or how many seconds."""

    kind: Kind
    number: int = 1


@dataclass(frozen=True)
class Run:
    """A run: what happened before it and before each of its requests, and where it is cut off."""

    before: tuple[Event, ...] = ()
    between: tuple[tuple[Event, ...], ...] = ()
    pages: int | None = None


@dataclass(frozen=True)
class Schedule:
    """Runs in a row."""

    runs: tuple[Run, ...]
    page: int = 3


@dataclass
class Destination:
    """What was delivered, and what truly was there."""

    crm: Source
    delivered: dict[int, str] = field(default_factory=dict)
    existed: set[tuple[int, str]] = field(default_factory=set)
    changed_at: dict[int, datetime] = field(default_factory=dict)
    versions: int = 0

    def happen(self, events: Iterable[Event]) -> None:
        """Let events happen."""
        for event in events:
            getattr(self, f"_{event.kind}")(event.number)

    def take(self, outcome: Outcome) -> None:
        """Take what was delivered."""
        for batch in outcome.batches:
            for row in batch.rows:
                assert (row["id"], row["name"]) in self.existed, "it never existed"
                self.delivered[row["id"]] = row["name"]

    def stale(self) -> set[int]:
        """Give the living rows whose newest state was not delivered."""
        rows = self.crm.customers.all()
        return {row["id"] for row in rows if self.delivered.get(row["id"]) != row["name"]}

    def check_bookmark(self, bookmark: datetime | None) -> None:
        """All that is not delivered must lie at or behind the bookmark."""
        lost = {i for i in self.stale() if bookmark and self.changed_at[i] < bookmark}
        assert not lost, f"lost {lost} before {bookmark}"

    def _next(self) -> str:
        self.versions += 1
        return f"version {self.versions}"

    def _note(self, row: dict[str, Any]) -> None:
        self.existed.add((row["id"], row["name"]))
        self.changed_at[row["id"]] = self.crm.sandbox.clock.now()

    def _insert(self, number: int) -> None:
        for _ in range(number):
            self._note(self.crm.customers.insert(name=self._next()))

    def _edit(self, number: int) -> None:
        ids = self.crm.customers.ids
        if ids:
            self._note(self.crm.customers.update(ids[number % len(ids)], name=self._next()))

    def _touch(self, number: int) -> None:
        """Somebody saves a row twice within a second."""
        self._edit(number)
        self._edit(number)

    def _delete(self, number: int) -> None:
        ids = self.crm.customers.ids
        if ids:
            self.crm.customers.delete(ids[number % len(ids)])

    def _pass(self, seconds: int) -> None:
        self.crm.sandbox.clock.move(seconds)


def keep_the_law(
    crm: Source,
    reader: Reader,
    schedule: Schedule,
    *,
    quiet_runs: int = 1,
    is_zone_right: bool = True,
) -> None:
    """Carry a schedule out. Raises ``AssertionError`` where the reader does not keep the law.

    A reading by id that was interrupted leaves what changed before its place to the run after it,
    so that two quiet runs must follow.
    """
    destination = Destination(crm)
    crm.behave(page_maximum=schedule.page)
    beginning = Beginning()
    for run in (*schedule.runs, *[Run()] * quiet_runs):
        destination.happen(run.before)
        outcome = _read(destination, reader, beginning, run)
        destination.take(outcome)
        if outcome.batches:
            beginning = outcome.beginning
        if is_zone_right:
            destination.check_bookmark(beginning.bookmark)
    assert not destination.stale(), f"never delivered: {destination.stale()}"


def _read(destination: Destination, reader: Reader, beginning: Beginning, run: Run) -> Outcome:
    crm = destination.crm
    between = iter(run.between)
    stop = crm.sandbox.before_request(lambda _: destination.happen(next(between, ())))
    try:
        return reader(crm, beginning, run.pages)
    finally:
        stop()


def schedules(*, longest_pause: int = 2, smallest_page: int = 1) -> st.SearchStrategy[Schedule]:
    """Give any schedule; short pauses make many ties."""
    rows = st.integers(0, 15)
    event = st.one_of(
        st.builds(Event, st.sampled_from(("edit", "edit", "delete", "touch")), rows),
        st.builds(Event, st.just("insert"), st.integers(1, 5)),
        st.builds(Event, st.just("pass"), st.integers(0, longest_pause)),
    )
    events = st.lists(event, max_size=4).map(tuple)
    run = st.builds(
        Run,
        before=st.lists(event, max_size=8).map(tuple),
        between=st.lists(events, max_size=8).map(tuple),
        pages=st.none() | st.integers(1, 4),
    )
    return st.builds(
        Schedule,
        runs=st.lists(run, min_size=1, max_size=4).map(tuple),
        page=st.integers(smallest_page, 4),
    )
