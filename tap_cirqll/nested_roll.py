"""The rows of one stream that came along with the records of one parent, over runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap64

from tap_cirqll.bookmarks import has_any_of
from tap_cirqll.deletion_guard import has_lost
from tap_cirqll.deletions import delivered_by, scopes_of, untold
from tap_cirqll.delivered import forget
from tap_cirqll.row_keys import keys_within, with_minor
from tap_cirqll.tombstones import Untellable, tombstone_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cirqll_client.connection import Connection
    from tap_cirqll.sources import Along, Source
    from tap_cirqll.stream import CirqllStream

    Warn = Callable[[str, str], None]
    """Warns of a stream."""

_ROLLS = "rolls"
"""In the bookmark of such a stream: what came with each parent."""


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
        self._delivered = delivered_by(
            stream,
            connection,
            _bookmarks(stream).setdefault(parent.stream, {}),
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
        roll = self._delivered.roll
        if keys & roll.unlisted:  # they waited to be told, and their record is there again
            self._delivered.note(unlisted=roll.unlisted - keys, scopes=roll.scopes)
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

    def end(self, at: datetime, *, tells_waiting: bool) -> list[Told]:
        """Keep by what it was read; tell what waited, unless its records may be there again."""
        roll = self._delivered.roll
        scopes = roll.scopes if self.is_refused or self._scopes is None else self._scopes
        if not tells_waiting:
            self._delivered.note(unlisted=roll.unlisted, scopes=scopes)
            return []
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


def forget_roll(stream: CirqllStream, parent: str) -> None:
    """Write down that nobody keeps what comes with this parent from now on."""
    if parent in (stream.stream_state.get(_ROLLS) or {}):
        forget(_bookmarks(stream)[parent])


def _bookmarks(stream: CirqllStream) -> dict[str, Any]:
    """Give what the stream keeps of each parent, to write in."""
    found: dict[str, Any] = stream.stream_state.setdefault(_ROLLS, {})
    return found
