"""`cirqll verify` against what the pipeline loaded into PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.pipeline.comparison import SIXTEEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.pipeline.conftest import Database, RunningSandbox
    from tests.pipeline.pipes import Pipe

COMMAND = str(Path(sys.executable).with_name("cirqll"))


def verified(
    environment: Mapping[str, str], source: RunningSandbox, database: Database, *arguments: str
) -> tuple[int, dict[str, Any]]:
    """The exit code, and what it says of each stream."""
    variables = {
        **environment,
        "CIRQLL_API_URL": source.url,
        "CIRQLL_ACCESS_TOKEN": source.sandbox.access_token,
        "CIRQLL_REQUESTS_PER_MINUTE": "100000",
        "DATABASE_URL": database.url,
    }
    done = subprocess.run(
        [COMMAND, "verify", "--json", *arguments], env=variables, cwd=environment["HOME"],
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stdout, done.stderr.decode()
    told = json.loads(done.stdout)
    return done.returncode, {one["stream"]: one for one in told["streams"]}


def test_what_was_loaded_agrees_until_somebody_tampers_with_it(
    pipe: Pipe, source: RunningSandbox, database: Database, environment: dict[str, str]
) -> None:
    # Given a load, which agrees at the cost of a request for each page of a table, at most two
    assert pipe.run().succeeded
    code, told = verified(environment, source, database)
    assert (code, set(told)) == (0, {f"{name}s" for name in SIXTEEN})
    assert all(one["requests"] <= 2 for one in told.values())
    # When a row of the tables goes, one is set back, one is deleted in Cirqll, and one is new there
    ids = sorted(source.sandbox.rows("customer").ids)
    lost, stale, gone = ids[0], ids[1], ids[2]
    database.connection.execute("delete from cirqll.customers where id = %s", [lost])
    database.connection.execute(
        "update cirqll.customers set updated_at = updated_at - interval '9 years' where id = %s",
        [stale],
    )
    source.sandbox.delete("customer", gone)
    source.sandbox.rows("customer").insert(name="Nieuwe klant")
    code, told = verified(environment, source, database, "--every-row")
    # Then each is named by what it is
    customers = told["customers"]
    assert code == 1
    assert {kind: customers[kind]["ids"] for kind in ("missing", "stale", "surplus")} == {
        "missing": [lost],
        "stale": [stale],
        "surplus": [gone],
    }
    assert customers["not_loaded"] >= 1
