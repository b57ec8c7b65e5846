"""A request to OAuth, read: its parameters, the client that it names, the browser's session."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_plus

if TYPE_CHECKING:
    from collections.abc import Mapping

SESSION_COOKIE = "cirqll_sandbox_session"
_SESSION = re.compile(rf"(?:\A|; ?){SESSION_COOKIE}=(?P<id>[0-9a-f]+)(?:;|\Z)")


@dataclass(frozen=True, slots=True)
class OAuthCall:
    """A request as OAuth sees it. Where a parameter comes twice the last one counts, as in PHP."""

    method: str
    path: str
    query: dict[str, str] = field(repr=False)
    form: dict[str, str] = field(repr=False)
    authorization: str = field(default="", repr=False)
    session: str = field(default="", repr=False)

    @property
    def bearer(self) -> str | None:
        """The access token."""
        scheme, _, token = self.authorization.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None

    @property
    def client_id(self) -> str | None:
        """The client that a token request names."""
        return self.client_credentials[0]

    @property
    def client_credentials(self) -> tuple[str | None, str | None]:
        """Id and secret, from the body or else by HTTP Basic."""
        basic = _basic(self.authorization)
        return self.form.get("client_id", basic[0]), self.form.get("client_secret", basic[1])


def oauth_call(
    method: str, path: str, query: str, *, headers: Mapping[str, str], body: bytes
) -> OAuthCall:
    """The request, read; a body that cannot be read has no parameters."""
    is_json = "json" in headers.get("content-type", "").lower()
    return OAuthCall(
        method=method,
        path=path,
        query=_form(query),
        form=_json(body) if is_json else _form(body.decode(errors="replace")),
        authorization=headers.get("authorization", ""),
        session=_session(headers.get("cookie", "")),
    )


def _form(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True, errors="replace"))


def _json(body: bytes) -> dict[str, str]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    if not isinstance(value, dict):
        return {}
    return {key: str(item) for key, item in value.items() if isinstance(item, (str, int))}


def _basic(authorization: str) -> tuple[str | None, str | None]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None, None
    try:
        id_, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, None
    return unquote_plus(id_), unquote_plus(secret)


def _session(cookies: str) -> str:
    match = _SESSION.search(cookies)
    return match["id"] if match else ""
