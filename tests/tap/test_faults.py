"""A server and a network at their worst: the run ends complete, or in one sentence."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_sandbox import Behaviour, Sandbox
from tests.tap.tap_runs import TapRuns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FAULTS: dict[str, dict[str, Any]] = {
    "429": {"seconds": 1}, "429-without-retry-after": {"times": 1},
    "500": {}, "502": {}, "503": {}, "504": {}, "520": {},
    "502-html": {}, "403-html": {}, "404-html": {}, "html-200": {}, "login-redirect": {},
    "cut-before": {}, "lost-answer": {}, "cut-middle": {}, "truncated": {}, "empty": {},
    "slow": {"seconds": 1.5}, "drip": {"seconds": 0.2}, "edit-rows": {},
}  # fmt: skip
"""Each way in which an answer can be damaged, with short waits."""
RESOURCES = ("customer", "contact", "note", "task", "user")


@pytest.fixture
def sandbox() -> Sandbox:
    """A company on many small pages."""
    sandbox = Sandbox(size=0, behaviour=Behaviour(rate_limit=0, page_maximum=10))
    for resource in RESOURCES:
        sandbox.rows(resource).insert_many([{"name": f"Number {n}"} for n in range(150)])
    return sandbox


def runs(
    sandbox: Sandbox, url: str, folder: Path, environment: Mapping[str, str], **settings: Any
) -> TapRuns:
    config = {
        "api_url": url,
        "access_token": sandbox.access_token,
        "requests_per_minute": 100_000,
        "request_timeout": 1,
        **settings,
    }
    return TapRuns(folder, environment, config)


def test_with_a_fifth_of_all_answers_faulty_every_row_arrives(
    sandbox: Sandbox, tmp_path: Path, environment: dict[str, str]
) -> None:
    rules = [
        sandbox.faults.add(kind, probability=0.2 / len(FAULTS), **more)
        for kind, more in FAULTS.items()
    ]
    with sandbox.running() as url:
        run = runs(sandbox, url, tmp_path, environment)()
    assert run.code == 0, run.log
    assert "Traceback" not in run.log
    for resource in RESOURCES:
        arrived = {row["id"] for row in run.records(f"{resource}s")}
        assert arrived == set(range(1, 151)), resource
    happened = sum(sandbox.faults.happened(rule) for rule in rules)
    assert happened >= len(sandbox.requests) / 10


def test_a_server_that_dies_in_the_middle_leaves_the_state_and_a_sentence(
    sandbox: Sandbox, tmp_path: Path, environment: dict[str, str]
) -> None:
    with ExitStack() as stack:
        url = stack.enter_context(sandbox.running())
        tap = runs(sandbox, url, tmp_path, environment, give_up_after=1, concurrency=1)
        command = [sys.executable, "-m", "tap_cirqll", "--config", tap.file("config", tap.config)]
        process = stack.enter_context(
            subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                encoding="utf-8",
            )
        )  # fmt: skip
        assert process.stdout
        sandbox.before_request(
            lambda _request: (
                sandbox.faults.add("cut-before") if len(sandbox.requests) == 20 else None
            )
        )
        output, log = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in log
    assert re.search(rf"Cirqll at {url} could not be read at /\w+: the connection broke \(", log)
    assert "Run again later; the next run continues where this one stopped." in log
    kinds = [json.loads(line)["type"] for line in output.splitlines()]
    assert kinds.count("RECORD") >= 100
    assert [kind for kind in kinds if kind != "SCHEMA"][-1] == "STATE"


def test_the_run_after_it_goes_on_from_that_state(
    sandbox: Sandbox, tmp_path: Path, environment: dict[str, str]
) -> None:
    broken = sandbox.faults.add("500", at=tuple(range(6, 1000)))
    with sandbox.running() as url:
        tap = runs(sandbox, url, tmp_path, environment, give_up_after=0, concurrency=1)
        first = tap()
        sandbox.faults.remove(broken)
        second = tap(state=first.state)
    assert (first.code, second.code) == (1, 0)
    arrived = [row["id"] for run in (first, second) for row in run.records("customers")]
    assert set(arrived) == set(range(1, 151))
    assert len(arrived) < 200


def test_a_server_that_was_never_there_is_one_sentence(
    sandbox: Sandbox, tmp_path: Path, environment: dict[str, str]
) -> None:
    run = runs(sandbox, "http://127.0.0.1:1", tmp_path, environment, give_up_after=0.5)()
    assert run.code == 1
    assert "Traceback" not in run.log
    (sentence,) = run.sentences("ERROR")
    assert sentence.startswith("Cirqll at http://127.0.0.1:1 could not be read at /")
    assert sentence.endswith("Check the setting api_url and the network, then run again.")
