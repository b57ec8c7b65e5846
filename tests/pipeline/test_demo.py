"""`make demo` tells the truth, and leaves nothing running behind it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from demo.meltano_project import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS_FOR_A_DEMO = 180
RUNNING_MELTANO = "Running `meltano run"


class DemoProcess:
    """The demo in a process of its own; all that it starts carries a mark in its environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mark = f"DEMO_MARK={uuid4()}"
        name, _, value = self._mark.partition("=")
        self._output = folder.with_suffix(".out")
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "demo", "--folder", str(folder)],
                cwd=REPOSITORY,
                env={**os.environ, name: value},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        return self._output.read_text()

    def wait_until_it_says(self, text: str) -> None:
        deadline = time.monotonic() + SECONDS_FOR_A_DEMO
        while text not in self.said():
            assert self._process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def press_ctrl_c(self) -> None:
        os.killpg(self._process.pid, signal.SIGINT)

    def status(self) -> int:
        return self._process.wait(SECONDS_FOR_A_DEMO)

    def left_over(self) -> list[str]:
        """Processes that it started, and a database that still runs."""
        found = [str(one.parent) for one in Path("/proc").glob("[0-9]*/environ") if self._in(one)]
        return [*found, *map(str, self.folder.glob("postgres/postmaster.pid"))]

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(SECONDS_FOR_A_DEMO)

    def _in(self, environment: Path) -> bool:
        with suppress(OSError):
            return self._mark.encode() in environment.read_bytes()
        return False


@pytest.fixture
def demo(database_folder: Path) -> Iterator[DemoProcess]:
    with _started(database_folder) as process:
        yield process


@pytest.fixture(scope="module")
def two_demos(database_folder: Path) -> Iterator[tuple[DemoProcess, DemoProcess]]:
    """One that is left alone, and one that was interrupted while it wrote back.

    They run at the same time: a demo takes long, and uses one core.
    """
    with _started(database_folder) as whole, _started(database_folder) as interrupted:
        interrupted.wait_until_it_says("Now `meltano run")
        interrupted.press_ctrl_c()
        yield whole, interrupted


@contextmanager
def _started(folder: Path) -> Iterator[DemoProcess]:
    process = DemoProcess(folder / f"demo-{uuid4()}")
    try:
        yield process
    finally:
        process.kill()


def test_the_demo_moves_everything_then_what_changed_or_is_gone_and_writes_back(
    two_demos: tuple[DemoProcess, DemoProcess],
) -> None:
    demo, _ = two_demos

    assert demo.status() == 0, demo.said()
    assert "rows in 20 tables" in demo.said()
    assert "such as of customers: 700 rows, 0 requests; complete:" in demo.said()
    assert "All 9 changes came" in demo.said()
    assert "customers: 3 rows, 1 deleted, 4 requests; complete:" in demo.said()
    assert "It lives again in PostgreSQL, too:" in demo.said()
    assert "It renewed the tokens on its way, once for all streams." in demo.said()
    assert "customers: 4 to create, 2 to update, 4 unchanged." in demo.said()
    assert "email  info@relatie8.example   nieuw.info@relatie8.example" in demo.said()
    assert "customers: 4 created, 2 updated, 4 unchanged." in demo.said()
    assert "Nothing changed, so nothing was written." in demo.said()
    assert "it is not between 0 and 100" in demo.said()
    assert "17 rows compared, 0 differ" in demo.said()
    assert "No token and no secret is in the" in demo.said()
    assert "store.sqlite (-rw-------)" in demo.said()
    assert "Drukkerij De Gouden Letter" in demo.said()
    assert demo.left_over() == []


def test_ctrl_c_in_the_middle_stops_everything(demo: DemoProcess) -> None:
    demo.wait_until_it_says(RUNNING_MELTANO)
    demo.press_ctrl_c()

    assert demo.status() == 130, demo.said()
    assert "Everything that the demo started has been stopped." in demo.said()
    assert "Traceback" not in demo.said()
    assert demo.left_over() == []


def test_ctrl_c_while_it_writes_back_stops_everything(
    two_demos: tuple[DemoProcess, DemoProcess],
) -> None:
    _, demo = two_demos

    assert demo.status() == 130, demo.said()
    assert demo.left_over() == []


@pytest.mark.soak
@pytest.mark.parametrize("tenths", range(3, 330, 12))
def test_ctrl_c_at_any_moment_stops_everything(demo: DemoProcess, tenths: int) -> None:
    with suppress(subprocess.TimeoutExpired):
        demo._process.wait(tenths / 10)
    with suppress(ProcessLookupError):
        demo.press_ctrl_c()

    assert demo.status() in {0, 130}, demo.said()
    assert demo.left_over() == []
