"""Where a secret would show: all that can be said of an error, and all that is logged."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def everything_said_of(error: BaseException) -> str:
    """The error with all that it came from, as any logger could write it."""
    said = ["".join(traceback.format_exception(error))]
    one: BaseException | None = error
    while one is not None:
        said += [str(one), repr(one), repr(one.args), repr(vars(one))]
        one = one.__cause__ or one.__context__
    return "\n".join(said)


def told_of(error: BaseException) -> str:
    """What a program can show of an error: its words, with those of all that it came from."""
    return "".join(traceback.format_exception(error)) + repr(error)


def everything_logged(caplog: pytest.LogCaptureFixture) -> str:
    """All that any logger said, with all that a formatter could make of it."""
    said = [f"{record.getMessage()} {vars(record)!r}" for record in caplog.records]
    return "\n".join([*said, caplog.text])
