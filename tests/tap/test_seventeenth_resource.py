"""A new resource is an entry, a schema and a table of the sandbox: three files, no more."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cirqll_client.nested import TABLES

if TYPE_CHECKING:
    from tests.tap.tap_runs import TapRuns

ROOT = Path(__file__).parents[2]
PACKAGES = ("cirqll_client", "cirqll_sandbox", "tap_cirqll")
SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "description": "Key.", "x-certainty": "guess"},
        "number": {"type": ["string", "null"], "description": "Number.", "x-certainty": "guess"},
        "created_at": {"type": ["string", "null"], "format": "date-time"},
        "updated_at": {"type": ["string", "null"], "format": "date-time"},
    },
    "required": ["id"],
}
READ = """
import json, subprocess, sys
from cirqll_sandbox import Behaviour, Sandbox

sandbox = Sandbox(size=0, behaviour=Behaviour(rate_limit=0))
sandbox.rows("invoice").insert_many([{"number": "2026-1"}, {"number": "2026-2"}])
with sandbox.running() as url:
    settings = {"api_url": url, "access_token": sandbox.access_token}
    with open("config.json", "w") as file:
        json.dump({**settings, "requests_per_minute": 100000}, file)
    subprocess.run([sys.executable, "-m", "tap_cirqll", "--config", "config.json"], check=True)
"""


def insert(path: Path, line: str, *, before: str) -> None:
    """Add a line to a file, as a developer would."""
    text = path.read_text("utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, f"{line}\n{before}"), "utf-8")


def add_invoices(folder: Path) -> None:
    """Touch three files of a copy of the packages."""
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name)
    insert(
        folder / "cirqll_client/resources.py",
        '    Resource("invoice", "invoices"),',
        before='    Resource("webhook", "webhooks",',
    )
    (folder / "cirqll_client/schemas/invoice.json").write_text(json.dumps(SCHEMA))
    insert(
        folder / "cirqll_sandbox/resources.py",
        '    _resource("invoice", "number"),',
        before='    _resource("webhook", "url event", required="url event"),',
    )


def test_three_files_make_a_new_stream(run_tap: TapRuns, tmp_path: Path) -> None:
    add_invoices(tmp_path / "copy")
    environment = {"PYTHONPATH": str(tmp_path / "copy")}

    catalog = run_tap.command(
        sys.executable, "-m", "tap_cirqll", "--discover", environment=environment
    )
    run = run_tap.command(sys.executable, "-c", READ, environment=environment)

    names = [one["tap_stream_id"] for one in json.loads(catalog.output)["streams"]]
    assert names == sorted([*(table.stream for table in TABLES), "_certificates", "invoices"])
    assert [one["number"] for one in run.records("invoices")] == ["2026-1", "2026-2"]
    assert run.state["bookmarks"]["invoices"]["replication_key"] == "updated_at"
