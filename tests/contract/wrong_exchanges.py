"""Exchanges that are wrong on purpose, one or more for each fact, and the right one beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from tests.contract.recordings import Exchange

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADERS = {
    "content-type": "application/json",
    "x-ratelimit-limit": "60",
    "x-ratelimit-remaining": "59",
    "x-eager-loading-weight": "0",
}
USER = {"id": 1, "name": "text"}
PAGE_OF_NONE: dict[str, Any] = {"data": [], "limit": 50, "total": 0, "offset": 0}
PRICES = {"price": 1, "price_type": 1, "start_date": None, "end_date": None}
MESSAGE = {"message": "No."}
TOKENS = {
    "access_token": "a",
    "refresh_token": "b",
    "token_type": "Bearer",
    "expires_in": 2_592_000,
}
REFRESH = "grant_type=refresh_token&refresh_token=a"


def exchange(
    question: str,
    said: Any = None,
    *,
    status: int = 200,
    sent: str = "",
    headers: Mapping[str, str] | None = None,
) -> Exchange:
    """``GET /api/customer?limit=2`` and its answer."""
    method, _, uri = question.partition(" ")
    url = urlsplit(uri)
    return Exchange(
        method=method,
        path=url.path,
        query=dict(parse_qsl(url.query)),
        sent=sent,
        status=status,
        headers={**HEADERS, **(headers or {})},
        body=said if isinstance(said, str) else "" if said is None else json.dumps(said),
        place="here",
    )


def page(*rows: Mapping[str, Any], limit: int = 2, **changes: Any) -> dict[str, Any]:
    """The answer of an Index."""
    return {"data": list(rows), "limit": limit, "total": len(rows), "offset": 0, **changes}


@dataclass(frozen=True, slots=True)
class Case:
    """A fact, an exchange that fits it and one that does not."""

    fact: str
    right: Exchange
    wrong: Exchange


def _index(  # noqa: PLR0913 - a question is made of these
    fact: str, query: str, right: Any, wrong: Any, *, resource: str = "customer", weight: int = 0
) -> Case:
    question = f"GET /api/{resource}?limit=2{query}"
    headers = {"x-eager-loading-weight": str(weight)}
    return Case(
        fact,
        exchange(question, right, headers=headers),
        exchange(question, wrong, headers=headers),
    )


def _status(
    fact: str, question: str, right: tuple[int, Any], wrong: tuple[int, Any], *, sent: str = ""
) -> Case:
    return Case(
        fact,
        exchange(question, right[1], status=right[0], sent=sent),
        exchange(question, wrong[1], status=wrong[0], sent=sent),
    )


def _one_of(fact: str, resource: str, right: Mapping[str, Any], wrong: Mapping[str, Any]) -> Case:
    return _index(fact, "", page({"id": 1, **right}), page({"id": 1, **wrong}), resource=resource)


_GET, _SHOW, _POST = "GET /api/customer?limit=2", "GET /api/customer/1", "POST /api/customer"
_PATCH, _DELETE, _TOKEN = "PATCH /api/customer/1", "DELETE /api/customer/1", "POST /oauth/token"
_TWO = ({"id": 1}, {"id": 2})
_HEAVY = "contacts,appointments,assignments,chances,contracts,tasks"
_VALUE = {"id": 1, "field_id": 3, "value": "x"}
_WITH_VALUES = {"id": 1, "field_values": {**PAGE_OF_NONE, "data": [_VALUE], "total": 1}}
_LONG_PAGE = {**PAGE_OF_NONE, "data": [{"id": one} for one in range(1, 52)], "total": 51}
_NO_LIMIT = {"x-ratelimit-limit": ""}

CASES = (
    _status("paths", _GET, (200, page()), (404, MESSAGE)),
    _status("other paths", "GET /api/todo?limit=2", (200, page()), (404, MESSAGE)),
    _status("show is bare", _SHOW, (200, {"id": 1}), (200, {"data": {"id": 1}})),
    _status("show is bare", _SHOW, (200, {"id": 1}), (200, [{"id": 1}])),
    _status("create is bare", _POST, (201, {"id": 1}), (201, {"data": {"id": 1}})),
    _status("create is bare", _POST, (200, {"id": 1}), (202, {"id": 1})),
    _status("update is bare", _PATCH, (200, {"id": 1}), (200, {"data": {"id": 1}})),
    _status("update is bare", _PATCH, (200, {"id": 1}), (204, None)),
    _status("delete", _DELETE, (204, None), (202, None)),
    _status("me", "GET /api/auth/me", (200, {"id": 1, "company": {}}), (200, {"id": 1})),
    _status("me", "GET /api/auth/me", (200, {"id": 1, "company": {}}), (200, [])),
    _status("me", "GET /api/auth/me", (200, {"id": 1, "company": {}}), (404, MESSAGE)),
    _status("settings", "GET /api/setting/1", (404, MESSAGE), (200, {"id": 1})),
    _status("bad operator", f"{_GET}&filter=id:near:1", (400, MESSAGE), (200, page())),
    _status("bad operator", f"{_GET}&filter=id:near:1", (400, MESSAGE), (400, "<p>No.</p>")),
    _status("bad order", f"{_GET}&order_by=no_such_field", (400, MESSAGE), (200, page())),
    _status("bad order", f"{_GET}&order_by=id:sideways", (400, MESSAGE), (422, MESSAGE)),
    _status("bad count", f"{_GET}&count=user", (400, MESSAGE), (200, page())),
    _status("many below many", f"{_GET}&with=contacts.notes", (400, MESSAGE), (200, page())),
    _status("too heavy", f"{_GET}&with={_HEAVY}", (400, MESSAGE), (200, page())),
    _status("message", _SHOW, (404, MESSAGE), (404, "<p>No.</p>")),
    _status("unauthenticated", _GET, (401, {"message": "Unauthenticated."}), (401, MESSAGE)),
    _status("validation", _POST, (422, {**MESSAGE, "errors": {"name": ["No."]}}), (422, MESSAGE)),
    _status("validation", _POST, (422, {**MESSAGE, "errors": {"name": ["No."]}}), (400, MESSAGE)),
    _status("server error", _GET, (500, {"message": "Server Error"}), (500, MESSAGE)),
    _status("too many requests", _GET, (429, {"message": "Too Many Requests"}), (429, MESSAGE)),
    Case(
        "retry after",
        exchange(_GET, MESSAGE, status=429, headers={"retry-after": "60"}),
        exchange(_GET, MESSAGE, status=429),
    ),
    Case("limit told", exchange(_GET, page()), exchange(_GET, page(), headers=_NO_LIMIT)),
    Case(
        "limit of 60",
        exchange(_GET, page(), headers={"x-ratelimit-limit": "120"}),
        exchange(_GET, page(), headers={"x-ratelimit-limit": "30"}),
    ),
    _status("token pair", _TOKEN, (200, TOKENS), (200, {**TOKENS, "refresh_token": None})),
    _status("token life", _TOKEN, (200, TOKENS), (200, {**TOKENS, "expires_in": 3_600})),
    _status("token life", _TOKEN, (200, TOKENS), (200, {**TOKENS, "token_type": "mac"})),
    _status(
        "rotation", _TOKEN, (200, TOKENS), (200, {**TOKENS, "refresh_token": "a"}), sent=REFRESH
    ),
    _status("dead token", _TOKEN, (400, {"error": "invalid_grant"}), (403, MESSAGE), sent=REFRESH),
    _status("dead token", _TOKEN, (401, {"error": "invalid_request"}), (401, MESSAGE)),
    _status("scopes", "GET /oauth/scopes", (200, [{"id": "user.read.all"}]), (404, MESSAGE)),
    _status("scopes", "GET /oauth/scopes", (200, ["user.read.all"]), (200, ["read-user"])),
    _index("envelope", "", page(), {**page(), "links": {}}),
    _index("envelope", "", page(), []),
    _index("envelope", "", page(), {**page(), "total": "0"}),
    _index("limit", "", page(*_TWO), page(*_TWO, limit=100)),
    _index("limit", "", page(*_TWO), page(*_TWO, {"id": 3})),
    Case(
        "limit",
        exchange("GET /api/customer", page(limit=100)),
        exchange("GET /api/customer", page()),
    ),
    _index("offset", "&offset=4", page(offset=4, total=4), page(offset=0, total=0)),
    _index("total", "", page(*_TWO), page(*_TWO, total=1)),
    _index("total", "&offset=4", page(offset=4, total=4), page(offset=4, total=9)),
    _index("order", "&order_by=id:desc", page({"id": 2}, {"id": 1}), page(*_TWO)),
    _index(
        "order",
        "&order_by=updated_at,id",
        page(
            {"id": 1, "updated_at": "2024-01-01 00:00:00"},
            {"id": 2, "updated_at": "2024-01-01 00:00:00"},
        ),
        page(
            {"id": 2, "updated_at": "2024-01-01 00:00:00"},
            {"id": 1, "updated_at": "2024-01-01 00:00:00"},
        ),
    ),
    _index("filter", "&filter=id:in:1;2", page(*_TWO), page({"id": 1}, {"id": 3})),
    _index(
        "time filter",
        "&filter=updated_at:gte:%222024-01-01+00:00:00%22",
        page({"id": 1, "updated_at": "2024-01-01 00:00:00"}),
        page({"id": 1, "updated_at": "2023-12-31 23:59:59"}),
    ),
    _index("show", "&show=name", page({"id": 1, "name": "x"}), page({"id": 1, "email": "x"})),
    _index("show", "&show=name", page({"id": 1, "name": "x"}), page({"name": "x"})),
    _index(
        "show",
        "&show=user.name",
        page({"id": 1, "user_id": 1, "user": USER}),
        page({"id": 1, "user_id": 1, "user": USER, "name": "x"}),
    ),
    _index(
        "to-one",
        "&with=user",
        page({"id": 1, "user": USER}),
        page({"id": 1, "user": [USER]}),
        weight=1,
    ),
    _index("to-one", "&with=user", page({"id": 1, "user": None}), page({"id": 1}), weight=1),
    _index(
        "to-many",
        "&with=contacts",
        page({"id": 1, "contacts": PAGE_OF_NONE}),
        page({"id": 1, "contacts": []}),
        weight=3,
    ),
    _index(
        "to-many",
        "&with=contacts",
        page({"id": 1, "contacts": PAGE_OF_NONE}),
        page({"id": 1, "contacts": _LONG_PAGE}),
        weight=3,
    ),
    _index(
        "field values",
        "&with=field_values",
        page(_WITH_VALUES),
        page({"id": 1, "field_values": {"3": "x"}}),
        weight=1,
    ),
    _index(
        "field values",
        "&with=field_values",
        page(_WITH_VALUES),
        page({"id": 1, "field_values": {**PAGE_OF_NONE, "data": [{"id": 1}], "total": 1}}),
        weight=1,
    ),
    _status(
        "field values offered",
        "GET /api/task?limit=2&with=field_values",
        (403, MESSAGE),
        (400, MESSAGE),
    ),
    _index(
        "count",
        "&count=contacts",
        page({"id": 1, "contacts_count": 0}),
        page({"id": 1, "contacts_count": "0"}),
    ),
    Case(
        "weight told",
        exchange(f"{_GET}&with=user", page()),
        exchange(f"{_GET}&with=user", page(), headers={"x-eager-loading-weight": ""}),
    ),
    Case(
        "weight",
        exchange(
            f"{_GET}&with=user,contacts,field_values",
            page(),
            headers={"x-eager-loading-weight": "5"},
        ),
        exchange(
            f"{_GET}&with=user,contacts,field_values",
            page(),
            headers={"x-eager-loading-weight": "3"},
        ),
    ),
    _one_of("documented fields", "customer", {"name": "x"}, {"name": 3}),
    _one_of("documented fields", "chance", {"name": "x"}, {"name": "x" * 256}),
    _one_of("documented fields", "chance", {"percentage": 100}, {"percentage": 101}),
    _one_of("likely fields", "task", {"name": None}, {"name": ["x"]}),
    _one_of("guessed fields", "task", {"deadline": "2024-01-01"}, {"deadline": "next week"}),
    _one_of("guessed fields", "customer", {"coc_number": "01"}, {"coc_number": 1}),
    _index(
        "documented fields",
        "&with=contacts",
        page({"id": 1, "contacts": {**PAGE_OF_NONE, "data": [{"id": 1, "last_name": "x"}]}}),
        page({"id": 1, "contacts": {**PAGE_OF_NONE, "data": [{"id": 1, "last_name": 1}]}}),
        weight=3,
    ),
    _index("ids", "", page({"id": 4_294_967_296}), page({"id": 4_294_967_297})),
    _one_of("ids", "customer", {"shop_id": None}, {"shop_id": "5"}),
    _one_of(
        "times",
        "customer",
        {"updated_at": "2024-05-18 13:38:35"},
        {"updated_at": "2024-05-18T13:38:35Z"},
    ),
    _one_of("no deleted_at", "customer", {}, {"deleted_at": None}),
    _one_of("password", "user", {}, {"password": None}),
    _one_of("always there", "contract", {"name": "x", **PRICES}, PRICES),
)
