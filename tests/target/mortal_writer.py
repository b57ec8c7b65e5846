"""A program that writes customers, and kills itself at a certain point: `mortal_writer.py`.

It takes one line of JSON: where Cirqll and the store are, the rows, and the point.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.target.writing_runs import Writing

if TYPE_CHECKING:
    from tests.reading_fixtures import Source


@dataclass(frozen=True)
class _Token:
    access_token: str


@dataclass(frozen=True)
class _Elsewhere:
    """A sandbox that runs in another process."""

    sandbox: _Token
    url: str


def main(options: dict[str, Any]) -> None:
    """Write, and tell what came of it."""

    def kill(point: str) -> None:
        if point == options["kill_at"]:
            os.kill(os.getpid(), signal.SIGKILL)

    source: Source = _Elsewhere(_Token(options["token"]), options["url"])  # type: ignore[assignment] # as much of it as is needed
    writing = Writing(source, options["store_url"], is_waiting=True, request_timeout=1)
    ended = writing.run(options["rows"], kill=kill)
    print(json.dumps({"deeds": ended.deeds, "rejects": ended.rejects}))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(json.loads(sys.stdin.readline()))
