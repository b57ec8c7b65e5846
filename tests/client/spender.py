"""A process that sends requests as fast as the budget lets it: `spender.py JSON`."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from cirqll_client.authentication import StaticToken
from cirqll_client.rate_budget import RateBudget
from cirqll_client.retry import Patience
from cirqll_client.session import ApiSession
from cirqll_client.store import Store
from cirqll_client.transport import Transport


def session(options: dict[str, Any]) -> ApiSession:
    """A session on the store that all share."""
    token = StaticToken(options["token"])
    url = options["api_url"]
    return ApiSession(
        Transport(url, below="/api", setting="api_url", timeout_seconds=5, user_agent="spender"),
        budget=RateBudget(
            Store(options["store_url"]),
            client="one",
            limit=options.get("limit"),
            window_seconds=options["window_seconds"],
        ),
        authentication=token,
        api_url=url,
        patience=Patience(30),
    )


def spend(options: dict[str, Any]) -> None:
    """Send the requests, from several threads."""
    one = session(options)
    Path(options["ready"]).touch()
    while not Path(options["go"]).exists():
        time.sleep(0.01)

    def work() -> None:
        for _ in range(options["requests"] // options["threads"]):
            one.get("/customer", lambda _answer: None)

    threads = [threading.Thread(target=work) for _ in range(options["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    spend(json.loads(sys.argv[1]))
