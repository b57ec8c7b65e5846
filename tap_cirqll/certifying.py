"""The end of a stream's reading: it is counted, and what was missed is read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyroaring import BitMap64

from cirqll_client.errors import OF_A_LOOK
from cirqll_client.listing import Listing
from cirqll_client.tally import LARGEST_ID
from tap_cirqll.certificate import Certificate, SecondLook, certificate, needs_recount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cirqll_client.connection import Connection
    from cirqll_client.listing import Differences
    from cirqll_client.reading import Beginning
    from tap_cirqll.deletions import Deletions
    from tap_cirqll.source_reading import SourcePage, SourceReading


class Certifying:
    """Certifies one stream. ``missed`` is for the thread that read it, once."""

    def __init__(
        self,
        reading: SourceReading,
        connection: Connection,
        deletions: Deletions | None,
        *,
        beginning: Beginning,
        warn: Callable[[str], None],
    ) -> None:
        """Prepare; nothing is asked yet. It was read from this beginning."""
        self._reading = reading
        self._connection = connection
        self._deletions = deletions
        self._beginning = beginning
        self._warn = warn
        self._look: SecondLook | None = None

    def missed(self) -> Iterator[SourcePage]:
        """Give rows that were missed. Raises what ends the run."""
        try:
            yield from self._look_again()
        except OF_A_LOOK as error:
            self._warn(
                f"{self._reading.stream.name}: what was read could not be counted again: "
                f"{error.sentence}"
            )

    def certificate(self) -> Certificate:
        """Judge the stream, once what was missed was read, and deleted rows were looked for."""
        return certificate(
            self._reading.tally,
            self._look,
            self._deletions.result if self._deletions else None,
            known=self._deletions.known if self._deletions else None,
        )

    def _look_again(self) -> Iterator[SourcePage]:
        """Count once more where something changed meanwhile, and read what is missing."""
        if not needs_recount(self._reading.tally):
            return
        recount = self._reading.recount()
        if recount is None:
            return
        self._look = SecondLook(recount, missed=None)
        missing, missed, read_again = BitMap64(recount.missing_ids), 0, 0
        if recount.uncertain:
            tally = self._reading.tally
            if tally is None or self._beginning.stand is not None:
                # An earlier run read a part of the window: what came is not known here.
                return
            found = self._searched(tally.ids)
            missing.update(found.unknown)
            missed = max(0, found.unexplained)
        for page in self._reading.rows_of(list(missing)):
            read_again += len(page.ids)
            yield page
        # Those that did not come by their ids were deleted since they were listed.
        self._look = SecondLook(recount, read_again=read_again, missed=missed)

    def _searched(self, read: BitMap64) -> Differences:
        """Compare the rows that came with those of the window. Raises any ``CirqllError``."""
        stream = self._reading.stream
        listing = Listing(
            self._connection.client,
            stream.resource,
            timestamps=self._connection.timestamps,
            not_before=self._beginning.since if stream.is_incremental else None,
            warn=self._warn,
        )
        # A row that is seen late may have a larger id than any that came.
        return listing.compare(read, last=LARGEST_ID)
