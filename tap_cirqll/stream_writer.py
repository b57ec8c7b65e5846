"""The messages of streams on stdout: a SCHEMA where one is due, and the rows behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_cirqll.messages import state_line, write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tap_cirqll.nested_roll import Told
    from tap_cirqll.shape import Shape
    from tap_cirqll.source_run import Part


class StreamWriter:
    """Writes the rows of all streams. Used by one thread."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        """Write this state, as it is then, whenever it is wanted."""
        self._state = state
        self._narrowed: set[str] = set()
        """Streams of which deleted rows were told last, under a SCHEMA of their own."""
        self.begun: set[str] = set()
        """Streams that have a SCHEMA by now."""
        self.shapes: dict[str, Shape] = {}
        """What the rows of each stream had last."""

    def write_state(self) -> None:
        """Write a STATE."""
        write(state_line(self._state))

    def write_rows(self, part: Part) -> None:
        """Write rows, and what they have first where that is new."""
        stream = part.stream
        is_as_before = self.shapes.get(stream.name) is part.shape
        self.shapes[stream.name] = part.shape
        is_wider = not is_as_before and stream.widen(part.shape)
        if is_wider or stream.name not in self.begun - self._narrowed:
            self.begun.add(stream.name)
            self._narrowed.discard(stream.name)
            stream._write_schema_message()  # noqa: SLF001 - the SDK's own step, which sync() would take
        if part.lines is None:
            stream.write_one_by_one(part.rows)
        else:
            write(part.lines)

    def write_deletions(self, told: Told) -> None:
        """Write the messages that tell of deleted rows."""
        write(told.lines)
        self._narrowed.add(told.stream.name)
