"""One bad row among many: the others are written, and it is found in the rejects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_cirqll.run import TooManyRejects

if TYPE_CHECKING:
    from tests.target.writing_fixtures import Record, Target

CONTRACT = {"price": 1, "start_date": "2026-01-01 00:00:00", "end_date": "2026-12-31 00:00:00"}
BAD: dict[str, tuple[Record, str, str]] = {
    "a value that the API refuses": ({"price_type": 2**40}, "refused", "price_type"),
    "a text that is too long": ({"name": "x" * 256}, "invalid", "name"),
    "a number that is none": ({"price": "twelve"}, "invalid", "price"),
    "a time that is none": ({"start_date": "soon"}, "invalid", "start_date"),
    "nothing where something must be": ({"name": " "}, "invalid", "name"),
    "a parent that is not there": ({"customer": {"no": "nobody"}}, "invalid", "customer_id"),
    "an id of a parent that is not there": ({"customer_id": 999}, "refused", "customer_id"),
}


def contracts(number: int) -> list[Record]:
    return [{"no": one, "name": f"Contract {one}", **CONTRACT} for one in range(1, number + 1)]


@pytest.mark.parametrize("what", BAD)
@pytest.mark.parametrize("position", [1, 20])
def test_a_bad_row_is_rejected_and_the_others_are_written(
    target: Target, what: str, position: int
) -> None:
    rows = contracts(20)
    change, kind, field = BAD[what]
    rows[position - 1] |= change

    written = target(rows, stream="contracts")

    (reject,) = written.rejects
    assert len(target.rows("contracts")) == 19
    assert (reject["kind"], reject["field"]) == (kind, field)
    assert (reject["key"], reject["position"]) == ({"no": position}, position)
    assert written.states == [{"rows": 20}]


@pytest.mark.parametrize("what", BAD)
def test_a_later_run_with_only_the_repaired_rows_works(target: Target, what: str) -> None:
    rows = contracts(3)
    rows[1] |= BAD[what][0]
    first = target(rows, stream="contracts")
    repaired = [
        {**one["record"], **CONTRACT, "name": "Repaired", "price_type": 1, "customer_id": None}
        for one in first.rejects
    ]
    repaired = [{k: v for k, v in one.items() if k != "customer"} for one in repaired]

    second = target(repaired, stream="contracts")
    third = target(repaired, stream="contracts")

    assert second.rejects == []
    assert third.writes == []
    names = sorted(one["name"] for one in target.rows("contracts"))
    assert names == ["Contract 1", "Contract 3", "Repaired"]


@pytest.mark.parametrize("position", [0, 15, 29])
def test_a_record_that_may_not_be_changed_does_not_stop_the_others(
    target: Target, position: int
) -> None:
    ids = target.source.customers.insert_many([{"name": "A"}] * 30)
    target.source.behave(forbidden_rows={"customer": (ids[position],)})
    rows = [{"id": one, "name": "B"} for one in ids]

    written = target(rows, keys=("id",))

    assert [one["id"] for one in written.rejects] == [ids[position]]
    assert sum(one["name"] == "B" for one in target.rows()) == 29
    assert written.states == [{"rows": 30}]


def test_one_bad_row_in_ten_thousand_leaves_the_rest(target: Target) -> None:
    ids = target.source.customers.insert_many([{"name": "A"}] * 10_000)
    rows: list[Record] = [{"id": one, "name": "A"} for one in ids]
    rows[6_000]["name"] = "x" * 256
    rows[9_999]["name"] = "B"

    written = target(rows, keys=("id",))

    assert [one["position"] for one in written.rejects] == [6_001]
    assert written.counts["customers"]["unchanged"] == 9_998
    assert target.source.customers.get(ids[-1])["name"] == "B"


@pytest.mark.soak
def test_one_bad_row_in_ten_thousand_new_ones_leaves_the_rest(target: Target) -> None:
    rows = contracts(10_000)
    rows[5_000]["price"] = "twelve"

    written = target(rows, stream="contracts")

    assert len(target.rows("contracts")) == 9_999
    assert [one["position"] for one in written.rejects] == [5_001]


def test_too_many_rejects_stop_the_run_early(target: Target) -> None:
    rows: list[Record] = [{"no": one, "name": ""} for one in range(50)]

    written = target(rows, max_rejects=5, batch=10, state_every=1, may_fail=True)

    assert isinstance(written.error, TooManyRejects)
    assert written.sentence.startswith(
        "The run stopped after 6 rejects, more than max_rejects allows (5). The reasons are in "
    )
    assert len(written.rejects) == 6
    assert written.states[-1] == {"rows": len(written.rejects)}


def test_as_many_rejects_as_allowed_stop_nothing(target: Target) -> None:
    rows: list[Record] = [{"no": one, "name": ""} for one in range(5)]

    written = target([*rows, {"no": 6, "name": "A"}], max_rejects=5)

    assert len(written.rejects) == 5
    assert len(target.rows()) == 1


def test_rejects_can_be_sent_again_as_they_are(target: Target) -> None:
    target.source.behave(unique_fields={"customer": ("import_id",)})
    target.source.customers.insert(name="Other", import_id=5)
    rows: list[Record] = [{"no": "K1", "name": "A", "import_id": 5}]
    first = target(rows)
    target.source.customers.clear()

    again: Any = [one["record"] for one in first.rejects]
    second = target(again)

    assert [kind for kind, _ in first.reasons()] == ["refused"]
    assert [body for *_, body in second.writes] == [{"name": "A", "import_id": 5}]
