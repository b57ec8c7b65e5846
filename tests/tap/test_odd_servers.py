"""Servers that answer rightly, but not as expected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cirqll_sandbox import Behaviour, Sandbox
from tests.tap.catalog_edits import choose, discovered
from tests.tap.test_unusual_settings import answering

if TYPE_CHECKING:
    from tests.tap.tap_runs import TapRuns


def test_json_with_line_breaks_still_makes_whole_lines(run_tap: TapRuns) -> None:
    # Given a server that indents what it sends, down into objects
    row = {"id": 1, "name": "A", "address": {"street": "Kade", "n": 1.5}, "extra": [{"a": 1}]}
    row["updated_at"] = "2026-01-01 00:00:00"
    page = {"data": [row], "limit": 100, "total": 1, "offset": 0}
    # When it is read
    with answering(page, indent=2) as url:
        run = run_tap(api_url=url, catalog=choose(discovered(run_tap), "customers"))
    # Then each line is a message, and the values are those that came
    (record,) = run.records("customers")
    assert json.loads(json.dumps(record["address"], default=str)) == {"street": "Kade", "n": "1.5"}
    assert record["extra"] == [{"a": 1}]


def test_a_resource_that_goes_away_in_mid_read_is_a_failure(run_tap: TapRuns) -> None:
    # Given a resource that can be read, and then cannot
    sandbox = Sandbox(size=0, behaviour=Behaviour(rate_limit=0, page_maximum=100))
    sandbox.rows("customer").insert_many([{"name": f"{n}"} for n in range(250)])
    sandbox.faults.add("404", at=[2], path="/api/customer")
    # When
    with sandbox.running() as url:
        run = run_tap(api_url=url, access_token=sandbox.access_token)
    # Then the run is red, and does not say that the account has no customers
    assert run.code == 1
    assert "has no such thing" not in run.log
    assert run.state["bookmarks"]["customers"]["unfinished"]["last_id"] == 100


def test_undocumented_fields_are_dropped_also_with_an_older_catalog(run_tap: TapRuns) -> None:
    # Given a catalog that was made when they were kept
    catalog = choose(discovered(run_tap), "customers")
    sandbox = Sandbox(size=0, behaviour=Behaviour(rate_limit=0))
    sandbox.rows("customer").insert(name="A", colour="red")
    # When they are to be dropped
    with sandbox.running() as url:
        run = run_tap(
            api_url=url,
            access_token=sandbox.access_token,
            catalog=catalog,
            undocumented_fields="drop",
        )
    # Then they do not come
    (record,) = run.records("customers")
    assert "_undocumented" not in record
