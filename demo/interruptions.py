"""Ctrl-C at an awkward moment waits until what was begun can also be ended."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def noted() -> Iterator[None]:
    """Only note a signal, and let it do its work at the end. For the main thread."""
    pending: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        pending.append(number)

    previous = {number: signal.signal(number, note) for number in _NUMBERS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        for noted_number in pending:
            signal.raise_signal(noted_number)


@contextmanager
def held_back() -> Iterator[None]:
    """Keep signals away, from the programs that are started meanwhile as well."""
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, _NUMBERS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)
