"""A session on a server that replies as it is told, on a time that only sleeping moves."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client import errors, responses
from cirqll_client.authentication import BearerToken, StaticToken
from cirqll_client.rate_budget import RateBudget
from cirqll_client.redaction import Redaction
from cirqll_client.retry import Patience
from cirqll_client.session import ApiSession, Sent
from cirqll_client.store import Store
from cirqll_client.transport import Transport
from tests.client.fake_time import FakeTime
from tests.client.raw_server import RawServer, answer, serving

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from tests.client.raw_server import Reply

TOKEN = "canary-token-not-a-secret"
HTML = "<html><title>Hello</title></html>"


def cut(connection: socket.socket) -> None:
    """Break off in the middle of a page."""
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"data": [')


class RenewedToken(StaticToken):
    """A token that is another one after it was refused."""

    def renewed(self, refused: BearerToken, *, may_renew: bool = True) -> bool:
        """Renew once."""
        del refused
        if not may_renew:
            return False
        self._token = BearerToken("renewed")
        return True


@dataclass(slots=True)
class Asking:
    """A session on a time that only sleeping moves, and what it told its listeners."""

    session: ApiSession
    time: FakeTime
    url: str
    store: Store
    sent: list[Sent] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def page(self, path: str = "/customer") -> list[dict[str, Any]]:
        """The rows of a page."""
        return self.session.get(path, self._read, parameters={"limit": "100"})

    def sentence(self, kind: type[errors.CirqllError]) -> str:
        """The sentence in which the request ends."""
        with pytest.raises(kind) as caught:
            self.page()
        assert type(caught.value) is kind
        assert TOKEN not in repr(caught.value)
        return caught.value.sentence.replace(self.url, "URL")

    @staticmethod
    def _read(got: Any) -> list[dict[str, Any]]:
        plain = partial(responses.plain_rows, bookmark_field=None, key_without_id=None)
        return responses.page(got.body, headers=got.headers, read_rows=plain).rows.rows


@contextmanager
def asking(
    url: str, *, token: StaticToken | None = None, give_up_after: float = 900
) -> Iterator[Asking]:
    """A session on this server."""
    time = FakeTime()
    token = token or StaticToken(TOKEN)
    sent: list[Sent] = []
    waits: list[float] = []
    store = Store("sqlite://", clock=time)
    transport = Transport(
        url, below="/api", setting="api_url", timeout_seconds=1, user_agent="test"
    )
    session = ApiSession(
        transport,
        budget=RateBudget(store, client="one", sleep=time.sleep, on_wait=waits.append),
        authentication=token,
        api_url=url,
        patience=Patience(give_up_after, jitter=lambda seconds: seconds),
        redact=Redaction([TOKEN]),
        on_sent=sent.append,
        on_wait=waits.append,
        sleep=time.sleep,
        clock=time,
    )
    yield Asking(session, time, url, store, sent, waits)
    transport.close()
    store.close()


@contextmanager
def asking_for(*replies: Reply, **options: Any) -> Iterator[tuple[Asking, RawServer]]:
    """A session on a server that gives these replies."""
    with serving(*replies) as server, asking(server.url, **options) as one:
        yield one, server


def said(status: int, message: str = "No.", **more: Any) -> bytes:
    """An error as the API writes one."""
    return answer(status, json.dumps({"message": message, **more}))
