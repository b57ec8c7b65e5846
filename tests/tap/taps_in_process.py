"""Taps that run in the process of the test, which stays as it was."""

from __future__ import annotations

import logging
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_cirqll.tap import TapCirqll


class Log(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.records.append(record)


def synced(
    tap: TapCirqll, *failures: type[Exception]
) -> tuple[list[logging.LogRecord], Exception | None]:
    """Sync; give what was logged, and the failure that ended it, if it is one of these."""
    log, error = Log(), None
    tap.logger.setLevel(logging.INFO)
    tap.logger.addHandler(log)
    try:
        tap.sync_all()
    except failures as caught:
        # Its frames would keep the readers running.
        error = caught.with_traceback(None)
    finally:
        tap.logger.removeHandler(log)
        for thread in threading.enumerate():
            if thread.name.startswith("reader-"):
                thread.join(5)
    return log.records, error


@contextmanager
def signals_as_before() -> Iterator[None]:
    """Give the signals back that a tap takes."""
    handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
