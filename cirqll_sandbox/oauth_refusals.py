"""The refusals of OAuth, worded as league/oauth2-server does, which Passport uses (likely)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cirqll_sandbox.answers import json_answer

if TYPE_CHECKING:
    from cirqll_sandbox.answers import Answer

INVALID_CLIENT, INVALID_GRANT = "invalid_client", "invalid_grant"
_DESCRIPTIONS = {
    "access_denied": "The resource owner or authorization server denied the request.",
    INVALID_CLIENT: "Client authentication failed",
    INVALID_GRANT: (
        "The provided authorization grant (e.g., authorization code, resource owner credentials) "
        "or refresh token is invalid, expired, revoked, does not match the redirection URI used "
        "in the authorization request, or was issued to another client."
    ),
    "invalid_request": (
        "The request is missing a required parameter, includes an invalid parameter value, "
        "includes a parameter more than once, or is otherwise malformed."
    ),
    "invalid_scope": "The requested scope is invalid, unknown, or malformed",
    "unsupported_grant_type": (
        "The authorization grant type is not supported by the authorization server."
    ),
    "unsupported_response_type": (
        "The authorization server does not support obtaining a code by this response type."
    ),
}
_DEAD_REFRESH_TOKEN = "The refresh token is invalid."  # noqa: S105 - a sentence
_STATUSES = {INVALID_CLIENT: 401, "access_denied": 401}


class OAuthRefusal(Exception):
    """The request ends with this error."""

    def __init__(self, error: str, hint: str = "", *, status: int | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.hint = hint
        self.status = status or _STATUSES.get(error, 400)
        self.description = _DESCRIPTIONS[error]

    def answer(self) -> Answer:
        """The answer of the token endpoint."""
        hint = {"hint": self.hint} if self.hint else {}
        body = {"error": self.error, "error_description": self.description, **hint}
        return json_answer(self.status, {**body, "message": self.description})


def wrong_parameter(name: str) -> OAuthRefusal:
    """400 invalid_request: a parameter is missing or cannot be what it is."""
    return OAuthRefusal("invalid_request", f"Check the `{name}` parameter")


def wrong_scope(name: str) -> OAuthRefusal:
    """400 invalid_scope."""
    return OAuthRefusal("invalid_scope", f"Check the `{name}` scope")


def dead_refresh_token(hint: str, refusal: str) -> OAuthRefusal:
    """The refusal that `Behaviour.refresh_refusal` names, such as `400 invalid_grant`."""
    status, _, error = refusal.partition(" ")
    dead = OAuthRefusal(error, hint, status=int(status))
    dead.description = _DEAD_REFRESH_TOKEN
    return dead
