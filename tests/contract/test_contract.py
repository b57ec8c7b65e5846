"""Recordings are judged by the facts; and the judges see what is wrong on purpose."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.judgement import FACTS, contradictions_in, judge
from tests.contract.recordings import SANDBOX, folders
from tests.contract.unknowns import settled_by
from tests.contract.wrong_exchanges import CASES, Case, exchange, page

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.recordings import Exchange

FACT = {fact.name: fact for fact in FACTS}
each_case = pytest.mark.parametrize(
    "case", CASES, ids=[f"{case.fact} {number}" for number, case in enumerate(CASES)]
)


def contradicted(exchange: Exchange) -> set[str]:
    return {one.fact.name for one in contradictions_in([exchange])}


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)
def test_recordings_contradict_nothing_that_is_certain(folder: Path) -> None:
    failures = judge(folder).failures()
    assert not failures, "\n".join(map(str, failures))


@each_case
def test_a_wrong_exchange_contradicts_its_fact(case: Case) -> None:
    assert case.fact in contradicted(case.wrong)


@each_case
def test_a_right_exchange_does_not(case: Case) -> None:
    assert case.fact not in contradicted(case.right)


def test_every_fact_has_a_name_of_its_own_and_a_wrong_exchange() -> None:
    assert len(FACT) == len(FACTS)
    assert {case.fact for case in CASES} == set(FACT)


@pytest.mark.parametrize("certainty", ["doc", "likely", "guess"])
def test_only_what_is_documented_fails_for_an_account(tmp_path: Path, certainty: str) -> None:
    # Given a recording in which one field is of a type that it cannot have
    field = {"doc": "name", "likely": "import_id", "guess": "coc_number"}[certainty]
    for name in ("account", SANDBOX.name):
        shutil.copytree(SANDBOX, tmp_path / name)
        file = tmp_path / name / "customer.yaml"
        text = file.read_text("utf-8")
        file.write_text(re.sub(rf'"{field}": .*,', f'"{field}": 5.5,', text, count=1))
    # When
    ours, theirs = judge(tmp_path / SANDBOX.name), judge(tmp_path / "account")
    # Then
    assert {one.fact.certainty for one in ours.failures()} == {certainty}
    assert bool(theirs.failures()) == (certainty == "doc")
    assert any(line.startswith(f"[{certainty}]") for line in theirs.lines())


def test_a_contradiction_is_told_once_with_its_first_place() -> None:
    wrong = exchange("GET /api/customer?limit=2", page({"id": 0}))
    (told,) = [str(one) for one in contradictions_in([wrong, wrong]) if one.fact.name == "ids"]
    assert told == (
        "[doc] ids (id and every x_id are integers, 1..4294967296): customer.id is no id; here, "
        "2 times"
    )


def test_what_is_new_is_listed(tmp_path: Path) -> None:
    # Given
    folder = tmp_path / "account"
    folder.mkdir()
    text = (SANDBOX / "todo.yaml").read_text("utf-8")
    (folder / "todo.yaml").write_text(text.replace('"completed_at"', '"done_at"'))
    # When
    judgement = judge(folder)
    # Then
    assert judgement.undocumented["todo"] == ["done_at"]
    assert judgement.never_came["todo"] == ["completed_at"]
    assert "undocumented fields of todo: done_at" in judgement.lines()
    assert not judgement.failures()


def test_what_nobody_knew_is_said() -> None:
    lines = judge(SANDBOX).lines()
    assert "a page of 1001 is answered 200, with the limit 1000" in lines
    assert "a time without quotes in a filter is answered 400" in lines


def test_a_change_ahead_of_the_clock_is_told() -> None:
    # Given
    date = {"date": "Thu, 18 Jan 2024 12:00:00 GMT"}
    changed = [{"id": 1, "updated_at": f"2024-01-18 {time}"} for time in ("12:00:00", "12:00:01")]
    # When
    before, after = (
        settled_by([exchange("GET /api/customer?limit=2", page(row), headers=date)])
        for row in changed
    )
    # Then
    assert before == []
    assert after == ["an updated_at of customer lies ahead of the clock: it is not in UTC"]


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(
        st.lists(inner),
        st.dictionaries(st.sampled_from(["data", "id", "total", "limit", "errors", "user"]), inner),
    ),
    max_leaves=8,
)
questions = st.sampled_from([case.wrong for case in CASES])


@given(questions, anything, st.sampled_from([200, 204, 400, 404, 422, 429, 500]))
def test_no_answer_is_too_odd_to_be_judged(asked: Exchange, said: object, status: int) -> None:
    question = f"{asked.method} {asked.path}"
    query = "&".join(f"{name}={value}" for name, value in asked.query.items())
    contradicted(exchange(f"{question}?{query}", said, status=status, sent=asked.sent))
