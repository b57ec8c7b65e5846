"""The authorize request: whether it may be shown to a person, and where its answer goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit, urlunsplit

from cirqll_sandbox.oauth_refusals import OAuthRefusal, wrong_parameter, wrong_scope
from cirqll_sandbox.pkce import challenge_read
from cirqll_sandbox.scopes import ALL_SCOPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.clients import Client, Clients
    from cirqll_sandbox.pkce import Challenge


_CHALLENGE = "code_challenge"


class NoWayBackError(Exception):
    """The browser must not be sent anywhere: the message is for the person in front of it."""


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """Where the browser goes with the answer."""

    client: Client
    redirect_uri: str
    state: str | None = field(repr=False)

    def with_answer(self, **parameters: str) -> str:
        """The URL that brings the answer to the client."""
        state = {} if self.state is None else {"state": self.state}
        parts = urlsplit(self.redirect_uri)
        query = "&".join(filter(None, (parts.query, urlencode({**parameters, **state}))))
        return urlunsplit(parts._replace(query=query))

    def with_refusal(self, refusal: OAuthRefusal) -> str:
        """The same with an error."""
        return self.with_answer(error=refusal.error, error_description=refusal.description)


@dataclass(frozen=True, slots=True)
class AuthorizeRequest:
    """What a client asks a person for."""

    back: ReturnAddress
    scopes: tuple[str, ...]
    challenge: Challenge | None


def return_address(
    query: Mapping[str, str], clients: Clients, behaviour: Behaviour
) -> ReturnAddress:
    """Where the answer goes; `NoWayBackError` where client and redirect URI are not registered."""
    client = clients.find(query.get("client_id"))
    if client is None:
        message = "The program that sent you here is not registered: its client_id is not known."
        raise NoWayBackError(message)
    asked = query.get("redirect_uri")
    if not asked and len(client.redirect_uris) == 1:
        (asked,) = client.redirect_uris
    if not asked or not client.accepts(asked, behaviour.loopback_redirects):
        message = (
            f"{client.name} wants you to be sent back to an address that is not registered for it: "
            f"{asked or 'none was given'}."
        )
        raise NoWayBackError(message)
    return ReturnAddress(client, asked, query.get("state"))


def authorize_request(
    query: Mapping[str, str], back: ReturnAddress, behaviour: Behaviour
) -> AuthorizeRequest:
    """The request; an `OAuthRefusal` goes back to the client. Further parameters are welcome."""
    if query.get("response_type") != "code":
        error = "unsupported_response_type" if query.get("response_type") else "invalid_request"
        raise OAuthRefusal(error)
    scopes = tuple(dict.fromkeys(query.get("scope", "").split()))
    for name in scopes:
        if name not in ALL_SCOPES and name not in behaviour.broad_scopes:
            raise wrong_scope(name)
    return AuthorizeRequest(back, scopes, _challenge(query, behaviour))


def _challenge(query: Mapping[str, str], behaviour: Behaviour) -> Challenge | None:
    text = query.get(_CHALLENGE)
    if text is None or behaviour.pkce == "ignored":
        return None
    if behaviour.pkce == "refused":
        raise wrong_parameter(_CHALLENGE)
    try:
        return challenge_read(text, query.get("code_challenge_method"))
    except ValueError as wrong:
        raise wrong_parameter(str(wrong)) from None
