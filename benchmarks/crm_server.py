"""The sandbox as a server to write to: `python -m benchmarks.crm_server`.

It prints a line of JSON with its URL and its token, then the requests since the last line, by
method and path, for each line of its input; it stops when its input ends.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections import Counter
from typing import TYPE_CHECKING

from benchmarks.warehouse import USERS, customers
from cirqll_sandbox import Behaviour, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cirqll_sandbox.request_log import RequestRecord

UNLIMITED = 0


def main() -> None:
    """Serve what the arguments describe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--latency-seconds", type=float, default=0.0)
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started it
    behaviour = Behaviour(rate_limit=UNLIMITED, latency_seconds=options.latency_seconds)
    sandbox = Sandbox(seed=1, size=0, behaviour=behaviour)
    sandbox.rows("user").insert_many([{"name": f"User {number}"} for number in range(USERS)])
    sandbox.rows("customer").insert_many(list(customers(options.rows)))
    with sandbox.running() as url:
        _tell({"url": url, "token": sandbox.access_token})
        for _ in sys.stdin:
            _tell(_counts(sandbox.requests))
            sandbox.forget_requests()


def _counts(requests: Iterable[RequestRecord]) -> Counter[str]:
    return Counter(f"{one.method} {one.path}" for one in requests)


def _tell(what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main()
