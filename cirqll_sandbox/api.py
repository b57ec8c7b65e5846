"""The API itself: from a request to its answer, without the network and without faults."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cirqll_sandbox import dependants, field_values
from cirqll_sandbox.answers import Answer, json_answer
from cirqll_sandbox.eager_loading import WEIGHT_HEADER, Presenter
from cirqll_sandbox.exact_json import loads
from cirqll_sandbox.listing import Listing
from cirqll_sandbox.reach import within_reach
from cirqll_sandbox.refusals import (
    Refusal,
    bad_request,
    forbidden,
    forbidden_record,
    not_found,
    unauthenticated,
)
from cirqll_sandbox.resources import RESOURCES
from cirqll_sandbox.served import ME
from cirqll_sandbox.writing import Write

if TYPE_CHECKING:
    from cirqll_sandbox.accounts import Accounts
    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.grants import Grant
    from cirqll_sandbox.parameters import Parameters
    from cirqll_sandbox.resources import Action, Resource
    from cirqll_sandbox.tables import Database, Row, Table
    from cirqll_sandbox.tokens import Tokens

_PATH = re.compile(r"/api/(?P<resource>[a-z_]+)(?:/(?P<id>[^/]+))?\Z")
_ACTIONS: dict[tuple[str, bool], Action] = {
    ("GET", False): "index",
    ("GET", True): "show",
    ("POST", False): "create",
    ("PATCH", True): "update",
    ("DELETE", True): "delete",
}
_SCOPE = {"index": "read", "show": "read"}
_ME = {
    "/auth/me": ("/api/auth/me",), "/user/me": ("/api/user/me",),
    "both": ("/api/auth/me", "/api/user/me"), "nowhere": (),
}  # fmt: skip
_LARGEST_ID = 2**32


@dataclass(frozen=True, slots=True)
class Call:
    """A request as the API sees it."""

    method: str
    path: str
    parameters: Parameters
    token: str | None
    body: bytes = b""


class Api:
    """Sixteen resources and `auth/me`."""

    def __init__(self, database: Database, tokens: Tokens, accounts: Accounts) -> None:
        self._database = database
        self._tokens = tokens
        self._accounts = accounts
        self._listing = Listing(database)

    def answer(self, call: Call, behaviour: Behaviour) -> Answer:
        """Carry out the request; a `Refusal` is raised where the answer is no success."""
        grant = self._tokens.find(call.token)
        if grant is None:
            raise unauthenticated()
        if call.path in _ME[behaviour.me_path] and call.method == "GET":
            return self._me(grant)
        action, table, id_text = self._route(call, behaviour)
        needed = _needed_scope(table.resource.name, action)
        if not grant.permits(needed, behaviour):
            raise forbidden(needed)
        if behaviour.relations_need_scopes:
            self._require_relations(call, table, grant, behaviour)
        if action == "index":
            return self._listing.answer(table, call.parameters, behaviour)
        if action == "delete":
            return self._deleted(_changeable(table, id_text, behaviour), table, behaviour)
        # A view that is refused must be refused before anything is written.
        presenter = Presenter(call.parameters, table, self._database, behaviour, single=True)
        status = behaviour.create_status if action == "create" else 200
        row = self._row(action, table, id_text, call, behaviour)
        answer, text = _single(status, row, presenter, behaviour)
        if action != "show":
            return answer
        return replace(answer, resource=table.resource.name, records=(text,))

    def _me(self, grant: Grant) -> Answer:
        answer = json_answer(200, self._accounts.me(grant.user_id))
        return replace(answer, resource=ME, records=(answer.body,))

    def _route(self, call: Call, behaviour: Behaviour) -> tuple[Action, Table, str]:
        match = _PATH.match(call.path)
        resource = RESOURCES.get(match["resource"]) if match else None
        actions = _actions(resource, behaviour) if resource else ()
        if match is None or resource is None or not actions:
            message = f"The route {call.path.lstrip('/')} could not be found."
            raise not_found(message)
        action = _ACTIONS.get((call.method, match["id"] is not None))
        if action not in actions:
            message = f"The {call.method} method is not supported for this route."
            raise Refusal(405, message)
        return action, self._database.tables[resource.name], match["id"] or ""

    def _row(
        self, action: Action, table: Table, id_text: str, call: Call, behaviour: Behaviour
    ) -> Row:
        """The row to show: a new one, a changed one, or as it is."""
        write = Write(table, self._database, behaviour)
        if action == "create":
            return write.create(_json(call))
        if action == "update":
            return write.update(_changeable(table, id_text, behaviour), _json(call))
        return _found(table, id_text, behaviour)

    def _deleted(self, row: Row, table: Table, behaviour: Behaviour) -> Answer:
        dependants.delete(row, table, self._database, behaviour)
        empty = behaviour.delete_status == 204  # noqa: PLR2004 - no content
        return Answer(behaviour.delete_status, "" if empty else "{}")

    def _require_relations(
        self, call: Call, table: Table, grant: Grant, behaviour: Behaviour
    ) -> None:
        for name in Presenter(call.parameters, table, self._database, behaviour).resources:
            needed = f"{name}.read.all"
            if RESOURCES[name].actions and not grant.permits(needed, behaviour):
                raise forbidden(needed)


def _actions(resource: Resource, behaviour: Behaviour) -> tuple[Action, ...]:
    """What can be done with a resource, and with custom values where they are to be had alone."""
    if resource.name == field_values.TABLE and behaviour.field_values_rest == "index":
        return ("index",)
    return resource.actions


def _needed_scope(resource: str, action: Action) -> str:
    """A guess for custom values: whoever may read the fields may read these."""
    owner = "field" if resource == field_values.TABLE else resource
    return f"{owner}.{_SCOPE.get(action, action)}.all"


def _found(table: Table, id_text: str, behaviour: Behaviour) -> Row:
    row = table.get(int(id_text)) if id_text.isdecimal() and int(id_text) <= _LARGEST_ID else None
    if row is None or not within_reach([row], table.resource.name, behaviour):
        message = f"No query results for model [{table.resource.name}] {id_text}."
        raise not_found(message)
    return row


def _changeable(table: Table, id_text: str, behaviour: Behaviour) -> Row:
    """The row; a `Refusal` (403) where a policy forbids to change it."""
    row = _found(table, id_text, behaviour)
    if row["id"] in behaviour.forbidden_rows.get(table.resource.name, ()):
        raise forbidden_record()
    return row


def _single(
    status: int, row: Row, presenter: Presenter, behaviour: Behaviour
) -> tuple[Answer, str]:
    """The answer, with the record that it holds."""
    text = presenter.text(row)
    body = f'{{"data":{text}}}' if behaviour.wrap_single else text
    return Answer(status, body, {WEIGHT_HEADER: str(presenter.weight)}), text


def _json(call: Call) -> Any:
    if not call.body:
        return {}
    try:
        return loads(call.body)
    except ValueError:
        message = "The body is not valid JSON."
        raise bad_request(message) from None
