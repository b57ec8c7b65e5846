"""The result of ``cirqll verify --json``: one object, whose keys stay.

=====================  ============================================================================
key                    value
=====================  ============================================================================
account, api_url       what the tables were compared with
database, schema       where they are; neither user nor password
agrees                 false where something differs or could not be compared: the exit code is 1
requests               how many were sent
streams                one each, in the order of the tap's streams
=====================  ============================================================================

Of a stream: ``stream``, ``result`` (equal, different, unknown), ``rows`` (living, in the table),
``counted`` (in Cirqll; null: it does not tell), ``compared`` one by one, ``is_whole`` (all were),
``not_loaded``, then ``missing``, ``stale``, ``surplus`` and ``unlisted`` (not listed, and there),
each with its ``number`` and at most 20 ``ids`` (all with ``--ids``), ``unaccounted`` (counted and
not listed), ``found_once`` (not looked at again), ``repeated`` (ids that stand there twice),
``hours_off`` (all stale rows differ by them), ``requests``, ``notes`` and ``failure`` (sentences).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cirqll_client.cli.verify.printed import FEW_IDS, notes_on

if TYPE_CHECKING:
    from cirqll_client.cli.verify.outcome import Rows, StreamOutcome


def stream_json(one: StreamOutcome, *, shows_all_ids: bool) -> dict[str, Any]:
    """Give what came of one stream."""
    kinds = {**one.differences, "unlisted": one.unlisted}
    shift = one.shift
    return {
        "stream": one.stream,
        "result": one.result,
        "rows": one.loaded,
        "counted": one.counted,
        "compared": one.compared,
        "is_whole": one.is_whole,
        "not_loaded": one.not_loaded,
        **{kind: _rows(rows, shows_all=shows_all_ids) for kind, rows in kinds.items()},
        "unaccounted": one.unaccounted,
        "found_once": one.found_once,
        "repeated": one.repeated,
        "hours_off": None if shift is None else shift.total_seconds() / 3600,
        "requests": one.requests,
        "notes": [note for note in notes_on(one) if note != one.failure],
        "failure": one.failure,
    }


def _rows(rows: Rows, *, shows_all: bool) -> dict[str, Any]:
    return {"number": rows.number, "ids": list(rows.ids if shows_all else rows.ids[:FEW_IDS])}
