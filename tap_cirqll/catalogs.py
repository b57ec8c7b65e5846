"""Ready selections for ``--catalog``: ``python -m tap_cirqll.catalogs FOLDER`` writes them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cirqll_client.kinds import NONCONFORMING
from tap_cirqll.tap import TapCirqll

Catalog = dict[str, Any]
"""A Singer catalog as JSON."""

SALES_REPORT = {
    "users": ("name",),
    "customers": ("name", "user_id", "origin_id", "archived_at", "created_at"),
    "contacts": ("first_name", "last_name", "email", "function", "customer_id", "archived_at"),
    "chances": (
        "name",
        "price",
        "percentage",
        "customer_id",
        "contact_id",
        "user_id",
        "origin_id",
        "archived_at",
        "created_at",
    ),
    "contracts": (
        "name",
        "price",
        "price_type",
        "calculated_price",
        "start_date",
        "end_date",
        "customer_id",
        "contact_id",
        "chance_id",
        "user_id",
        "archived_at",
        "created_at",
    ),
}
"""What a sales report needs: who sold what to whom, for how much, and what may be sold next."""


def ready_catalogs() -> dict[str, Catalog]:
    """Give the catalogs by the names of their files."""
    return {"everything.json": everything(), "sales-report.json": selected(SALES_REPORT)}


def everything() -> Catalog:
    """Select all streams with all fields, those too that are not read by default.

    It is what ``--discover`` prints where nobody signed in, but for that.
    """
    empty_store = {"store_url": "sqlite://"}
    tap = TapCirqll(config=empty_store, validate_config=False, setup_mapper=False)
    catalog: Catalog = tap.catalog_dict
    for stream in catalog["streams"]:
        root = next(entry for entry in stream["metadata"] if not entry["breadcrumb"])
        root["metadata"]["selected"] = True
    return catalog


def selected(choice: dict[str, tuple[str, ...]]) -> Catalog:
    """Select these fields of these streams; keys, bookmarks and odd values come along."""
    streams = [one for one in everything()["streams"] if one["tap_stream_id"] in choice]
    for stream in streams:
        wanted = {*choice[stream["tap_stream_id"]], NONCONFORMING}
        for entry in stream["metadata"]:
            name = entry["breadcrumb"][-1] if entry["breadcrumb"] else None
            if name is not None and entry["metadata"]["inclusion"] != "automatic":
                entry["metadata"]["selected"] = name in wanted
    return {"streams": streams}


def written(catalog: Catalog) -> str:
    """Give the text of a catalog's file."""
    return json.dumps(catalog, indent=2, ensure_ascii=False) + "\n"


def main(folder: Path) -> None:
    """Write the catalogs into a folder."""
    for name, catalog in ready_catalogs().items():
        (folder / name).write_text(written(catalog), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
