"""Values become as few filters as possible, and none of them can be misread."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_cirqll.questions import Questions, needs_quotes, questions, url_length

LONGEST, MOST = 400, 12

ANY_TEXT = st.text(max_size=40) | st.text("ab :,;()é'%+\\\"", max_size=12)
VALUES = st.lists(st.integers(0, 2**32) | ANY_TEXT, max_size=60)


def asked(values: list[int | str], *, longest: int = 8000, most: int = 1000) -> Questions:
    return questions("name", values, longest=longest, most=most)


def filters(values: list[int | str], **limits: int) -> list[str]:
    return [str(one.condition) for one in asked(values, **limits).questions]


@given(VALUES)
def test_every_value_is_in_one_question_or_comes_back_with_a_reason(
    values: list[int | str],
) -> None:
    result = asked(values, longest=LONGEST, most=MOST)

    in_questions = [value for one in result.questions for value in one.values]
    assert len(in_questions) == len(set(in_questions))
    assert {*in_questions} | result.inexpressible.keys() == {*values}
    assert not {*in_questions} & result.inexpressible.keys()
    assert all(result.inexpressible.values())


@given(VALUES)
def test_no_question_is_too_long_or_holds_too_many(values: list[int | str]) -> None:
    result = asked(values, longest=LONGEST, most=MOST)

    assert all(url_length(one.condition) <= LONGEST for one in result.questions)
    assert all(0 < len(one.values) <= MOST for one in result.questions)


@given(VALUES)
def test_questions_are_about_equally_large(values: list[int | str]) -> None:
    sizes = [len(one.values) for one in asked(values, longest=LONGEST, most=MOST).questions]

    assert not sizes or max(sizes) - min(sizes) <= 1


@given(VALUES)
def test_what_is_asked_holds_every_value_as_it_is(values: list[int | str]) -> None:
    for one in asked(values, longest=LONGEST, most=MOST).questions:
        for value in one.values:
            assert (f'name:eq:"{value}"' if needs_quotes(value) else str(value)) in str(
                one.condition
            )


def test_a_thousand_ids_of_six_digits_are_one_question() -> None:
    assert len(asked([*range(100_000, 101_000)], longest=7_700).questions) == 1


def test_ids_are_asked_for_in_their_order() -> None:
    assert filters([30, 4, 100]) == ["name:in:4;30;100"]


def test_a_few_more_than_fit_are_asked_for_in_halves() -> None:
    sizes = [len(one.values) for one in asked([*range(1_010)]).questions]

    assert sizes == [505, 505]


def test_values_that_need_no_quotes_are_a_list() -> None:
    assert filters(["noor@voorbeeld.nl", "a"]) == ["name:in:a;noor@voorbeeld.nl"]


def test_values_that_need_quotes_are_conditions_of_their_own() -> None:
    assert filters(["A B", "C;D"]) == ['(name:eq:"A B",or,name:eq:"C;D")']


def test_one_value_that_needs_quotes_is_a_single_condition() -> None:
    assert filters(["A B"]) == ['name:eq:"A B"']


def test_both_kinds_are_one_question() -> None:
    assert filters(["A B", "b", "a"]) == ['(name:in:a;b,or,name:eq:"A B")']


@pytest.mark.parametrize(
    "value", ["", 'a"b', "a\\b", "a\nb", "a\0b", " a", "a ", "a\u2028b", "\ud800", "x" * 401]
)
def test_what_a_filter_cannot_hold_safely_comes_back(value: str) -> None:
    result = asked(["fine", value], longest=LONGEST)

    assert [one.values for one in result.questions] == [("fine",)]
    assert result.inexpressible.keys() == {value}


def test_letters_count_as_they_stand_in_the_url() -> None:
    assert url_length('é "') == len("%C3%A9+%22")
    assert url_length(":,;()") == len(":,;()")


def test_dear_values_do_not_gather_in_one_question() -> None:
    values = [*range(1000, 1100), *(f"Klant nummer {one}" for one in range(100))]
    total = sum(url_length(f'name:eq:"{value}",or,') for value in values[100:]) + 500

    assert len(asked(values, longest=1_500).questions) <= ceil(total / 1_500) + 1
