"""A tap that is killed, told to stop, or left alone by its reader loses nothing and says why."""

from __future__ import annotations

import fcntl
import json
import random
import re
import signal
import subprocess
import sys
import termios
import time
from dataclasses import dataclass, field, replace
from threading import Timer
from typing import IO, TYPE_CHECKING, Any

import pytest

from cirqll_client.resources import RESOURCES
from cirqll_sandbox import Behaviour, Sandbox
from tap_cirqll.catalogs import everything
from tests.tap.catalog_edits import choose
from tests.tap.conftest import Source
from tests.tap.sameness import is_same
from tests.tap.tap_runs import TapRuns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_LONGEST_START_SECONDS = 1.0
_MOST_BYTES = 300_000
_MOST_BYTES_IN_PIPE = 65_536
_SECONDS_TO_STOP = 2.0


@dataclass
class Destination:
    """What a loader keeps of the lines that came whole."""

    rows: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    state: dict[str, Any] | None = None
    states: int = 0

    def feed(self, output: bytes) -> None:
        """Take the output of a run; a line without its end never came."""
        *lines, _ = output.split(b"\n")
        for message in map(json.loads, lines):
            if message["type"] == "RECORD":
                self.rows[message["stream"], message["record"]["id"]] = message["record"]
            elif message["type"] == "STATE":
                self.state = message["value"]
                self.states += 1

    def assert_equal(self, sandbox: Sandbox) -> None:
        """Compare row by row and field by field."""
        for resource in RESOURCES:
            rows = {row["id"]: row for row in sandbox.rows(resource.name).all()}
            arrived = {
                key: row for (name, key), row in self.rows.items() if name == resource.stream
            }
            assert arrived.keys() == rows.keys(), resource.stream
            for key, row in rows.items():
                assert_arrived(arrived[key], row)


def assert_arrived(record: dict[str, Any], row: dict[str, Any]) -> None:
    assert "updated_at" in record.keys() & row.keys()
    for name in record.keys() & row.keys():
        value = row[name]
        if isinstance(value, str) and _TIME.fullmatch(value):
            value = value.replace(" ", "T") + "Z"
        assert is_same(record[name], json.loads(json.dumps(value, default=float))), name


@pytest.fixture
def busy() -> Iterator[Source]:
    """A company on many small pages, in which somebody changes a row at every request."""
    behaviour = Behaviour(rate_limit=0, page_maximum=10, edits_per_request=1)
    sandbox = Sandbox(size=0.1, behaviour=behaviour)
    with sandbox.running() as url:
        yield Source(sandbox, url)


@pytest.fixture
def start(
    tmp_path: Path, busy: Source, environment: dict[str, str]
) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start the tap without waiting for it; one that is left over is killed."""
    started: list[subprocess.Popen[bytes]] = []
    runs = TapRuns(tmp_path, environment, {**busy.settings, "lookback": 0})

    def start(state: Any = None, catalog: Any = None, **settings: Any) -> subprocess.Popen[bytes]:
        config, pipe = runs.file("config", {**runs.config, **settings}), subprocess.PIPE
        command = [sys.executable, "-m", "tap_cirqll", "--config", config]
        for name, content in (("state", state), ("catalog", catalog)):
            if content is not None:
                command += [f"--{name}", runs.file(name, content)]
        process = subprocess.Popen(command, bufsize=0, env=environment, stdout=pipe, stderr=pipe)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def out(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout
    return process.stdout


def until_state(process: subprocess.Popen[bytes], *, number: int = 1) -> bytes:
    """Read lines up to so many states."""
    lines: list[bytes] = []
    while number:
        lines.append(out(process).readline())
        assert lines[-1], "It ended too early."
        number -= lines[-1].startswith(b'{"type":"STATE"')
    return b"".join(lines)


def wait_until_pipe_is_full(process: subprocess.Popen[bytes]) -> None:
    """Wait until nothing more goes into the pipe."""
    waiting = [0, 1]
    while waiting[-1] != waiting[-2] or waiting[-1] < _MOST_BYTES_IN_PIPE / 2:
        time.sleep(0.05)
        answer = fcntl.ioctl(out(process), termios.FIONREAD, b"0000")
        waiting.append(int.from_bytes(answer, sys.byteorder))


def rows_change(sandbox: Sandbox, dice: random.Random) -> None:
    """Let rows be changed and added everywhere."""
    for resource in RESOURCES:
        sandbox.edit_rows(resource.name, dice.randrange(20))
        new = [{"name": f"New {number}"} for number in range(dice.randrange(5))]
        sandbox.rows(resource.name).insert_many(new)


def killed(process: subprocess.Popen[bytes], dice: random.Random) -> bytes:
    """Kill it while it starts, or some time after so many bytes; what it wrote until then."""
    if dice.random() < 0.1:
        Timer(dice.uniform(0, _LONGEST_START_SECONDS), process.kill).start()
        return process.communicate(timeout=60)[0]
    begin, enough = b"", dice.randrange(1, _MOST_BYTES)
    while piece := out(process).read(max(0, enough - len(begin))):
        begin += piece
    time.sleep(dice.uniform(0, 0.03))
    process.kill()
    return begin + process.communicate(timeout=60)[0]


@pytest.mark.parametrize(
    ("seed", "kills"),
    [(1, 4), (2, 4), *(pytest.param(seed, 30, marks=pytest.mark.soak) for seed in range(3, 13))],
)
def test_killed_at_any_moment_it_goes_on_from_the_last_state_and_loses_nothing(
    seed: int, kills: int, busy: Source, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    dice = random.Random(seed)  # noqa: S311 - the moments of a test
    destination = Destination()
    deaths = []
    for _ in range(kills):
        process = start(destination.state)
        destination.feed(killed(process, dice))
        deaths.append(process.returncode)
        rows_change(busy.sandbox, dice)
    busy.sandbox.behaviour = replace(busy.sandbox.behaviour, edits_per_request=0)

    last = start(destination.state)
    destination.feed(last.communicate(timeout=60)[0])

    assert last.returncode == 0
    assert deaths.count(-signal.SIGKILL) > kills / 2
    destination.assert_equal(busy.sandbox)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_ends_after_a_whole_page_with_its_state(
    number: signal.Signals, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    process = start()
    begin = until_state(process)

    process.send_signal(number)
    rest, log = process.communicate(timeout=_SECONDS_TO_STOP)

    output = begin + rest
    assert process.returncode == 128 + number
    assert output.endswith(b"\n")
    assert json.loads(output.splitlines()[-1])["type"] == "STATE"
    assert f"Stopped by {number.name} after a whole page".encode() in log
    assert b"Traceback" not in log


def test_the_run_after_it_brings_the_rest(
    busy: Source, start: Callable[..., subprocess.Popen[bytes]]
) -> None:
    destination = Destination()
    stopped = start()
    begin = until_state(stopped)
    stopped.terminate()
    destination.feed(begin + stopped.communicate(timeout=_SECONDS_TO_STOP)[0])
    assert len(destination.rows) < sum(busy.sandbox.row_counts().values())
    busy.sandbox.behaviour = replace(busy.sandbox.behaviour, edits_per_request=0)

    destination.feed(start(destination.state).communicate(timeout=60)[0])

    destination.assert_equal(busy.sandbox)


def test_told_to_stop_while_it_waits_for_the_budget_it_does_not_wait_on(
    start: Callable[..., subprocess.Popen[bytes]],
) -> None:
    # Given pages that cost a request each, and a budget that is used up after three
    process = start(catalog=choose(everything(), "todos"), requests_per_minute=3)
    begin = until_state(process, number=3)
    time.sleep(0.3)

    process.terminate()
    rest, log = process.communicate(timeout=_SECONDS_TO_STOP)

    assert process.returncode == 128 + signal.SIGTERM
    assert json.loads((begin + rest).splitlines()[-1])["type"] == "STATE"
    assert b"Traceback" not in log


def test_a_second_signal_ends_it_at_once(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    """Nobody reads the output, so that the page never becomes whole."""
    process = start()
    until_state(process)
    wait_until_pipe_is_full(process)
    process.terminate()
    time.sleep(0.3)
    assert process.poll() is None

    process.terminate()

    assert process.wait(timeout=_SECONDS_TO_STOP) == 128 + signal.SIGTERM
    assert b"Traceback" not in process.communicate()[1]


def test_a_reader_that_goes_away_is_told_in_one_sentence(
    start: Callable[..., subprocess.Popen[bytes]],
) -> None:
    process = start()
    out(process).readline()

    out(process).close()
    assert process.stderr
    log = process.stderr.read().decode()

    assert process.wait(timeout=10) == 1
    (sentence,) = [line for line in log.splitlines() if "| ERROR " in line]
    assert sentence.endswith(
        "The program that reads the output of tap-cirqll went away, so the run stopped; its own "
        "log tells why. The next run goes on from the last state that it kept."
    )
    assert "Traceback" not in log
    assert "Exception ignored" not in log
