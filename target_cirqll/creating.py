"""Creates that happen once: written down before they are sent, looked up when their answer is lost.

The API has no key by which a repeated Create would be recognised, so one whose answer was lost may
have happened. It is looked for among the records that are newer than any that was there before it
was sent; it is sent again only once it is certain that it did not happen. If nothing can tell, the
row is refused as unknown, and never repeated.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cirqll_client.errors import CirqllError, OutcomeUnknown
from cirqll_client.ledger import ENTRY_LENGTH
from target_cirqll.newest import CannotTell
from target_cirqll.rows import Reject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cirqll_client.client import CirqllClient
    from cirqll_client.ledger import Entry, Ledger
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record
    from target_cirqll.actions import Create
    from target_cirqll.comparison import Comparison
    from target_cirqll.newest import Newest

_LEAST_MARGIN_SECONDS = 1.0
"""Clocks differ a little."""
_NAP_SECONDS = 0.5
_PAUSES = (1.0, 3.0, 0.0)
"""Seconds before a look after each time that the API answered that it failed; then it is enough.
A server that has a bad moment may be over it."""
_ARCHIVED = "archived_at"

logger = logging.getLogger(__name__)


class InDoubt(Exception):
    """A create was sent, by this process or another, and nobody knows what became of it.

    The argument says what came in place of an answer, if it was this process.
    """


class Stopped(Exception):
    """The run is to stop; what was not settled yet stays as it is."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """What is known of creates that were in doubt and did not happen; the others are settled."""

    absent: dict[str, Entry | None] = field(default_factory=dict)
    """By identity: the entry to be replaced if it is sent again."""
    unknown: dict[str, Reject] = field(default_factory=dict)
    """By identity: nothing can tell."""
    failing: dict[str, Reject] = field(default_factory=dict)
    """By identity: it is not there, and the API fails on it whenever it is sent."""


@dataclass(frozen=True, slots=True)
class _Failures:
    """How often the API answered a create that it failed itself, the last time for this entry."""

    version: str
    times: int
    reason: str


class Creating:
    """Creates records of one account. Threads may share it."""

    def __init__(  # noqa: PLR0913 - what it puts together, and the seams of time
        self,
        client: CirqllClient,
        *,
        ledger: Ledger,
        newest: Newest,
        longest_request_seconds: float,
        is_stopping: Callable[[], bool] = lambda: False,
        on_wait: Callable[[float], None] = lambda _seconds: None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Create through this client.

        A guess: what the server has not done when we give up waiting for it, and as long again
        after that, it will not do any more.
        """
        self._client = client
        self._ledger = ledger
        self._newest = newest
        margin = max(longest_request_seconds, _LEAST_MARGIN_SECONDS)
        self._doubt_seconds = longest_request_seconds + margin
        self._is_stopping = is_stopping
        self._on_wait = on_wait
        self._sleep = sleep
        self._floors: dict[str, int | None] = {}
        self._failures: dict[tuple[str, str], _Failures] = {}
        self._first_seen: dict[str, float] = {}
        self._turn = threading.Lock()

    def create(
        self, create: Create, comparison: Comparison, *, seen: Entry | None = None
    ) -> Record:
        """Create a record, and give it as the API answers.

        ``seen`` is an open entry of which is known that nothing came of it. Raises ``InDoubt``,
        and any ``CirqllError``: then nothing was created.
        """
        ours = seen
        floor = self._floor(create.resource)
        sent = comparison.digests(create.body)

        def write_down() -> None:
            nonlocal ours
            ours = self._ledger.begin(
                create.resource, create.identities[0], floor_id=floor, sent=sent, seen=ours
            )
            if ours is None:
                raise InDoubt

        try:
            record = self._client.create(create.resource, create.body, on_sending=write_down)
        except OutcomeUnknown as error:
            if error.is_over and ours is not None:
                self._count_failure(create, ours, error)
            raise InDoubt(error.came) from None
        except CirqllError:
            if ours is not None:
                self._ledger.forget(create.resource, create.identities[0], ours)
            raise
        self._settle(create, int(record["id"]))
        return record

    def cleared(self, creates: list[Create], comparison: Comparison) -> Cleared:
        """Find out what became of creates of one resource: settle those that did happen.

        Waits until the others can no longer happen. Raises ``Stopped`` and any ``CirqllError``.
        """
        doubts = {identity: create for create in creates for identity in create.identities}
        self._pause_for(comparison.resource, doubts)
        while True:
            until = self._ledger.now() - self._doubt_seconds
            result = Cleared()
            self._look(doubts, comparison, result)
            late = self._sent_after(until, comparison.resource, doubts)
            if not late:
                self._give_up_on_failing(comparison.resource, result)
                return result
            self._wait_until(max(late) + self._doubt_seconds)

    def _sent_after(
        self, moment: float, resource: Resource, doubts: Mapping[str, Create]
    ) -> list[float]:
        """Give when creates were sent that a look after this moment may have come too early for.

        Another process may have sent one again while we waited for the one before. None was sent
        after it was first seen here, whatever its date says: clocks may be ahead.
        """
        now = self._ledger.now()
        over = {one.version for one in self._failures.values()}
        sent = [
            min(entry.sent_at, self._first_seen.setdefault(entry.version, now))
            for entry in self._ledger.known(resource, doubts).values()
            if entry.is_open and entry.floor_id is not None and entry.version not in over
        ]
        return [one for one in sent if one > moment]

    def _count_failure(self, create: Create, entry: Entry, error: OutcomeUnknown) -> None:
        """Remember that the API answered that it failed: nothing is under way any more."""
        key = (create.resource.name, create.identities[0])
        with self._turn:
            before = self._failures.get(key)
            times = before.times + 1 if before else 1
            self._failures[key] = _Failures(entry.version, times, error.reason)

    def _pause_for(self, resource: Resource, doubts: Mapping[str, Create]) -> None:
        failed = [
            self._failures[resource.name, one].times
            for one in doubts
            if (resource.name, one) in self._failures
        ]
        if failed:
            self._nap(_PAUSES[min(*failed, len(_PAUSES)) - 1])

    def _give_up_on_failing(self, resource: Resource, result: Cleared) -> None:
        """Refuse what is certainly not there, and failed as often as it may."""
        for identity, entry in list(result.absent.items()):
            failure = self._failures.get((resource.name, identity))
            if not (failure and entry and failure.version == entry.version):
                continue
            if failure.times >= len(_PAUSES):
                del result.absent[identity]
                result.failing[identity] = fails_every_time(resource, failure.reason)
                self._ledger.forget(resource, identity, entry)
                del self._failures[resource.name, identity]

    def _look(self, doubts: Mapping[str, Create], comparison: Comparison, result: Cleared) -> None:
        """Settle what is there already, and sort the rest."""
        entries = self._ledger.known(comparison.resource, doubts)
        result.absent.update(dict.fromkeys(doubts.keys() - entries.keys()))
        opened = {key: entry for key, entry in entries.items() if entry.is_open}
        placed = {key: entry for key, entry in opened.items() if entry.floor_id is not None}
        for key in opened.keys() - placed.keys():
            result.unknown[key] = _unknown(key, "Cirqll does not tell which records are new")
        if not placed:
            return
        try:
            newer = self._newer(placed, doubts, comparison)
        except CannotTell as error:
            result.unknown.update({key: _unknown(key, str(error)) for key in placed})
            return
        oldest_first = sorted(placed.items(), key=lambda pair: pair[1].sent_at)
        # All that are certain go first: a record that is one create's is no doubt of another's.
        found: set[str] = set()
        for key, entry in oldest_first:
            if key not in found and self._is_found((key, entry), doubts, newer, comparison):
                found.update(doubts[key].identities)
        for key, entry in oldest_first:
            if key not in found:
                self._judge(key, entry, newer, comparison, result)

    def _newer(
        self, placed: Mapping[str, Entry], doubts: Mapping[str, Create], comparison: Comparison
    ) -> list[Record]:
        """Give the records that any of the creates may have made, the oldest first."""
        resource = comparison.resource
        floor = min(entry.floor_id or 0 for entry in placed.values())
        sent = {name for key in placed for name in placed[key].sent or doubts[key].body}
        fields = comparison.shown_for_likeness(sent)
        records = self._newest.since(resource, floor, fields=fields)
        claimed = self._ledger.claims(resource, [int(one["id"]) for one in records])
        free = [one for one in records if int(one["id"]) not in claimed]
        return sorted(free, key=lambda one: int(one["id"]))

    def _is_found(
        self,
        doubt: tuple[str, Entry],
        doubts: Mapping[str, Create],
        newer: list[Record],
        comparison: Comparison,
    ) -> bool:
        """Settle a create with the first record that is the same; ``newer`` loses that one."""
        key, entry = doubt
        for record in _behind(newer, entry):
            if comparison.likeness(entry.sent or {}, record) == "same":
                newer.remove(record)
                self._settle(doubts[key], int(record["id"]))
                return True
        return False

    def _judge(
        self,
        key: str,
        entry: Entry,
        newer: list[Record],
        comparison: Comparison,
        result: Cleared,
    ) -> None:
        """Tell a create that did not happen from one of which nobody can say."""
        sent = entry.sent or {}
        suspects = [
            record["id"]
            for record in _behind(newer, entry)
            if comparison.likeness(sent, record) != "other"
        ]
        if suspects:
            reason = f"{comparison.resource.name} {suspects[0]} is new and may be it"
            result.unknown[key] = _unknown(key, reason)
        elif _ARCHIVED in sent:
            # Unknown in the documentation: an Index may leave archived records out.
            result.unknown[key] = _unknown(key, "it is archived, and may not be listed")
        else:
            result.absent[key] = entry

    def _wait_until(self, moment: float) -> None:
        seconds = moment - self._ledger.now()
        logger.info(
            "The answers to some creates were lost, and they may still be carried out; waiting "
            "%.0f s until they cannot be any more, then looking again.",
            seconds,
        )
        self._nap(min(seconds, self._doubt_seconds))

    def _nap(self, seconds: float) -> None:
        """Wait, in short naps. By their sum: a clock may be set back meanwhile."""
        while seconds > 0:
            if self._is_stopping():
                raise Stopped
            nap = min(seconds, _NAP_SECONDS)
            self._on_wait(nap)
            self._sleep(nap)
            seconds -= nap

    def _settle(self, create: Create, record_id: int) -> None:
        self._ledger.remember(create.resource, dict.fromkeys(create.identities, record_id))
        with self._turn:
            self._failures.pop((create.resource.name, create.identities[0]), None)
            floor = self._floors.get(create.resource.name)
            self._floors[create.resource.name] = max(floor or 0, record_id)

    def _floor(self, resource: Resource) -> int | None:
        """Give an id that is there already; ``None`` where the API does not tell the newest."""
        with self._turn:
            if resource.name not in self._floors:
                try:
                    self._floors[resource.name] = self._newest.newest_id(resource)
                except CannotTell:
                    self._floors[resource.name] = None
            return self._floors[resource.name]


def fails_every_time(resource: Resource, reason: str) -> Reject:
    """Give the reject of a row that the API answers with an error of its own (500)."""
    said = f': "{reason}"' if reason else ""
    words = (
        f"Cirqll fails on this {resource.name} every time (500{said}), and nothing was written. "
        "Correct the row at its source, or report it to Cirqll; then write it again"
    )
    return Reject("refused", words)


def _behind(newer: list[Record], entry: Entry) -> list[Record]:
    return [record for record in newer if int(record["id"]) > (entry.floor_id or 0)]


def _unknown(identity: str, reason: str) -> Reject:
    entry = identity[:ENTRY_LENGTH]
    words = (
        f"it was sent to Cirqll and the answer was lost, so it may be there or not: {reason}. Look "
        f"in Cirqll: if it is there, run `cirqll ledger settle {entry} ID`; if it is not, `cirqll "
        f"ledger forget {entry}`. Then run again"
    )
    return Reject("unknown", words)
