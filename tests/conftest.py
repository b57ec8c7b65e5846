"""What tests of several parts need: a Cirqll to read from."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.reading_fixtures import Source, new_sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


# Where nobody looks at a new counterexample, the same examples are tried each time.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard() -> None:
    """A shell makes what it starts in the background deaf to Ctrl-C, and all that this starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def any_crm() -> Iterator[Source]:
    """A sandbox that tests share; each begins anew."""
    sandbox = new_sandbox()
    with sandbox.running() as url:
        yield Source(sandbox, url)


@pytest.fixture
def crm(any_crm: Source) -> Iterator[Source]:
    """A sandbox without rows, whose clock stands still."""
    with closing(Source(any_crm.sandbox, any_crm.url)) as source:
        source.begin()
        yield source
