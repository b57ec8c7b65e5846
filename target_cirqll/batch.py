"""A batch of rows of one resource, from rows to what became of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from cirqll_client.errors import ScopeMissing
from cirqll_client.ledger import Written
from target_cirqll.actions import Action, Create, Deed, Nothing
from target_cirqll.comparison import Comparison
from target_cirqll.creating import Cleared, InDoubt
from target_cirqll.decisions import Decisions
from target_cirqll.finding import Finding
from target_cirqll.in_flight import NotBegun, done
from target_cirqll.rows import Reject, RowRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cirqll_client.ledger import Entry
    from cirqll_client.resources import Resource
    from cirqll_client.timestamps import Timestamps
    from target_cirqll.deletions import DeletionGuard
    from target_cirqll.groups import Group
    from target_cirqll.policy import Policy
    from target_cirqll.records import KnownRows, LiveRecords
    from target_cirqll.rows import Row
    from target_cirqll.writer import Doing

_MOST_PASSES = 4
"""So often answers may be lost without the create being there; then it is given up."""
_MOST_FORBIDDEN = 3
"""So many records may be forbidden before one is allowed; then it is the scope that is missing."""
_LOST_AGAIN = Reject(
    "unknown", "its create was sent several times, and every answer was lost; run again later"
)


@dataclass(frozen=True, slots=True)
class Done:
    """What was done for the rows that mean one record."""

    rows: tuple[Row, ...]
    action: Action
    deed: Deed


@dataclass(frozen=True, slots=True)
class Refused:
    """Rows that mean one record, and were not written."""

    rows: tuple[Row, ...]
    reject: Reject


Outcome = Done | Refused


@dataclass(frozen=True, slots=True)
class _Job:
    group: Group
    action: Action
    seen: Entry | None = None


class Batches:
    """Writes batches of one account, one after the other."""

    def __init__(  # noqa: PLR0913 - the parts that it puts together
        self,
        *,
        policy: Policy,
        live: LiveRecords,
        ledger: KnownRows,
        doing: Doing,
        guard: DeletionGuard,
        timestamps: Timestamps,
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """Write by these settings."""
        self._policy = policy
        self._live = live
        self._ledger = ledger
        self._doing = doing
        self._guard = guard
        self._timestamps = timestamps
        self._is_stopping = is_stopping
        self._comparisons: dict[str, Comparison] = {}

    def written(self, resource: Resource, rows: list[Row]) -> Iterator[Outcome]:
        """Write rows that have the ids of their parents; give what becomes of each as it does.

        Creates in doubt are cleared up at the end: looked up, and sent again if they did not
        happen. Raises any ``CirqllError``, ``NotBegun`` or ``Stopped``: rows that no outcome was
        given for are as they were.
        """
        comparison = self._comparison(resource)
        cleared = Cleared()
        waiting = rows
        begun: set[int] = set()
        for number in range(_MOST_PASSES):
            doubts: list[_Job] = []
            for outcome in self._pass(comparison, waiting, cleared, doubts):
                yield _as_created(outcome, begun)
            if not doubts:
                return
            begun |= {row.position for job in doubts for row in job.group.rows}
            waiting = [row for job in doubts for row in job.group.rows]
            if number < _MOST_PASSES - 1:
                creates = [job.action for job in doubts if isinstance(job.action, Create)]
                cleared = self._doing.cleared(creates, comparison)
        for job in doubts:
            yield Refused(job.group.rows, _LOST_AGAIN)

    def _pass(
        self, comparison: Comparison, rows: list[Row], cleared: Cleared, doubts: list[_Job]
    ) -> Iterator[Outcome]:
        """Find, decide and do; what is in doubt afterwards is added to ``doubts``."""
        finding = Finding(
            comparison, policy=self._policy, live=self._live, ledger=self._ledger, rows=rows
        )
        found = finding.found()
        for row, reject in found.refused:
            yield Refused((row,), reject)
            self._check_goes_on()
        jobs: list[_Job] = []
        for decided in self._decided(comparison, found.groups):
            if isinstance(decided, Refused):
                yield decided
                self._check_goes_on()
            else:
                jobs.append(decided)
        self._guard.check(comparison.resource, [job.action for job in jobs])
        ready: list[_Job] = []
        for job in jobs:
            outcome = self._sorted(job, cleared, ready, doubts)
            if outcome:
                yield outcome
        yield from self._done(ready, comparison, doubts)

    def _decided(self, comparison: Comparison, groups: list[Group]) -> Iterator[Refused | _Job]:
        decisions = Decisions(self._policy, comparison, self._timestamps)
        ids = [int(group.live["id"]) for group in groups if group.live is not None]
        written = self._ledger.written(comparison.resource, ids)
        for group in groups:
            before = written.get(int(group.live["id"])) if group.live else None
            try:
                yield _Job(group, decisions.decide(group, before or Written()))
            except RowRefused as refused:
                yield Refused(group.rows, refused.reject)

    def _sorted(
        self, job: _Job, cleared: Cleared, ready: list[_Job], doubts: list[_Job]
    ) -> Refused | None:
        """Put a job to those that may be done or are in doubt; refuse what nothing can tell."""
        group = job.group
        if group.doubt is None or not isinstance(job.action, Create):
            ready.append(job)
            return None
        identity = group.identities[0]
        if identity in cleared.unknown:
            return Refused(group.rows, cleared.unknown[identity])
        entry = cleared.absent.get(identity)
        if entry is not None and entry.version == group.doubt.version:
            ready.append(_Job(group, job.action, entry))
        else:
            doubts.append(job)
        return None

    def _done(
        self, jobs: list[_Job], comparison: Comparison, doubts: list[_Job]
    ) -> Iterator[Outcome]:
        """Do the jobs; what is forbidden is tried again when it is known what is allowed."""
        forbidden: list[_Job] = []
        yield from self._each(jobs, comparison, doubts=doubts, forbidden=forbidden)
        yield from self._each(forbidden, comparison, doubts=doubts)

    def _each(
        self,
        jobs: list[_Job],
        comparison: Comparison,
        *,
        doubts: list[_Job],
        forbidden: list[_Job] | None = None,
    ) -> Iterator[Outcome]:
        """Do each job once; the first few that are ``forbidden`` are put there, if that is given.

        Raises ``ScopeMissing`` for any other.
        """

        def do(job: _Job) -> Outcome | None:
            try:
                deed = self._doing.do(job.action, job.group, comparison, seen=job.seen)
            except RowRefused as refused:
                return Refused(job.group.rows, refused.reject)
            except InDoubt:
                doubts.append(job)
            except ScopeMissing:
                if forbidden is None or len(forbidden) >= _MOST_FORBIDDEN:
                    raise
                forbidden.append(job)
            else:
                return Done(job.group.rows, job.action, deed)
            return None

        # What asks for nothing is done here: threads would cost more than all else about it.
        idle = [job for job in jobs if isinstance(job.action, Nothing)]
        sending = [job for job in jobs if not isinstance(job.action, Nothing)]
        at_once = self._policy.concurrency
        sent = done(sending, do, at_once=at_once, is_stopping=self._is_stopping)
        for _, outcome in chain(((job, do(job)) for job in idle), sent):
            if outcome is not None:
                yield outcome

    def _check_goes_on(self) -> None:
        if self._is_stopping():
            raise NotBegun

    def _comparison(self, resource: Resource) -> Comparison:
        return self._comparisons.setdefault(resource.name, Comparison(resource, self._timestamps))


def _as_created(outcome: Outcome, begun: set[int]) -> Outcome:
    """Call a record created that was found to be there after its answer was lost."""
    is_ours = any(row.position in begun for row in outcome.rows)
    if isinstance(outcome, Done) and outcome.deed == "unchanged" and is_ours:
        return replace(outcome, deed="created")
    return outcome
