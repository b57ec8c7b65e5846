"""A writer as most are: each row is sent, and sent again until an answer says that it is there."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.reading_fixtures import Source

_TRIES = 5
_CREATED = 201


def write(source: Source, rows: Iterable[dict[str, Any]]) -> None:
    """Create a customer of each row, as a sink with retries does."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {source.sandbox.access_token}"
        for row in rows:
            _create(session, f"{source.url}/api/customer", row)


def _create(session: requests.Session, url: str, row: dict[str, Any]) -> None:
    body = {name: value for name, value in row.items() if name != "no"}
    for _ in range(_TRIES):
        with suppress(requests.RequestException):
            answer = session.post(url, json=body, timeout=5, allow_redirects=False)
            if answer.status_code == _CREATED and answer.json().get("id"):
                return
