"""What is kept, asked and told to have deleted rows of one stream marked in the warehouse."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap64

from cirqll_client.delivered_ids import DeliveredIds
from cirqll_client.tally import trackable
from tap_cirqll.compared import Compared, Gone, Known
from tap_cirqll.comparison import Comparison
from tap_cirqll.deletion_guard import has_lost
from tap_cirqll.delivered import Delivered
from tap_cirqll.stream import DELETED_AT, IN_STATE
from tap_cirqll.tombstones import Untellable, tombstone_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from cirqll_client.connection import Connection
    from cirqll_client.resources import Resource
    from tap_cirqll.source_reading import SourcePage, SourceReading
    from tap_cirqll.stream import CirqllStream


def are_wanted(stream: CirqllStream) -> bool:
    """Tell whether deleted rows of a stream are to be found."""
    return stream.detects_deletions and bool(stream.mask["properties", DELETED_AT])


class Deletions:
    """The deleted rows of one stream, over runs.

    ``read``, ``steps`` and ``known`` are for the thread that reads, the others for the one that
    writes messages.
    """

    def __init__(
        self, stream: CirqllStream, connection: Connection, *, warn: Callable[[str], None]
    ) -> None:
        """Take what earlier runs left. Raises ``SettingInvalid`` and ``Unavailable``."""
        self._stream = stream
        self._warn = warn
        begin = stream.beginning()
        self._delivered = delivered_by(
            stream,
            connection,
            stream.stream_state,
            is_first=begin.bookmark is None and begin.stand is None,
            since=begin.not_before,
            warn=warn,
        )
        roll = self._delivered.roll
        self.known = Known(
            roll.known,
            BitMap64(roll.doubtful),
            BitMap64(roll.unlisted),
            before=len(roll.known),
            is_all=self._delivered.is_known,
        )
        self._scopes: str | None = None
        self._since, self._has_untimed = self._delivered.since, begin.has_untimed
        self._comparison: Comparison | None = None

    @property
    def is_sure(self) -> bool:
        """Tell whether the comparison came to its end, so that all that came back was read."""
        return self.result is not None and self.result.differences is not None

    @property
    def handed_out(self) -> BitMap64 | None:
        """The rows of earlier runs; ``None`` where they are not known, or not all were wanted."""
        if not self.known.is_all or self._since is not None:
            return None
        return self.known.ids - self.known.doubtful

    @property
    def result(self) -> Compared | None:
        """What came of the comparison; ``None`` where none was made."""
        return self._comparison.result if self._comparison else None

    def read(self, ids: list[int]) -> BitMap64:
        """Note rows that were read; give their ids, to be handed out."""
        there = trackable(ids)
        self.known.add(there)
        return there

    def steps(self, reading: SourceReading, connection: Connection) -> Iterator[SourcePage | Gone]:
        """Compare what was read with the account. Raises what ends the run."""
        config = self._stream.config
        # Now, and not when the run began: a token may have been renewed since, or be a new one.
        self._scopes = scopes_of(self._stream.resource, connection.scopes())
        self._comparison = Comparison(
            reading,
            connection,
            self.known,
            not_before=self._since,
            has_untimed=self._has_untimed,
            most_deletions=float(config["max_deleted_share"]),
            has_lost_scope=has_lost(self._delivered.roll.scopes, self._scopes),
            warn=self._warn,
            tell=partial(self._stream.logger.info, "%s"),
        )
        yield from self._comparison.steps()

    def hand_out(self, ids: BitMap64) -> None:
        """Note rows that are handed out with the state that is written next."""
        self._delivered.add(ids)

    def tell(self, gone: Gone) -> bytes:
        """Give the messages that tell of deleted rows, and note that they were told."""
        try:
            lines = tombstone_lines(self._stream, ({"id": one} for one in gone.ids), gone.at)
        except Untellable as error:
            self._warn(untold(self._stream, len(gone.ids), error))
            if self.result:
                self.result.deleted -= len(gone.ids)
                self.result.waiting += len(gone.ids)
                self.result.reason = str(error)
            return b""
        self._delivered.tell(gone.ids)
        return lines

    def end(self) -> None:
        """Keep what was handed out, now that the stream was read and compared."""
        result = self.result
        if result is None or not self.known.is_all:
            return
        if not self._delivered.is_known:
            self._delivered.begin_with(self.known.ids)
        before = self._delivered.roll.scopes
        scopes = before if result.reason or self._scopes is None else self._scopes
        self._delivered.note(unlisted=self.known.unlisted, scopes=scopes)


def delivered_by(  # noqa: PLR0913 - as Delivered
    stream: CirqllStream,
    connection: Connection,
    bookmark: dict[str, Any],
    *,
    is_first: bool,
    warn: Callable[[str], None],
    since: datetime | None = None,
) -> Delivered:
    """Take up what a stream has handed out, as its settings say. Arguments are ``Delivered``'s."""
    return Delivered(
        bookmark,
        stream=stream.name,
        rolls=DeliveredIds(connection.store, account=connection.account),
        is_in_state=stream.config["delivered_ids"] == IN_STATE,
        is_first=is_first,
        since=since,
        warn=warn,
    )


def scopes_of(resource: Resource, scopes: frozenset[str] | None) -> str | None:
    """Give those by which a resource is read."""
    if scopes is None:
        return None
    return " ".join(sorted(one for one in scopes if one.startswith(f"{resource.name}.read")))


def untold(stream: CirqllStream, rows: int, error: Untellable) -> str:
    """Say that rows are gone and could not be told, and how they can."""
    return (
        f"{stream.name}: {rows:,} deleted rows could not be told, because {error}. Change the map "
        f"so that it takes a row with nothing but its key and {DELETED_AT}; they are told again "
        "then."
    )
