"""When to try again, as decisions on values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.errors import NotFound
from cirqll_client.retry import FEW_TRIES, Failure, Patience, Tries

PATIENCE = Patience(900, jitter=lambda seconds: seconds)
FAULT = Failure("the server answered 503")


def failed(*failures: Failure, now: float = 0.0) -> Tries:
    tries = Tries()
    for failure in failures:
        tries = tries.and_one_more(failure, now=now)
    return tries


def wait(
    *failures: Failure, now: float = 0.0, patience: Patience = PATIENCE, known: bool = True
) -> float | None:
    return patience.seconds_to_wait(
        failures[-1], failed(*failures), now=now, has_ever_succeeded=known
    )


def test_waits_double_up_to_a_minute() -> None:
    assert [wait(*[FAULT] * n) for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_the_last_try_comes_when_the_time_is_up() -> None:
    assert wait(*[FAULT] * 9, now=880) == 20
    assert wait(*[FAULT] * 10, now=900) is None


def test_without_patience_the_first_failure_is_the_last() -> None:
    assert wait(FAULT, patience=Patience(0)) is None


def test_a_refusal_for_being_too_many_waits_as_long_as_the_server_asks() -> None:
    assert wait(Failure("429", is_too_many=True, retry_after_seconds=17)) == 17
    assert wait(Failure("429", is_too_many=True, retry_after_seconds=0)) == 1


def test_without_retry_after_the_waits_add_up_to_the_window() -> None:
    too_many = Failure("429", is_too_many=True)
    assert [wait(*[too_many] * n) for n in range(1, 6)] == [10, 20, 30, 60, 60]


def test_a_server_that_asks_for_more_than_there_is_patience_ends_it_at_once() -> None:
    assert wait(Failure("429", is_too_many=True, retry_after_seconds=3600)) is None


def test_the_window_is_waited_for_even_with_little_patience() -> None:
    too_many = Failure("429", is_too_many=True, retry_after_seconds=60)
    assert wait(too_many, patience=Patience(5)) == 60


def test_what_looks_like_a_wrong_setting_gets_few_tries_until_something_was_read() -> None:
    doubtful = [Failure("there is no host of that name", may_be_a_setting=True)] * FEW_TRIES
    assert wait(*doubtful, known=False) is None
    assert wait(*doubtful[1:], known=False) is not None
    assert wait(*doubtful, known=True) is not None


def test_what_may_be_an_answer_gets_few_tries() -> None:
    doubtful = [Failure("a web page came with 404", ending=NotFound("gone"))] * FEW_TRIES
    assert wait(*doubtful) is None
    assert wait(*doubtful[1:]) is not None


def test_it_is_not_believed_among_other_faults() -> None:
    doubtful = Failure("a web page came with 404", ending=NotFound("gone"))
    assert wait(*[FAULT, doubtful] * FEW_TRIES) is not None


@given(jitter=st.floats(0, 1), number=st.integers(1, 40), now=st.floats(0, 899))
def test_no_wait_is_negative_longer_than_a_minute_or_beyond_the_end(
    jitter: float, number: int, now: float
) -> None:
    patience = Patience(900, jitter=lambda seconds: jitter * seconds)
    seconds = wait(*[FAULT] * number, now=now, patience=patience)
    assert seconds is not None
    assert 0 < seconds <= 60
    assert now + seconds <= 900.0001 or seconds == pytest.approx(0.1)
