"""Where the rows of one stream come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from target_cirqll.rejects import Origin
from target_cirqll.rows import RowRefused

if TYPE_CHECKING:
    import logging

    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record
    from target_cirqll.row_reader import RowReader
    from target_cirqll.rows import Reject, Row


class Reception(Protocol):
    """Counts the rows of all streams."""

    def received(self, stream: str) -> int:
        """Count a row; give its position."""
        ...

    def reject(self, origin: Origin, reject: Reject) -> None:
        """Note a row that is refused."""
        ...


class StreamEntrance:
    """Where the rows of one stream come in, each understood or refused at once."""

    def __init__(  # noqa: PLR0913 - what it counts, reads and tells
        self,
        reception: Reception,
        stream: str,
        reader: RowReader,
        *,
        resource: Resource,
        keys: tuple[str, ...],
        logger: logging.Logger,
    ) -> None:
        """Read rows of this stream for this resource."""
        self._reception = reception
        self._stream = stream
        self._reader = reader
        self._resource = resource
        self._keys = keys
        self._logger = logger
        self._told = 0
        self._is_first = True

    def read(self, record: Record) -> Row | None:
        """Count a row and understand it; ``None``: it was rejected, and that is all."""
        position = self._reception.received(self._stream)
        if self._is_first:
            self._tell_what_id_means(record)
        try:
            row = self._reader.read(record, position)
        except RowRefused as refused:
            self._reception.reject(self._origin(record, position), refused.reject)
            return None
        if len(self._reader.left_out) > self._told:
            self._tell_left_out()
        return row

    def refuse(self, record: Record, reject: Reject) -> None:
        """Count a row and reject it unread."""
        self._reception.reject(self._origin(record, self._reception.received(self._stream)), reject)

    def _tell_left_out(self) -> None:
        """Warn once of each field that is not written."""
        news = list(self._reader.left_out.items())[self._told :]
        self._told += len(news)
        for name, why in news:
            self._logger.warning("%s: the field %s is not written: %s.", self._stream, name, why)

    def _tell_what_id_means(self, record: Record) -> None:
        """Warn where an id looks like the source's own: it would change other records."""
        self._is_first = False
        bookmark = self._resource.bookmark_field
        if record.get("id") is not None and bookmark not in record:
            self._logger.warning(
                "%s: the column id is taken for the id in Cirqll, though without %s the rows do "
                "not look as if they came from there. If it is the id of the source, give the "
                "column another name, or records of others are changed.",
                self._stream,
                bookmark,
            )

    def _origin(self, record: Record, position: int) -> Origin:
        record_id = record.get("id")
        return Origin(
            stream=self._stream,
            resource=self._resource.name,
            position=position,
            key={name: record.get(name) for name in self._keys},
            id=record_id if isinstance(record_id, int) else None,
            record=record,
        )
