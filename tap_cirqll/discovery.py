"""A look at the account before a catalog is made: one page of each stream tells what it has.

What is learned stays in the store, so that it is done once for a stream, and what was read is left
there for the sync that follows, which begins with the same pages.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from cirqll_client.connection import connect
from cirqll_client.errors import OF_ONE_THING, CirqllError, SignInRequired
from cirqll_client.learned_columns import LearnedColumns
from tap_cirqll.notices import fields_told
from tap_cirqll.offer import NOBODY_SIGNED_IN
from tap_cirqll.side_by_side import Ended, SideBySide
from tap_cirqll.source_reading import SourceReading
from tap_cirqll.sources import sources_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping
    from typing import Never

    from cirqll_client.connection import Connection
    from cirqll_client.learned_columns import Columns
    from cirqll_client.settings import ConnectionSettings
    from tap_cirqll.sources import Source
    from tap_cirqll.stream import CirqllStream

_GOOD_FOR_SECONDS = 30 * 86_400.0
"""Syncs learn as they read; only streams that are not read for long are looked at anew."""
_LONGEST_SECONDS = 60.0
"""A catalog can be made without the account, so a dead server is not waited for as in a sync."""


_NOT_LOOKED_AT = (
    "The account could not be looked at, so the catalog has the fields that are known without: %s"
)


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of an account beyond the documentation."""

    columns: Mapping[str, Columns] = field(default_factory=dict)
    """The learned columns, by stream."""
    called: Mapping[int, str] = field(default_factory=dict)
    """What custom fields are called now, by id."""


def found_in_account(
    settings: ConnectionSettings,
    streams: list[CirqllStream],
    *,
    at_once: int,
    logger: logging.Logger,
) -> Found:
    """Give what is known of the account, after a look at what was not seen lately.

    One request for each stream that was not, and one for custom fields. Nothing is known where
    nobody signed in, and only what was learned before where the account cannot be read; why, is
    told in a warning.
    """
    patience = min(float(settings.give_up_after), _LONGEST_SECONDS)
    try:
        connection = connect(replace(settings, give_up_after=patience))
    except SignInRequired:
        logger.info(NOBODY_SIGNED_IN)
        return Found()
    except CirqllError as error:
        logger.warning(_NOT_LOOKED_AT, error.sentence)
        return Found()
    try:
        learned = LearnedColumns(connection.store, account=connection.account)
        called = _look(connection, streams, at_once=at_once, logger=logger)
        return Found({stream.name: learned.of(stream.name) for stream in streams}, called)
    except CirqllError as error:
        logger.warning(_NOT_LOOKED_AT, error.sentence)
        return Found()
    finally:
        connection.close()


def _look(
    connection: Connection, streams: list[CirqllStream], *, at_once: int, logger: logging.Logger
) -> Mapping[int, str]:
    """Look at the streams side by side; give what custom fields are called.

    An account that cannot be read ends it with a warning.
    """
    connection.hand_over(leaves=True)
    connection.client.asks_for_rest = False
    since = connection.store.now() - _GOOD_FOR_SECONDS
    called: dict[int, str] = {}
    # As a sync does that takes what is selected by default, so that it asks the same questions.
    chosen = [stream for stream in streams if stream.selected]
    unseen = [
        source
        for source in sources_of(chosen, readable=streams)
        if any(
            stream.shape().learns
            and not connection.store.learned(connection.account, _fact(stream), not_before=since)
            for stream in source.streams
        )
    ]
    looks = SideBySide(unseen, partial(_look_at, connection, logger=logger), at_once=at_once)
    try:
        for event in looks:
            if isinstance(event, Ended) and event.error:
                raise event.error
        for stream in chosen:
            # Definitions may be new, whenever the records were looked at.
            if (custom := stream.shape().custom) and not custom.is_array:
                shape = stream.record_reader(connection).shape
                called |= shape.custom.called if shape.custom else {}
    except CirqllError as error:
        logger.warning(_NOT_LOOKED_AT, error.sentence)
    return called


def _look_at(connection: Connection, source: Source, *, logger: logging.Logger) -> Iterator[Never]:
    """Read one page; nothing is handed out. What concerns one stream is told when it is read."""
    reading = SourceReading(source, connection, warn=logger.debug)
    try:
        reading.look()
    except OF_ONE_THING as error:
        logger.debug("%s was not looked at: %s", source.stream.name, error.sentence)
    else:
        for stream, reader in reading.readers:
            connection.store.learn(connection.account, _fact(stream), value=True)
            for sentence in fields_told(stream.name, reader.findings):
                logger.info("%s", sentence)
    return iter(())


def _fact(stream: CirqllStream) -> str:
    return f"looked_at_{stream.name}"
