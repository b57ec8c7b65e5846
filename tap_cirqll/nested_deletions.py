"""What is kept, asked and told to have rows that lie within records marked once they are removed.

Options, permissions and items are read whole in each run, and what a record says of itself is
believed: a row that does not come with its record any more is gone. That a record is not there any
more is looked at, as in ``comparison``. Values of custom fields come only with what changed; they
are gone when their record is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyroaring import BitMap64

from cirqll_client.errors import OF_A_LOOK
from tap_cirqll.comparison import LOOKS_AT_ONCE, is_there
from tap_cirqll.deletion_guard import objection, postponement, refusal
from tap_cirqll.deletions import are_wanted
from tap_cirqll.nested_roll import NestedRoll, forget_roll
from tap_cirqll.row_keys import majors, with_major

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cirqll_client.connection import Connection
    from tap_cirqll.compared import Gone
    from tap_cirqll.nest import Nest
    from tap_cirqll.nested_roll import Told, Warn
    from tap_cirqll.source_reading import SourcePage, SourceReading
    from tap_cirqll.sources import Source
    from tap_cirqll.stream import CirqllStream

    Came = dict["NestedRoll", BitMap64]
    """The keys of rows that came with a page."""


@dataclass(frozen=True, slots=True)
class GoneWithin:
    """Rows of one stream that are no longer there, for certain."""

    roll: NestedRoll
    keys: BitMap64
    at: datetime


class NestedDeletions:
    """The removed rows of all streams that lie within the records of one source, over runs.

    ``read`` and ``steps`` are for the thread that reads, the others for the one that writes.
    """

    def __init__(self, source: Source, connection: Connection, *, warn: Warn) -> None:
        """Take what earlier runs left. Raises ``SettingInvalid`` and ``Unavailable``."""
        self._client = connection.client
        self.rolls: dict[CirqllStream, NestedRoll] = {}
        """By stream; of those whose deleted rows are to be found."""
        for one in source.along:
            is_whole = one.nested.rows.bookmark_field is None
            has_news = is_whole or (source.is_wanted and are_wanted(source.stream))
            if are_wanted(one.stream) and has_news:
                self.rolls[one.stream] = NestedRoll(source, one, connection, warn=warn)
            else:
                forget_roll(one.stream, source.stream.name)

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
                except OF_A_LOOK as error:
                    roll.warn(postponement(nest.stream.name, why=error.sentence))

    def hand_out(self, came: Came) -> None:
        """Note rows that are handed out with the state that is written next."""
        for roll, keys in came.items():
            roll.hand_out(keys)

    def tell_with(self, gone: Gone) -> list[Told]:
        """Tell of what lay within records of the source that are gone, and is not read whole."""
        rolls = [one for one in self.rolls.values() if not one.is_read_whole]
        return [told for roll in rolls for told in roll.tell_with(gone.ids, gone.at)]

    def end(self, *, tells_waiting: bool) -> list[Told]:
        """Keep what was handed out; tell what waited, unless its records may be there again."""
        now = datetime.now(UTC)
        rolls = self.rolls.values()
        return [told for roll in rolls for told in roll.end(now, tells_waiting=tells_waiting)]

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
        of=len(roll.known),
        most=float(roll.stream.config["max_deleted_share"]),
        has_lost_scope=roll.has_lost_scope,
    )
    if why:
        roll.is_refused = True
        roll.warn(refusal(roll.stream.name, len(missing), why=why))
    return why is not None
