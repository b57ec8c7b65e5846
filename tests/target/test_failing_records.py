"""Records that the API fails on or forbids whatever is done are rejected; an outage is not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.errors import ScopeMissing, Unavailable
from tests.target.writing_runs import Writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.reading_fixtures import Source

READ = ["user.read.all", "customer.read.all"]


def in_hundredths(seconds: float) -> None:
    """Let a minute take a second or two."""
    time.sleep(seconds / 40)


@pytest.fixture
def writing(crm: Source, tmp_path: Path) -> Iterator[Writing]:
    """Customers of a company that has ten are written, and waits are short."""
    crm.begin()
    crm.sandbox.faults.clear()
    crm.fill(10)
    before = crm.sandbox.behaviour
    store = f"sqlite:///{tmp_path / 'store.sqlite'}"
    yield Writing(crm, store, keys=("id",), pause=in_hundredths)
    crm.sandbox.behaviour = before
    crm.sandbox.faults.clear()


def ids(writing: Writing) -> list[int]:
    return [int(row["id"]) for row in writing.source.customers.all()]


def changed(some: list[int]) -> list[dict[str, Any]]:
    return [{"id": one, "name": "B"} for one in some]


def poison(writing: Writing, *some: int, method: str = "PATCH") -> None:
    for one in some:
        writing.source.sandbox.faults.add("500", method=method, path=f"/customer/{one}$")


@pytest.mark.parametrize("position", [0, 9])
def test_a_record_that_always_fails_is_rejected_and_the_others_are_written(
    writing: Writing, position: int
) -> None:
    poison(writing, ids(writing)[position])

    ended = writing.run(changed(ids(writing)))

    assert ended.is_whole
    assert ended.rejects == {position + 1: "refused"}
    assert "fails on this customer every time (500" in ended.reasons[0]
    assert sum(row["name"] == "B" for row in writing.source.customers.all()) == 9


@pytest.mark.parametrize("number", [1, 3])
def test_a_few_records_that_always_fail_are_rejected_though_nothing_else_is_written(
    writing: Writing, number: int
) -> None:
    few = ids(writing)[:number]
    poison(writing, *few)

    ended = writing.run(changed(few))

    assert ended.is_whole
    assert set(ended.rejects.values()) == {"refused"}
    assert len(ended.rejects) == number


def test_many_among_more_that_succeed_are_rejected(writing: Writing) -> None:
    poison(writing, *ids(writing)[::2])

    ended = writing.run(changed(ids(writing)))

    assert ended.is_whole
    assert sorted(ended.rejects) == [1, 3, 5, 7, 9]


@pytest.mark.parametrize("fault", ["500", "502-html", "503"])
def test_where_all_changes_fail_nothing_is_rejected(writing: Writing, fault: str) -> None:
    writing.source.sandbox.faults.add(fault, method="PATCH")

    ended = writing.run(changed(ids(writing)))

    assert isinstance(ended.error, Unavailable)
    assert (ended.rejects, ended.deeds) == ({}, {})


def test_an_outage_that_ends_is_waited_for(writing: Writing) -> None:
    writing.source.sandbox.faults.add("500", method="PATCH", times=40)

    ended = writing.run(changed(ids(writing)))

    assert len(ended.deeds) == 10


def test_of_a_record_alone_the_api_is_asked_whether_it_is_there(writing: Writing) -> None:
    """One that fails at everything is down, though only one record is to be changed."""
    few = ids(writing)[:1]
    sandbox = writing.source.sandbox
    poison(writing, *few)
    sandbox.faults.add("500", method="GET", path="/customer/")

    ended = writing.run(changed(few))

    assert isinstance(ended.error, Unavailable)
    assert ended.rejects == {}


def test_a_row_that_cannot_be_created_is_rejected_after_a_few_tries(writing: Writing) -> None:
    writing.keys = ("no",)
    writing.source.sandbox.faults.add("500", method="POST")

    ended = writing.run([{"no": 1, "name": "Zaak 1"}])

    posts = sum(one.method == "POST" for one in writing.source.sandbox.requests)
    assert ended.rejects == {1: "refused"}
    assert "every time (500" in ended.reasons[0]
    assert posts == 3
    assert writing.time.skipped < writing.request_timeout


def test_where_no_row_can_be_created_nothing_is_rejected(writing: Writing) -> None:
    writing.keys = ("no",)
    writing.source.sandbox.faults.add("500", method="POST")

    ended = writing.run([{"no": one, "name": f"Zaak {one}"} for one in range(5)])

    assert isinstance(ended.error, Unavailable)
    assert ended.rejects == {}


def test_what_came_in_place_of_answers_is_told(writing: Writing) -> None:
    writing.keys = ("no",)
    writing.source.sandbox.faults.add("502-html", method="POST")

    ended = writing.run([{"no": 1, "name": "Zaak 1"}])

    assert ended.rejects == {1: "unknown"}
    assert "(the server answered 502)" in ended.reasons[0]


def forbidden(writing: Writing, *some: int) -> None:
    writing.source.behave(forbidden_rows={"customer": some})


def test_a_record_that_is_forbidden_though_the_token_has_the_scope_is_rejected(
    writing: Writing,
) -> None:
    writing.access_token = writing.source.sandbox.grant().access_token
    only = ids(writing)[:1]
    forbidden(writing, *only)

    ended = writing.run(changed(only))

    assert ended.rejects == {1: "refused"}
    assert "forbids to update this customer" in ended.reasons[0]


def test_one_that_is_forbidden_is_rejected_where_an_earlier_run_changed_others(
    writing: Writing,
) -> None:
    writing.source.behave(access_tokens="opaque")
    writing.access_token = writing.source.sandbox.grant().access_token
    first, second, *_ = ids(writing)
    forbidden(writing, first)

    alone = writing.run(changed([first]))
    writing.run(changed([second]))
    later = writing.run(changed([first]))

    assert isinstance(alone.error, ScopeMissing)
    assert later.rejects == {1: "refused"}


def test_a_scope_that_was_taken_away_ends_the_run(writing: Writing) -> None:
    writing.source.behave(access_tokens="opaque")
    writing.run(changed(ids(writing)))
    writing.access_token = writing.source.sandbox.grant(READ).access_token

    ended = writing.run([{"id": one, "name": "C"} for one in ids(writing)])

    assert isinstance(ended.error, ScopeMissing)
    assert ended.rejects == {}


@pytest.mark.parametrize("taken", [{"email": "a@b.nl"}, {"email": "a@b.nl", "import_id": 7}])
def test_a_reason_says_once_what_is_wrong_with_each_field(
    writing: Writing, taken: dict[str, Any]
) -> None:
    writing.source.behave(unique_fields={"customer": ("email", "import_id")})
    writing.source.customers.update(ids(writing)[1], email="a@b.nl", import_id=7)

    ended = writing.run([{"id": ids(writing)[0], **taken}])

    (said,) = ended.reasons
    assert said.count("has already been taken") == len(taken)
    assert "more error" not in said
    assert said.startswith("email: ") is (len(taken) > 1)
