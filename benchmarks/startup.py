"""How long the tap takes to start, against the import of the SDK alone."""

from __future__ import annotations

import base64
import json
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from benchmarks.process import MODULE, Usage, run
from benchmarks.report import Gate, Section, Table
from benchmarks.rounds import cpu_seconds, in_rounds, wall_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.plan import Plan

TITLE: Final = "Start"
LIMIT: Final = 1.15
RUN_SECONDS: Final = 30
IMPORT: Final = "import singer_sdk"
DISCOVER: Final = "tap-cirqll --discover"
WITH_TOKEN: Final = f"{DISCOVER}, access_token set"
SIGNED_IN: Final = f"{DISCOVER}, account in the store"
SIGN_IN: Final = """
import sys, time
from cirqll_client.settings import DEFAULT_API_URL
from cirqll_client.store import Store
from cirqll_client.token_store import Origin, TokenStore
from cirqll_client.tokens import pair_from_access_token
tokens = TokenStore(Store(sys.argv[1]), api_url=DEFAULT_API_URL)
tokens.save("default", pair_from_access_token(sys.argv[2], now=time.time()), Origin())
"""


def measure(plan: Plan) -> Section:
    """Discover without settings, with a token and signed in, and import the SDK, in turn."""
    rounds = plan.size(quick=7, full=21)
    discover = (*MODULE, "tap_cirqll", "--discover")
    with TemporaryDirectory() as folder:
        home = {"HOME": folder, "XDG_STATE_HOME": folder}
        token = {**home, "TAP_CIRQLL_ACCESS_TOKEN": _access_token()}
        account = {**home, "TAP_CIRQLL_STORE_URL": _store_with_an_account(Path(folder))}
        runs = {
            IMPORT: partial(_run, (sys.executable, "-c", IMPORT), home),
            DISCOVER: partial(_run, discover, home),
            WITH_TOKEN: partial(_run, discover, token),
            SIGNED_IN: partial(_run, discover, account),
        }
        in_rounds(runs, rounds=1)  # compiles what was never imported
        usages = in_rounds(runs, rounds=rounds)
    wall, cpu = wall_seconds(usages), cpu_seconds(usages)
    return Section(
        TITLE,
        tables=(
            Table(
                ("start", "wall seconds", "ratio", "CPU seconds", "ratio"),
                tuple(
                    (
                        name,
                        wall[name].text(3),
                        wall[name].over(wall[IMPORT]).text(),
                        cpu[name].text(3),
                        cpu[name].over(cpu[IMPORT]).text(),
                    )
                    for name in runs
                ),
            ),
        ),
        gates=tuple(
            Gate(f"wall seconds: {name} / {IMPORT}", wall[name].over(wall[IMPORT]).median, LIMIT)
            for name in (DISCOVER, WITH_TOKEN)
        ),
        remarks=(
            f"Median (least-most) of {rounds} rounds.",
            "Only an account in the store makes discovery open it, to offer what its scopes allow.",
        ),
    )


def _access_token() -> str:
    """Make a token that tells its scopes."""
    claims = json.dumps({"scopes": ["customer.read.all", "user.read.all"]}).encode()
    return f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.signature"


def _store_with_an_account(folder: Path) -> str:
    """Sign in, in a process of its own: this one must stay smaller than what it measures."""
    url = f"sqlite:///{folder / 'signed-in.sqlite'}"
    run((sys.executable, "-c", SIGN_IN, url, _access_token()), timeout_seconds=RUN_SECONDS)
    return url


def _run(command: Sequence[str], environment: Mapping[str, str]) -> Usage:
    return run(command, timeout_seconds=RUN_SECONDS, environment=environment)
