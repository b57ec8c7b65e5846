"""OAuth as one object: who may sign in, what was given, and the answer to each of its paths."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

from cirqll_sandbox.accounts import FIRST_USER, Accounts
from cirqll_sandbox.answers import Answer, json_answer
from cirqll_sandbox.clients import Clients
from cirqll_sandbox.codes import Codes
from cirqll_sandbox.consents import Consents
from cirqll_sandbox.grants import Grant
from cirqll_sandbox.oauth_authorize import NoWayBackError, authorize_request, return_address
from cirqll_sandbox.oauth_call import SESSION_COOKIE
from cirqll_sandbox.oauth_pages import consent_page, error_page
from cirqll_sandbox.oauth_refusals import OAuthRefusal
from cirqll_sandbox.oauth_token import TokenEndpoint
from cirqll_sandbox.refusals import Refusal, not_found, unauthenticated
from cirqll_sandbox.scopes import ALL_SCOPES, described

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.clients import Client
    from cirqll_sandbox.clock import Clock
    from cirqll_sandbox.grants import Pair
    from cirqll_sandbox.oauth_authorize import AuthorizeRequest
    from cirqll_sandbox.oauth_call import OAuthCall
    from cirqll_sandbox.tables import Database
    from cirqll_sandbox.tokens import Tokens

AUTHORIZE, TOKEN, SCOPES = "/oauth/authorize", "/oauth/token", "/oauth/scopes"
_METHODS = {AUTHORIZE: ("GET", "POST"), TOKEN: ("POST",), SCOPES: ("GET",)}
_FOUND = 302


class Outcome(NamedTuple):
    """An answer, and in one word what it means."""

    answer: Answer
    word: str


class OAuth:
    """The authorization server; used by one thread at a time, under the sandbox's lock."""

    def __init__(self, database: Database, tokens: Tokens, clock: Clock) -> None:
        self.clients = Clients()
        self.accounts = Accounts(database)
        self.tokens = tokens
        self._codes = Codes(clock)
        self._consents = Consents()
        self._token_endpoint = TokenEndpoint(self.clients, self._codes, tokens)

    def answer(self, call: OAuthCall, behaviour: Behaviour) -> Outcome:
        """The answer to a request of any kind; a `Refusal` where there is no such path."""
        methods = _METHODS.get(call.path)
        if methods is None:
            message = f"The route {call.path.lstrip('/')} could not be found."
            raise not_found(message)
        if call.method not in methods:
            message = f"The {call.method} method is not supported for this route."
            raise Refusal(405, message)
        if call.path == TOKEN:
            return self._token(call, behaviour)
        if call.path == SCOPES:
            return self._scopes(call, behaviour)
        try:
            if call.method == "GET":
                return self._asked(call, behaviour)
            return self._decided(call, behaviour)
        except NoWayBackError as error:
            return Outcome(error_page(400, "You cannot sign in here", str(error)), "no_way_back")

    def grant(
        self,
        behaviour: Behaviour,
        *,
        scopes: Iterable[str] | None = None,
        user_id: int = FIRST_USER,
        client: Client | None = None,
    ) -> Pair:
        """A pair as if somebody had just consented."""
        chosen = ALL_SCOPES if scopes is None else tuple(scopes)
        return self.tokens.issue(_grant(chosen, user_id, client or self.clients.default), behaviour)

    def revoke_everything(self) -> None:
        """End every pair and every code."""
        self.tokens.revoke_pairs()
        self._codes.clear()

    def _token(self, call: OAuthCall, behaviour: Behaviour) -> Outcome:
        try:
            return Outcome(self._token_endpoint.answer(call, behaviour), "issued")
        except OAuthRefusal as refusal:
            return Outcome(refusal.answer(), refusal.error)

    def _scopes(self, call: OAuthCall, behaviour: Behaviour) -> Outcome:
        if behaviour.scopes_list_needs == "token" and self.tokens.find(call.bearer) is None:
            raise unauthenticated()
        names = (*ALL_SCOPES, *behaviour.broad_scopes)
        rows = [{"id": name, "description": described(name)} for name in names]
        return Outcome(json_answer(200, rows), "listed")

    def _asked(self, call: OAuthCall, behaviour: Behaviour) -> Outcome:
        back = return_address(call.query, self.clients, behaviour)
        try:
            request = authorize_request(call.query, back, behaviour)
        except OAuthRefusal as refusal:
            return Outcome(_redirect(back.with_refusal(refusal)), refusal.error)
        session = call.session or self._consents.session()
        csrf_token = self._consents.ask(request, session=session)
        page = consent_page(request, self.accounts.all(), csrf_token=csrf_token)
        page.headers["Set-Cookie"] = (
            f"{SESSION_COOKIE}={session}; Path=/oauth; HttpOnly; SameSite=Lax"
        )
        return Outcome(page, "asked")

    def _decided(self, call: OAuthCall, behaviour: Behaviour) -> Outcome:
        request = self._consents.take(call.form.get("csrf_token", ""), session=call.session)
        if request is None:
            sentence = "This page was answered already, or it was not opened in this browser."
            return Outcome(error_page(403, "The page is no longer valid", sentence), "stale_page")
        if call.form.get("decision") != "allow":
            refusal = OAuthRefusal("access_denied")
            return Outcome(_redirect(request.back.with_refusal(refusal)), "denied")
        grant = _grant(
            tuple(name for name in request.scopes if name not in behaviour.withheld_scopes),
            self._chosen_user(call.form.get("user", "")),
            request.back.client,
        )
        return Outcome(_redirect(self._with_code(request, grant, behaviour)), "allowed")

    def _chosen_user(self, text: str) -> int:
        offered = {str(account.user_id): account.user_id for account in self.accounts.all()}
        return offered.get(text, FIRST_USER)

    def _with_code(self, request: AuthorizeRequest, grant: Grant, behaviour: Behaviour) -> str:
        back = request.back
        code = self._codes.issue(
            grant, redirect_uri=back.redirect_uri, challenge=request.challenge,
            seconds=behaviour.code_seconds,
        )  # fmt: skip
        scope = {"scope": " ".join(grant.scopes)} if behaviour.scope_told_in_redirect else {}
        return back.with_answer(code=code, **scope)


def _grant(scopes: tuple[str, ...], user_id: int, client: Client) -> Grant:
    return Grant(scopes, user_id, client.id, secrets.token_hex(8))


def _redirect(url: str) -> Answer:
    headers = {"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Answer(_FOUND, "", headers, "text/html; charset=utf-8")
