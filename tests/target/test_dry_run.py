"""A dry run tells exactly what a real run does right after, and writes nothing."""

from __future__ import annotations

import json
import sqlite3
from collections import ChainMap, defaultdict
from contextlib import closing
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests.target.target_runs import record, schema, state
from tests.target.writing_fixtures import Rows, over_http

if TYPE_CHECKING:
    from tests.target.target_runs import TargetRuns
    from tests.target.writing_fixtures import Record, Target, Written

LATER = 60
NAMES = st.sampled_from(["Zon", "zon", "Maan", " Ster "])
NUMBERS = st.integers(1, 3)
EMAILS = st.sampled_from(["a@x.example", "A@X.example", "b@x.example", "", 'q"@x.example'])
BASES = st.sampled_from(["2026-06-01T11:59:00Z", "2026-06-01T12:30:00Z"])
PROBES = {"customer": {"name": "probe"}, "contact": {"last_name": "probe"}}


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Record]:
    """Records that have some of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


_NUMBERED: st.SearchStrategy[Record] = st.builds(dict, no=NUMBERS, import_id=NUMBERS)
_KEYS = _NUMBERED | some(id=st.integers(1, 3), no=NUMBERS, import_id=NUMBERS, email=EMAILS)
_CONTENTS = st.fixed_dictionaries({"name": NAMES}, optional={"description": NAMES})
_ENDS: st.SearchStrategy[Record] = (
    st.just({}) | st.builds(dict, updated_at=BASES) | st.builds(dict, _sdc_deleted_at=BASES)
)
CUSTOMERS = st.builds(lambda *parts: dict(ChainMap(*parts)), _KEYS, _CONTENTS, _ENDS)
PARENTS: st.SearchStrategy[Record] = st.builds(dict, import_id=NUMBERS) | st.builds(
    dict, no=NUMBERS
)
CONTACTS = st.builds(
    dict.__or__,
    some(import_id=NUMBERS, first_name=NAMES, customer=PARENTS),
    st.builds(dict, nr=NUMBERS, last_name=NAMES),
)


def parts(stream: str, rows: st.SearchStrategy[Record], *keys: str) -> st.SearchStrategy[Rows]:
    return st.builds(
        Rows,
        st.lists(rows, min_size=1, max_size=5),
        st.just(stream),
        st.sampled_from([*((key,) for key in keys), ()]),
    )


INPUTS = st.lists(
    parts("customers", CUSTOMERS, "no", "id") | parts("contacts", CONTACTS, "nr"),
    min_size=2,
    max_size=5,
)
THERE = st.lists(CUSTOMERS, min_size=3, max_size=3)
POLICIES = st.fixed_dictionaries(
    {
        "write_mode": st.sampled_from(["upsert", "upsert", "upsert", "update", "create"]),
        "on_delete": st.sampled_from(["delete", "delete", "archive", "ignore"]),
        "conflict": st.sampled_from(["warehouse_wins", "crm_wins", "report"]),
        "match_on": st.fixed_dictionaries(
            {},
            optional={
                "customer": st.sampled_from([("import_id",), ("email",), ("import_id", "email")]),
                "contact": st.just(("import_id",)),
            },
        ),
        "max_deletions": st.just(1),
        "concurrency": st.just(1),
        "batch": st.sampled_from([1, 2, 1000]),
    }
)


@dataclass(frozen=True)
class Plan:
    """What a dry run told."""

    run: Written
    report: Any

    @classmethod
    def of(cls, target: Target, *inputs: Rows, **options: Any) -> Plan:
        path = target.folder / "dry.json"
        run = target.take(*inputs, dry_run_path=path, **options)
        return cls(run, json.loads(path.read_text()))

    def counts(self) -> dict[str, Any]:
        return {
            stream: {
                "created": of["create"]["count"],
                "updated": of["update"]["count"],
                "deleted": of["delete"]["count"],
                "archived": of["archive"]["count"],
                "unchanged": of["unchanged"]["count"],
                "left_by_reason": of["left"]["reasons"],
                "rejected_by_kind": {k: v["count"] for k, v in of["rejected"]["kinds"].items()},
            }
            for stream, of in self.report["streams"].items()
        }

    def deeds(self) -> dict[tuple[str, str], list[Any]]:
        """By resource and kind: what it would do, in its order."""
        deeds: dict[tuple[str, str], list[Any]] = {}
        for stream, of in self.report["streams"].items():
            name = stream.removesuffix("s")
            deeds[name, "POST"] = [one["fields"] for one in of["create"]["first"]]
            for deed in ("update", "archive"):
                deeds[name, deed] = [(one["id"], one["fields"]) for one in of[deed]["first"]]
            deeds[name, "DELETE"] = [one["id"] for one in of["delete"]["first"]]
        return {key: value for key, value in deeds.items() if value}

    def rejects(self) -> list[tuple[int, str, str]]:
        return sorted(
            (one["position"], kind, one["field"] or "")
            for of in self.report["streams"].values()
            for kind, rejects in of["rejected"]["kinds"].items()
            for one in rejects["first"]
        )


class Replay:
    """What a real run did, from the requests that the sandbox got."""

    def __init__(self, target: Target) -> None:
        """Look at what is there before the run; a probe tells which ids new records get."""
        sandbox = target.source.sandbox
        self._first = {n: sandbox.rows(n).insert(**PROBES[n])["id"] + 1 for n in PROBES}
        self._next = dict(self._first)
        self._rows = {(n, one["id"]): dict(one) for n in PROBES for one in sandbox.rows(n).all()}

    def deeds(self, run: Written) -> dict[tuple[str, str], list[Any]]:
        deeds: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for method, path, body in run.writes:
            name, _, number = path.partition("/")
            if method == "POST":
                deeds[name, "POST"].append(self._shown(body))
                self._rows[name, self._next[name]] = {**body}
                self._next[name] += 1
            elif method == "PATCH":
                row = self._rows[name, int(number)]
                before = self._shown({field: row.get(field) for field in body})
                after = self._shown(body)
                change = {one: {"before": before[one], "after": after[one]} for one in body}
                deed = "archive" if body.get("archived_at") else "update"
                deeds[name, deed].append((self._id(name, int(number)), change))
                row.update(body)
            else:
                deeds[name, "DELETE"].append(self._id(name, int(number)))
        return dict(deeds)

    def _shown(self, body: Record) -> Record:
        parent = body.get("customer_id")
        return body if parent is None else {**body, "customer_id": self._id("customer", parent)}

    def _id(self, name: str, number: int) -> int | str:
        return number if number < self._first[name] else f"(new {name})"


def counts(run: Written) -> dict[str, Any]:
    names = ("created", "updated", "deleted", "archived", "unchanged", "left_by_reason")
    return {
        stream: {name: of[name] for name in (*names, "rejected_by_kind")}
        for stream, of in run.counts.items()
        if of["rows"]
    }


def ledger(target: Target) -> list[Any]:
    with closing(sqlite3.connect(target.folder / "store.sqlite")) as store:
        tables = ("written_rows", "written_records")
        return [store.execute(f"SELECT * FROM {one} ORDER BY 1, 2, 3").fetchall() for one in tables]  # noqa: S608


@over_http(20)
@given(there=THERE, earlier=INPUTS, now=INPUTS, policy=POLICIES)
def test_a_real_run_does_what_the_dry_run_told(
    target: Target, there: list[Record], earlier: list[Rows], now: list[Rows], policy: Any
) -> None:
    told_and_done(target, there, earlier, now, policy)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@over_http(500)
@given(there=THERE, earlier=INPUTS, now=INPUTS, policy=POLICIES)
def test_a_real_run_does_what_the_dry_run_told_in_hundreds_of_cases(
    target: Target, there: list[Record], earlier: list[Rows], now: list[Rows], policy: Any
) -> None:
    told_and_done(target, there, earlier, now, policy)


def told_and_done(
    target: Target, there: list[Record], earlier: list[Rows], now: list[Rows], policy: Any
) -> None:
    # Given what is there, also by an earlier run
    target.begin(trims_texts=False, empty_texts_become_null=False)
    fields = ("name", "import_id", "email")
    target.source.sandbox.rows("customer").insert_many(
        [{"name": "Zon", **{k: one[k] for k in fields if k in one}} for one in there]
    )
    target.take(*earlier, max_deletions=1, on_delete="delete", match_on=policy["match_on"])
    replay, entries = Replay(target), ledger(target)
    target.source.sandbox.clock.move(LATER)
    # When
    plan = Plan.of(target, *now, **policy)
    # Then
    assert (plan.run.writes, plan.run.states, plan.run.rejects) == ([], [], [])
    assert ledger(target) == entries
    real = target.take(*now, **policy)
    assert plan.counts() == counts(plan.run) == counts(real)
    assert plan.deeds() == replay.deeds(real)
    assert plan.rejects() == sorted(
        (one["position"], one["kind"], one["field"] or "") for one in real.rejects
    )
    for kind in {kind for _, kind in plan.deeds()}:
        event(kind)
    if "(new" in json.dumps(plan.report):
        event("a made-up id is shown")


def told(target: Target, *inputs: Rows, **options: Any) -> tuple[Plan, Any]:
    """Dry run these rows; the plan, and what it says of the first stream."""
    plan = Plan.of(target, *inputs, **options)
    return plan, plan.report["streams"][inputs[0].stream]


def test_a_row_that_comes_twice_is_created_once(target: Target) -> None:
    target.begin()
    rows = [{"no": 1, "name": "Zon"}, {"no": 1, "name": "Zon"}, {"no": 1, "name": "Maan"}]
    _, of = told(target, Rows(rows), batch=1)
    assert (of["create"]["count"], of["unchanged"]["count"]) == (1, 1)
    change = {"name": {"before": "Zon", "after": "Maan"}}
    assert of["update"]["first"] == [{"id": "(new customer)", "key": {"no": 1}, "fields": change}]


def test_a_row_without_id_is_the_record_that_its_key_had_in_the_same_batch(target: Target) -> None:
    # Given
    target.begin()
    target.source.sandbox.rows("customer").insert_many([{"name": "Zon"}])
    rows: list[Record] = [{"no": 1, "id": 1}, {"no": 1, "name": "Maan"}]
    # When
    plan = Plan.of(target, Rows(rows))
    real = target.take(Rows(rows))
    # Then
    assert plan.counts() == counts(real)
    assert (real.counts["customers"]["created"], real.counts["customers"]["updated"]) == (0, 1)


def test_a_child_of_a_new_parent_is_no_orphan(target: Target) -> None:
    # Given a child that comes before its parent, and one after
    target.begin()
    child = {"last_name": "Vos", "customer": {"import_id": 7}}
    contacts = [Rows([{"nr": nr, **child}], "contacts", ("nr",)) for nr in (1, 2)]
    parent = Rows([{"no": 5, "name": "Zon", "import_id": 7}])
    # When
    plan, of = told(target, contacts[0], parent, contacts[1], batch=1)
    # Then
    named = [one["fields"]["customer_id"] for one in of["create"]["first"]]
    assert named == ["(new customer)", "(new customer)"]
    assert plan.run.writes == []


def test_a_run_that_would_delete_too_much_is_shown_whole(target: Target) -> None:
    # Given
    target.begin()
    target.source.sandbox.rows("customer").insert_many([{"name": "Zon"} for _ in range(10)])
    deleted_at = "2026-06-01T10:00:00Z"
    gone: list[Record] = [{"id": one, "_sdc_deleted_at": deleted_at} for one in range(1, 6)]
    gone.append({"id": 6, "name": "Maan"})
    options: Any = {"batch": 1, "on_delete": "delete", "max_deletions": 0.2}
    rows = Rows(gone, keys=("id",))
    # When
    plan, of = told(target, rows, may_fail=True, **options)
    # Then
    sentence = (
        "The run would delete or archive 5 of 10 customers, more than max_deletions allows "
        "(20.0%), so a run without dry_run stops before. If that is meant, raise max_deletions (1 "
        "allows all) and run again."
    )
    assert (plan.report["warnings"], plan.run.sentence) == ([sentence], sentence)
    assert plan.report["is_whole"]
    assert (of["delete"]["count"], of["update"]["count"]) == (5, 1)
    assert "stopped before" in target.take(rows, may_fail=True, **options).sentence


def test_the_guard_counts_what_the_run_would_have_created(target: Target) -> None:
    target.begin()
    rows: list[Record] = [{"no": no, "name": "Zon"} for no in range(10)]
    rows.append({"no": 1, "_sdc_deleted_at": "2026-06-01T10:00:00Z"})
    plan = Plan.of(target, Rows(rows), batch=10, on_delete="delete", max_deletions=0.1)
    assert plan.report["warnings"] == []


def test_what_ends_early_is_reported_as_a_part(target: Target) -> None:
    # Given more rejects than are allowed
    target.begin()
    rows: list[Record] = [{"no": 1, "name": "Zon"}, {"no": 2}, {"no": 3}, {"no": 4, "name": "Maan"}]
    # When
    plan, of = told(target, Rows(rows), batch=1, max_rejects=1, may_fail=True)
    # Then
    assert not plan.report["is_whole"]
    assert of["rows"] == 3
    assert str(target.folder / "dry.json") in plan.run.sentence


def test_a_create_in_doubt_is_told_and_left_in_doubt(target: Target) -> None:
    # Given an earlier run whose create was sent, and whose answer was lost
    target.begin()
    target([{"no": 1, "name": "Zon"}])
    with closing(sqlite3.connect(target.folder / "store.sqlite")) as store:
        store.execute("UPDATE written_rows SET record_id = NULL, floor_id = 1")
        store.commit()
    entries = ledger(target)
    # When
    plan, of = told(target, Rows([{"no": 1, "name": "Zon"}]))
    # Then
    assert "looks first" in of["rejected"]["kinds"]["unknown"]["first"][0]["reason"]
    assert (ledger(target), plan.run.writes) == (entries, [])


def test_it_lists_in_the_order_of_the_rows(target: Target) -> None:
    target.begin()
    rows = [{"no": no, "name": "Zon"} for no in range(15)]
    _, of = told(target, Rows(rows), concurrency=8)
    assert [one["key"]["no"] for one in of["create"]["first"]] == list(range(15))


def test_the_program_shows_it_and_exits_as_a_real_run_would(run_target: TargetRuns) -> None:
    # Given
    rows = [
        record("customers", no=1, name="Zon", email=None),
        record("customers", no=2),
        record("contacts", nr=5, last_name="Vos", customer={"no": 1}),
        state(done=3),
    ]
    messages = (schema("customers", "name", keys=["no"]), schema("contacts", keys=["nr"]), *rows)
    # When
    run = run_target(*messages, dry_run=True)
    # Then
    assert (run.code, run.output) == (3, "")
    shown = run.log[run.log.index("Dry run:") :].splitlines()[1:-1]
    assert "\n".join(shown) == dedent("""
        customers: 1 to create; 1 rejected (1 invalid).
          To create:
            no 1
              - name: "Zon"
          Rejected, invalid:
            row 2, no 2 (name): a new customer needs a name

        contacts: 1 to create.
          To create:
            nr 5
              - last_name: "Vos"
              - customer_id: (new customer)""")
    assert not (run_target.folder / "cirqll-rejects.jsonl").exists()
    assert (run_target.folder / "cirqll-dry-run.json").exists()


def test_rows_of_one_key_of_which_only_one_matches_are_told_as_they_end(target: Target) -> None:
    # Given
    target.begin()
    target.source.sandbox.rows("customer").insert(name="Ster", import_id=3)
    rows = Rows([{"no": 1, "name": "Zon"}, {"no": 1, "name": "Maan", "import_id": 3}])
    # When
    plan, _ = told(target, rows, match_on={"customer": ("import_id",)})
    # Then
    assert plan.counts() == counts(target.take(rows, match_on={"customer": ("import_id",)}))
