"""The admin API below `/_sandbox`: what tests and people do to the sandbox over HTTP.

It needs no token and counts for nothing. All bodies are JSON.

    GET    /_sandbox/                     what it holds: token, client, rows of each table
    GET    /_sandbox/rows/customer        {"data": [...]}: exact copies
    POST   /_sandbox/rows/customer        one row, or a list of rows -> the row, or {"ids": [...]}
    DELETE /_sandbox/rows/customer        all rows
    GET    /_sandbox/rows/customer/7      one row
    PATCH  /_sandbox/rows/customer/7      changes; touches updated_at unless it is given
    DELETE /_sandbox/rows/customer/7
    GET    /_sandbox/behaviour            all options; PATCH changes some:
                                          {"price_places": 2, "forbidden_rows": {"customer": [5]}}
    GET    /_sandbox/faults               {"data": [...], "kinds": {...}}
    POST   /_sandbox/faults               {"kind": "503", "probability": 0.1, "at": [3], "times": 2,
                                           "since": 3, "path": "/customer", "method": "GET",
                                           ...parameters}
    DELETE /_sandbox/faults               all; /_sandbox/faults/1 for one
    GET    /_sandbox/requests             {"data": [...]}, tokens as fingerprints; DELETE forgets
    GET    /_sandbox/requests/most?seconds=60      {"requests": 12}: most in any window
    GET    /_sandbox/clock                {"now": "..."}; PUT {"now": "...", "running": false}
    POST   /_sandbox/clock/move           {"seconds": 3600}
    POST   /_sandbox/foreign              {"requests": 10}: other programs eat from the budget
    POST   /_sandbox/edits                {"resource": "customer", "rows": 5}: somebody changes rows
    POST   /_sandbox/undocumented-fields  every row gets fields that nobody documented
    POST   /_sandbox/drift                {"resources": ["customer"], "new_rows": 5,
                                           "changed_share": 0.2, "late_row": 90000}, all
                                          optional -> {"epoch": 1}: see `cirqll_sandbox.drift`
    POST   /_sandbox/tokens               {"token": "...", "scopes": ["user.read.all"]}
    DELETE /_sandbox/tokens/{token}
    POST   /_sandbox/reset                as it was at the start

Rows that go or come back have their own, such as POST /_sandbox/delete: see
`cirqll_sandbox.admin_vanishing`. So has signing in: see `cirqll_sandbox.admin_oauth`.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from cirqll_sandbox.admin_bodies import given
from cirqll_sandbox.admin_oauth import OAUTH_ROUTES
from cirqll_sandbox.admin_vanishing import VANISHING_ROUTES
from cirqll_sandbox.changes import changed
from cirqll_sandbox.drift import Drift
from cirqll_sandbox.exact_json import dumps, loads
from cirqll_sandbox.faults import FAULT_KINDS
from cirqll_sandbox.oauth_log import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from cirqll_sandbox.admin_bodies import Handler
    from cirqll_sandbox.sandbox import Sandbox


def admin_routes(sandbox: Sandbox) -> list[Route]:
    """The routes, relative to `/_sandbox`."""
    return [
        Route(path, _endpoint(sandbox, handler), methods=[method])
        for method, path, handler in (*_ROUTES, *VANISHING_ROUTES, *OAUTH_ROUTES)
    ]


def _endpoint(sandbox: Sandbox, handler: Handler) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        try:
            text = await request.body()
            body = loads(text) if text else None
            with sandbox.lock:
                return _json(200, handler(sandbox, request, body))
        except KeyError as error:
            return _json(404, {"message": f"There is no {error.args[0]} here."})
        except (ValueError, TypeError) as error:
            return _json(400, {"message": str(error)})

    return answer


def _json(status: int, value: Any) -> Response:
    return Response(dumps(value), status_code=status, media_type="application/json")


def _summary(sandbox: Sandbox, _: Request, __: Any) -> Any:
    return {
        "access_token": sandbox.access_token,
        "client_id": sandbox.client.id,
        "client_secret": sandbox.client.secret,
        "rows": sandbox.row_counts(),
    }


def _rows(sandbox: Sandbox, request: Request, _: Any) -> Any:
    return {"data": sandbox.rows(request.path_params["table"]).all()}


def _insert(sandbox: Sandbox, request: Request, body: Any) -> Any:
    table = sandbox.rows(request.path_params["table"])
    if isinstance(body, list):
        return {"ids": table.insert_many(body)}
    return table.insert(**(body or {}))


def _clear_rows(sandbox: Sandbox, request: Request, _: Any) -> Any:
    sandbox.rows(request.path_params["table"]).clear()
    return {}


def _row(sandbox: Sandbox, request: Request, _: Any) -> Any:
    row = sandbox.rows(request.path_params["table"]).get(request.path_params["id"])
    if row is None:
        raise KeyError(request.path_params["id"])
    return row


def _update(sandbox: Sandbox, request: Request, body: Any) -> Any:
    table = sandbox.rows(request.path_params["table"])
    return table.update(request.path_params["id"], **(body or {}))


def _delete(sandbox: Sandbox, request: Request, _: Any) -> Any:
    sandbox.rows(request.path_params["table"]).delete(request.path_params["id"])
    return {}


def _behaviour(sandbox: Sandbox, _: Request, body: Any) -> Any:
    sandbox.behaviour = changed(sandbox.behaviour, **(body or {}))
    return asdict(sandbox.behaviour)


def _faults(sandbox: Sandbox, _: Request, __: Any) -> Any:
    data = [
        {**fault.as_dict(), "happened": sandbox.faults.happened(fault)}
        for fault in sandbox.faults.all()
    ]
    return {"data": data, "kinds": FAULT_KINDS}


def _add_fault(sandbox: Sandbox, _: Request, body: Any) -> Any:
    rule = dict(body or {})
    kind = rule.pop("kind", "")
    return sandbox.faults.add(kind, **rule).as_dict()


def _clear_faults(sandbox: Sandbox, _: Request, __: Any) -> Any:
    sandbox.faults.clear()
    return {}


def _remove_fault(sandbox: Sandbox, request: Request, _: Any) -> Any:
    sandbox.faults.remove(request.path_params["id"])
    return {}


def _requests(sandbox: Sandbox, _: Request, __: Any) -> Any:
    records = sandbox.requests
    return {"data": [{**asdict(one), "token": fingerprint(one.token)} for one in records]}


def _forget_requests(sandbox: Sandbox, _: Request, __: Any) -> Any:
    sandbox.forget_requests()
    return {}


def _most(sandbox: Sandbox, request: Request, _: Any) -> Any:
    seconds = float(request.query_params.get("seconds", "60"))
    return {"requests": sandbox.most_in_any_window(seconds)}


def _clock(sandbox: Sandbox, _: Request, __: Any) -> Any:
    return {"now": sandbox.clock.now().isoformat()}


def _set_clock(sandbox: Sandbox, request: Request, body: Any) -> Any:
    sandbox.clock.set(datetime.fromisoformat(given(body, "now")), running=body.get("running"))
    return _clock(sandbox, request, body)


def _move_clock(sandbox: Sandbox, request: Request, body: Any) -> Any:
    sandbox.clock.move(float(given(body, "seconds")))
    return _clock(sandbox, request, body)


def _foreign(sandbox: Sandbox, _: Request, body: Any) -> Any:
    sandbox.foreign_requests(int(given(body, "requests")))
    return {}


def _edits(sandbox: Sandbox, _: Request, body: Any) -> Any:
    return {"ids": sandbox.edit_rows(given(body, "resource"), int(body.get("rows", 1)))}


def _undocumented(sandbox: Sandbox, _: Request, __: Any) -> Any:
    sandbox.add_undocumented_fields()
    return {}


def _drift(sandbox: Sandbox, _: Request, body: Any) -> Any:
    if body is None:
        return {"epoch": sandbox.drift()}
    lists = {"resources": tuple(body["resources"])} if "resources" in body else {}
    return {"epoch": sandbox.drift(Drift(**{**body, **lists}))}


def _grant(sandbox: Sandbox, _: Request, body: Any) -> Any:
    return {"token": sandbox.tokens.grant(given(body, "token"), scopes=body.get("scopes"))}


def _revoke(sandbox: Sandbox, request: Request, _: Any) -> Any:
    sandbox.tokens.revoke(request.path_params["token"])
    return {}


def _reset(sandbox: Sandbox, _: Request, __: Any) -> Any:
    sandbox.reset()
    return {}


_ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/", _summary),
    ("GET", "/rows/{table}", _rows),
    ("POST", "/rows/{table}", _insert),
    ("DELETE", "/rows/{table}", _clear_rows),
    ("GET", "/rows/{table}/{id:int}", _row),
    ("PATCH", "/rows/{table}/{id:int}", _update),
    ("DELETE", "/rows/{table}/{id:int}", _delete),
    ("GET", "/behaviour", _behaviour),
    ("PATCH", "/behaviour", _behaviour),
    ("GET", "/faults", _faults),
    ("POST", "/faults", _add_fault),
    ("DELETE", "/faults", _clear_faults),
    ("DELETE", "/faults/{id:int}", _remove_fault),
    ("GET", "/requests", _requests),
    ("DELETE", "/requests", _forget_requests),
    ("GET", "/requests/most", _most),
    ("GET", "/clock", _clock),
    ("PUT", "/clock", _set_clock),
    ("POST", "/clock/move", _move_clock),
    ("POST", "/foreign", _foreign),
    ("POST", "/edits", _edits),
    ("POST", "/undocumented-fields", _undocumented),
    ("POST", "/drift", _drift),
    ("POST", "/tokens", _grant),
    ("DELETE", "/tokens/{token}", _revoke),
    ("POST", "/reset", _reset),
]
