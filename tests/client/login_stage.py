"""The command ``cirqll login`` as a process, and the person who sits before it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import requests

from cirqll_client.store import Store
from cirqll_client.token_store import TokenStore
from tests.sandbox.browser import form_of

if TYPE_CHECKING:
    from cirqll_client.token_life import StoredAccount
    from cirqll_sandbox import Sandbox

COMMAND = str(Path(sys.executable).with_name("cirqll"))
PATIENCE_SECONDS = 30
ADDRESS = re.compile(r"^  (http\S+)$", re.MULTILINE)
SECRET_BEGINNINGS = ("def50200", "eyJ")
"""How every code, refresh token and access token of the sandbox begins."""
_RECORDER = '#!/bin/sh\nprintf "%s\\n" "$1" >> "{}"\n'


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass
class Person:
    """Has a browser, and knows what it went through."""

    session: requests.Session = field(default_factory=requests.Session)
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session.trust_env = False

    def decide(self, address: str, decision: str = "allow", **changed: str) -> str:
        """Open Cirqll's page and press a button; where the browser would go then."""
        page = self.session.get(address, timeout=10, allow_redirects=False)
        if page.status_code == 302:
            return page.headers["Location"]
        assert page.status_code == 200, page.text
        data = {**form_of(page), "decision": decision, **changed}
        target = address.partition("?")[0]
        went = self.session.post(target, data=data, timeout=10, allow_redirects=False)
        return went.headers["Location"]

    def go(self, url: str, method: str = "GET", **headers: str) -> requests.Response:
        """Follow to the machine of the command."""
        page = self.session.request(method, url, headers=headers, timeout=PATIENCE_SECONDS)
        self.seen.append(page.text)
        return page

    def sign_in(self, address: str, decision: str = "allow", **changed: str) -> requests.Response:
        """Both."""
        return self.go(self.decide(address, decision, **changed))


@dataclass
class Running:
    """A command that has been started."""

    process: subprocess.Popen[bytes]
    out: Path
    err: Path
    secrets: tuple[str, ...]

    def wait_for(self, pattern: str | re.Pattern[str], *, in_stderr: bool = False) -> re.Match[str]:
        """Wait until the command has said something."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        file = self.err if in_stderr else self.out
        while time.monotonic() < deadline:
            found = re.search(pattern, file.read_text(encoding="utf-8"))
            if found:
                return found
            assert self.process.poll() is None, self.said
            time.sleep(0.02)
        raise AssertionError(self.said)

    def address(self) -> str:
        """Where it sends the person."""
        found = self.wait_for(ADDRESS)[1]
        self.wait_for(r"(?m)^(Waiting for .*|address from .*)$")
        return found

    def type(self, *lines: str) -> None:
        """Write lines to its stdin."""
        assert self.process.stdin
        self.process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self.process.stdin.flush()

    def hang_up(self) -> None:
        """End its stdin."""
        assert self.process.stdin
        self.process.stdin.close()

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def end(self) -> Ended:
        """Wait for its end; whatever it said holds no secret and moves no cursor."""
        exit_code = self.process.wait(PATIENCE_SECONDS)
        out, err = self.out.read_text(encoding="utf-8"), self.err.read_text(encoding="utf-8")
        said = out + err
        assert not [one for one in (*SECRET_BEGINNINGS, *self.secrets) if one in said]
        assert "Traceback" not in said
        assert all(one.isprintable() or one == "\n" for one in said)
        return Ended(exit_code, out, err)

    @property
    def said(self) -> str:
        return self.out.read_text(encoding="utf-8") + self.err.read_text(encoding="utf-8")

    def close(self) -> None:
        """End it in any case."""
        with suppress(OSError):
            self.hang_up()
        self.process.kill()
        self.process.wait()


@dataclass
class Stage:
    """A sandbox that runs, and a folder in which everything stays."""

    sandbox: Sandbox
    url: str
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    running: list[Running] = field(default_factory=list)
    person: Person = field(default_factory=Person)

    def __post_init__(self) -> None:
        self.work.mkdir()
        browser = self.folder / "browser"
        browser.write_text(_RECORDER.format(self.folder / "opened"), encoding="utf-8")
        browser.chmod(0o700)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "PYTHONUTF8": "1",
            "BROWSER": str(browser),
            "CIRQLL_API_URL": self.url,
            "CIRQLL_CLIENT_ID": self.sandbox.client.id,
            "CIRQLL_CLIENT_SECRET": self.sandbox.client.secret,
        }

    @property
    def work(self) -> Path:
        """The folder in which commands run."""
        return self.folder / "work"

    @property
    def store(self) -> Path:
        """Where the tokens are kept."""
        return self.folder / "state" / "cirqll" / "store.sqlite"

    @property
    def opened(self) -> list[str]:
        """The addresses that a browser was opened with."""
        file = self.folder / "opened"
        return file.read_text(encoding="utf-8").split() if file.exists() else []

    def start(self, *arguments: str, port: int | None = 0, **environment: Any) -> Running:
        """Start ``cirqll login``; on a free port, if nothing else is said."""
        chosen = [] if port is None else ["--port", str(port)]
        return self.start_command("login", *chosen, *arguments, **environment)

    def start_command(self, *arguments: str, **environment: str | None) -> Running:
        """Start ``cirqll``."""
        changed = {**self.environment, **environment}
        number = len(self.running)
        out, err = self.folder / f"out{number}", self.folder / f"err{number}"
        with out.open("wb") as out_file, err.open("wb") as err_file:
            process = subprocess.Popen(
                [COMMAND, *arguments],
                cwd=self.work,
                env={name: value for name, value in changed.items() if value is not None},
                stdin=subprocess.PIPE,
                stdout=out_file,
                stderr=err_file,
            )
        self.running.append(Running(process, out, err, (self.sandbox.client.secret,)))
        return self.running[-1]

    def run(self, *arguments: str, **options: Any) -> Ended:
        """Start ``cirqll login`` and wait for its end, with nobody before it."""
        running = self.start(*arguments, **options)
        running.hang_up()
        return running.end()

    def behave(self, **behaviour: Any) -> None:
        """Change how the sandbox behaves."""
        self.sandbox.behaviour = replace(self.sandbox.behaviour, **behaviour)

    def account(self, name: str = "default") -> StoredAccount | None:
        """What the store has of an account."""
        if not self.store.exists():
            return None
        with closing(Store(f"sqlite:///{self.store}")) as store:
            return TokenStore(store, api_url=self.url).read(name)

    def close(self) -> None:
        """End what was started."""
        for running in self.running:
            running.close()
        self.person.session.close()


def asked_scopes(address: str) -> set[str]:
    """The scopes that an address asks for."""
    return set(parse_qs(urlsplit(address).query)["scope"][0].split())


def parameters(url: str) -> dict[str, str]:
    """What a URL brings."""
    return dict(parse_qsl(urlsplit(url).query))


def command_lines() -> str:
    """The arguments of every process that may be looked at."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(file.read_bytes().decode(errors="replace"))
    return "\n".join(found)


def catalog_of(*streams: str) -> str:
    """A Singer catalog that selects these streams."""
    return json.dumps(
        {
            "streams": [
                {
                    "tap_stream_id": one,
                    "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}],
                }
                for one in streams
            ]
        }
    )
