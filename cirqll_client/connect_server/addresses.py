"""Addresses that an operator gives: the server's own, and the origins that people go back to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address

from cirqll_client.errors import SettingInvalid

_ORIGIN = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?",
    re.ASCII | re.IGNORECASE,
)
_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,100}){0,10}", re.ASCII)
_USUAL_PORTS = {"https": 443, "http": 80}
_LAST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class PublicUrl:
    """Where browsers reach the server; the only source of every URL that it writes."""

    origin: str
    path: str = ""
    """Below which the server lies, without a slash at the end."""

    @property
    def is_https(self) -> bool:
        """Tell whether the way to the browser is encrypted."""
        return self.origin.startswith("https:")

    @property
    def redirect_uri(self) -> str:
        """The redirect URL to register in Cirqll."""
        return f"{self}/callback"

    def __str__(self) -> str:
        """Give the URL, without a slash at the end."""
        return self.origin + self.path


def public_url_of(text: str) -> PublicUrl:
    """Read the server's own URL. Raises ``SettingInvalid``."""
    bare = text.strip().removesuffix("/")
    found = _ORIGIN.match(bare)
    path = bare[found.end() :] if found else ""
    origin = _origin(found) if found and _PATH.fullmatch(path) else None
    if origin is None:
        msg = (
            "The public URL (--public-url, CIRQLL_CONNECT_URL) must be one that browsers can "
            "reach, like https://connect.example.com or https://www.example.com/connect: with "
            "https, unless it is on this machine (http://127.0.0.1:8766)."
        )
        raise SettingInvalid(msg)
    return PublicUrl(origin, path)


def origin_of(text: str) -> str:
    """Give an origin as browsers write it. Raises ``SettingInvalid`` for anything else."""
    found = _ORIGIN.fullmatch(text)
    origin = _origin(found) if found else None
    if origin is None:
        msg = (
            "A target_origin must be an origin and nothing more, like https://app.example.com: no "
            "path, and with https unless it is on this machine."
        )
        raise SettingInvalid(msg)
    return origin


def _origin(found: re.Match[str]) -> str | None:
    scheme, port = found["scheme"].lower(), int(found["port"] or 0)
    host = _host(found["host"].lower())
    is_wrong_port = found["port"] is not None and not 0 < port <= _LAST_PORT
    if host is None or is_wrong_port or (scheme == "http" and not _is_loopback(host)):
        return None
    return f"{scheme}://{host}" + (f":{port}" if port not in {0, _USUAL_PORTS[scheme]} else "")


def _host(host: str) -> str | None:
    if not host.startswith("["):
        return None if ".." in host else host
    try:
        return f"[{ip_address(host[1:-1])}]"
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
