"""A relation in any form: its entries, how many there are, and whether they are all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.relations import MOST_ALONG, may_lack_some, read

ONE, TWO = {"id": 3, "name": "Groot"}, {"id": 5, "name": "Klein"}
LISTED = [(None, ONE), (None, TWO)]

forms = st.one_of(
    st.none(),
    st.lists(st.integers() | st.text(max_size=3), max_size=60),
    st.dictionaries(st.integers(1, 99).map(str), st.text(max_size=3), max_size=60),
    st.just(ONE),
    st.sampled_from(["x", 7, True]),
)


@pytest.mark.parametrize(
    ("came", "entries"),
    [
        ([ONE, TWO], LISTED),
        ({"3": "Groot", "5": "Klein"}, [("3", "Groot"), ("5", "Klein")]),
        ({"0": ONE, "2": TWO}, [("0", ONE), ("2", TWO)]),
        ({"groot": {"order": 1}}, [("groot", {"order": 1})]),
        ({"3": "Groot", "klein": "Klein"}, [("3", "Groot"), ("klein", "Klein")]),
        (ONE, [(None, ONE)]),
        ({"id": {"nested": 1}}, [(None, {"id": {"nested": 1}})]),
        ({"field_id": 3, "value": {}}, [(None, {"field_id": 3, "value": {}})]),
        ({"name": "Groot"}, [(None, {"name": "Groot"})]),
        ([], []),
        ({}, []),
        (None, []),
    ],
)
def test_every_form_is_read_alone_and_in_a_page(came: Any, entries: Any) -> None:
    for relation in (came, {"data": came, "limit": 50, "total": len(entries), "offset": 0}):
        assert read(relation).entries == entries
        assert not read(relation).is_odd
        assert not read(relation).may_lack_some


@given(forms)
def test_a_page_says_what_its_content_says(content: Any) -> None:
    assert read({"data": content}) == read(content)


@pytest.mark.parametrize("came", ["x", 7, True, Decimal("1.5")])
def test_what_has_no_form_is_odd_and_has_no_entries(came: Any) -> None:
    assert read(came).is_odd
    assert read({"data": came, "total": 1}).is_odd
    assert read({"data": came, "total": 1}).entries == []


@pytest.mark.parametrize("came", [None, [], {}, "x", [ONE], {"3": "Groot"}])
def test_a_total_counts_whatever_the_content_is(came: Any) -> None:
    relation = read({"data": came, "total": 60})

    assert (relation.may_lack_some, relation.at_least) == (True, 60)


@given(st.integers(0, 99), st.integers(0, 10**6))
def test_a_total_is_the_same_however_it_is_written(count: int, total: int) -> None:
    for written in (total, str(total), f" {total} ", f"{total}.0", Decimal(f"{total}.0")):
        assert may_lack_some(count, written) == (total > count)
        assert read({"data": [7] * count, "total": written}).total == total


@pytest.mark.parametrize("total", ["many", "", -1, True, [], {}, "1e2", Decimal("1.5"), "-3"])
def test_a_total_that_says_no_number_leaves_a_doubt(total: Any) -> None:
    assert may_lack_some(2, total)
    assert may_lack_some(0, total)
    assert read({"data": [ONE], "total": total}).at_least == 1


@given(st.integers(0, 99))
def test_without_a_total_only_as_many_as_come_along_may_not_be_all(count: int) -> None:
    assert may_lack_some(count, None) == (count == MOST_ALONG)
