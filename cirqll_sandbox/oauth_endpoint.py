"""The web side of OAuth: a request passes the faults, and is recorded without its secrets."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.requests import Request

from cirqll_sandbox.answers import refusal_answer
from cirqll_sandbox.endpoint import Endpoint
from cirqll_sandbox.headers import with_headers
from cirqll_sandbox.mishaps import afterwards, damage, instead, seconds, too_many
from cirqll_sandbox.oauth import AUTHORIZE, TOKEN, Outcome
from cirqll_sandbox.oauth_call import oauth_call
from cirqll_sandbox.oauth_log import AuthorizeRequestRecord, TokenRequestRecord, fingerprint
from cirqll_sandbox.refusals import Refusal
from cirqll_sandbox.wire import cut_early, deliver

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.faults import Fault
    from cirqll_sandbox.oauth_call import OAuthCall


class OAuthEndpoint(Endpoint):
    """Answers every path below `/oauth`."""

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrived_at = time.monotonic()
        request = Request(scope, receive)
        call = oauth_call(
            request.method, unquote(request.url.path), request.url.query,
            headers=request.headers, body=await request.body(),
        )  # fmt: skip
        ended = self._noted(call, arrived_at)
        faults, behaviour = self._sandbox.drawn(call.method, call.path)
        await asyncio.sleep(seconds(faults, "slow-start"))
        await cut_early(seconds(faults, "slow-commit", default=1), scope)
        with self._sandbox.lock:
            outcome = self._outcome(call, faults, behaviour)
        harm = damage(faults, behaviour)
        ended(
            outcome=outcome.word,
            status=None if harm.cut_before else outcome.answer.status,
            faults=tuple(fault.kind for fault in faults),
        )
        await deliver(outcome.answer, harm, scope, send)

    def _noted(self, call: OAuthCall, arrived_at: float) -> Callable[..., None]:
        """Record the request; what is returned adds the facts that are known only at the end."""
        sandbox = self._sandbox
        if call.path == TOKEN:
            key = sandbox.token_log.arrived(_token_record(call, arrived_at))
            return partial(sandbox.token_log.answered, key)
        if call.path == AUTHORIZE:
            key = sandbox.authorize_log.arrived(_authorize_record(call, arrived_at))
            return partial(sandbox.authorize_log.answered, key)
        return lambda **_: None

    def _outcome(self, call: OAuthCall, faults: list[Fault], behaviour: Behaviour) -> Outcome:
        sandbox = self._sandbox
        counted = behaviour.oauth_counts
        verdict = sandbox.rate_limit.hit(call.bearer or "", behaviour) if counted else None
        refused = too_many(verdict, behaviour) or instead(faults, verdict)
        if refused is not None:
            outcome = Outcome(refused, "not_carried_out")
        else:
            try:
                outcome = sandbox.oauth.answer(call, behaviour)
            except Refusal as refusal:
                outcome = Outcome(refusal_answer(refusal), "refused")
        answer = afterwards(outcome.answer, faults)
        return outcome._replace(answer=with_headers(answer, verdict, behaviour, sandbox.clock))


def _token_record(call: OAuthCall, arrived_at: float) -> TokenRequestRecord:
    return TokenRequestRecord(
        time=arrived_at,
        grant_type=call.form.get("grant_type"),
        client_id=call.client_id,
        credential=fingerprint(call.form.get("refresh_token") or call.form.get("code")),
    )


def _authorize_record(call: OAuthCall, arrived_at: float) -> AuthorizeRequestRecord:
    parameters = dict(call.query)
    if "state" in parameters:
        parameters["state"] = fingerprint(parameters["state"]) or ""
    return AuthorizeRequestRecord(time=arrived_at, method=call.method, parameters=parameters)
