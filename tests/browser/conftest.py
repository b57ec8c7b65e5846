"""A real browser that never leaves loopback, and what it meets there."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from cirqll_sandbox import Behaviour, Sandbox
from tests.browser.chromium import ChromiumMissingError, chromium_on
from tests.browser.connecting import connect_server
from tests.browser.person import Person
from tests.browser.site import site
from tests.browser.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.browser.connecting import ConnectServer
    from tests.browser.site import Site

_ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The program; without it the tests are skipped, but not where nobody would notice."""
    try:
        with _alone():
            return chromium_on(os.environ["PATH"], may_install=_is_root())
    except ChromiumMissingError as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process of tests after the other in: two cannot install at once."""
    with (Path(gettempdir()) / "tap-cirqll-tests-chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="module")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser without a window, with a home of its own.

    While Playwright runs, its event loop counts as running in this thread. So it ends with the
    module: no test of another one finds a loop that is not its own. A start takes half a second.
    """
    sandboxed = ["--no-sandbox"] if _is_root() else []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium,
            headless=True,
            args=[*_ARGUMENTS, *sandboxed],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path_factory.mktemp("home"))},
        )
        yield opened
        opened.close()


@pytest.fixture
def person(browser: Browser) -> Iterator[Person]:
    """Somebody whose browser finds nothing to complain about, whatever happens."""
    somebody = Person.at(browser)
    yield somebody
    somebody.context.close()
    assert somebody.troubles == []


@pytest.fixture
def sandbox() -> Sandbox:
    """A Cirqll without rows and without a rate limit."""
    return Sandbox(size=0, behaviour=Behaviour(rate_limit=0))


@pytest.fixture
def cirqll(sandbox: Sandbox) -> Iterator[str]:
    """The URL of `sandbox`, which runs."""
    with sandbox.running() as url:
        yield url


@pytest.fixture(scope="module")
def company() -> Sandbox:
    """The Cirqll that all links lead to; it has no rate limit."""
    return Sandbox(size=0, behaviour=Behaviour(rate_limit=0))


@pytest.fixture(scope="module")
def server(company: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectServer]:
    """One server for all tests; each has accounts of its own."""
    with (
        company.running() as cirqll,
        connect_server(Terminal(tmp_path_factory.mktemp("operator"), cirqll)) as running,
    ):
        yield running


@pytest.fixture
def planner() -> Iterator[Site]:
    """The web site of a product that embeds the link."""
    with site("localhost") as opened:
        yield opened


@pytest.fixture
def terminal(tmp_path: Path, cirqll: str) -> Terminal:
    """A terminal beside the browser."""
    return Terminal(tmp_path, cirqll)


def _is_root() -> bool:
    return os.geteuid() == 0
