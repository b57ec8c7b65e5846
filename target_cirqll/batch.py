"""A batch of rows of one resource, from rows to what became of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from cirqll_client.errors import Unavailable
from cirqll_client.ledger import Written
from target_cirqll.actions import Action, Create, Deed, Nothing
from target_cirqll.comparison import Comparison
from target_cirqll.creating import Cleared, InDoubt
from target_cirqll.decisions import Decisions
from target_cirqll.finding import Finding
from target_cirqll.in_flight import NotBegun, done
from target_cirqll.putting_off import MOST_PUT_OFF, PutOff
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
    came: str = ""
    """What came in place of the answer to its create."""


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
        self._has_written = False
        """Something was written since a batch began."""

    def written(self, resource: Resource, rows: list[Row]) -> Iterator[Outcome]:
        """Write rows that have the ids of their parents; give what becomes of each as it does.

        Creates in doubt are cleared up at the end: looked up, and sent again if they did not
        happen. Raises any ``CirqllError``, ``NotBegun`` or ``Stopped``: rows that no outcome was
        given for are as they were.
        """
        comparison = self._comparison(resource)
        self._has_written = False
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
                self._check_not_all_fail(comparison.resource, cleared)
        for job in doubts:
            yield Refused(job.group.rows, _lost_again(job.came))

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
        rejects = {**cleared.failing, **cleared.unknown}
        refused = [one for one in group.identities if one in rejects]
        if isinstance(job.action, Create) and refused:
            return Refused(group.rows, rejects[refused[0]])
        if group.doubt is None or not isinstance(job.action, Create):
            ready.append(job)
            return None
        entry = cleared.absent.get(group.identities[0])
        if entry is not None and entry.version == group.doubt.version:
            ready.append(_Job(group, job.action, entry))
        else:
            doubts.append(job)
        return None

    def _done(
        self, jobs: list[_Job], comparison: Comparison, doubts: list[_Job]
    ) -> Iterator[Outcome]:
        """Do the jobs; what is put off is done again after the others, which is done once."""
        while jobs:
            put_off: list[_Job] = []
            yield from self._each(jobs, comparison, doubts=doubts, put_off=put_off)
            jobs = put_off

    def _each(
        self,
        jobs: list[_Job],
        comparison: Comparison,
        *,
        doubts: list[_Job],
        put_off: list[_Job],
    ) -> Iterator[Outcome]:
        """Do each job once, or add it to what is in doubt or put off."""

        def do(job: _Job) -> Outcome | None:
            try:
                deed = self._doing.do(job.action, job.group, comparison, seen=job.seen)
            except RowRefused as refused:
                return Refused(job.group.rows, refused.reject)
            except InDoubt as doubt:
                doubts.append(replace(job, came=str(doubt)))
            except PutOff:
                put_off.append(job)
            else:
                self._has_written |= not isinstance(job.action, Nothing)
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

    def _check_not_all_fail(self, resource: Resource, cleared: Cleared) -> None:
        """Raise ``Unavailable`` where it seems to be the server, and not the rows."""
        if len(cleared.failing) > MOST_PUT_OFF and not self._has_written:
            msg = (
                f"Cirqll answered every create of {resource.stream} with an error of its own "
                "(500), and none was carried out. Run again later; the next run continues where "
                "this one stopped."
            )
            raise Unavailable(msg)

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


def _lost_again(came: str) -> Reject:
    said = f" ({came})" if came else ""
    words = (
        f"its create was sent {_MOST_PASSES} times, and each time nothing came that tells whether "
        f"it was carried out{said}. It is not lost: write the row again later, and it is looked "
        "for before it is sent"
    )
    return Reject("unknown", words)
