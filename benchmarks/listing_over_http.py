"""The same comparison of ids over HTTP, with the sandbox as the server."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Final
from urllib.request import Request, urlopen

from benchmarks.crm import Crm, crm
from benchmarks.process import RunFailedError
from cirqll_client.connection import connect
from cirqll_client.listing import Listing
from cirqll_client.resources import resource_of_stream
from cirqll_client.settings import ConnectionSettings

if TYPE_CHECKING:
    from benchmarks.listed_ids import Draw

STREAM: Final = "customers"
ANSWER_SECONDS: Final = 60
NO_LIMIT: Final = 1_000_000


def requests(draw: Draw, *, page: int) -> int:
    """Count the requests that reach the server until all that is gone was found.

    Raises ``RunFailedError`` where something else is found.
    """
    with crm(rows=draw.ids) as server:
        _delete(server, list(draw.gone))
        server.take_counts()
        _compare(server, draw, page=page)
        return server.take_counts().total


def _delete(server: Crm, ids: list[int]) -> None:
    body = json.dumps({"resource": "customer", "ids": ids}).encode()
    request = Request(  # noqa: S310 - the sandbox on loopback
        f"{server.url}/_sandbox/delete", data=body, headers={"Content-Type": "application/json"}
    )
    with urlopen(request, timeout=ANSWER_SECONDS):  # noqa: S310 - the same
        pass


def _compare(server: Crm, draw: Draw, *, page: int) -> None:
    resource = resource_of_stream(STREAM)
    assert resource
    settings = ConnectionSettings(
        api_url=server.url,
        access_token=server.token,
        store_url="sqlite://",
        requests_per_minute=NO_LIMIT,
        page_size=page,
    )
    with closing(connect(settings)) as connection:
        listing = Listing(connection.client, resource, timestamps=connection.timestamps)
        found = listing.compare(draw.known, start=draw.start)
    if set(found.absent) != set(draw.gone) or found.unknown:
        msg = "Over HTTP other ids were found than those that are gone."
        raise RunFailedError(msg)
