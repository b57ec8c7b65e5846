"""Answers that are left for the next process: given out once, soon, and to the same token only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sql
from cryptography.fernet import Fernet

from cirqll_client.handed_over import GOOD_FOR_SECONDS, MOST_BYTES, HandedOver, Question
from cirqll_client.sealing import FernetSealing, Unsealed
from cirqll_client.store import HANDED_OVER, Store
from cirqll_client.transport import Answer
from tests.client.fake_time import FakeTime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cirqll_client.sealing import Sealing

QUESTION = Question("/customer", {"limit": "1000"}, "the fingerprint of a token")
DATE = "Tue, 03 Mar 2026 10:00:00 GMT"
ANSWER = Answer(200, {"Date": DATE, "Set-Cookie": "canary"}, b'{"data": [{"id": 1}]}')


@pytest.fixture
def clock() -> FakeTime:
    return FakeTime()


@pytest.fixture
def store(store_url: str, clock: FakeTime) -> Iterator[Store]:
    store = Store(store_url, clock=clock)
    yield store
    store.close()


def handed_over(store: Store, sealing: Sealing | None = None, account: str = "a") -> HandedOver:
    return HandedOver(store, account=account, sealing=sealing or Unsealed())


def taken(store: Store, question: Question, *, by: HandedOver | None = None) -> Answer | None:
    process = by or handed_over(store)
    process.has_any()
    return process.take(question)


def test_an_answer_is_given_to_one_who_asks_the_same(store: Store) -> None:
    # Given
    handed_over(store).leave(QUESTION, ANSWER)
    one, other = handed_over(store), handed_over(store)
    assert (one.has_any(), other.has_any()) == (True, True)
    # When
    answers = [one.take(QUESTION), other.take(QUESTION), one.take(QUESTION)]
    # Then
    assert answers == [Answer(200, {"Date": DATE}, ANSWER.body), None, None]


@pytest.mark.parametrize(
    "other",
    [
        replace(QUESTION, path="/contact"),
        replace(QUESTION, parameters={"limit": "100"}),
        replace(QUESTION, token_fingerprint="that of another token"),
    ],
)
def test_another_question_gets_nothing(store: Store, other: Question) -> None:
    handed_over(store).leave(QUESTION, ANSWER)
    assert taken(store, other) is None


def test_another_account_gets_nothing(store: Store) -> None:
    handed_over(store).leave(QUESTION, ANSWER)
    other = handed_over(store, account="b")
    assert not other.has_any()
    assert other.take(QUESTION) is None


@pytest.mark.parametrize(("seconds", "is_given"), [(0.0, True), (1.0, False)])
def test_an_answer_is_good_for_a_while(
    store: Store, clock: FakeTime, *, seconds: float, is_given: bool
) -> None:
    handed_over(store).leave(QUESTION, ANSWER)
    clock.sleep(GOOD_FOR_SECONDS + seconds)
    assert (taken(store, QUESTION) is not None) == is_given


def test_an_answer_that_grew_old_while_it_was_waited_for_is_not_given(
    store: Store, clock: FakeTime
) -> None:
    handed_over(store).leave(QUESTION, ANSWER)
    reader = handed_over(store)
    assert reader.has_any()
    clock.sleep(GOOD_FOR_SECONDS + 1)
    assert reader.take(QUESTION) is None


def test_old_answers_go_whoever_looks(store: Store, clock: FakeTime) -> None:
    handed_over(store).leave(QUESTION, ANSWER)
    clock.sleep(GOOD_FOR_SECONDS + 1)
    handed_over(store, account="b").has_any()
    with store.transaction() as connection:
        assert connection.execute(sql.select(HANDED_OVER)).all() == []


def test_a_store_that_fails_leaves_nothing_and_stops_nobody(
    store: Store,
) -> None:
    with store.transaction() as connection:
        HANDED_OVER.drop(connection)
    handed_over(store).leave(QUESTION, ANSWER)


def test_a_newer_answer_takes_the_place_of_an_older_one(store: Store) -> None:
    newer = replace(ANSWER, body=b"[]")
    for answer in (ANSWER, newer):
        handed_over(store).leave(QUESTION, answer)
    found = taken(store, QUESTION)
    assert found is not None
    assert found.body == b"[]"


@pytest.mark.parametrize(
    "answer",
    [replace(ANSWER, headers={}), replace(ANSWER, body=b"x" * (MOST_BYTES + 1))],
    ids=["no time of the server", "too large"],
)
def test_some_answers_are_not_left(store: Store, answer: Answer) -> None:
    handed_over(store).leave(QUESTION, answer)
    assert not handed_over(store).has_any()


def test_what_is_left_is_sealed_with_the_key_of_the_store(store: Store) -> None:
    # Given
    sealing = FernetSealing(Fernet.generate_key().decode())
    handed_over(store, sealing).leave(QUESTION, ANSWER)
    # Then another key reads nothing, and stops nobody
    other = FernetSealing(Fernet.generate_key().decode())
    assert taken(store, QUESTION, by=handed_over(store, other)) is None
    # Then
    handed_over(store, sealing).leave(QUESTION, ANSWER)
    assert taken(store, QUESTION, by=handed_over(store, sealing)) is not None
