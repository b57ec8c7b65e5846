"""`POST /oauth/token`: a code or a refresh token in, a pair of tokens out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from cirqll_sandbox.answers import Answer, json_answer
from cirqll_sandbox.oauth_refusals import (
    INVALID_CLIENT,
    INVALID_GRANT,
    OAuthRefusal,
    dead_refresh_token,
    wrong_parameter,
    wrong_scope,
)
from cirqll_sandbox.tokens import DeadTokenError

if TYPE_CHECKING:
    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.clients import Client, Clients
    from cirqll_sandbox.codes import Code, Codes
    from cirqll_sandbox.grants import Grant, Pair
    from cirqll_sandbox.oauth_call import OAuthCall
    from cirqll_sandbox.tokens import Tokens

_NOT_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_CLIENT_ID, _REDIRECT_URI, _VERIFIER = "client_id", "redirect_uri", "code_verifier"
_UNSUPPORTED = "unsupported_grant_type"
_FORM = "application/x-www-form-urlencoded"


class TokenEndpoint:
    """Gives pairs of tokens to clients that prove who they are."""

    def __init__(self, clients: Clients, codes: Codes, tokens: Tokens) -> None:
        self._clients, self._codes, self._tokens = clients, codes, tokens

    def answer(self, call: OAuthCall, behaviour: Behaviour) -> Answer:
        """The pair; an `OAuthRefusal` is raised where there is none."""
        grant_type = call.form.get("grant_type")
        if grant_type not in {"authorization_code", "refresh_token"}:
            hint = "Check that all required parameters have been provided"
            raise OAuthRefusal(_UNSUPPORTED, hint)
        give = self._exchanged if grant_type == "authorization_code" else self._refreshed
        return pair_answer(give(call, self._client(call), behaviour), behaviour)

    def _client(self, call: OAuthCall) -> Client:
        id_, secret = call.client_credentials
        if not id_:
            raise wrong_parameter(_CLIENT_ID)
        client = self._clients.find(id_)
        if client is None or not client.knows(secret or ""):
            raise OAuthRefusal(INVALID_CLIENT)
        return client

    def _exchanged(self, call: OAuthCall, client: Client, behaviour: Behaviour) -> Pair:
        text = _required(call, "code")
        code = self._living(text, client, behaviour)
        _check_redirect_uri(call, code, behaviour)
        _check_verifier(call, code, behaviour)
        self._codes.use(text)
        return self._tokens.issue(code.grant, behaviour)

    def _living(self, text: str, client: Client, behaviour: Behaviour) -> Code:
        code = self._codes.find(text)
        if code is None:
            raise OAuthRefusal(INVALID_GRANT, "Cannot decrypt the authorization code")
        if code.grant.client_id != client.id:
            raise OAuthRefusal(INVALID_GRANT, "Authorization code was not issued to this client")
        if code.used:
            if behaviour.reused_code_revokes:
                self._tokens.revoke_grant(code.grant.id)
            raise OAuthRefusal(INVALID_GRANT, "Authorization code has been revoked")
        if self._codes.expired(code):
            raise OAuthRefusal(INVALID_GRANT, "Authorization code has expired")
        return code

    def _refreshed(self, call: OAuthCall, client: Client, behaviour: Behaviour) -> Pair:
        def narrowed(grant: Grant) -> Grant:
            return _narrowed(grant, call.form.get("scope"))

        token = _required(call, "refresh_token")
        try:
            return self._tokens.refresh(token, behaviour, client_id=client.id, narrowed=narrowed)
        except DeadTokenError as dead:
            raise dead_refresh_token(str(dead), behaviour.refresh_refusal) from None


def pair_answer(pair: Pair, behaviour: Behaviour) -> Answer:
    """The answer that brings a pair."""
    fields: dict[str, Any] = {
        "token_type": behaviour.token_type_word,
        "expires_in": pair.expires_in if behaviour.expires_in_told == "number"
        else str(pair.expires_in),
        "access_token": pair.access_token,
        "refresh_token": pair.refresh_token,
    }  # fmt: skip
    if behaviour.scope_told_in_token:
        fields["scope"] = " ".join(pair.scopes)
    lacks = {*behaviour.token_answer_lacks}
    if behaviour.expires_in_told == "missing":
        lacks.add("expires_in")
    told = {name: value for name, value in fields.items() if name not in lacks}
    if behaviour.token_answer_form == "form":  # noqa: S105 - no password
        return Answer(200, urlencode(told), dict(_NOT_STORED), _FORM)
    return json_answer(200, told, **_NOT_STORED)


def _required(call: OAuthCall, name: str) -> str:
    value = call.form.get(name)
    if not value:
        raise wrong_parameter(name)
    return value


def _check_redirect_uri(call: OAuthCall, code: Code, behaviour: Behaviour) -> None:
    sent = call.form.get(_REDIRECT_URI)
    mode = behaviour.redirect_uri_in_token_request
    if (mode == "required" and sent is None) or (mode == "refused" and sent is not None):
        raise wrong_parameter(_REDIRECT_URI)
    if mode == "required" and sent != code.redirect_uri:
        raise OAuthRefusal(INVALID_GRANT, "Invalid redirect URI")


def _check_verifier(call: OAuthCall, code: Code, behaviour: Behaviour) -> None:
    verifier = call.form.get(_VERIFIER)
    if behaviour.pkce == "ignored":
        return
    if (verifier is None) is not (code.challenge is None):
        raise wrong_parameter(_VERIFIER)
    if code.challenge is not None and not code.challenge.is_met_by(verifier or ""):
        raise OAuthRefusal(INVALID_GRANT, "Failed to verify `code_verifier`.")


def _narrowed(grant: Grant, scope: str | None) -> Grant:
    if scope is None:
        return grant
    asked = tuple(dict.fromkeys(scope.split()))
    for name in asked:
        if name not in grant.scopes:
            raise wrong_scope(name)
    return replace(grant, scopes=asked)
