"""``POST /links``: a program asks for a link, with the key that it shares with the server."""

from __future__ import annotations

import json
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from cirqll_client.connect_server.wishes import wish_from_json
from cirqll_client.errors import SettingInvalid
from cirqll_client.moments import iso

if TYPE_CHECKING:
    from cirqll_client.connect_server.addresses import PublicUrl
    from cirqll_client.connect_server.links import Links, NewLink

KEY_VARIABLE = "CIRQLL_CONNECT_KEY"
_SHORTEST_KEY = 32


class Key:
    """The key of ``POST /links``; what is kept of it opens nothing."""

    def __init__(self, key: str) -> None:
        """Take the key. Raises ``SettingInvalid`` for one that could be guessed."""
        if len(key) < _SHORTEST_KEY:
            msg = (
                f"The environment variable {KEY_VARIABLE} must have at least {_SHORTEST_KEY} "
                "characters that nobody can guess, as `python -c 'import secrets; "
                "print(secrets.token_urlsafe(32))'` makes them."
            )
            raise SettingInvalid(msg)
        self._digest = sha256(key.encode()).digest()

    def opens(self, authorization: str) -> bool:
        """Tell whether a header brings this key, in the same time for every other one."""
        scheme, _, given = authorization.partition(" ")
        digest = sha256(given.strip().encode("latin-1", "replace")).digest()
        return compare_digest(digest, self._digest) and scheme.lower() == "bearer"


def link_url(public_url: PublicUrl, link: NewLink) -> str:
    """Write a link. The token stands behind the #, which browsers send to nobody."""
    return f"{public_url}/connect#{urlencode({'token': link.token})}"


def link_answer(body: bytes, *, links: Links, public_url: PublicUrl) -> dict[str, str]:
    """Make the link that a body asks for. Raises ``SettingInvalid``, ``Unavailable``."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    link = links.make(wish_from_json(value))
    return {"url": link_url(public_url, link), "expires_at": iso(link.expires_at)}
