"""A program that renews tokens in many processes, which may be killed: `renewer.py`.

It imports everything once. For each line of JSON it forks as many processes as the line says, tells
their ids, and when all have ended, what came of each.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from contextlib import closing, suppress
from functools import partial
from typing import Any, NoReturn

import pendulum  # noqa: F401 - the client imports these three when it is at work
import psycopg  # noqa: F401
import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite.pysqlite  # noqa: F401

from cirqll_client.connection import connect, token_service
from cirqll_client.errors import CirqllError
from cirqll_client.redaction import Redaction
from cirqll_client.retry import Patience
from cirqll_client.settings import ConnectionSettings
from cirqll_client.store import Store
from cirqll_client.token_keeper import TokenKeeper
from cirqll_client.token_store import TokenStore

KILL_POINTS = ("before the mark", "after the mark", "before the save", "in the save", "after it")


def end_here() -> None:
    """End as if the power failed."""
    os.kill(os.getpid(), signal.SIGKILL)


class MortalTokens(TokenStore):
    """A store of tokens whose user is killed at a certain point."""

    kill_at = ""

    def begin_renewal(self, *given: Any, **named: Any) -> bool:
        self._reach("before the mark")
        is_ours = super().begin_renewal(*given, **named)
        self._reach("after the mark")
        return is_ours

    def finish_renewal(self, *given: Any, **named: Any) -> bool:
        self._reach("before the save")
        is_saved = super().finish_renewal(*given, **named)
        self._reach("after it")
        return is_saved

    def _update(self, *given: Any, **named: Any) -> bool:
        is_there = super()._update(*given, **named)
        if given[2].get("secret"):
            self._reach("in the save")
        return is_there

    def _reach(self, point: str) -> None:
        if point == self.kill_at:
            end_here()


def ask(settings: ConnectionSettings) -> None:
    """Read something from the API, as every program does."""
    with closing(connect(settings)) as connection:
        connection.client.me()


def renew(settings: ConnectionSettings, *, kill_at: str, lease_seconds: float) -> None:
    """Take a token, with a lease that tests can wait for."""
    redact = Redaction()
    with closing(Store(settings.store_url or "")) as store:
        tokens = MortalTokens(store, api_url=settings.api_url)
        tokens.kill_at = kill_at
        TokenKeeper(
            tokens,
            account=settings.account,
            service_for=lambda stored: token_service(settings, stored, redact=redact),
            seed=settings.refresh_token,
            patience=Patience(settings.give_up_after),
            lease_seconds=lease_seconds,
            redact=redact,
        ).token()


def outcome(settings: ConnectionSettings, options: dict[str, Any]) -> dict[str, Any]:
    """Do it, and tell what came of it."""
    began = time.monotonic()
    work = partial(ask, settings)
    if "lease_seconds" in options:
        kill_at, lease_seconds = options.get("kill_at", ""), options["lease_seconds"]
        work = partial(renew, settings, kill_at=kill_at, lease_seconds=lease_seconds)
    try:
        work()
    except CirqllError as error:
        told = {"error": type(error).__name__, "sentence": error.sentence}
    except BaseException as error:  # noqa: BLE001 - Ctrl-C, too, is what is looked for
        told = {"error": type(error).__name__, "sentence": repr(error)}
    else:
        told = {"error": ""}
    return {**told, "seconds": time.monotonic() - began}


def child(options: dict[str, Any], *, gate: int, results: int) -> NoReturn:
    """Wait for the gate, do it, and tell the outcome in one write."""
    settings = ConnectionSettings(**options["settings"])
    os.read(gate, 1)
    told = json.dumps({"pid": os.getpid(), **outcome(settings, options)})
    with suppress(OSError):
        os.write(results, f"{told}\n".encode())
    if options.get("stays"):
        signal.pause()  # so that its id is its own until it is killed
    os._exit(0)


def herd(options: dict[str, Any]) -> None:
    """Fork the processes, open the gate for all at once, and wait for their ends."""
    gate, opener = os.pipe()
    results, own_end = os.pipe()
    pids = []
    for _ in range(options.get("count", 1)):
        pid = os.fork()
        if pid == 0:
            os.close(opener)
            child(options, gate=gate, results=own_end)
        pids.append(pid)
    os.close(own_end)
    print(json.dumps(pids), flush=True)  # noqa: T201 - the answer
    os.close(opener)
    os.close(gate)
    with os.fdopen(results) as lines:
        told = [json.loads(line) for line in lines if line.endswith("\n")]
    for pid in pids:
        os.waitpid(pid, 0)
    print(json.dumps(told), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    logging.disable()
    assert threading.active_count() == 1, "only a process with one thread may fork"
    for line in sys.stdin:
        herd(json.loads(line))
