"""The invented company is the same for the same seed, and its references hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cirqll_sandbox import Behaviour, Sandbox
from cirqll_sandbox.resources import RESOURCES

if TYPE_CHECKING:
    from tests.sandbox.conftest import Client


def everything(sandbox: Sandbox) -> dict[str, object]:
    """All rows of all tables."""
    return {name: sandbox.rows(name).all() for name in RESOURCES}


def test_the_same_seed_gives_the_same_company_and_another_seed_another() -> None:
    assert everything(Sandbox(seed=3, size=0.02)) == everything(Sandbox(seed=3, size=0.02))
    assert everything(Sandbox(seed=3, size=0.02)) != everything(Sandbox(seed=4, size=0.02))


def test_every_reference_leads_to_a_row(company: Sandbox) -> None:
    for name, resource in RESOURCES.items():
        for relation in resource.relations.values():
            if not relation.many:
                for row in company.rows(name).all():
                    target = row[relation.column]
                    assert target is None or company.rows(relation.table).get(target), (name, row)


def test_every_documented_field_is_in_every_row(company: Sandbox) -> None:
    for name, resource in RESOURCES.items():
        readable = {field.name for field in resource.fields if not field.write_only}
        assert all(set(row) == readable for row in company.rows(name).all())


def test_the_size_scales_the_rows_and_zero_is_none() -> None:
    assert sum(Sandbox(size=0).row_counts().values()) == 0
    assert Sandbox(size=0.1).row_counts()["customer"] == 70
    assert 5_000 < sum(Sandbox().row_counts().values()) < 10_000


def test_the_data_is_awkward_where_real_data_is(company: Sandbox) -> None:
    texts = [row["description"] for row in company.rows("customer").all()]
    assert None in texts
    assert "" in texts
    for awkward in ("\n", '"', "\U0001f600", "日", "€"):
        assert any(awkward in (text or "") for text in texts)
    moments = [row["updated_at"] for row in company.rows("customer").all()]
    assert len(set(moments)) < 0.8 * len(moments)


def test_the_data_is_visibly_invented(company: Sandbox) -> None:
    for row in company.rows("contact").all():
        assert re.fullmatch(r"contact\d+@example\.nl", row["email"] or "contact1@example.nl")
        assert (row["mobile"] or "06 0000").startswith("06 0000")
    for row in company.rows("customer").all():
        assert (row["website"] or ".example").endswith(".example")
        assert re.search(r"\n0\d{3} [A-Z]{2} ", row["address"] or "\n0000 AA ")


def test_undocumented_fields_can_be_there_from_the_start() -> None:
    sandbox = Sandbox(size=0.01, undocumented_fields=True)
    row = sandbox.rows("customer").all()[0]
    assert row["preferences"] == {"language": "nl", "channels": {"email": True, "post": False}}
    assert str(row["updated_at"]) < "2026"


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Amsterdam"])
def test_the_hour_that_autumn_repeats_is_among_the_times(timezone: str) -> None:
    sandbox = Sandbox(size=0.02, behaviour=Behaviour(timezone=timezone))
    hours = {
        row["updated_at"][11:13]
        for row in sandbox.rows("customer").all()
        if row["updated_at"].startswith("2024-10-27 0")
    }
    assert hours == ({"00", "01"} if timezone == "UTC" else {"02"})


def test_a_page_behind_a_key_does_not_take_a_look_at_each_row(
    sandbox: Sandbox, api: Client
) -> None:
    table = sandbox.rows("customer")
    table.insert_many([{"updated_at": f"2024-01-01 00:00:{n % 60:02}"} for n in range(20_000)])
    moment = '"2024-01-01 00:00:30"'
    key = f"(updated_at:gt:{moment},or,(updated_at:eq:{moment},and,id:gt:9000))"
    seconds = min(
        api.get("/api/customer", filter=key, order_by="updated_at,id").elapsed.total_seconds()
        for _ in range(5)
    )
    assert seconds < 0.05
