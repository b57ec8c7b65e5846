"""Rows that lie within records are marked once they are removed, and none of them that lives."""

from __future__ import annotations

import json
from dataclasses import dataclass
from dataclasses import field as field_of
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.client.raw_server import answer, serving
from tests.tap.nested_account import NestedAccount, NestedRun

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reading_fixtures import Source


@dataclass(frozen=True)
class Kind:
    """One of the tables that are read whole."""

    stream: str
    rows: str
    parents: str
    parent: str
    relation: str
    values: dict[str, Any] = field_of(default_factory=dict)

    @property
    def owner(self) -> str:
        """The column with the id of the parent."""
        return f"{self.parent}_id"


KINDS = (
    Kind("field_options", "field_option", "fields", "field", "options", {"model": "customer"}),
    Kind("role_permissions", "permission", "roles", "role", "permissions"),
    Kind("template_items", "template_item", "templates", "template", "items"),
)
OPTIONS = KINDS[0]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.stream)


@pytest.fixture
def crm(crm: Source) -> Source:
    crm.behave(page_maximum=1000)
    return crm


def filled(crm: Source, folder: Path, kind: Kind = OPTIONS, **settings: Any) -> NestedAccount:
    """Three records with four rows each, read once; the records themselves are not selected."""
    account = NestedAccount(crm, folder, (kind.stream,), settings)
    for parent in account.add_all(kind.parent, 3, **kind.values):
        account.add_all(kind.rows, 4, **{kind.owner: parent})
    assert account.run().error is None
    return account


@each_kind
def test_a_row_that_was_removed_is_marked_at_no_request(
    crm: Source, tmp_path: Path, kind: Kind
) -> None:
    account = filled(crm, tmp_path, kind)
    account.remove(kind.rows, 6)

    second, third = account.run(), account.run()

    assert second.deleted(kind.stream) == [(2, 6)]
    assert second.paths == [f"/api/{kind.parent}"]
    assert account.tables.marked(kind.stream) == {(2, 6)}
    assert account.tables.rows[kind.stream][2, 6]["name"]
    assert third.deleted(kind.stream) == []


@each_kind
def test_rows_of_a_record_that_is_gone_are_marked_after_a_look_at_it(
    crm: Source, tmp_path: Path, kind: Kind
) -> None:
    account = filled(crm, tmp_path, kind, max_deleted_share=0.5)
    account.remove(kind.parent, 2)

    run = account.run()

    assert run.deleted(kind.stream) == [(2, 5), (2, 6), (2, 7), (2, 8)]
    path = f"/api/{kind.parent}"
    assert run.paths == [path, f"{path}/2", f"{path}/1"]


def test_a_record_that_its_own_stream_told_is_not_looked_at_again(
    crm: Source, tmp_path: Path
) -> None:
    account = filled(crm, tmp_path, max_deleted_share=0.5)
    account.streams = ("fields", "field_options")
    account.run()
    account.remove("field", 2)

    run = account.run()

    assert run.deleted("fields") == [(2,)]
    assert len(run.deleted("field_options")) == 4
    assert run.paths.count("/api/field/2") == 1
    account.run()
    assert {key[0] for key in account.tables.marked("field_options")} == {2}


def test_rows_of_a_record_that_is_only_hidden_stay(crm: Source, tmp_path: Path) -> None:
    account = filled(crm, tmp_path, max_deleted_share=0.5)
    crm.sandbox.hide("field", 2, counted=False)
    account.remove("field_option", 1)

    run = account.run()

    assert run.deleted("field_options") == [(1, 1)]


def test_a_row_that_comes_back_lives(crm: Source, tmp_path: Path) -> None:
    account = filled(crm, tmp_path, max_deleted_share=0.5)
    crm.sandbox.delete("field", 2)
    account.run()
    crm.sandbox.restore("field", 2, touches=False)

    account.run()
    last = account.run()

    assert account.tables.marked("field_options") == set()
    assert last.deleted("field_options") == []


def test_too_many_at_once_are_not_marked_unless_that_is_allowed(
    crm: Source, tmp_path: Path
) -> None:
    account = filled(crm, tmp_path)
    account.remove("field_option", 5, 6, 7)

    refused = account.run()
    allowed = account.run(max_deleted_share=1)

    assert refused.deleted("field_options") == []
    (warning,) = refused.said()
    assert warning == (
        "field_options: 3 rows that you have can no longer be found in Cirqll, and that is more "
        "than 20% of 12 (max_deleted_share). None of them is marked as deleted. Look into Cirqll; "
        "if they were deleted on purpose, run once with max_deleted_share set to 1."
    )
    assert allowed.deleted("field_options") == [(2, 5), (2, 6), (2, 7)]


def test_all_at_once_are_marked_only_where_that_is_allowed(crm: Source, tmp_path: Path) -> None:
    account = filled(crm, tmp_path, max_deleted_share=0.99)
    account.remove("field", 1, 2, 3)

    refused = account.run()
    allowed = account.run(max_deleted_share=1)

    assert "and that is all of them. None of them" in refused.said()[-1]
    assert refused.deleted("field_options") == []
    assert len(allowed.deleted("field_options")) == 12


def test_what_a_loader_died_of_before_the_state_is_told_again(crm: Source, tmp_path: Path) -> None:
    account = filled(crm, tmp_path)
    account.remove("field_option", 6)

    first = account.run(acknowledged=0)
    second, third = account.run(), account.run()

    assert first.deleted("field_options") == second.deleted("field_options") == [(2, 6)]
    assert third.deleted("field_options") == []


def test_rows_of_an_interrupted_run_are_known_to_the_next(crm: Source, tmp_path: Path) -> None:
    account = NestedAccount(crm, tmp_path, ("field_options",), {"page_size": 1})
    for field_ in account.add_all("field", 4, model="customer"):
        account.add_all("field_option", 3, field_id=field_)
    crm.sandbox.faults.add("cut-before", since=3, path="^/api/field$")
    account.run()
    crm.sandbox.faults.clear()
    account.remove("field_option", 2)

    gone_on, whole = account.run(), account.run()

    assert gone_on.deleted("field_options") == []
    assert set(gone_on.paths) == {"/api/field"}
    assert whole.deleted("field_options") == [(1, 2)]


@pytest.mark.parametrize("home", ["store", "state"])
def test_where_ids_are_kept_makes_no_difference(crm: Source, tmp_path: Path, home: str) -> None:
    account = filled(crm, tmp_path, delivered_ids=home)
    store = tmp_path / "store.sqlite"
    if home == "state":
        store.unlink()
    account.remove("field_option", 6)

    assert account.run().deleted("field_options") == [(2, 6)]
    assert account.run().deleted("field_options") == []


def test_who_switches_detection_on_begins_with_what_comes_then(crm: Source, tmp_path: Path) -> None:
    account = filled(crm, tmp_path, detect_deletions=False)
    account.remove("field_option", 6)
    account.settings["detect_deletions"] = True

    second = account.run()
    account.remove("field_option", 7)
    third = account.run()

    assert second.deleted("field_options") == []
    assert (
        "field_options: from now on, deleted rows are found among those that come with fields; "
        "what was deleted before now stays as it is."
    ) in second.said(20)
    assert third.deleted("field_options") == [(2, 7)]
    assert not any("from now on" in one for one in third.said(20))


def test_what_was_handed_out_while_nobody_looked_is_not_told(crm: Source, tmp_path: Path) -> None:
    account = filled(crm, tmp_path)
    account.run(detect_deletions=False)
    account.remove("field_option", 6)

    assert account.run().deleted("field_options") == []


def test_a_relation_that_is_refused_tells_nothing(crm: Source, tmp_path: Path) -> None:
    account = filled(crm, tmp_path)
    account.streams = ("fields", "field_options")
    account.remove("field_option", 6)
    crm.behave(refused_relations=("options",))

    refused = account.run()
    crm.behave(refused_relations=())
    later = account.run()

    assert refused.deleted("field_options") == []
    assert later.deleted("field_options") == [(2, 6)]


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("fault", ["500", "403", "404", "cut-before", "truncated", "empty"])
def test_nothing_false_is_told_whatever_fails_and_all_of_it_later(
    crm: Source, tmp_path: Path, fault: Any, at: int
) -> None:
    account = filled(crm, tmp_path, max_deleted_share=0.5, page_size=2)
    account.remove("field", 1)
    account.remove("field_option", 6)
    crm.sandbox.hide("field", 3, counted=False)
    crm.sandbox.faults.add(fault, since=at, path="^/api/field")
    gone = {(1, 1), (1, 2), (1, 3), (1, 4), (2, 6)}

    account.run()

    assert account.tables.marked("field_options") <= gone
    crm.sandbox.faults.clear()
    account.run(max_deleted_share=0.9)
    assert account.tables.marked("field_options") == gone


def test_a_server_that_denies_every_record_is_not_believed(crm: Source, tmp_path: Path) -> None:
    account = filled(crm, tmp_path, max_deleted_share=0.5)
    crm.sandbox.hide("field", 2, counted=False)
    crm.sandbox.faults.add("404", path="^/api/field/")

    run = account.run()

    assert run.deleted("field_options") == []
    (warning,) = run.said()
    assert warning == (
        "field_options: deleted rows were not found this time, since Cirqll denies one of the "
        "fields, too, that it lists. The next run tries again."
    )


def test_a_look_that_is_refused_tells_nothing_and_ends_no_run(crm: Source, tmp_path: Path) -> None:
    account = filled(crm, tmp_path, max_deleted_share=0.5)
    account.remove("field", 2)
    crm.sandbox.faults.add("403", path="^/api/field/")

    run = account.run()

    assert run.error is None
    assert run.deleted("field_options") == []
    assert run.said()[0].startswith("field_options: deleted rows were not found this time, since ")


def test_nothing_is_told_where_not_all_came_along(crm: Source, tmp_path: Path) -> None:
    account = filled(crm, tmp_path, max_deleted_share=0.9)
    account.add_all("field_option", 60, field_id=1)
    account.run()
    account.remove("field_option", 6)

    run = account.run()

    assert "Cirqll gives no more than the first 50 options" in run.said()[0]
    assert run.deleted("field_options") == []
    assert account.tables.marked("field_options") == set()


def field(number: int, *options: int, **values: Any) -> dict[str, Any]:
    """A field as it comes, with the ids of its options."""
    rows = [{"id": one, "name": f"Option {one}"} for one in options]
    row = {"id": number, "updated_at": "2026-01-31 12:00:00"}
    return {**row, "options": {"data": rows, "total": len(rows)}, **values}


def page(*rows: dict[str, Any]) -> bytes:
    body = json.dumps({"data": rows, "limit": 100, "total": len(rows), "offset": 0})
    return answer(200, body, "Content-Type: application/json")


LACKING = {key: value for key, value in field(2).items() if key != "options"}


@pytest.mark.parametrize(
    "odd",
    [
        [field(1, 1, 2), field(2, options={"data": "x"})],
        [field(1, 1, 2), field(2, options=None)],
        [field(1, 1, 2), LACKING],
        [LACKING],
    ],
    ids=["no relation", "null", "without it", "all without it"],
)
def test_nothing_is_told_of_records_that_do_not_tell_their_rows(
    crm: Source, tmp_path: Path, odd: Any
) -> None:
    account = NestedAccount(crm, tmp_path, ("field_options",), {"max_deleted_share": 0.9})
    shown = answer(200, json.dumps(field(2)), "Content-Type: application/json")
    pages = [page(field(1, 1, 2), field(2, 3)), page(*odd), *[shown] * 9]

    with serving(*pages) as server:
        account.run(api_url=server.url)
        run = account.run(api_url=server.url)

    assert run.deleted("field_options") == []


def with_values(crm: Source, folder: Path, *streams: str, **settings: Any) -> NestedAccount:
    """Two customers and two contacts with a value in each of two fields."""
    account = NestedAccount(crm, folder, (*streams, "field_values"), {"concurrency": 1, **settings})
    for owner in ("customer", "contact"):
        fields = account.add_all("field", 2, model=owner)
        for record in account.add_all(owner, 2):
            for one in fields:
                add_value(account, owner, record, one)
    return account


def add_value(account: NestedAccount, owner: str, record: int, number: int) -> None:
    row = {"owner_type": owner, "owner_id": record, "field_id": number, "value": "x"}
    account.add("field_value", **row)


def test_values_go_with_their_record_and_only_those_that_there_are(
    crm: Source, tmp_path: Path
) -> None:
    account = with_values(crm, tmp_path, "customers", "contacts")
    account.add_all("field", 3, model="customer")
    account.run()
    account.remove("customer", 2)

    second, third = account.run(), account.run()

    assert second.deleted("customers") == [(2,)]
    assert second.deleted("field_values") == [("customer", 2, 1), ("customer", 2, 2)]
    assert third.deleted("field_values") == []
    assert len(account.tables.living("field_values")) == 6


def test_values_of_another_resource_come_whole_after_some_were_told_to_be_gone(
    crm: Source, tmp_path: Path
) -> None:
    account = with_values(crm, tmp_path, "customers", "contacts")
    account.run()
    account.remove("contact", 2)
    crm.sandbox.rows("customer").update(1, name="Edited")
    account.pass_time()

    run = account.run()

    told = [one for one in run.messages if one.get("stream") == "field_values"]
    words = [one.get("record", {"record_id": "SCHEMA"})["record_id"] for one in told]
    assert words[:8] == ["SCHEMA", "SCHEMA", 2, 2, "SCHEMA", 2, 2, 1]
    assert account.tables.living("field_values")["customer", 1, 1]["value"] == "x"


def test_values_stay_where_nobody_looks_for_their_records(crm: Source, tmp_path: Path) -> None:
    account = with_values(crm, tmp_path)
    account.run()
    account.remove("customer", 2)
    account.run()
    account.streams = ("customers", "field_values")
    account.run()

    assert account.tables.marked("field_values") == set()


def test_values_that_a_loader_did_not_acknowledge_are_told_again_with_their_record(
    crm: Source, tmp_path: Path
) -> None:
    account = with_values(crm, tmp_path, "customers")
    account.run()
    account.remove("customer", 2)

    first = account.run(loaded=0)
    second = account.run()

    assert first.deleted("field_values") == second.deleted("field_values") != []


def deleted_while_read(crm: Source, folder: Path) -> tuple[NestedAccount, NestedRun]:
    """Values of a customer are handed out, and then it is deleted and told, in one run."""
    account = with_values(crm, folder, "customers")
    account.run()
    for customer in (2, 1):  # what changed last comes again in each run
        crm.sandbox.rows("customer").update(customer, name="Edited")
        account.pass_time()
    account.streams = ("customers",)
    account.run()
    account.streams = ("customers", "field_values")

    def delete(request: Any) -> None:
        asked.append(request.path)
        if asked.count("/api/customer") == 2 and 2 in crm.sandbox.rows("customer").ids:
            crm.sandbox.delete("customer", 2)

    asked: list[str] = []
    end = crm.sandbox.before_request(delete)
    run = account.run()
    end()
    return account, run


def test_values_that_were_handed_out_in_the_same_run_wait_for_the_next(
    crm: Source, tmp_path: Path
) -> None:
    account, during = deleted_while_read(crm, tmp_path)

    after = account.run()

    assert during.deleted("customers") == [(2,)]
    assert during.deleted("field_values") == []
    assert after.deleted("field_values") == [("customer", 2, 1), ("customer", 2, 2)]


def test_values_that_waited_live_if_their_record_came_back(crm: Source, tmp_path: Path) -> None:
    account, _ = deleted_while_read(crm, tmp_path)
    crm.sandbox.restore("customer", 2)
    for _ in range(3):
        crm.sandbox.rows("customer").update(1, name="Edited")
        account.pass_time()
        account.run()

    assert account.tables.marked("field_values") == set()


@pytest.mark.parametrize("stream", ["field_options", "field_values"])
def test_a_map_that_takes_no_deletion_is_named_and_all_is_told_once_it_does(
    crm: Source, tmp_path: Path, stream: str
) -> None:
    account = with_values(crm, tmp_path, "customers", "field_options", max_deleted_share=0.9)
    account.add_all("field_option", 4, field_id=1)
    account.run()
    account.remove("customer", 2)
    account.remove("field_option", 1)

    name = "name" if stream == "field_options" else "field_name"
    hindered = account.run(stream_maps={stream: {"x": f"record['{name}']"}})
    freed = account.run()

    assert hindered.deleted(stream) == []
    (warning,) = [one for one in hindered.said() if "could not be told" in one]
    assert warning.startswith(f"{stream}: ")
    assert freed.deleted(stream) == (
        [(1, 1)] if stream == "field_options" else [("customer", 2, 1), ("customer", 2, 2)]
    )


# Whatever happens to an account.

VERBS = st.sampled_from(
    [
        *("option", "less option", "less option", "less field", "back field", "customer"),
        *("edit", "value", "less customer", "less customer", "back customer"),
    ]
)
STEPS = st.tuples(
    st.lists(st.tuples(VERBS, st.integers(0, 99)), max_size=5),
    st.none() | st.integers(0, 25),
    # The state that comes before all rows names the rolls: who has none, has begun anew.
    st.none() | st.integers(1, 25),
    st.none() | st.tuples(st.sampled_from(["cut-before", "500"]), st.integers(1, 8)),
)
folders = count()


def do(account: NestedAccount, verb: str, number: int) -> None:
    """Do something to an account, if there is anything to do it to."""
    what, _, name = verb.rpartition(" ")
    sandbox = account.source.sandbox
    table = {"option": "field_option", "value": "field_value", "edit": "customer"}.get(name, name)
    rows = sandbox.rows(table)
    if what == "less" and rows.ids:
        sandbox.delete(table, rows.ids[number % len(rows.ids)])
    elif what == "back":
        gone = sorted(set(range(1, rows.next_id)) - set(rows.ids))
        if gone:
            sandbox.restore(table, gone[number % len(gone)], touches=bool(number % 2))
    elif name == "option" and sandbox.rows("field").ids:
        fields = sandbox.rows("field").ids
        rows.insert(name=f"Option {number}", field_id=fields[number % len(fields)])
    elif name == "customer" and not what:
        rows.insert(name=f"Customer {number}")
    elif name in {"edit", "value"} and sandbox.rows("customer").ids:
        customers = sandbox.rows("customer").ids
        chosen = customers[number % len(customers)]
        if name == "value":
            write_value(account, chosen, 1 + number % 2, number)
        sandbox.rows("customer").update(chosen, name=f"Edited {number}")
    account.pass_time()


def write_value(account: NestedAccount, customer: int, number: int, value: int) -> None:
    values = account.source.sandbox.rows("field_value")
    same = [
        one["id"]
        for one in values.all()
        if (one["owner_id"], one["field_id"]) == (customer, number)
    ]
    if same:
        values.update(same[0], value=str(value))
    else:
        key = {"owner_type": "customer", "owner_id": customer, "field_id": number}
        values.insert(**key, value=str(value))


def assert_equal(account: NestedAccount) -> None:
    """Compare the tables with the account."""
    sandbox = account.source.sandbox
    fields, customers = set(sandbox.rows("field").ids), set(sandbox.rows("customer").ids)
    options = {
        (one["field_id"], one["id"])
        for one in sandbox.rows("field_option").all()
        if one["field_id"] in fields
    }
    assert account.tables.living("field_options").keys() == options
    values = {
        ("customer", one["owner_id"], one["field_id"]): one["value"]
        for one in sandbox.rows("field_value").all()
        if one["owner_id"] in customers
    }
    living = account.tables.living("field_values")
    assert {key: row["value"] for key, row in living.items() if row["value"]} == values
    assert {key[1] for key in living} <= customers


@pytest.mark.parametrize("home", ["store", "state"])
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=st.lists(STEPS, min_size=1, max_size=4))
def test_whatever_happened_the_tables_have_what_lives(
    crm: Source, tmp_path: Path, home: str, history: Any
) -> None:
    crm.begin(page_maximum=1000)
    folder = tmp_path / str(next(folders))
    folder.mkdir()
    every = ("customers", "field_options", "field_values")
    account = NestedAccount(crm, folder, every, {"max_deleted_share": 1, "delivered_ids": home})
    account.add_all("field", 2, model="customer")
    for deeds, loaded, acknowledged, fault in history:
        for verb, number in deeds:
            do(account, verb, number)
        if fault:
            crm.sandbox.faults.add(fault[0], at=fault[1])
        # What a loader wrote after the last state that it kept is known to the store alone.
        cuts = {"loaded": loaded, "acknowledged": acknowledged} if home == "store" else {}
        account.run(**cuts)
        crm.sandbox.faults.clear()

    account.run()
    account.run()

    assert_equal(account)
