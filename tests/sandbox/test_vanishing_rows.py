"""Rows are deleted and restored, and an Index can hide some that are there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_sandbox import Behaviour, Sandbox
from cirqll_sandbox.api import Call
from cirqll_sandbox.exact_json import loads
from cirqll_sandbox.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.conftest import Client

BEFORE = "2024-01-01 00:00:00"
SUBSETS = st.just(set[int]()) | st.sets(st.integers(1, 12))


@pytest.fixture(autouse=True)
def rows(sandbox: Sandbox) -> None:
    """Six customers, of which the second has a contact."""
    customers = [{"name": f"K{n}", "updated_at": BEFORE} for n in range(1, 7)]
    sandbox.rows("customer").insert_many(customers)
    sandbox.rows("contact").insert(customer_id=2, last_name="de Vries")


def _in_process(sandbox: Sandbox, _: Client) -> None:
    sandbox.delete("customer", 2, 5)


def _at_a_shell(_: Sandbox, api: Client) -> None:
    body = {"resource": "customer", "ids": [2, 5]}
    assert api.send("POST", "/_sandbox/delete", json=body).status_code == 200


@pytest.mark.parametrize("delete", [_in_process, _at_a_shell])
def test_a_deleted_row_is_nowhere(
    sandbox: Sandbox, api: Client, delete: Callable[[Sandbox, Client], None]
) -> None:
    delete(sandbox, api)

    answer = api.get("/api/customer", show="id").json()
    assert (answer["total"], [row["id"] for row in answer["data"]]) == (4, [1, 3, 4, 6])
    assert api.get("/api/customer/2").status_code == 404
    assert api.rows("/api/contact", with_="customer")[0]["customer"] is None
    assert sandbox.rows("customer").insert()["id"] == 7


@pytest.mark.parametrize("verb", ["delete", "restore"])
def test_rows_are_deleted_or_restored_all_or_none(sandbox: Sandbox, api: Client, verb: str) -> None:
    sandbox.delete("customer", 3)
    ids = [1, 3] if verb == "delete" else [3, 1]

    answer = api.send("POST", f"/_sandbox/{verb}", json={"resource": "customer", "ids": ids})

    told = {
        "delete": "There is no customer 3 here.",
        "restore": "There is no deleted customer 1 here.",
    }
    assert (answer.status_code, answer.json()) == (404, {"message": told[verb]})
    assert sandbox.rows("customer").ids == [1, 2, 4, 5, 6]


@pytest.mark.parametrize(
    ("options", "updated_at"),
    [({}, "2025-06-01 12:00:00"), ({"touches": True}, "2025-06-01 12:00:00"),
     ({"touches": False}, BEFORE)],
)  # fmt: skip
def test_a_restored_row_is_what_it_was_and_touched_or_not(
    sandbox: Sandbox, api: Client, options: dict[str, bool], updated_at: str
) -> None:
    before = sandbox.rows("customer").get(2) or {}
    api.send("DELETE", "/api/customer/2")
    sandbox.clock.set(sandbox.clock.now().replace(2025, 6, 1, 12, 0, 0, 0), running=False)

    body = {"resource": "customer", "ids": [2], **options}
    assert api.send("POST", "/_sandbox/restore", json=body).status_code == 200

    assert api.get("/api/customer/2").json() == {**before, "updated_at": updated_at}
    assert api.ids("/api/customer", filter=f'updated_at:eq:"{updated_at}"')[-1] >= 2
    assert api.rows("/api/contact", with_="customer")[0]["customer"]["id"] == 2


def test_a_row_is_not_restored_in_the_place_of_another(sandbox: Sandbox) -> None:
    sandbox.delete("customer", 2, 3)
    sandbox.rows("customer").insert(id=2, name="somebody else")

    with pytest.raises(ValueError, match="There is a customer 2 already"):
        sandbox.restore("customer", 3, 2)
    assert (sandbox.rows("customer").get(2) or {})["name"] == "somebody else"
    assert sandbox.rows("customer").get(3) is None


@pytest.mark.parametrize("again", [lambda one: one.restore("customer", 3), Sandbox.reset])
def test_what_was_restored_or_forgotten_is_not_restored_again(
    sandbox: Sandbox, again: Callable[[Sandbox], None]
) -> None:
    sandbox.delete("customer", 3)
    again(sandbox)
    with pytest.raises(KeyError, match="customer 3"):
        sandbox.restore("customer", 3)


def test_many_rows_with_gaps_go_in_and_out_in_no_time(sandbox: Sandbox) -> None:
    table = sandbox.rows("task")

    ids = table.insert_many({"id": 3 * n, "name": f"T{n}"} for n in range(1, 5_001))
    table.delete_many(ids[::7])

    assert len(table) == len(table.ids) == len(table.by_updated_at) == 5_000 - len(ids[::7])
    table.restore(*ids[::7], touches=False)
    assert table.ids == ids


@pytest.mark.parametrize(("counted", "total"), [(True, 6), (False, 4)])
def test_a_hidden_row_is_shown_but_not_listed(api: Client, *, counted: bool, total: int) -> None:
    body = {"resource": "customer", "ids": [2, 3], "counted": counted}
    assert api.send("POST", "/_sandbox/hide", json=body).status_code == 200

    answer = api.get("/api/customer", order_by="updated_at,id").json()
    assert (answer["total"], [row["id"] for row in answer["data"]]) == (total, [1, 4, 5, 6])
    assert api.get("/api/customer/2").json()["name"] == "K2"
    first = [1] if counted else [1, 4, 5]
    assert api.ids("/api/customer", limit=3, order_by="id") == first
    assert api.get("/api/customer", filter="id:in:2;3;4").json()["total"] == (3 if counted else 1)

    api.send("POST", "/_sandbox/show-again", json={"resource": "customer", "ids": [2]})
    assert api.ids("/api/customer") == [1, 2, 4, 5, 6]
    api.send("POST", "/_sandbox/show-again", json={"resource": "customer"})
    assert api.ids("/api/customer") == [1, 2, 3, 4, 5, 6]


def test_a_row_is_hidden_in_one_way_at_a_time(sandbox: Sandbox) -> None:
    sandbox.hide("contact", 1)
    sandbox.hide("customer", 5)
    sandbox.hide("customer", 5, 6, counted=False)
    assert sandbox.behaviour == Behaviour(
        rate_limit=0, skipped_rows={"contact": (1,)}, unlisted_rows={"customer": (5, 6)}
    )
    sandbox.show_again("customer")
    sandbox.show_again("contact", 1)
    assert sandbox.behaviour == Behaviour(rate_limit=0)
    with pytest.raises(KeyError):
        sandbox.hide("nonsense", 1)


def test_a_repeated_row_comes_right_behind_itself_and_counts_once(
    sandbox: Sandbox, api: Client
) -> None:
    sandbox.behaviour = replace(sandbox.behaviour, repeated_rows={"customer": (2, 6)})

    answer = api.get("/api/customer", order_by="id").json()

    assert [row["id"] for row in answer["data"]] == [1, 2, 2, 3, 4, 5, 6, 6]
    assert answer["total"] == 6
    assert api.ids("/api/customer", order_by="id", limit=2, offset=0) == [1, 2]
    assert api.ids("/api/customer", order_by="id", limit=2, offset=2) == [2, 3]
    assert api.ids("/api/customer", filter="id:gt:5", limit=1) == [6]


@given(
    there=SUBSETS, skipped=SUBSETS, unlisted=SUBSETS, repeated=SUBSETS,
    at_least=st.integers(0, 12), offset=st.integers(0, 8), limit=st.integers(1, 8),
    descends=st.booleans(),
)  # fmt: skip
def test_any_page_is_cut_from_what_is_counted_or_repeated(  # noqa: PLR0913, PLR0917 - the parts of one question
    there: set[int], skipped: set[int], unlisted: set[int], repeated: set[int],
    at_least: int, offset: int, limit: int, descends: bool,  # noqa: FBT001 - hypothesis names it
) -> None:  # fmt: skip
    sandbox = Sandbox(size=0)
    sandbox.rows("customer").insert_many({"id": id_} for id_ in there)
    sandbox.behaviour = replace(
        sandbox.behaviour,
        skipped_rows=_of_customers(skipped), repeated_rows=_of_customers(repeated),
        unlisted_rows=_of_customers(unlisted),
    )  # fmt: skip

    order = "id:desc" if descends else "id"
    question = f"order_by={order}&filter=id:gte:{at_least}&offset={offset}&limit={limit}"
    answer = _asked(sandbox, question)

    assert _asked(sandbox, question) == answer
    counted = sorted((id_ for id_ in there - unlisted if id_ >= at_least), reverse=descends)
    cut = [one for id_ in counted for one in [id_] * (1 + (id_ in repeated))][offset:][:limit]
    assert [row["id"] for row in answer["data"]] == [id_ for id_ in cut if id_ not in skipped]
    assert answer["total"] == len(counted)


def _of_customers(ids: set[int]) -> dict[str, tuple[int, ...]]:
    return {"customer": tuple(ids)} if ids else {}


def _asked(sandbox: Sandbox, question: str) -> dict[str, Any]:
    call = Call("GET", "/api/customer", Parameters.read(question), sandbox.access_token)
    answer: dict[str, Any] = loads(sandbox.api.answer(call, sandbox.behaviour).body)
    return answer


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/delete", None), ("/delete", {"resource": "customer"}), ("/restore", {"ids": [1]}),
        ("/hide", {"resource": "customer", "ids": 1}), ("/show-again", {}),
        ("/delete", {"resource": "customer", "ids": ["1"]}),
    ],
)  # fmt: skip
def test_a_wish_that_lacks_something_is_refused_in_words(
    sandbox: Sandbox, api: Client, path: str, body: object
) -> None:
    answer = api.send("POST", f"/_sandbox{path}", json=body)
    assert answer.status_code == 400
    assert "lacks" in answer.json()["message"] or "such as [1, 2]" in answer.json()["message"]
    assert len(sandbox.rows("customer")) == 6
