"""The canonical questions: what is asked of every resource, and the mistakes made on purpose.

They go through the project's own client, so what is recorded is what tap and target send.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from cirqll_client import responses
from cirqll_client.query import Condition, IndexQuery, Order, all_of, any_of
from cirqll_client.resources import RESOURCES, resource_of_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cirqll_client.client import CirqllClient
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Page, Record
    from cirqll_client.transport import Answer

FEW = 2
BEYOND_THE_END = 1_000_000
NO_FIELD = "no_such_field"
NOBODYS_ID = 4_294_967_295
LARGEST_PAGE = 1_001
"""More than any page that is known to be given."""
_MOST_AT_ONCE = 4
"""To-many relations of one question: 12 of the 16 points that are allowed."""
WRITABLE = ("customer", "contact", "task", "appointment", "chance", "assignment", "contract")
"""What can be created without a mail to anybody, or a call of anybody's server. A guess."""
_BODY = {"name": "A recording, to be deleted"}
_BODIES: Mapping[str, Mapping[str, object]] = {
    "contact": {"first_name": "A recording", "last_name": "to be deleted"},
    # What a contract always has [doc]; that a Create needs it is a guess.
    "contract": {**_BODY, "price": 1, "start_date": "2026-01-01 00:00:00", "end_date": None},
}
_WHO, _EMPTY = "who is signed in", "create nothing"
_TWICE = (_WHO, _EMPTY)
NOT_ASKED = object()
"""What comes of a question that needs a record where there is none."""


@dataclass(slots=True)
class Seen:
    """What earlier questions of a suite brought."""

    rows: list[Record] = field(default_factory=list)
    created: dict[str, int] = field(default_factory=dict)
    """Records that were made here and are still there, by resource."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question to the API; what the client makes of the answer comes of it."""

    words: str
    ask: Callable[[CirqllClient, Seen], object]
    has_wrong_token: bool = False


@dataclass(frozen=True, slots=True)
class Suite:
    """Questions in turn, which share a file."""

    name: str
    questions: tuple[Question, ...]


def reading_suites() -> tuple[Suite, ...]:
    """Give all that is only read."""
    mine = Suite("signed_in_user", (Question(_WHO, lambda client, _: client.me()),))
    resources = [Suite(one.name, tuple(_reads(one))) for one in RESOURCES]
    return (*resources, mine, Suite("mistakes", tuple(_mistakes())))


def writing_suites() -> tuple[Suite, ...]:
    """Give what creates a record, changes it and deletes it, and what is refused."""
    written = tuple(each for name in WRITABLE for each in _writes(_resource(name)))
    return (Suite("writes", written),)


def fault_suite() -> Suite:
    """Give what is asked while a server is made to fail."""
    page = partial(_page, _resource("customer"), IndexQuery(limit=FEW))
    words = ("forbidden", "too many requests", "server error", "web page of a proxy")
    return Suite("faults", tuple(Question(one, page) for one in words))


def most_requests(suites: Iterable[Suite]) -> int:
    """Count the requests if each question can be asked; a few take two."""
    return sum(2 if one.words.endswith(_TWICE) else 1 for each in suites for one in each.questions)


def _reads(resource: Resource) -> Iterator[Question]:
    asked = _asked(resource)
    yield asked("a page", _first_page)
    if "show" in resource.actions:
        yield asked("one record", _show)
    yield asked("what changed since, in order", _changed_since)
    yield asked("what lies behind a key", _behind_key)
    yield asked("newest first", _newest)
    yield asked("some fields", _some_fields)
    yield asked("several by id", _several)
    yield asked("beyond the end", _beyond)
    for relations in _loads(resource):
        yield asked(f"with {', '.join(relations)}", partial(_with, relations=relations))
    if resource.to_many:
        yield asked("how many of each relation", _counted)


def _mistakes() -> Iterator[Question]:
    customer, user = _resource("customer"), _resource("user")
    page = IndexQuery(limit=FEW)
    wrong: dict[str, IndexQuery] = {
        "an operator that is none": IndexQuery(
            limit=FEW,
            filter=Condition("id", "near", 1),  # type: ignore[arg-type] # the mistake
        ),
        "an order by no field": IndexQuery(limit=FEW, order_by=(Order(NO_FIELD),)),
        "an order in no direction": IndexQuery(limit=FEW, order_by=(Order("id:sideways"),)),
        "a count of one": IndexQuery(limit=FEW, count=("user",)),
        "too many relations": IndexQuery(
            limit=FEW, relations=tuple(one for one in customer.to_many if one != "field_values")
        ),
        "many below many": IndexQuery(limit=FEW, relations=("contacts.notes",)),
        "the largest page": IndexQuery(limit=LARGEST_PAGE, offset=BEYOND_THE_END, show=("id",)),
    }
    for words, query in wrong.items():
        yield Question(words, partial(_page, customer, query))
    yield Question("a time without quotes", _time_without_quotes)
    yield Question(
        "a record that is not there", lambda client, _: client.show(customer, NOBODYS_ID)
    )
    yield Question("a token that is none", partial(_page, user, page), has_wrong_token=True)


def _writes(resource: Resource) -> Iterator[Question]:
    asked = _asked(resource)
    yield asked("create", _create)
    yield asked("update", _update)
    yield asked("delete", _delete)
    if resource.required:
        yield asked(_EMPTY, _create_nothing)


def _asked(resource: Resource) -> Callable[[str, Callable[..., object]], Question]:
    return lambda words, ask: Question(f"{resource.name}: {words}", partial(ask, resource))


def _resource(name: str) -> Resource:
    found = resource_of_stream(name)
    assert found
    return found


def _loads(resource: Resource) -> Iterator[tuple[str, ...]]:
    """Divide the relations among questions within the weight that is allowed."""
    heavy = [one for one in resource.to_many if one != "field_values"]
    light = (*resource.to_one, *(one for one in resource.to_many if one not in heavy))
    if light:
        yield light
    for start in range(0, len(heavy), _MOST_AT_ONCE):
        yield tuple(heavy[start : start + _MOST_AT_ONCE])


def _page(resource: Resource, query: IndexQuery, client: CirqllClient, _seen: Seen) -> object:
    return client.index(resource, query)


def _time_without_quotes(client: CirqllClient, _seen: Seen) -> object:
    customer = _resource("customer")
    since = Condition("updated_at", "gte", "2020-01-01 00:00:00")
    query = IndexQuery(limit=FEW, filter=since, show=("id",))
    parameters = query.parameters(quoting="bare_times")
    return client.ask(customer.path, _read_page, parameters=parameters)


def _read_page(answer: Answer) -> Page:
    plain = partial(responses.plain_rows, bookmark_field=None, key_without_id=None)
    return responses.page(answer.body, headers=answer.headers, read_rows=plain)


def _first_page(resource: Resource, client: CirqllClient, seen: Seen) -> object:
    page = client.index(resource, IndexQuery(limit=FEW))
    seen.rows = page.rows.rows
    return page


def _show(resource: Resource, client: CirqllClient, seen: Seen) -> object:
    key = _first(seen, "id")
    return client.show(resource, key) if key else NOT_ASKED


def _changed_since(resource: Resource, client: CirqllClient, seen: Seen) -> object:
    since = _first(seen, "updated_at")
    if not since:
        return NOT_ASKED
    query = IndexQuery(limit=FEW, order_by=_KEY, filter=Condition("updated_at", "gte", since))
    return client.index(resource, query)


def _behind_key(resource: Resource, client: CirqllClient, seen: Seen) -> object:
    key, since = _first(seen, "id"), _first(seen, "updated_at")
    if not (key and since):
        return NOT_ASKED
    tie = all_of(Condition("updated_at", "eq", since), Condition("id", "gt", key))
    behind = any_of(Condition("updated_at", "gt", since), tie)
    return client.index(resource, IndexQuery(limit=FEW, order_by=_KEY, filter=behind))


def _newest(resource: Resource, client: CirqllClient, _seen: Seen) -> object:
    return client.index(resource, IndexQuery(limit=FEW, order_by=(Order("id", descending=True),)))


def _some_fields(resource: Resource, client: CirqllClient, _seen: Seen) -> object:
    return client.index(resource, IndexQuery(limit=FEW, show=("updated_at",)))


def _several(resource: Resource, client: CirqllClient, seen: Seen) -> object:
    keys = tuple(row["id"] for row in seen.rows if type(row.get("id")) is int)
    several = Condition("id", "in", keys)
    return client.index(resource, IndexQuery(limit=FEW, filter=several)) if keys else NOT_ASKED


def _beyond(resource: Resource, client: CirqllClient, _seen: Seen) -> object:
    return client.index(resource, IndexQuery(limit=FEW, offset=BEYOND_THE_END))


def _with(
    resource: Resource, client: CirqllClient, _seen: Seen, *, relations: tuple[str, ...]
) -> object:
    return client.index(resource, IndexQuery(limit=FEW, relations=relations))


def _counted(resource: Resource, client: CirqllClient, _seen: Seen) -> object:
    return client.index(resource, IndexQuery(limit=FEW, show=("id",), count=resource.to_many))


def _create(resource: Resource, client: CirqllClient, seen: Seen) -> object:
    return _made(resource, client, seen, body=_BODIES.get(resource.name, _BODY))


def _update(resource: Resource, client: CirqllClient, seen: Seen) -> object:
    key = seen.created.get(resource.name)
    changes = _BODIES.get(resource.name, _BODY)
    return NOT_ASKED if key is None else client.update(resource, key, changes)


def _delete(resource: Resource, client: CirqllClient, seen: Seen) -> object:
    key = seen.created.get(resource.name)
    if key is None:
        return NOT_ASKED
    client.delete(resource, key)
    del seen.created[resource.name]
    return None


def _create_nothing(resource: Resource, client: CirqllClient, seen: Seen) -> object:
    """Ask what a record needs; a server that needs nothing has made one, which goes again."""
    if resource.name in seen.created:
        return NOT_ASKED
    record = _made(resource, client, seen, body={})
    _delete(resource, client, seen)
    return record


def _made(
    resource: Resource, client: CirqllClient, seen: Seen, *, body: Mapping[str, object]
) -> Record:
    record = client.create(resource, body, on_sending=_nothing)
    seen.created[resource.name] = record["id"]
    return record


def _first(seen: Seen, name: str) -> Any:
    return next((row[name] for row in seen.rows if row.get(name)), None)


def _nothing() -> None:
    """Write nothing down: what is created here, is deleted here."""


_KEY = (Order("updated_at"), Order("id"))
