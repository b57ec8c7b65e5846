"""The optional stream of certificates: a row for each stream of each run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th
from singer_sdk.streams import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers import types

    from tap_cirqll.certificate import Certificate

NAME = "_certificates"
_COUNTS = {
    "counted": "Rows of the window by Cirqll's count: those that changed, or all.",
    "rows_read": "Rows of the window that came, each once.",
    "repeated": "Rows that came more often than once.",
    "changed_during": "Rows that changed while the stream was read; the next run brings them.",
    "gone_during": "Rows that were deleted while it was read.",
    "read_again": "Rows that were missed at first, and read again.",
    "account_total": "Rows of the account by Cirqll's count, where deleted rows are looked for.",
    "known": "Rows that you have as living ones, where deleted rows are looked for.",
    "deleted": "Rows that were told to be deleted.",
    "unlisted": "Rows that live, though the Index does not list them.",
    "waiting": "Rows that are gone and were not told to be.",
}


class CertificatesStream(Stream):
    """What is certain of each stream at the end of a run."""

    name = NAME
    primary_keys = ("run_id", "stream")
    selected_by_default = False
    schema = th.PropertiesList(
        th.Property("run_id", th.StringType, required=True, description="As in `cirqll runs`."),
        th.Property("stream", th.StringType, required=True),
        th.Property("certified_at", th.DateTimeType),
        th.Property(
            "verdict",
            th.StringType,
            description="complete, incomplete, or unknown where nobody could count.",
        ),
        th.Property("sentence", th.StringType, description="Why."),
        *(th.Property(name, th.IntegerType, description=told) for name, told in _COUNTS.items()),
    ).to_dict()

    def get_records(self, context: types.Context | None) -> Iterable[types.Record]:
        """Give nothing: they are made by a sync of other streams."""
        del context
        return ()

    def write_rows(self, run_id: str, certificates: dict[str, Certificate]) -> None:
        """Write the rows of a run."""
        self._write_schema_message()
        for stream, one in certificates.items():
            self._write_record_message(_row(run_id, stream, one))


def _row(run_id: str, stream: str, one: Certificate) -> dict[str, Any]:
    from tap_cirqll.bookmarks import written  # noqa: PLC0415 - not needed to discover

    return {
        "run_id": run_id,
        "stream": stream,
        "certified_at": written(datetime.now(UTC)),
        "verdict": one.verdict,
        "sentence": one.sentence,
        **{name: getattr(one, name) for name in _COUNTS},
    }
