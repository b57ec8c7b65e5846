"""The sandbox as a user starts it: the command `cirqll sandbox` in a process of its own."""

from __future__ import annotations

import os
import re
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from demo.failures import DemoError, end_of
from demo.processes import running

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

SECONDS_TO_START = 30
SECONDS_BETWEEN_LOOKS = 0.05
SECONDS_FOR_AN_ANSWER = 10

_ADDRESS = re.compile(r"^\s*(http://\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SignIn:
    """An OAuth client, and the refresh token to begin with."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SandboxProcess:
    """A running sandbox, with what its admin API can do."""

    url: str

    def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Ask the admin API, and give its answer."""
        answer = requests.request(
            method, f"{self.url}/_sandbox{path}", json=body, timeout=SECONDS_FOR_AN_ANSWER
        )
        answer.raise_for_status()
        return answer.json()

    def sign_in(self) -> SignIn:
        """Sign in, without the browser that `cirqll login` opens."""
        told = self.ask("GET", "/")
        pair = self.ask("POST", "/oauth/grant", {})
        return SignIn(told["client_id"], told["client_secret"], pair["refresh_token"])

    def expire_access_tokens(self) -> None:
        """Let the access token die, as it would after thirty days."""
        self.ask("POST", "/oauth/expire-access-tokens")

    def refreshes(self) -> int:
        """Count how often tokens were renewed."""
        return len(self.ask("GET", "/oauth/token-requests")["data"])

    def writes(self) -> int:
        """Count the requests so far that were to change records."""
        return sum(one["method"] != "GET" for one in self.ask("GET", "/requests")["data"])

    def reads(self, resource: str) -> list[tuple[str, int]]:
        """List what was asked so far about rows of a resource, and the status of each answer."""
        path = f"/api/{resource}"
        return [
            (_address(one), one["status"])
            for one in self.ask("GET", "/requests")["data"]
            if one["method"] == "GET" and (one["path"] + "/").startswith(path + "/")
        ]

    def row_counts(self) -> dict[str, int]:
        """Count the rows of each resource."""
        counts: dict[str, int] = self.ask("GET", "/")["rows"]
        return counts

    def insert(self, resource: str, **fields: object) -> int:
        """Add a row, and give its id."""
        return int(self.ask("POST", f"/rows/{resource}", fields)["id"])

    def update(self, resource: str, row_id: int, **fields: object) -> None:
        """Change this row, as somebody in the company would."""
        self.ask("PATCH", f"/rows/{resource}/{row_id}", fields)

    def delete(self, resource: str, row_id: int) -> None:
        """Delete this row, as somebody in the company would."""
        self.ask("POST", "/delete", {"resource": resource, "ids": [row_id]})

    def restore(self, resource: str, row_id: int) -> None:
        """Bring a deleted row back."""
        self.ask("POST", "/restore", {"resource": resource, "ids": [row_id]})

    def edit_some(self, resource: str, rows: int) -> list[int]:
        """Change this many rows, as somebody would, and give their ids."""
        ids: list[int] = self.ask("POST", "/edits", {"resource": resource, "rows": rows})["ids"]
        return ids


@contextmanager
def running_sandbox(log: Path, *options: str) -> Iterator[SandboxProcess]:
    """Run `cirqll sandbox` on a free port."""
    program = str(Path(sys.executable).with_name("cirqll"))
    command = [program, "sandbox", "--port", "0", *options]
    with (
        log.open("wb") as output,
        running(command, environment=os.environ, folder=Path.cwd(), output=output) as process,
    ):
        yield SandboxProcess(_announced_url(process, log))


def _address(request: dict[str, Any]) -> str:
    """Write the address of a request as a person would."""
    pairs = [f"{name}={value}" for name, values in request["query"].items() for value in values]
    return "?".join(filter(None, (request["path"], "&".join(pairs))))


def _announced_url(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if found := _ADDRESS.search(log.read_text()):
            return found[1]
        if process.poll() is not None:
            message = f"The sandbox ended at once. {end_of(log)}"
            raise DemoError(message)
        time.sleep(SECONDS_BETWEEN_LOOKS)
    message = f"The sandbox did not start within {SECONDS_TO_START} seconds: see {log}."
    raise DemoError(message)
