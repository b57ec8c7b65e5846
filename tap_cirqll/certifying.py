"""The end of a stream: it is counted, what was missed is read again, what is gone is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyroaring import BitMap64

from cirqll_client.errors import OF_ONE_THING
from cirqll_client.listing import Listing
from tap_cirqll.certificate import Certificate, certificate, needs_recount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from cirqll_client.connection import Connection
    from cirqll_client.recount import Recount
    from tap_cirqll.compared import Gone
    from tap_cirqll.deletions import Deletions
    from tap_cirqll.source_reading import SourcePage, SourceReading


class Certifying:
    """Certifies one stream. Used by the thread that read it; ``steps`` once."""

    def __init__(
        self,
        reading: SourceReading,
        connection: Connection,
        deletions: Deletions | None,
        *,
        since: datetime | None,
        warn: Callable[[str], None],
    ) -> None:
        """Prepare; nothing is asked yet. What changed ``since`` was read, or all."""
        self._reading = reading
        self._connection = connection
        self._deletions = deletions
        self._since = since
        self._warn = warn
        self._read_again = 0

    def steps(self) -> Iterator[SourcePage | Gone]:
        """Give rows that were missed, then those that are gone. Raises what ends the run."""
        self._recount: Recount | None = None
        try:
            yield from self._look_again()
        except OF_ONE_THING as error:
            self._warn(
                f"{self._reading.stream.name}: what was read could not be counted again: "
                f"{error.sentence}"
            )
        if self._deletions:
            yield from self._deletions.steps(self._reading, self._connection)

    def certificate(self) -> Certificate:
        """Judge the stream, once the steps were taken."""
        return certificate(
            self._reading.tally,
            self._recount,
            self._deletions.result if self._deletions else None,
            read_again=self._read_again,
            known=self._deletions.known if self._deletions else None,
        )

    def _look_again(self) -> Iterator[SourcePage]:
        """Count once more where something changed meanwhile, and read what is missing."""
        if needs_recount(self._reading.tally):
            self._recount = self._reading.recount()
        if self._recount is None:
            return
        missing = [*self._recount.missing_ids]
        if self._recount.uncertain:
            missing += self._searched() - BitMap64(missing)
        for page in self._reading.rows_of(missing):
            self._read_again += len(page.ids)
            yield page

    def _searched(self) -> BitMap64:
        """Find the rows of the window that did not come. Raises any ``CirqllError``."""
        tally = self._reading.tally
        read = tally.ids if tally else BitMap64()
        listing = Listing(
            self._connection.client,
            self._reading.stream.resource,
            timestamps=self._connection.timestamps,
            not_before=self._since,
            warn=self._warn,
        )
        return BitMap64(listing.compare(read).unknown)
