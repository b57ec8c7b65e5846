"""The second run of the same rows writes nothing, whatever the first one wrote."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from cirqll_client.resources import RESOURCES
from tests.target.writing_fixtures import over_http
from tests.target.written_values import MATCH_KEYS, contents

if TYPE_CHECKING:
    from cirqll_client.resources import Resource
    from tests.target.writing_fixtures import Record, Target

PARENTS = ("user", "role", "customer", "contact", "chance", "task")
MEDDLING: dict[str, st.SearchStrategy[Any]] = {
    "trims_texts": st.booleans(),
    "empty_texts_become_null": st.booleans(),
    "price_places": st.sampled_from([None, 0, 2]),
    "text_limit_mode": st.just("cut"),
    "normalises_email": st.booleans(),
    "normalises_phone": st.booleans(),
    "ignored_write_fields": st.sampled_from([(), ("description", "phone", "user_id", "value")]),
    "hidden_fields": st.sampled_from([(), ("description", "email", "price", "deadline", "order")]),
    "wrap_single": st.booleans(),
    "touch_unchanged": st.booleans(),
    "create_status": st.sampled_from([200, 201]),
    "show_mode": st.sampled_from(["honour", "ignore", "refuse"]),
    "page_maximum": st.sampled_from([2, 1000]),
}


@dataclass(frozen=True)
class Case:
    """Rows, and the API that they go to."""

    rows: list[Record]
    keys: tuple[str, ...] = ()
    match_on: tuple[str, ...] = ()
    behaviour: dict[str, Any] = field(default_factory=dict)
    zone: str = "UTC"
    seconds_between: int = 0


@st.composite
def cases(draw: st.DrawFn, resource: Resource, parents: dict[str, list[int]]) -> Case:
    rows = draw(st.lists(contents(resource, parents), min_size=1, max_size=4))
    ways = ["id", "key", "match", "content"] if "create" in resource.actions else ["id"]
    way = draw(st.sampled_from(ways))
    event(way)
    match_on: tuple[str, ...] = ()
    if way == "match":
        usable = [name for name in MATCH_KEYS if name in resource.schema["properties"]]
        match_on = tuple(usable[:1])
        for row in rows:
            row.update({name: draw(MATCH_KEYS[name]) for name in match_on})
    for number, row in enumerate(rows, start=1):
        row.update({"id": {"id": number}, "key": {"no": f"K{number}"}}.get(way, {}))
    chosen = draw(st.sets(st.sampled_from(sorted(MEDDLING)), max_size=4))
    return Case(
        rows,
        keys={"id": ("id",), "key": ("no",)}.get(way, ()),
        match_on=match_on,
        behaviour={name: draw(MEDDLING[name]) for name in sorted(chosen)},
        zone=draw(st.sampled_from(["UTC", "Europe/Amsterdam"])),
        seconds_between=draw(st.sampled_from([0, 0, 1, 60])),
    )


def prepare(target: Target, resource: Resource, case: Case) -> None:
    target.begin(timezone=case.zone, **case.behaviour)
    target.settings = {"api_timezone": case.zone}
    for name in PARENTS:
        target.source.sandbox.rows(name).insert_many([{"name": f"{name} {one}"} for one in "abc"])
    if case.keys == ("id",):
        there = target.source.sandbox.rows(resource.name)
        missing = len(case.rows) - len(there.all())
        if missing > 0:
            there.insert_many([{"name": "was there"} for _ in range(missing)])


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: one.stream)
@over_http(12)
@given(data=st.data())
def test_the_second_run_writes_nothing(
    target: Target, resource: Resource, data: st.DataObject
) -> None:
    case = data.draw(cases(resource, {name: [1, 2, 3] for name in PARENTS}))
    prepare(target, resource, case)
    match_on = {resource.name: case.match_on} if case.match_on else {}

    first = target(case.rows, stream=resource.stream, keys=case.keys, match_on=match_on)
    target.source.sandbox.clock.move(case.seconds_between)
    second = target(case.rows, stream=resource.stream, keys=case.keys, match_on=match_on)

    assert first.reasons() == []
    assert second.reasons() == []
    assert second.writes == []
