"""The web application: a request passes the budget, the faults and the API, in this order."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount, Route

from cirqll_sandbox.admin import admin_routes
from cirqll_sandbox.answers import refusal_answer
from cirqll_sandbox.api import Call
from cirqll_sandbox.endpoint import Endpoint
from cirqll_sandbox.headers import with_headers
from cirqll_sandbox.mishaps import (
    LOGIN,
    afterwards,
    damage,
    instead,
    page,
    seconds,
    too_long,
    too_many,
)
from cirqll_sandbox.oauth_endpoint import OAuthEndpoint
from cirqll_sandbox.parameters import Parameters
from cirqll_sandbox.refusals import Refusal
from cirqll_sandbox.request_log import RequestRecord
from cirqll_sandbox.wire import cut_early, deliver

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from cirqll_sandbox.answers import Answer
    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.faults import Fault
    from cirqll_sandbox.rate_limit import Verdict
    from cirqll_sandbox.sandbox import Sandbox


def build_app(sandbox: Sandbox) -> Starlette:
    """The API, OAuth below `/oauth`, and the admin API below `/_sandbox`."""
    return Starlette(
        routes=[
            Mount("/_sandbox", routes=admin_routes(sandbox)),
            Mount("/oauth", app=OAuthEndpoint(sandbox)),
            Route("/{path:path}", endpoint=ApiEndpoint(sandbox)),
        ]
    )


class ApiEndpoint(Endpoint):
    """Answers every other path."""

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrived_at = time.monotonic()
        request = Request(scope, receive)
        call = _call(request, await request.body())
        record = RequestRecord(
            time=arrived_at, method=call.method, path=call.path,
            query=call.parameters.as_lists(), token=call.token,
            body=call.body.decode(errors="replace"),
        )  # fmt: skip
        key = self._sandbox.log.arrived(record)
        faults, behaviour = self._sandbox.drawn(call.method, call.path)
        await asyncio.sleep(seconds(faults, "slow-start"))
        unheard = _unheard(call, _url_length(scope), behaviour)
        with self._sandbox.lock:
            verdict = None if unheard else self._verdict(call, faults, behaviour)
        await cut_early(seconds(faults, "slow-commit", default=1), scope)
        with self._sandbox.lock:
            answer = unheard or self._answer(call, faults, behaviour, verdict)
            answer = with_headers(answer, verdict, behaviour, self._sandbox.clock)
        harm = damage(faults, behaviour)
        self._sandbox.log.answered(
            key,
            status=None if harm.cut_before else answer.status,
            faults=tuple(fault.kind for fault in faults),
        )
        if not harm.loses_something:
            self._sandbox.handed_out(answer)
        await deliver(answer, harm, scope, send)

    def _verdict(self, call: Call, faults: list[Fault], behaviour: Behaviour) -> Verdict | None:
        for fault in faults:
            if fault.kind == "foreign":
                self._sandbox.rate_limit.eat(fault.parameters.get("requests", 1), behaviour)
        return self._sandbox.rate_limit.hit(call.token or "", behaviour)

    def _answer(
        self, call: Call, faults: list[Fault], behaviour: Behaviour, verdict: Verdict | None
    ) -> Answer:
        answer = too_many(verdict, behaviour) or instead(faults, verdict)
        return answer or afterwards(self._carried_out(call, faults, behaviour), faults)

    def _carried_out(self, call: Call, faults: list[Fault], behaviour: Behaviour) -> Answer:
        sandbox = self._sandbox
        edits = sum(f.parameters.get("rows", 1) for f in faults if f.kind == "edit-rows")
        sandbox.colleagues.live(call.path, behaviour, edits=edits)
        try:
            return sandbox.api.answer(call, behaviour)
        except Refusal as refusal:
            return refusal_answer(refusal)


def _unheard(call: Call, url_length: int, behaviour: Behaviour) -> Answer | None:
    """The answer to what does not reach the API, and is not counted."""
    if call.path == LOGIN:
        return page(200, "Inloggen")
    return too_long(url_length, behaviour)


def _url_length(scope: Scope) -> int:
    query: bytes = scope["query_string"]
    return len(scope["raw_path"]) + (1 + len(query) if query else 0)


def _call(request: Request, body: bytes) -> Call:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return Call(
        method=request.method,
        path=unquote(request.url.path),
        parameters=Parameters.read(request.url.query),
        token=token.strip() if scheme.lower() == "bearer" else None,
        body=body,
    )
