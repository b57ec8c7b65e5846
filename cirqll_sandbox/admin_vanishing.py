"""The admin API of rows that go from a reader's sight, or come back.

POST   /_sandbox/delete               {"resource": "customer", "ids": [1, 2]}: somebody deletes them
POST   /_sandbox/restore              {"resource": "customer", "ids": [1], "touches": false}: they
are there again; updated_at becomes now, unless nothing is to be touched
POST   /_sandbox/hide                 {"resource": "customer", "ids": [3], "counted": false}: the
Index skips them, and counts them unless told not to; Show gives them
POST   /_sandbox/show-again           {"resource": "customer", "ids": [3]}: without ids all of them
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cirqll_sandbox.admin_bodies import given

if TYPE_CHECKING:
    from starlette.requests import Request

    from cirqll_sandbox.admin_bodies import Handler
    from cirqll_sandbox.sandbox import Sandbox


def _delete(sandbox: Sandbox, _: Request, body: Any) -> Any:
    sandbox.delete(given(body, "resource"), *_ids(body))
    return {}


def _restore(sandbox: Sandbox, _: Request, body: Any) -> Any:
    resource, ids = given(body, "resource"), _ids(body)
    sandbox.restore(resource, *ids, touches=body.get("touches") is not False)
    return {}


def _hide(sandbox: Sandbox, _: Request, body: Any) -> Any:
    resource, ids = given(body, "resource"), _ids(body)
    sandbox.hide(resource, *ids, counted=body.get("counted") is not False)
    return {}


def _show_again(sandbox: Sandbox, _: Request, body: Any) -> Any:
    resource = given(body, "resource")
    sandbox.show_again(resource, *(_ids(body) if "ids" in body else ()))
    return {}


def _ids(body: Any) -> list[int]:
    ids = given(body, "ids")
    if not isinstance(ids, list) or not all(type(id_) is int for id_ in ids):
        message = "The ids are a list of numbers, such as [1, 2]."
        raise ValueError(message)
    return ids


VANISHING_ROUTES: list[tuple[str, str, Handler]] = [
    ("POST", "/delete", _delete),
    ("POST", "/restore", _restore),
    ("POST", "/hide", _hide),
    ("POST", "/show-again", _show_again),
]
