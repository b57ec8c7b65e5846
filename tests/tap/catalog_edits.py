"""What users do with a catalog: discover it, choose streams, deselect fields."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.tap.tap_runs import TapRuns

Catalog = dict[str, Any]


def discovered(run_tap: TapRuns) -> Catalog:
    """The catalog that discovery prints."""
    catalog: Catalog = json.loads(run_tap("--discover").output)
    return catalog


def entry_of(catalog: Catalog, stream: str) -> dict[str, Any]:
    """What a catalog says of a stream."""
    found: dict[str, Any] = next(s for s in catalog["streams"] if s["tap_stream_id"] == stream)
    return found


def choose(catalog: Catalog, *streams: str) -> Catalog:
    """Select these streams only."""
    for one in catalog["streams"]:
        root = next(m for m in one["metadata"] if not m["breadcrumb"])
        root["metadata"]["selected"] = one["tap_stream_id"] in streams
    return catalog


def deselect(catalog: Catalog, stream: str, *fields: str) -> None:
    """Leave fields of a stream out."""
    for one in entry_of(catalog, stream)["metadata"]:
        if one["breadcrumb"] and one["breadcrumb"][1] in fields:
            one["metadata"]["selected"] = False
