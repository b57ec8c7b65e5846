"""A terminal in which somebody gives the command `cirqll`, as a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cirqll_client.connection import connect
from cirqll_client.errors import SignInRequired
from cirqll_client.identity import identity_of
from cirqll_client.settings import ConnectionSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PATIENCE_SECONDS = 15
_BETWEEN_LOOKS_SECONDS = 0.02
_URL = re.compile(r"^ +(http\S+)$", re.MULTILINE)
_CIRQLL = Path(sys.executable).with_name("cirqll")


@dataclass(frozen=True, slots=True)
class Ended:
    """What is left of a command."""

    code: int
    output: str
    errors: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command that runs."""

    process: subprocess.Popen[bytes]
    folder: Path

    def page(self) -> str:
        """The URL that it gave to the browser."""
        return awaited(lambda: _text(self.folder / "url"), self._told)

    def shown_url(self) -> str:
        """The URL that it shows for a browser elsewhere."""
        found = _URL.search(self.says("paste it here"))
        assert found
        return found[1]

    def says(self, words: str) -> str:
        """Its output so far, as soon as the words are in it."""
        return awaited(lambda: self.output if words in self.output else "", self._told)

    def writes(self, line: str) -> None:
        """Type a line."""
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def ended(self) -> Ended:
        """Wait for its end."""
        code = self.process.wait(_PATIENCE_SECONDS)
        return Ended(code, _text(self.folder / "output"), _text(self.folder / "errors"))

    @property
    def output(self) -> str:
        """Both outputs so far."""
        return _text(self.folder / "output") + _text(self.folder / "errors")

    def _told(self) -> str:
        return f"The command ended with {self.process.poll()} and said: {self.output}"


@dataclass(slots=True)
class Terminal:
    """Has a home and a store of its own, and a browser that only takes note of the URL."""

    folder: Path
    cirqll: str
    number: int = 0

    @contextmanager
    def runs(self, *arguments: str, **environment: str) -> Iterator[Command]:
        """Give a command; at the end of the context it is ended, if it did not end itself."""
        self.number += 1
        place = self.folder / f"command-{self.number}"
        place.mkdir(parents=True)
        with (
            (place / "output").open("wb") as output,
            (place / "errors").open("wb") as errors,
            subprocess.Popen(
                [_CIRQLL, *arguments],
                env={**self._environment(place), **environment},
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=errors,
            ) as process,
        ):
            try:
                yield Command(process, place)
            finally:
                process.kill()

    def ended(self, *arguments: str, **environment: str) -> Ended:
        """Give a command that ends by itself."""
        with self.runs(*arguments, **environment) as command:
            return command.ended()

    def signed_in(self, account: str = "default") -> str:
        """Whom the API takes the tokens in the store for, or why there are none."""
        settings = ConnectionSettings(
            api_url=self.cirqll, account=account, store_url=f"sqlite:///{self._store}"
        )
        try:
            with closing(connect(settings)) as connection:
                return str(identity_of(connection.client.me()))
        except SignInRequired as error:
            return error.sentence

    @property
    def _store(self) -> Path:
        return self.folder / "state" / "cirqll" / "store.sqlite"

    def _environment(self, place: Path) -> dict[str, str]:
        browser = place / "browser"
        browser.write_text(
            f'#!/bin/sh\nprintf %s "$1" > {place}/new && mv {place}/new {place}/url\n'
        )
        browser.chmod(0o700)
        return {
            "PATH": os.environ["PATH"],
            "PYTHONUNBUFFERED": "1",
            "HOME": str(self.folder),
            "XDG_STATE_HOME": str(self._store.parents[1]),
            "BROWSER": f"{browser} %s",
            "CIRQLL_API_URL": self.cirqll,
            "CIRQLL_CLIENT_ID": "sandbox-client",
            "CIRQLL_CLIENT_SECRET": "sandbox-client-secret-not-a-secret",
        }


def awaited(look: Callable[[], str], told: Callable[[], str]) -> str:
    """Look until there is something."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(_BETWEEN_LOOKS_SECONDS)
    raise AssertionError(told())


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""
