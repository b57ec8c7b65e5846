"""Undocumented fields of all kinds drift from epoch to epoch, the same for the same seed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_sandbox import Behaviour, Drift, Sandbox
from cirqll_sandbox.drift import drifted
from cirqll_sandbox.exact_json import dumps, loads
from cirqll_sandbox.resources import ENDPOINTS, RESOURCES

if TYPE_CHECKING:
    from tests.sandbox.conftest import Client

EPOCHS = range(10)


def fields(epoch: int, *, row: int = 7, seed: int = 1, resource: str = "customer") -> Any:
    return drifted(seed, resource, row, epoch, late_row=90_000)


def kinds(name: str, epoch: int) -> set[str]:
    """The JSON types that a field has in an epoch, over many rows."""
    found = (fields(epoch, row=row).get(name, ...) for row in range(60))
    return {
        "number" if isinstance(value, Decimal) else type(value).__name__
        for value in found
        if value is not None and value is not ...
    }


@given(
    seed=st.integers(0, 99), resource=st.sampled_from(ENDPOINTS), row=st.integers(1, 2**32),
    epoch=st.integers(0, 40),
)  # fmt: skip
def test_fields_depend_on_nothing_but_seed_resource_row_and_epoch(
    seed: int, resource: str, row: int, epoch: int
) -> None:
    once, again = (drifted(seed, resource, row, epoch, late_row=5) for _ in range(2))
    assert dumps(once) == dumps(again)
    assert dumps(loads(dumps(once))) == dumps(once)
    assert not once.keys() & RESOURCES[resource].by_name.keys()


def test_seed_resource_row_and_each_of_ten_epochs_make_a_difference() -> None:
    texts = {dumps(fields(epoch)) for epoch in EPOCHS}
    others = [fields(0, seed=2), fields(0, row=8), fields(0, resource="contact")]
    assert len(texts | {dumps(other) for other in others}) == len(EPOCHS) + 3


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("score", {"int"}, {"str"}), ("rating", {"int"}, {"number"}),
        ("preference", {"str"}, {"dict"}), ("labels", {"dict"}, {"list"}),
        ("is_vip", {"bool"}, {"int"}), ("churned_at", set(), {"str"}),
        ("gone_soon", {"str"}, set()), ("comes_later", set(), {"str"}),
        ("ledger_number", {"int"}, {"int"}), ("exact_amount", {"number"}, {"number"}),
    ],
)  # fmt: skip
def test_a_field_becomes_of_another_kind(name: str, before: Any, after: Any) -> None:
    history = [kinds(name, epoch) for epoch in EPOCHS]
    assert history[0] == before
    assert after in history[1:]


def test_kinds_disagree_within_an_epoch_too() -> None:
    assert kinds("anything", 0) >= {"int", "str", "bool", "dict", "list"}


def test_names_are_of_every_kind() -> None:
    names = set(fields(0)) | set(fields(1))
    assert len(names) > 70
    assert {"Status", "status", "STATUS", "select", "user", "order", "group", ""} <= names
    assert {"_sdc_deleted_at", "_nonconforming", "_undocumented", "cf_branche"} <= names
    long = [name for name in names if len(name.encode()) > 63]
    assert len({name.encode()[:63] for name in long if name.isascii()}) == 1 < len(long)
    for character in " .-:%\"'`\n,()日":
        assert any(character in name for name in names)


def test_values_are_at_the_edge_of_their_kind() -> None:
    rows = [fields(epoch, row=row) for epoch in EPOCHS for row in range(40)]
    text = dumps(rows)
    assert any(abs(row["ledger_number"] or 0) >= 2**63 for row in rows)
    assert any(row["nickname"] == "" for row in rows)
    for edge in ("0000-00-00 00:00:00", '"0000-00-00"', '"007"', "1e400", ".12345678901234567890"):
        assert edge in text


def test_all_rows_have_the_first_epoch_from_the_start_and_look_untouched() -> None:
    plain, odd = Sandbox(size=0.01), Sandbox(size=0.01, drift=Drift())
    for name in ENDPOINTS:
        for before, after in zip(plain.rows(name).all(), odd.rows(name).all(), strict=True):
            assert before.items() <= after.items()
            assert len(after) > len(before) + 50


def test_a_step_makes_rows_and_changes_a_share_of_the_old_ones() -> None:
    sandbox = Sandbox(size=0.1)
    before = {row["id"]: row for row in sandbox.rows("customer").all()}

    assert sandbox.drift(Drift(resources=("customer",), new_rows=4, changed_share=0.5)) == 1

    after = {row["id"]: row for row in sandbox.rows("customer").all()}
    changed = [id_ for id_ in before if after[id_] != before[id_]]
    assert (len(after) - len(before), len(changed)) == (4, 35)
    assert all(after[id_]["updated_at"] > before[id_]["updated_at"] for id_ in changed)
    assert all("score" in after[id_] for id_ in (*changed, *(after.keys() - before)))
    assert "score" not in sandbox.rows("contact").columns


def test_new_rows_refer_to_rows_that_are_there() -> None:
    sandbox = Sandbox(size=0.05)
    sandbox.drift(Drift(resources=("note",), new_rows=40))
    new = sandbox.rows("note").all()[-40:]
    contacts = [sandbox.rows("contact").get(row["contact_id"] or 0) for row in new]
    assert any(contacts)
    assert all(
        contact is None or contact["customer_id"] == row["customer_id"]
        for row, contact in zip(new, contacts, strict=True)
    )


def test_what_a_changed_row_no_longer_has_is_gone() -> None:
    sandbox = Sandbox(size=0.01, drift=Drift(new_rows=0, changed_share=1))
    for _ in range(2):
        sandbox.drift()
    row = sandbox.rows("customer").all()[0]
    assert "gone_soon" not in row
    assert row["name"]


def test_steps_are_the_same_for_the_same_seed_and_all_differ() -> None:
    histories = []
    for _ in range(2):
        sandbox, history = Sandbox(size=0.02), []
        for _epoch in EPOCHS:
            sandbox.drift(Drift(new_rows=2))
            rows = sandbox.rows("chance").all()
            history.append(dumps([{**row, "updated_at": 0, "created_at": 0} for row in rows]))
        histories.append(history)
    assert histories[0] == histories[1]
    assert len(set(histories[0])) == len(EPOCHS)


def test_a_field_may_appear_in_one_late_row_only() -> None:
    sandbox = Sandbox(size=0)
    sandbox.rows("customer").insert_many([{"name": f"Klant {n}"} for n in range(200)])
    sandbox.drift(Drift(resources=("customer",), new_rows=3, changed_share=0, late_row=150))
    late = [row["id"] for row in sandbox.rows("customer").all() if "appears_late" in row]
    assert late == [150]


def test_an_empty_sandbox_may_drift_too() -> None:
    sandbox = Sandbox(size=0)
    sandbox.drift(Drift(new_rows=1))
    assert sandbox.rows("todo").all()[0]["task_id"] == 1
    assert len(sandbox.rows("role")) == 0


def test_a_drifting_company_can_be_read_over_http(sandbox: Sandbox, api: Client) -> None:
    body = {"resources": ["customer"], "new_rows": 3}
    assert api.send("POST", "/_sandbox/drift", json=body).json() == {"epoch": 1}
    assert api.send("POST", "/_sandbox/drift").json() == {"epoch": 2}
    assert api.get("/api/customer").json()["total"] == len(sandbox.rows("customer")) == 13
    assert api.send("POST", "/_sandbox/drift", json={"nonsense": 1}).status_code == 400
    assert api.send("POST", "/_sandbox/drift", json={"resources": ["x"]}).status_code == 400


def test_a_reset_begins_with_the_first_epoch_again() -> None:
    sandbox = Sandbox(size=0.01, behaviour=Behaviour(rate_limit=0), drift=Drift())
    before = sandbox.rows("customer").all()
    sandbox.drift()
    sandbox.reset()
    assert sandbox.rows("customer").all() == before
    assert sandbox.drift() == 1
