"""Where a secret would show: all that can be said of an error."""

from __future__ import annotations

import traceback


def everything_said_of(error: BaseException) -> str:
    """The error with all that it came from, as any logger could write it."""
    said = ["".join(traceback.format_exception(error))]
    one: BaseException | None = error
    while one is not None:
        said += [str(one), repr(one), repr(one.args), repr(vars(one))]
        one = one.__cause__ or one.__context__
    return "\n".join(said)
