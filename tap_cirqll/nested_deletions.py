"""What is kept, asked and told to have rows that lie within records marked once they are removed.

Options, permissions and items are read whole in each run, and what a record says of itself is
believed: a row that does not come with its record any more is gone. That a record is not there any
more is looked at, as in ``comparison``. Values of custom fields come only with what changed; they
are gone when their record is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap64

from cirqll_client.delivered_ids import DeliveredIds
from cirqll_client.errors import OF_ONE_THING
from tap_cirqll.bookmarks import has_any_of
from tap_cirqll.comparison import LOOKS_AT_ONCE, is_there
from tap_cirqll.deletion_guard import has_lost, objection, postponement, refusal
from tap_cirqll.deletions import are_wanted, scopes_of, untold
from tap_cirqll.delivered import Delivered, forget
from tap_cirqll.row_keys import keys_within, majors, with_major, with_minor
from tap_cirqll.stream import IN_STATE
from tap_cirqll.tombstones import Untellable, tombstone_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cirqll_client.connection import Connection
    from tap_cirqll.compared import Gone
    from tap_cirqll.nest import Nest
    from tap_cirqll.source_reading import SourcePage, SourceReading
    from tap_cirqll.sources import Along, Source
    from tap_cirqll.stream import CirqllStream

    Warn = Callable[[str, str], None]
    """Warns of a stream."""
    Came = dict["NestedRoll", BitMap64]
    """The keys of rows that came with a page."""

_ROLLS = "rolls"
"""In the bookmark of such a stream: what came with each parent."""


@dataclass(frozen=True, slots=True)
class GoneWithin:
    """Rows of one stream that are no longer there, for certain."""

    roll: NestedRoll
    keys: BitMap64
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """The messages that tell of deleted rows."""

    stream: CirqllStream
    lines: bytes
    rows: int


class NestedRoll:
    """The rows of one stream that came along with one parent, over runs.

    ``read`` and what it fills are for the thread that reads, the others for the one that writes.
    """

    def __init__(self, source: Source, along: Along, connection: Connection, *, warn: Warn) -> None:
        """Take what earlier runs left. Raises ``SettingInvalid`` and ``Unavailable``."""
        parent, stream = source.stream.resource, along.stream
        self.stream, self.parent = stream, parent
        self.is_read_whole = along.nested.rows.bookmark_field is None
        self.is_refused = False
        """More is gone than the settings allow, or a scope is."""
        self._warn = warn
        self._columns = keys_within(along.nested, parent)
        self._delivered = Delivered(
            _bookmarks(stream).setdefault(parent.stream, {}),
            stream=stream.name,
            rolls=DeliveredIds(connection.store, account=connection.account),
            is_in_state=stream.config["delivered_ids"] == IN_STATE,
            is_first=not has_any_of(stream.stream_state, parent.stream),
            warn=self.warn,
        )
        self._not_now = BitMap64()
        """Rows to be told by a later run: a loader may write what is handed out in this one after
        their deletion."""
        self._begin()
        self.known, self.came = self._delivered.roll.known, BitMap64()
        self._scopes = scopes_of(parent, connection.scopes())
        self.has_lost_scope = has_lost(self._delivered.roll.scopes, self._scopes)

    def warn(self, sentence: str) -> None:
        """Warn of this stream."""
        self._warn(self.stream.name, sentence)

    def read(self, rows: list[Any]) -> BitMap64:
        """Note rows that were read; give their keys, to be handed out."""
        keys = self._columns.of(rows)
        self.came |= keys
        return keys

    def hand_out(self, keys: BitMap64) -> None:
        """Note rows that are handed out with the state that is written next."""
        self._not_now |= keys
        self._delivered.add(keys)

    def tell(self, keys: BitMap64, at: datetime) -> list[Told]:
        """Give the messages for rows that are gone, and note that they were told."""
        now = (keys & self._delivered.roll.known) - self._not_now
        if not now:
            return []
        try:
            lines = tombstone_lines(self.stream, self._columns.records(now), at)
        except Untellable as error:
            self.warn(untold(self.stream, len(now), error))
            self._not_now |= now
            return []
        self._delivered.tell(now)
        return [Told(self.stream, lines, len(now))] if lines else []

    def tell_with(self, records: BitMap64, at: datetime) -> list[Told]:
        """Do so for all rows of some records; what cannot be told yet waits for a later run."""
        roll = self._delivered.roll
        return self._tell_waiting(roll.unlisted | with_minor(roll.known, records), at, roll.scopes)

    def end(self, at: datetime) -> list[Told]:
        """Tell what waited, now that all was read."""
        roll = self._delivered.roll
        scopes = roll.scopes if self.is_refused else self._scopes
        return self._tell_waiting(BitMap64(roll.unlisted), at, scopes)

    def _tell_waiting(self, keys: BitMap64, at: datetime, scopes: str | None) -> list[Told]:
        told = self.tell(keys, at)
        # Also what was told: its entry takes it away, once a state came back that has it.
        self._delivered.note(unlisted=keys, scopes=scopes)
        return told

    def _begin(self) -> None:
        if self._delivered.is_known:
            return
        self.stream.logger.info(
            "%s: from now on, deleted rows are found among those that come with %s; what was "
            "deleted before now stays as it is.",
            self.stream.name,
            self.parent.stream,
        )
        self._delivered.begin_with(BitMap64())


class NestedDeletions:
    """The removed rows of all streams that lie within the records of one source, over runs.

    ``read`` and ``steps`` are for the thread that reads, the others for the one that writes.
    """

    def __init__(self, source: Source, connection: Connection, *, warn: Warn) -> None:
        """Take what earlier runs left. Raises ``SettingInvalid`` and ``Unavailable``."""
        self._client = connection.client
        self.rolls: dict[CirqllStream, NestedRoll] = {}
        for one in source.along:
            is_whole = one.nested.rows.bookmark_field is None
            has_news = is_whole or (source.is_wanted and are_wanted(source.stream))
            if are_wanted(one.stream) and has_news:
                self.rolls[one.stream] = NestedRoll(source, one, connection, warn=warn)
            else:
                _forget(one.stream, source.stream.name)

    def read(self, page: SourcePage) -> Came:
        """Note the rows of a page; give their keys, to be handed out."""
        return {
            roll: roll.read(one.rows)
            for one in page.portions
            if (roll := self.rolls.get(one.stream))
        }

    def steps(self, reading: SourceReading, *, gone: BitMap64) -> Iterator[GoneWithin]:
        """Find what is gone, some records of the source among it. Raises what ends the run."""
        is_whole = reading.tally is not None and reading.tally.is_whole
        for nest in reading.nests:
            roll = self.rolls.get(nest.stream)
            if roll and roll.is_read_whole and is_whole and nest.is_whole:
                try:
                    yield from self._removed(roll, nest, gone)
                except OF_ONE_THING as error:
                    roll.warn(postponement(nest.stream.name, why=error.sentence))

    def hand_out(self, came: Came) -> None:
        """Note rows that are handed out with the state that is written next."""
        for roll, keys in came.items():
            roll.hand_out(keys)

    def tell_with(self, gone: Gone) -> list[Told]:
        """Tell of what lay within records of the source that are gone, and is not read whole."""
        rolls = [one for one in self.rolls.values() if not one.is_read_whole]
        return [told for roll in rolls for told in roll.tell_with(gone.ids, gone.at)]

    def end(self) -> list[Told]:
        """Tell what waited, and keep what was handed out, now that all was read."""
        now = datetime.now(UTC)
        return [told for roll in self.rolls.values() for told in roll.end(now)]

    def _removed(self, roll: NestedRoll, nest: Nest, gone: BitMap64) -> Iterator[GoneWithin]:
        """Give what was handed out before and did not come. Raises any ``CirqllError``."""
        missing = roll.known - roll.came
        if not missing or _is_refused(roll, missing):
            return
        absent = majors(missing) - nest.came_with
        sure = nest.came_with | (absent & gone)
        keys = with_major(missing, sure)
        if keys:
            yield GoneWithin(roll, keys, datetime.now(UTC))
        unsure = list(absent - gone)
        for begin in range(0, len(unsure), LOOKS_AT_ONCE):
            dead = self._gone_of(roll, nest, unsure[begin : begin + LOOKS_AT_ONCE])
            if dead is None:
                return
            if dead:
                yield GoneWithin(roll, with_major(missing, dead), datetime.now(UTC))

    def _gone_of(self, roll: NestedRoll, nest: Nest, records: list[int]) -> BitMap64 | None:
        """Look at each record; ``None`` where what is said of them is not to be believed."""
        dead = BitMap64(one for one in records if not is_there(self._client, roll.parent, one))
        living = next(iter(nest.came_with), None)
        if dead and living is not None and not is_there(self._client, roll.parent, living):
            why = f"Cirqll denies one of the {roll.parent.stream}, too, that it lists"
            roll.warn(postponement(roll.stream.name, why=why))
            return None
        return dead


def _is_refused(roll: NestedRoll, missing: BitMap64) -> bool:
    why = objection(
        len(missing),
        of=len(roll.known | roll.came),
        most=float(roll.stream.config["max_deleted_share"]),
        has_lost_scope=roll.has_lost_scope,
    )
    if why:
        roll.is_refused = True
        roll.warn(refusal(roll.stream.name, len(missing), why=why))
    return why is not None


def _bookmarks(stream: CirqllStream) -> dict[str, Any]:
    """Give what the stream keeps of each parent, to write in."""
    found: dict[str, Any] = stream.stream_state.setdefault(_ROLLS, {})
    return found


def _forget(stream: CirqllStream, parent: str) -> None:
    """Write down that nobody keeps what comes with this parent from now on."""
    if parent in (stream.stream_state.get(_ROLLS) or {}):
        forget(_bookmarks(stream)[parent])
