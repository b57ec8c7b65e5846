"""The demo as a story: start, read, change and delete, read again; write back, and read that."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from demo.embedded_postgres import running_postgres
from demo.failures import DemoError
from demo.meltano_project import REPOSITORY, new_project
from demo.sandbox_process import running_sandbox
from demo.screen import Screen
from demo.secrets import show_secrets
from demo.shop import KEYS_BY_WHICH_CLIENTS_ARE_KNOWN, Shop
from demo.story import Story
from demo.write_back import WriteBack

if TYPE_CHECKING:
    from types import FrameType

    from demo.sandbox_process import SandboxProcess

_REQUESTS_PER_MINUTE = 300
"""Five times what Cirqll allows: with its 60, the demo would wait for some minutes."""


def main() -> int:
    """Run the demo and give the exit code."""
    parser = ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument(
        "--folder",
        type=Path,
        default=REPOSITORY / ".demo",
        help="where it keeps its database and its logs (default: .demo)",
    )
    folder: Path = parser.parse_args().folder.resolve()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    screen = Screen()
    try:
        with ExitStack() as running:
            _tell(screen, folder, running)
    except DemoError as error:
        screen.say(f"\n{error}")
        return 1
    except KeyboardInterrupt:
        screen.say("\nInterrupted. Everything that the demo started has been stopped.")
        return 130
    return 0


def _tell(screen: Screen, folder: Path, running: ExitStack) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    sandbox = _start_sandbox(screen, folder / "sandbox.log", running)
    with screen.step("Starting a PostgreSQL of its own") as step:
        postgres = running.enter_context(running_postgres(folder / "postgres"))
        database_url = postgres.new_database("demo")
        step.outcome = "it is empty"
    store = folder / "project" / "store.sqlite"
    sign_in = sandbox.sign_in()
    settings = {
        "CIRQLL_API_URL": sandbox.url,
        "CIRQLL_CLIENT_ID": sign_in.client_id,
        "CIRQLL_CLIENT_SECRET": sign_in.client_secret,
        "CIRQLL_REFRESH_TOKEN": sign_in.refresh_token,
        "CIRQLL_STORE_URL": f"sqlite:///{store}",
        "CIRQLL_DETECT_DELETIONS": "true",
        "CIRQLL_MATCH_ON": KEYS_BY_WHICH_CLIENTS_ARE_KNOWN,
        "DATABASE_URL": database_url,
    }
    project = new_project(folder / "project", settings)
    connection = running.enter_context(postgres.connect("demo"))
    Story(screen, sandbox, project, connection, folder).tell()
    WriteBack(screen, sandbox, project, Shop(connection), folder).tell()
    screen.say(f"All that Meltano said is in {folder}/meltano-*.log.")
    written = [project.folder, *folder.glob("meltano-*.log")]
    show_secrets(screen, sandbox, sign_in, store=store, written=written)


def _start_sandbox(screen: Screen, log: Path, running: ExitStack) -> SandboxProcess:
    with screen.step("Starting a local Cirqll with invented data") as step:
        limit = str(_REQUESTS_PER_MINUTE)
        sandbox = running.enter_context(running_sandbox(log, "--rate-limit", limit))
        rows = sum(sandbox.row_counts().values())
        step.outcome = f"{rows:,} rows at {sandbox.url}, {limit} requests a minute"
    return sandbox


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
