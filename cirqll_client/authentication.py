"""How a request proves who sends it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from requests.auth import AuthBase

from cirqll_client.errors import SettingInvalid

if TYPE_CHECKING:
    from requests import PreparedRequest


_TOKEN = re.compile(r"[!-~]+")


class Authentication(Protocol):
    """What the session needs: headers for a request, and a second chance after a 401."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign a request; the shape that ``requests`` asks of its ``auth``."""
        ...

    def renewed(self) -> bool:
        """Tell whether another token is at hand now than the one that was just refused."""
        ...


class StaticToken(AuthBase):
    """An access token that is used as it is and cannot be renewed."""

    def __init__(self, access_token: str) -> None:
        """Sign each request with this token. Raises ``SettingInvalid`` for what cannot be one."""
        token = access_token.strip()
        if not _TOKEN.fullmatch(token):
            # It would fail in http.client, whose error repeats the header.
            msg = (
                "The setting access_token holds a space, a line break or another character that no "
                "token has; copy the token again and put it there alone."
            )
            raise SettingInvalid(msg)
        self._header = f"Bearer {token}"

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign a request."""
        request.headers["Authorization"] = self._header
        return request

    def renewed(self) -> bool:
        """Tell that there is no other token."""
        return False

    def __repr__(self) -> str:
        """Never show the token."""
        return "StaticToken(***)"
