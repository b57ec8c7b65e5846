"""The web application: a request passes the budget, the faults and the API, in this order."""

from __future__ import annotations

import time
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount, Route

from cirqll_sandbox.admin import admin_routes
from cirqll_sandbox.answers import Answer, json_answer, refusal_answer
from cirqll_sandbox.api import Call
from cirqll_sandbox.parameters import Parameters
from cirqll_sandbox.refusals import Refusal
from cirqll_sandbox.request_log import RequestRecord
from cirqll_sandbox.wire import Damage, deliver

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.faults import Fault
    from cirqll_sandbox.rate_limit import Verdict
    from cirqll_sandbox.sandbox import Sandbox

_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_HTML = "text/html; charset=utf-8"
_LOGIN = "/login"


def build_app(sandbox: Sandbox) -> Starlette:
    """The API, and the admin API below `/_sandbox`; OAuth would be mounted at `/oauth`."""
    return Starlette(
        routes=[
            Mount("/_sandbox", routes=admin_routes(sandbox)),
            Route("/{path:path}", endpoint=ApiEndpoint(sandbox)),
        ]
    )


class ApiEndpoint:
    """Answers every path outside the admin API."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request from arrival to delivery; a mistake of the sandbox itself is made known."""
        try:
            await self._serve(scope, receive, send)
        except Exception as error:
            self._sandbox.failed(error)
            raise

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
        self._sandbox.announce(record)
        with self._sandbox.lock:
            faults = self._sandbox.faults.drawn(call.method, call.path)
            behaviour = self._sandbox.behaviour
            for fault in faults:
                behaviour = fault.overriding(behaviour)
            answer = self._answer(call, faults, behaviour)
        damage = _damage(faults, behaviour)
        self._sandbox.log.answered(
            key,
            status=None if damage.cut_before else answer.status,
            faults=tuple(fault.kind for fault in faults),
        )
        await deliver(answer, damage, scope, send)

    def _answer(self, call: Call, faults: list[Fault], behaviour: Behaviour) -> Answer:
        sandbox = self._sandbox
        for fault in faults:
            if fault.kind == "foreign":
                sandbox.rate_limit.eat(fault.parameters.get("requests", 1), behaviour)
        if call.path == _LOGIN:
            return _page(200, "Inloggen")
        verdict = sandbox.rate_limit.hit(call.token or "", behaviour)
        answer = _too_many(verdict, behaviour) or _instead(faults, verdict)
        answer = answer or self._carried_out(call, faults, behaviour)
        return _with_headers(answer, verdict, behaviour, sandbox)

    def _carried_out(self, call: Call, faults: list[Fault], behaviour: Behaviour) -> Answer:
        sandbox = self._sandbox
        edits = sum(f.parameters.get("rows", 1) for f in faults if f.kind == "edit-rows")
        sandbox.live(call.path, behaviour, edits=edits)
        try:
            return sandbox.api.answer(call, behaviour)
        except Refusal as refusal:
            return refusal_answer(refusal)


def _call(request: Request, body: bytes) -> Call:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return Call(
        method=request.method,
        path=unquote(request.url.path),
        parameters=Parameters.read(request.url.query),
        token=token.strip() if scheme.lower() == "bearer" else None,
        body=body,
    )


def _too_many(verdict: Verdict | None, behaviour: Behaviour) -> Answer | None:
    if verdict is None or verdict.allowed:
        return None
    wait = str(verdict.seconds_until_reset) if behaviour.retry_after else None
    return _refused_for_now(wait)


def _refused_for_now(wait: str | None) -> Answer:
    headers = {"Retry-After": wait} if wait is not None else {}
    return json_answer(429, {"message": "Too Many Requests"}, **headers)


def _instead(faults: list[Fault], verdict: Verdict | None) -> Answer | None:
    """The answer of the first fault that keeps a request from being carried out."""
    for fault in faults:
        answer = _stand_in(fault, verdict)
        if answer is not None:
            return answer
    return None


def _stand_in(fault: Fault, verdict: Verdict | None) -> Answer | None:
    match fault.kind:
        case "429":
            until_reset = verdict.seconds_until_reset if verdict else 1
            return _refused_for_now(str(fault.parameters.get("seconds", until_reset)))
        case "429-without-retry-after":
            return _refused_for_now(None)
        case "html-200":
            return _page(200, "Onderhoud")
        case "login-redirect":
            return Answer(302, "", {"Location": _LOGIN}, _HTML)
        case "cut-before":
            return Answer(500)
    return _error(fault.status, html=fault.html) if fault.status else None


def _error(status: int, *, html: bool) -> Answer:
    if html:
        return _page(status, f"{status} Error")
    return json_answer(status, {"message": "Server Error"})


def _page(status: int, title: str) -> Answer:
    return Answer(status, _PAGE.format(title), {}, _HTML)


def _damage(faults: list[Fault], behaviour: Behaviour) -> Damage:
    kinds = {fault.kind for fault in faults}
    return Damage(
        seconds_before=behaviour.latency_seconds + _seconds(faults, "slow"),
        dripping_seconds=_seconds(faults, "drip"),
        cut_before=bool(kinds & {"cut-before", "lost-answer"}),
        cut_in_body="cut-middle" in kinds,
        truncated="truncated" in kinds,
        empty="empty" in kinds,
    )


def _seconds(faults: list[Fault], kind: str) -> float:
    return sum(float(f.parameters.get("seconds", 2)) for f in faults if f.kind == kind)


def _with_headers(
    answer: Answer, verdict: Verdict | None, behaviour: Behaviour, sandbox: Sandbox
) -> Answer:
    headers = dict(answer.headers)
    if behaviour.date_header:
        now = sandbox.clock.now() + timedelta(seconds=behaviour.date_offset_seconds)
        headers["Date"] = format_datetime(now, usegmt=True)
    if verdict is not None and behaviour.rate_headers and answer.content_type != _HTML:
        headers["X-RateLimit-Limit"] = str(verdict.limit)
        headers["X-RateLimit-Remaining"] = str(verdict.remaining)
    return Answer(answer.status, answer.body, headers, answer.content_type)
