"""A loopback server that answers Index requests at next to no cost: `python -m benchmarks.server`.

It knows what a reader needs and no more: offsets, the moving key over (updated_at, id), the key
over `id`, and the last row of all. What it does not know it refuses with 400, so a figure is never
that of a misunderstood request. It prints its port, and stops when its standard input ends.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from benchmarks import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.rows import Fields

COUNTS_PATH: Final = "/requests"
DEFAULT_LIMIT: Final = 100
FULL_RESOURCE: Final = "customer"
RESOURCE_OF_FEW: Final = "field"
MOST_OF_FEW: Final = 20
_TIME: Final = r'"?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)Z?"?'
_ID: Final = r"id:gt:(\d+)"
_FROM_THE_START: Final = {None, "id", "id:asc", "updated_at,id", "updated_at:asc,id:asc"}
_FROM_THE_END: Final = {"id:desc", "updated_at:desc,id:desc"}


Bounds = tuple[int, int | None]


def _since(time: str) -> Bounds:
    return rows.first_since(_read(time)), None


def _behind_id(identifier: str) -> Bounds:
    return int(identifier), None


def _behind(time: str, same_time: str, identifier: str) -> Bounds:
    if time != same_time:
        return 0, 0
    return rows.first_behind(_read(time), int(identifier)), None


def _ties(time: str, identifier: str) -> Bounds:
    later = _read(time) + timedelta(seconds=1)
    return rows.first_behind(_read(time), int(identifier)), rows.first_since(later)


def _read(time: str) -> datetime:
    return datetime.fromisoformat(time).replace(tzinfo=UTC)


_FILTERS: Final[Sequence[tuple[re.Pattern[str], Callable[..., Bounds]]]] = (
    (re.compile(rf"\(?updated_at:gte:{_TIME}\)?"), _since),
    (re.compile(rf"\(?{_ID}\)?"), _behind_id),
    (re.compile(rf"\(updated_at:gt:{_TIME},or,\(updated_at:eq:{_TIME},and,{_ID}\)\)"), _behind),
    (re.compile(rf"\(updated_at:eq:{_TIME},and,{_ID}\)"), _ties),
)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The positions of one page, and the limit and the offset that chose them."""

    positions: range
    limit: int
    offset: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """What the server holds: as many rows in each resource, customers with all their fields.

    Only custom fields are few, as in any account.
    """

    rows: int
    fields: Fields = "documented"
    page_maximum: int = 1000
    latency_seconds: float = 0.0

    def answer(self, target: str) -> tuple[int, bytes]:
        """Status and body for the target of a GET."""
        url = urlsplit(target)
        resource = url.path.removeprefix("/api/")
        if resource == url.path or "/" in resource:
            return 404, b'{"message":"Not Found"}'
        query = dict(parse_qsl(url.query))
        matching = self._matching(resource, query.get("filter"))
        chosen = None if matching is None else self._chosen(matching, query)
        if matching is None or chosen is None:
            return 400, b'{"message":"The benchmark does not know this filter or order."}'
        return 200, self._page(resource, matching, chosen)

    def render(self) -> None:
        """Render what is kept in memory before anybody waits for it."""
        rows.render(self.fields, self.rows)

    def _matching(self, resource: str, filter_text: str | None) -> range | None:
        """Give the positions that match, `None` for an unknown filter."""
        every = range(min(self.rows, MOST_OF_FEW) if resource == RESOURCE_OF_FEW else self.rows)
        if filter_text is None:
            return every
        for pattern, bounds in _FILTERS:
            if match := pattern.fullmatch(filter_text):
                return every[slice(*bounds(*match.groups()))]
        return None

    def _chosen(self, matching: range, query: dict[str, str]) -> _Chosen | None:
        """Choose the page, `None` for an unknown order."""
        limit = min(int(query.get("limit", DEFAULT_LIMIT)), self.page_maximum)
        offset = int(query.get("offset", 0))
        order = query.get("order_by")
        if order in _FROM_THE_START:
            return _Chosen(matching[offset : offset + limit], limit, offset)
        if order in _FROM_THE_END and limit == 1:
            return _Chosen(matching[-1:], limit, offset)
        return None

    def _page(self, resource: str, matching: range, chosen: _Chosen) -> bytes:
        kind = self.fields if resource == FULL_RESOURCE else "any"
        page = rows.page(kind, chosen.positions.start, chosen.positions.stop)
        told = (chosen.limit, len(matching), chosen.offset)
        return b'{"data":[' + page + b'],"limit":%d,"total":%d,"offset":%d}' % told


@dataclass(slots=True)
class Counts:
    """How many requests came for each path."""

    by_path: Counter[str] = field(default_factory=Counter)

    def answer(self) -> bytes:
        """Give the counts as JSON, and count anew."""
        counts, self.by_path = self.by_path, Counter()
        return json.dumps(counts).encode()


class Connection(asyncio.Protocol):
    """One kept connection: requests have no body and are answered in their order."""

    def __init__(self, dataset: Dataset, counts: Counts) -> None:
        """Serve `dataset`, and count in `counts`, which all connections share."""
        self._dataset = dataset
        self._counts = counts
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, which is a stream's."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete, after the latency."""
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            target = head.split(b" ", 2)[1].decode()
            latency = 0.0 if target == COUNTS_PATH else self._dataset.latency_seconds
            asyncio.get_running_loop().call_later(latency, self._answer, target)

    def _answer(self, target: str) -> None:
        if target == COUNTS_PATH:
            status, body = 200, self._counts.answer()
        else:
            self._counts.by_path[target.partition("?")[0]] += 1
            status, body = self._dataset.answer(target)
        if not self._transport.is_closing():
            self._transport.write(_head(status, len(body)) + body)


def _head(status: int, length: int) -> bytes:
    return (
        f"HTTP/1.1 {status} OK\r\nDate: {formatdate(usegmt=True)}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n"
        "X-RateLimit-Limit: 100000000\r\nX-RateLimit-Remaining: 99999999\r\n\r\n"
    ).encode()


async def serve(dataset: Dataset) -> None:
    """Serve on a free port of loopback until standard input ends."""
    loop = asyncio.get_running_loop()
    counts = Counts()
    server = await loop.create_server(lambda: Connection(dataset, counts), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    """Serve what the arguments describe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--fields", choices=("documented", "undocumented"), default="documented")
    parser.add_argument("--page-maximum", type=int, default=1000)
    parser.add_argument("--latency-seconds", type=float, default=0.0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started it
    dataset = Dataset(**vars(parser.parse_args()))
    dataset.render()
    asyncio.run(serve(dataset))


if __name__ == "__main__":
    main()
