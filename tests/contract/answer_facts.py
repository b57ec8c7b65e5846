"""Facts about answers: statuses and bodies of single records, of errors, of limits and tokens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.contract.fact import Fact
from tests.contract.questions import NO_FIELD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.recordings import Exchange

LOWEST_LIMIT = 60
THIRTY_DAYS = 2_592_000
_DOCUMENTED_PATHS = frozenset({"contract", "customer", "user"})
_FILTER_OPERATORS = frozenset(
    {
        "contains", "ends_with", "eq", "gt", "gte", "in", "like", "lt", "lte", "starts_with",
    }
)  # fmt: skip
_OPERATOR = re.compile(r"(?:^|[(,])[\w.]+:(?:not:)?(\w+):")
_SCOPE = re.compile(r"[a-z_]+\.[a-z]+\.[a-z]+")
_ORDER = re.compile(r"(\w+)(:asc|:desc)?")


def _documented_path(one: Exchange) -> Iterator[str]:
    if one.resource and one.resource.name in _DOCUMENTED_PATHS:
        yield from _path(one)


def _other_path(one: Exchange) -> Iterator[str]:
    if one.resource and one.resource.name not in _DOCUMENTED_PATHS:
        yield from _path(one)


def _path(one: Exchange) -> Iterator[str]:
    if one.deed == "index" and one.status in {404, 405}:
        yield f"{one.path} is answered {one.status}"


def _bare(one: Exchange, deed: str) -> Iterator[str]:
    if one.deed == deed and one.is_good and one.body:
        if not isinstance(one.said, dict):
            yield "no object came"
        elif "id" not in one.said:
            yield "the object is not bare: " + (
                "data is around it" if "data" in one.said else "no id"
            )


def _show_is_bare(one: Exchange) -> Iterator[str]:
    yield from _bare(one, "show")


def _create_is_bare(one: Exchange) -> Iterator[str]:
    yield from _bare(one, "create")
    if one.deed == "create" and one.is_good and one.status not in {200, 201}:
        yield f"a Create is answered {one.status}"


def _update_is_bare(one: Exchange) -> Iterator[str]:
    yield from _bare(one, "update")
    if one.deed == "update" and one.is_good and one.status != 200:
        yield f"an Update is answered {one.status}"
    if one.deed == "update" and one.is_good and not one.body:
        yield "an Update is answered with nothing"


def _delete(one: Exchange) -> Iterator[str]:
    if one.deed == "delete" and one.is_good and one.status not in {200, 204}:
        yield f"a Delete is answered {one.status}"


def _me(one: Exchange) -> Iterator[str]:
    if one.path != "/api/auth/me":
        return
    if one.status == 404:
        yield "/auth/me is not there"
    if one.is_good and "id" not in one.record:
        yield "/auth/me is no user"
    elif one.is_good and "company" not in one.record:
        yield "/auth/me comes without the company"


def _settings(one: Exchange) -> Iterator[str]:
    is_setting = one.resource is not None and one.resource.name == "setting"
    if is_setting and one.is_good and one.deed in {"show", "create", "delete"}:
        yield f"settings have a {one.deed}"


def _bad_operator(one: Exchange) -> Iterator[str]:
    operators = set(_OPERATOR.findall(one.query.get("filter", "")))
    if one.deed == "index" and operators - _FILTER_OPERATORS:
        yield from _refusal(one, {400}, "an operator that is none")


def _bad_order(one: Exchange) -> Iterator[str]:
    orders = [_ORDER.fullmatch(name) for name in one.listed("order_by")]
    is_bad = any(found is None or found[1] == NO_FIELD for found in orders)
    if one.deed == "index" and is_bad:
        yield from _refusal(one, {400}, "a bad field or direction to order by")


def _bad_count(one: Exchange) -> Iterator[str]:
    if one.deed == "index" and one.resource and set(one.listed("count")) & set(one.resource.to_one):
        yield from _refusal(one, {400}, "a count of a to-one relation")


def _many_below_many(one: Exchange) -> Iterator[str]:
    nested = [name for name in one.listed("with") if name.endswith(".notes")]
    if one.deed == "index" and nested and one.is_good:
        yield "a to-many relation below another one is not refused"


def _too_heavy(one: Exchange) -> Iterator[str]:
    many = one.resource.to_many if one.resource else ()
    heavy = [name for name in one.listed("with") if name in many and name != "field_values"]
    if one.deed == "index" and len(heavy) > 5:
        yield from _refusal(one, {400}, "more than 16 points of relations")


def _refusal(one: Exchange, statuses: set[int], what: str) -> Iterator[str]:
    if one.status in {401, 403, 429} or one.status >= 500:
        return
    if one.status not in statuses:
        yield f"{what} is answered {one.status}"
    elif not _has_message(one):
        yield f"{what} is refused without a message"


def _message(one: Exchange) -> Iterator[str]:
    if one.resource and one.status in {401, 403, 404, 422} and not _has_message(one):
        yield f"{one.status} comes without a message in JSON"


def _unauthenticated(one: Exchange) -> Iterator[str]:
    if one.resource and one.status == 401 and one.said != {"message": "Unauthenticated."}:
        yield "401 does not say that it is Unauthenticated."


def _validation(one: Exchange) -> Iterator[str]:
    if one.method in {"POST", "PATCH"} and one.resource and one.status in {400, 422}:
        errors = one.said.get("errors") if isinstance(one.said, dict) else None
        if one.status == 400:
            yield "what is wrong with fields is answered 400"
        elif not isinstance(errors, dict) or not all(map(_is_texts, errors.values())):
            yield "422 does not tell by field what is wrong, each in a list"


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _server_error(one: Exchange) -> Iterator[str]:
    if one.resource and one.status == 500 and one.said != {"message": "Server Error"}:
        yield "500 does not say Server Error"


def _too_many(one: Exchange) -> Iterator[str]:
    if one.resource and one.status == 429 and one.said != {"message": "Too Many Requests"}:
        yield "429 does not say Too Many Requests"


def _retry_after(one: Exchange) -> Iterator[str]:
    if one.resource and one.status == 429 and not one.headers.get("retry-after", "").isdecimal():
        yield "429 comes without Retry-After"


def _limit_told(one: Exchange) -> Iterator[str]:
    if one.path.startswith("/api/") and one.said is not None:
        for name in ("limit", "remaining"):
            if not one.headers.get(f"x-ratelimit-{name}", "").isdecimal():
                yield f"X-RateLimit-{name.title()} is no number, or missing"


def _limit_at_least(one: Exchange) -> Iterator[str]:
    limit = one.headers.get("x-ratelimit-limit", "")
    if limit.isdecimal() and int(limit) < LOWEST_LIMIT:
        yield f"the limit is {limit} requests a minute"


def _pair(one: Exchange) -> Iterator[str]:
    if _is_token_answer(one):
        said = one.said if isinstance(one.said, dict) else {}
        names = ("access_token", "refresh_token")
        yield from (f"there is no {name}" for name in names if not said.get(name))


def _life(one: Exchange) -> Iterator[str]:
    if _is_token_answer(one) and isinstance(one.said, dict):
        if str(one.said.get("token_type")).lower() != "bearer":
            yield "token_type is not Bearer"
        if one.said.get("expires_in") != THIRTY_DAYS:
            yield "expires_in is not 30 days"


def _rotation(one: Exchange) -> Iterator[str]:
    before = one.form.get("refresh_token")
    after = one.said.get("refresh_token") if isinstance(one.said, dict) else None
    if _is_token_answer(one) and before and before == after:
        yield "a refresh gave the same refresh token back"


def _dead_token(one: Exchange) -> Iterator[str]:
    if not _is_token_request(one) or one.is_good or one.status >= 429:
        return
    error = one.said.get("error") if isinstance(one.said, dict) else None
    if one.status not in {400, 401} or error not in {"invalid_grant", "invalid_request"}:
        yield f"a dead token is answered {one.status}, not 400 or 401 with invalid_grant"


def _scopes(one: Exchange) -> Iterator[str]:
    if one.path != "/oauth/scopes":
        return
    if one.status == 404:
        yield "/oauth/scopes is not there"
    rows = one.said if isinstance(one.said, list) else []
    names = [row.get("id") if isinstance(row, dict) else row for row in rows]
    if one.is_good and not (names and all(map(_SCOPE.fullmatch, map(str, names)))):
        yield "/oauth/scopes is no list of <resource>.<action>.<reach>"


def _is_token_request(one: Exchange) -> bool:
    return one.path == "/oauth/token"


def _is_token_answer(one: Exchange) -> bool:
    return _is_token_request(one) and one.is_good


def _has_message(one: Exchange) -> bool:
    return isinstance(one.said, dict) and isinstance(one.said.get("message"), str)


ANSWER_FACTS = (
    Fact("paths", "doc", "/contract, /customer, /user", _documented_path),
    Fact("other paths", "likely", "The others are singular and lower case too", _other_path),
    Fact("show is bare", "likely", "Show answers the bare object", _show_is_bare),
    Fact("create is bare", "likely", "Create: 200 or 201, the bare object", _create_is_bare),
    Fact("update is bare", "doc", "Update answers 200 with the bare object", _update_is_bare),
    Fact("delete", "likely", "Delete answers 200 or 204", _delete),
    Fact("me", "doc", "/auth/me: the user of the token with the company", _me),
    Fact("settings", "doc", "Setting has Index and Update only", _settings),
    Fact("bad operator", "doc", "400 with a message", _bad_operator),
    Fact("bad order", "doc", "400 with a message", _bad_order),
    Fact("bad count", "doc", "400 with a message", _bad_count),
    Fact("many below many", "doc", "It is refused", _many_below_many),
    Fact("too heavy", "likely", "More than 16 points are refused with 400", _too_heavy),
    Fact("message", "likely", "401, 403, 404, 422 say why in message", _message),
    Fact("unauthenticated", "likely", '401 {"message": "Unauthenticated."}', _unauthenticated),
    Fact("validation", "likely", "422, with errors by field", _validation),
    Fact("server error", "likely", '500 {"message": "Server Error"}', _server_error),
    Fact("too many requests", "doc", '429 {"message": "Too Many Requests"}', _too_many),
    Fact("retry after", "likely", "429 says how long to wait", _retry_after),
    Fact("limit told", "doc", "Every answer tells the limit and what remains", _limit_told),
    Fact("limit of 60", "doc", "60 requests a minute, more on request", _limit_at_least),
    Fact("token pair", "doc", "An access token and a refresh token come", _pair),
    Fact("token life", "likely", "Bearer tokens, for 30 days", _life),
    Fact("rotation", "likely", "A refresh token is good for one use", _rotation),
    Fact("dead token", "likely", "400 or 401, invalid_grant or invalid_request", _dead_token),
    Fact("scopes", "likely", "/oauth/scopes lists <resource>.<action>.<reach>", _scopes),
)
