"""The shortest reader by hand: requests, orjson, offsets, nothing checked: the lower bound."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_SECONDS = 60


def pages(root: str, page_size: int) -> Iterator[list[dict[str, Any]]]:
    """Fetch the pages of customers by offset."""
    session = requests.Session()
    session.headers["Authorization"] = "Bearer benchmark"
    offset, total = 0, 1
    while offset < total:
        answer = session.get(
            f"{root}/api/customer",
            params={"limit": str(page_size), "offset": str(offset), "order_by": "updated_at,id"},
            timeout=TIMEOUT_SECONDS,
        )
        answer.raise_for_status()
        page = orjson.loads(answer.content)
        yield page["data"]
        offset, total = offset + page_size, page["total"]


def main(root: str, page_size: int) -> None:
    """Write the customers as RECORD messages."""
    write = sys.stdout.buffer.write
    for page in pages(root, page_size):
        extracted = datetime.now(UTC).isoformat()
        for record in page:
            message = {
                "type": "RECORD",
                "stream": "customers",
                "record": record,
                "time_extracted": extracted,
            }
            write(orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
