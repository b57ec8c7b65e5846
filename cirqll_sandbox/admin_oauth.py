"""The admin API of signing in, below `/_sandbox/oauth`. What it lists holds no secret.

POST   /_sandbox/oauth/grant          {"scopes": [...], "user": 1, "client": "sandbox-client"}
-> a pair, as the token URL answers
POST   /_sandbox/oauth/refresh        {"refresh_token": "..."}: another program refreshes
POST   /_sandbox/oauth/revoke         {"token": "..."}: an access or refresh token
POST   /_sandbox/oauth/revoke-everything       every pair and every code
POST   /_sandbox/oauth/take-scopes    {"scopes": ["customer.read.all"]}: from every living token;
with "access_token" from that one and its refresh token. give-scopes gives them
POST   /_sandbox/oauth/expire-access-tokens
POST   /_sandbox/oauth/expire-refresh-tokens
GET    /_sandbox/oauth/clients        {"data": [...]}
POST   /_sandbox/oauth/clients        {"id": "...", "secret": "...", "redirect_uris": [...],
"name": "..."}: all but the id can be left out
GET    /_sandbox/oauth/accounts       {"data": [...]}: whom the page offers to sign in as
POST   /_sandbox/oauth/accounts       {"name": "...", "company": "...", "email": "..."}
GET    /_sandbox/oauth/token-requests          {"data": [...]}
GET    /_sandbox/oauth/authorize-requests      {"data": [...]}
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cirqll_sandbox.accounts import FIRST_USER
from cirqll_sandbox.admin_bodies import given
from cirqll_sandbox.oauth_token import pair_answer
from cirqll_sandbox.tokens import DeadTokenError

if TYPE_CHECKING:
    from starlette.requests import Request

    from cirqll_sandbox.admin_bodies import Handler
    from cirqll_sandbox.clients import Client
    from cirqll_sandbox.grants import Pair
    from cirqll_sandbox.sandbox import Sandbox


def _grant(sandbox: Sandbox, _: Request, body: Any) -> Any:
    asked = body or {}
    id_ = asked.get("client", sandbox.client.id)
    client = sandbox.oauth.clients.find(id_)
    if client is None:
        message = f"client {id_}"
        raise KeyError(message)
    user = int(asked.get("user", FIRST_USER))
    return _shown_pair(sandbox, sandbox.grant(asked.get("scopes"), user=user, client=client))


def _refresh(sandbox: Sandbox, _: Request, body: Any) -> Any:
    try:
        pair = sandbox.refresh_as_another_program(given(body, "refresh_token"))
    except DeadTokenError as dead:
        message = f"The refresh token gives nothing: {dead}."
        raise ValueError(message) from None
    return _shown_pair(sandbox, pair)


def _shown_pair(sandbox: Sandbox, pair: Pair) -> Any:
    behaviour = sandbox.behaviour
    return {**json.loads(pair_answer(pair, behaviour).body), "scope": " ".join(pair.scopes)}


def _revoke(sandbox: Sandbox, _: Request, body: Any) -> Any:
    sandbox.revoke(given(body, "token"))
    return {}


def _revoke_everything(sandbox: Sandbox, _: Request, __: Any) -> Any:
    sandbox.revoke_everything()
    return {}


def _take_scopes(sandbox: Sandbox, _: Request, body: Any) -> Any:
    sandbox.take_scopes(*given(body, "scopes"), access_token=body.get("access_token"))
    return {}


def _give_scopes(sandbox: Sandbox, _: Request, body: Any) -> Any:
    sandbox.give_scopes(*given(body, "scopes"), access_token=body.get("access_token"))
    return {}


def _expire_access_tokens(sandbox: Sandbox, _: Request, __: Any) -> Any:
    sandbox.expire_access_tokens()
    return {}


def _expire_refresh_tokens(sandbox: Sandbox, _: Request, __: Any) -> Any:
    sandbox.expire_refresh_tokens()
    return {}


def _clients(sandbox: Sandbox, _: Request, __: Any) -> Any:
    return {"data": [_shown_client(client) for client in sandbox.oauth.clients.all()]}


def _add_client(sandbox: Sandbox, _: Request, body: Any) -> Any:
    id_ = given(body, "id")
    optional = {key: body[key] for key in ("secret", "redirect_uris", "name") if key in body}
    return _shown_client(sandbox.add_client(id_, **optional))


def _shown_client(client: Client) -> Any:
    return {"id": client.id, "name": client.name, "redirect_uris": list(client.redirect_uris)}


def _accounts(sandbox: Sandbox, _: Request, __: Any) -> Any:
    return {"data": [asdict(account) for account in sandbox.oauth.accounts.all()]}


def _add_account(sandbox: Sandbox, _: Request, body: Any) -> Any:
    name, company = given(body, "name"), given(body, "company")
    return asdict(sandbox.add_account(name, company=company, email=body.get("email")))


def _token_requests(sandbox: Sandbox, _: Request, __: Any) -> Any:
    return {"data": [asdict(record) for record in sandbox.token_requests]}


def _authorize_requests(sandbox: Sandbox, _: Request, __: Any) -> Any:
    return {"data": [asdict(record) for record in sandbox.authorize_requests]}


OAUTH_ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", "/oauth/grant", _grant),
    ("POST", "/oauth/refresh", _refresh),
    ("POST", "/oauth/revoke", _revoke),
    ("POST", "/oauth/revoke-everything", _revoke_everything),
    ("POST", "/oauth/take-scopes", _take_scopes),
    ("POST", "/oauth/give-scopes", _give_scopes),
    ("POST", "/oauth/expire-access-tokens", _expire_access_tokens),
    ("POST", "/oauth/expire-refresh-tokens", _expire_refresh_tokens),
    ("GET", "/oauth/clients", _clients),
    ("POST", "/oauth/clients", _add_client),
    ("GET", "/oauth/accounts", _accounts),
    ("POST", "/oauth/accounts", _add_account),
    ("GET", "/oauth/token-requests", _token_requests),
    ("GET", "/oauth/authorize-requests", _authorize_requests),
]
