"""What was found out about an API: kept for 30 days, and forgotten when it is wrong."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client import findings as facts
from cirqll_client.findings import HOLDS_SECONDS, Findings, ResourceHonesty
from cirqll_client.query import Condition, IndexQuery, all_of
from cirqll_client.store import Store
from tests.client.fake_time import FakeTime

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = 86_400.0


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def findings(store_url: str, time: FakeTime) -> Iterator[Findings]:
    with closing(Store(store_url, clock=time)) as store:
        yield Findings(store, "one account")


def test_nothing_is_known_at_first(findings: Findings) -> None:
    assert findings.page_maximum is None
    assert findings.page_size_refused is None
    assert not findings.is_total_proven
    assert findings.quoting == "quoted"
    assert findings.zones_proven_wrong == frozenset()
    assert findings.honesty("customer") == ResourceHonesty()
    assert ResourceHonesty().may_be_read_by_change
    assert ResourceHonesty().may_be_read_by_id


def test_a_fact_holds_for_thirty_days(findings: Findings, time: FakeTime) -> None:
    # Given
    findings.learn(facts.PAGE_MAXIMUM, 500)
    findings.learn(facts.QUOTING, "bare_times")
    findings.learn_honesty("customer", ResourceHonesty(filter="ignored"))
    # When
    time.sleep(HOLDS_SECONDS - DAY)
    # Then
    assert findings.page_maximum == 500
    assert findings.quoting == "bare_times"
    assert not findings.honesty("customer").may_be_read_by_change
    # When
    time.sleep(2 * DAY)
    # Then it is to be found out anew
    assert findings.page_maximum is None
    assert findings.quoting == "quoted"
    assert findings.honesty("customer") == ResourceHonesty()


def test_a_fact_can_be_forgotten_and_learned_again(findings: Findings) -> None:
    findings.learn(facts.PAGE_MAXIMUM, 500)
    findings.learn_honesty("note", ResourceHonesty(order="refused"))
    findings.forget(facts.PAGE_MAXIMUM)
    findings.forget(facts.QUOTING)
    findings.forget_honesty("note")
    assert findings.page_maximum is None
    assert findings.honesty("note") == ResourceHonesty()
    findings.learn(facts.PAGE_MAXIMUM, 40)
    assert findings.page_maximum == 40


def test_facts_are_of_one_account_and_one_resource(findings: Findings) -> None:
    findings.learn(facts.PAGE_MAXIMUM, 500)
    findings.learn_honesty("note", ResourceHonesty(filter="ignored"))
    assert Findings(findings._store, "another account").page_maximum is None
    assert findings.honesty("todo") == ResourceHonesty()


@pytest.mark.parametrize("value", [0, -5, "500", True, 1.5, [], {}])
def test_a_page_maximum_that_is_none_is_not_known(findings: Findings, value: Any) -> None:
    findings.learn(facts.PAGE_MAXIMUM, value)
    assert findings.page_maximum is None


@pytest.mark.parametrize("value", ["shouted", 5, [], {"filter": "perhaps", "more": 1}])
def test_a_fact_of_another_form_is_not_known(findings: Findings, value: Any) -> None:
    for fact in (facts.QUOTING, facts.ZONES_PROVEN_WRONG, "honesty note"):
        findings.learn(fact, value)
    assert findings.quoting == "quoted"
    assert findings.zones_proven_wrong == frozenset()
    assert findings.honesty("note") == ResourceHonesty()


@pytest.mark.parametrize("name", ["filter", "order", "id_order"])
@pytest.mark.parametrize("honesty", ["honoured", "ignored", "refused", "unknown"])
def test_only_what_is_known_not_to_work_keeps_from_a_way(name: str, honesty: Any) -> None:
    found = ResourceHonesty(**{name: honesty})
    is_possible = honesty in {"honoured", "unknown"}
    assert found.may_be_read_by_change is is_possible
    assert found.may_be_read_by_id is (is_possible or name != "id_order")


@pytest.mark.parametrize(
    ("value", "quoted", "bare"),
    [
        ("2026-05-01 10:00:00", '"2026-05-01 10:00:00"', "2026-05-01 10:00:00"),
        ("2026-05-01T10:00:00Z", '"2026-05-01T10:00:00Z"', "2026-05-01T10:00:00Z"),
        ("a, b", '"a, b"', '"a, b"'),
        ("2026-05-01 10:00:00, and more", '"2026-05-01 10:00:00, and more"', None),
        ("plain", "plain", "plain"),
    ],
)
def test_only_times_are_written_without_quotes(value: str, quoted: str, bare: str | None) -> None:
    condition = all_of(Condition("updated_at", "gt", value), Condition("id", "gt", 5))
    query = IndexQuery(filter=condition)
    expected = "(updated_at:gt:{},and,id:gt:5)"
    assert query.parameters()["filter"] == expected.format(quoted)
    written = query.parameters(quoting="bare_times")["filter"]
    assert written == expected.format(bare or quoted)
