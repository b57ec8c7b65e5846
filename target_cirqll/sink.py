"""The sink, one for each resource: it collects rows and hands them to the run by the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from singer_sdk.sinks import BatchSink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.target_base import Target

    from cirqll_client.resources import Resource
    from target_cirqll.rows import Reject, Row


class Entrance(Protocol):
    """Where the rows of a stream come in."""

    def read(self, record: dict[str, Any]) -> Row | None:
        """Count a row and understand it; ``None``: it was rejected, and that is all."""

    def refuse(self, record: dict[str, Any], reject: Reject) -> None:
        """Count a row and reject it unread."""


class Writing(Protocol):
    """A run of the target, as far as the program needs it; it knows nothing of the SDK.

    Whatever is settled by a call goes out as STATE before the call returns, or raises.
    """

    def entrance(
        self, stream: str, resource: Resource, *, key_properties: tuple[str, ...]
    ) -> Entrance:
        """Prepare for rows of a stream, by its name in the input, as its SCHEMA announces them."""

    def write(self, resource: Resource, rows: Sequence[Row]) -> None:
        """Write a batch, in order. Raises ``CirqllError`` where the run cannot go on."""

    def state(self, value: dict[str, Any]) -> None:
        """Give it out as soon as the rows before it are settled."""

    def finish(self) -> None:
        """Settle the rows that wait for others, sum up. Nothing is in a sink any more."""

    def stop(self) -> None:
        """Begin nothing new; what is in flight ends. Called by a handler of signals."""

    def close(self) -> None:
        """Give everything back that was opened; also after an error."""

    @property
    def has_rejects(self) -> bool:
        """Whether any row was rejected."""


class CirqllSink(BatchSink):
    """Collects rows for one resource, whatever streams they come from: their order is kept."""

    MAX_SIZE_DEFAULT = 1000
    """As many as are looked up by one request."""

    def __init__(self, target: Target, *, run: Writing, resource: Resource) -> None:
        """Collect for a run. What a stream's schema says is the entrance's business."""
        super().__init__(target, resource.stream, {"properties": {}}, [])
        self._run = run
        self._resource = resource

    def get_validator(self) -> None:
        """No validation by the source's schema: rows are fitted to that of the resource."""

    def take(self, row: Row) -> None:
        """Keep a row for the next batch."""
        self._get_context({}).setdefault("rows", []).append(row)
        self.tally_record_read()
        self.record_counter_metric.increment()

    def process_batch(self, context: dict[str, Any]) -> None:
        """Write what was collected: nothing where the run asks for it while it writes it."""
        if rows := context.get("rows"):
            self._run.write(self._resource, rows)
