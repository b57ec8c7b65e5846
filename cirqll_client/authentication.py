"""How a request proves who sends it: the shape of it, and a token that never changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from requests.auth import AuthBase

from cirqll_client.errors import SettingInvalid
from cirqll_client.tokens import fingerprint, is_token

if TYPE_CHECKING:
    from requests import PreparedRequest


class BearerToken(AuthBase):
    """An access token as ``requests`` takes it: it signs a request, and is never shown."""

    __slots__ = ("_value",)

    def __init__(self, access_token: str, *, named: str = "The access token of the store") -> None:
        """Sign with this token. Raises ``SettingInvalid`` for what cannot be one."""
        if not is_token(access_token) or access_token != access_token.strip():
            # It would fail in http.client, whose error repeats the header.
            msg = (
                f"{named} holds a space, a line break or another character that no token has; copy "
                "the token again and put it there alone."
            )
            raise SettingInvalid(msg)
        self._value = access_token

    @property
    def fingerprint(self) -> str:
        """What tells the token from others, and tells nothing about it."""
        return fingerprint(self._value)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign a request."""
        request.headers["Authorization"] = f"Bearer {self._value}"
        return request

    def __repr__(self) -> str:
        """Never show the token."""
        return "BearerToken(***)"


class Authentication(Protocol):
    """What the session needs: a token for a request, and another one after a 401."""

    remedy: str
    """What a person can do about a token that is not accepted; the end of a sentence."""

    def token(self) -> BearerToken:
        """Give the token to sign the next request with. Raises any ``CirqllError``."""
        ...

    def renewed(self, refused: BearerToken, *, may_renew: bool = True) -> bool:
        """Tell whether another token is at hand now than the one that was just refused.

        Where it may not be renewed, another process may have done it meanwhile.
        """
        ...


class StaticToken:
    """An access token that is used as it is and cannot be renewed."""

    remedy = "put a new one into the setting access_token and run again"

    def __init__(self, access_token: str) -> None:
        """Sign each request with this token. Raises ``SettingInvalid`` for what cannot be one."""
        self._token = BearerToken(access_token.strip(), named="The setting access_token")

    def token(self) -> BearerToken:
        """Give the token."""
        return self._token

    def renewed(self, refused: BearerToken, *, may_renew: bool = True) -> bool:
        """Tell that there is no other token."""
        del refused, may_renew
        return False
