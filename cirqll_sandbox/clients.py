"""OAuth clients: the programs that were registered in Cirqll under Settings > Marketplace."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cirqll_sandbox.behaviour import LoopbackRedirects

CLIENT_SECRET = "sandbox-client-secret-not-a-secret"  # noqa: S105 - it says so itself
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Client:
    """A registered program."""

    id: str
    secret: str = field(repr=False)
    redirect_uris: tuple[str, ...]
    name: str

    def knows(self, secret: str) -> bool:
        """Whether this is the client's secret."""
        return hmac.compare_digest(self.secret.encode(), secret.encode())

    def accepts(self, redirect_uri: str, loopback: LoopbackRedirects) -> bool:
        """Whether a browser may be sent there: exactly as registered, but for loopback."""
        if redirect_uri in self.redirect_uris:
            return True
        if loopback == "registered" or not _is_loopback(redirect_uri):
            return False
        own = [uri for uri in self.redirect_uris if _is_loopback(uri)]
        return bool(own) if loopback == "any" else _portless(redirect_uri) in map(_portless, own)


DEFAULT_CLIENT = Client(
    id="sandbox-client",
    secret=CLIENT_SECRET,
    redirect_uris=tuple(
        f"http://{host}{path}"
        for path in ("/callback", "/oauth/callback", "/")
        for host in ("127.0.0.1", "localhost", "[::1]")
    ),
    name="Sandbox client",
)
"""Registered from the start, with the paths that programs on one's own machine usually have."""


class Clients:
    """All registered programs, by id."""

    def __init__(self) -> None:
        self._clients = {DEFAULT_CLIENT.id: DEFAULT_CLIENT}

    def add(self, id_: str, *, secret: str, redirect_uris: Iterable[str], name: str) -> Client:
        """Register a program, or register it anew."""
        client = Client(id_, secret, tuple(redirect_uris), name)
        self._clients = {**self._clients, id_: client}
        return client

    @property
    def default(self) -> Client:
        """The program that is registered from the start, as it is registered now."""
        return self._clients[DEFAULT_CLIENT.id]

    def find(self, id_: str | None) -> Client | None:
        """The program of this id."""
        return self._clients.get(id_ or "")

    def all(self) -> tuple[Client, ...]:
        """Every program, in the order of registration."""
        return tuple(self._clients.values())


def _is_loopback(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return parts.scheme == "http" and parts.hostname in _LOOPBACK and not parts.fragment


def _portless(uri: str) -> tuple[str | None, str, str]:
    parts = urlsplit(uri)
    return parts.hostname, parts.path or "/", parts.query
