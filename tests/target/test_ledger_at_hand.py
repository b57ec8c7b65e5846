"""A ledger that is another company's, was lost, or cannot tell rows apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.target.target_runs import record, schema

if TYPE_CHECKING:
    from tests.tap.conftest import Source
    from tests.target.target_runs import TargetRuns

SHOP = schema("customers", "name", keys=("number",))
ROW = record("customers", number="A1", name="Bakkerij")
LOST = "The store knows no rows that were written to customers, and "
OTHER_COMPANY = (
    "The account default wrote rows of another company of Cirqll before than the one that the "
    "token belongs to, so its ledger is not this company's. Give each company a name of its own "
    "by the setting account."
)


def names(source: Source) -> list[str]:
    """The customers that there are."""
    return [row["name"] for row in source.sandbox.rows("customer").all()]


def token_of(source: Source, company: str) -> str:
    """The access token of a user of a company."""
    account = source.sandbox.add_account(f"Gebruiker van {company}", company=company)
    return source.sandbox.grant(user=account).access_token


def test_the_ledger_of_another_company_is_refused_before_anything_is_written(
    run_target: TargetRuns, source: Source
) -> None:
    # Given
    assert run_target(SHOP, ROW, access_token=token_of(source, "Eerste BV")).code == 0
    source.sandbox.forget_requests()
    # When
    run = run_target(SHOP, ROW, access_token=token_of(source, "Tweede BV"))
    # Then
    assert (run.code, run.sentences("ERROR")) == (1, [OTHER_COMPANY])
    assert {request.method for request in source.sandbox.requests} == {"GET"}


def test_each_company_has_a_ledger_under_an_account_of_its_own(
    run_target: TargetRuns, source: Source
) -> None:
    run_target(SHOP, ROW, access_token=token_of(source, "Eerste BV"))

    run = run_target(SHOP, ROW, access_token=token_of(source, "Tweede BV"), account="tweede")

    assert run.code == 0
    assert names(source) == ["Bakkerij", "Bakkerij"]


def test_a_dry_run_gives_the_ledger_to_no_company(run_target: TargetRuns, source: Source) -> None:
    run_target(SHOP, ROW, access_token=token_of(source, "Verkeerde BV"), dry_run=True)

    assert run_target(SHOP, ROW, access_token=token_of(source, "Goede BV")).code == 0


def test_whose_a_token_is_is_asked_once(run_target: TargetRuns, source: Source) -> None:
    # Given
    run_target(SHOP, ROW)
    source.sandbox.forget_requests()
    # When
    run_target(SHOP, ROW)
    # Then
    assert [request.path for request in source.sandbox.requests] == ["/api/customer"]


def test_an_api_that_does_not_tell_the_company_is_written_to(
    run_target: TargetRuns, source: Source
) -> None:
    source.sandbox.faults.add("404", path="/me")

    assert run_target(SHOP, ROW).code == 0
    assert names(source) == ["Bakkerij"]


@pytest.mark.parametrize(
    ("settings", "is_told"),
    [({}, True), ({"match_on": {"customers": "name"}}, False), ({"write_mode": "update"}, False)],
)
def test_a_store_that_knows_no_rows_where_there_are_some_is_told_of(
    settings: dict[str, Any], run_target: TargetRuns, source: Source, *, is_told: bool
) -> None:
    source.sandbox.rows("customer").insert(name="Van vroeger")

    run = run_target(SHOP, ROW, **settings)

    assert any(one.startswith(f"{LOST}1 is there.") for one in run.sentences("WARNING")) is is_told


def test_a_first_run_into_an_empty_account_is_told_of_nothing(run_target: TargetRuns) -> None:
    first, second = run_target(SHOP, ROW), run_target(SHOP, ROW)

    assert first.sentences("WARNING") + second.sentences("WARNING") == []


@pytest.mark.parametrize("values", [{}, {"updated_at": "2026-01-01T00:00:00Z"}])
def test_an_id_that_may_be_the_sources_own_is_told_of(
    values: dict[str, str], run_target: TargetRuns, source: Source
) -> None:
    # Given
    there = source.sandbox.rows("customer").insert(name="Bakkerij")["id"]
    row = record("customers", id=there, name="Bakkerij", **values)
    # When
    run = run_target(schema("customers", "name", "updated_at"), row)
    # Then
    told = [one for one in run.sentences("WARNING") if "is taken for the id in Cirqll" in one]
    assert len(told) == (0 if values else 1)


def test_two_streams_whose_keys_cannot_be_told_apart_are_refused(
    run_target: TargetRuns, source: Source
) -> None:
    maps = {name: {"__alias__": "customers"} for name in ("shop_a", "shop_b")}
    streams = [schema(name, "name", keys=("number",)) for name in maps]

    run = run_target(*streams, stream_maps=maps)

    assert run.sentences("ERROR")[0] == (
        "The streams shop_a and shop_b are both written to customers, with the same key (number), "
        "so a row of one would be taken for a row of the other. Write them in two runs, each with "
        "a name of its own in the setting source."
    )
    assert source.sandbox.requests == ()


def test_a_stream_that_is_mapped_twice_to_a_resource_is_refused(run_target: TargetRuns) -> None:
    maps = {"customers": {}, "customer": {"__source__": "customers"}}

    run = run_target(SHOP, ROW, stream_maps=maps)

    assert run.sentences("ERROR")[0] == (
        "The setting stream_maps writes each row of the stream customers to customers twice, as if "
        "it were two records: leave one of them out."
    )


def test_the_end_of_a_run_tells_where_the_rejects_are(run_target: TargetRuns) -> None:
    run = run_target(SHOP, record("customers", number="A2", name=["x"]))

    assert run.sentences("WARNING")[-1].startswith("What was rejected, and why, is in ")
