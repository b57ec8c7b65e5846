"""RECORD and STATE messages on stdout, a page at a time.

The SDK's own way, an object and a write for each record, costs three times as much.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from cirqll_client.responses import decoded

if TYPE_CHECKING:
    from collections.abc import Mapping

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class _RecordMessage(msgspec.Struct, gc=False):
    type: str
    stream: str
    record: Any
    time_extracted: str


def record_lines(stream: str, rows: list[Any]) -> bytes:
    """Give the RECORD messages of a page."""
    time = datetime.now(UTC).isoformat()
    return _ENCODER.encode_lines([_RecordMessage("RECORD", stream, row, time) for row in rows])


def state_line(state: Mapping[str, Any]) -> bytes:
    """Give a STATE message."""
    return _ENCODER.encode_lines([{"type": "STATE", "value": state}])


def write(lines: bytes) -> None:
    """Write whole lines."""
    sys.stdout.buffer.write(lines)
    sys.stdout.buffer.flush()


def as_record(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a struct or a dictionary
    """Give a row as a dictionary with exact decimals, for code that works on dictionaries."""
    record: dict[str, Any] = row if isinstance(row, dict) else decoded(_ENCODER.encode(row))
    return record
