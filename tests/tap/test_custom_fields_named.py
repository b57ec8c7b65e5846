"""Columns of custom fields: readable names that stay, whatever their fields are called later."""

from __future__ import annotations

import re
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cirqll_client.custom_fields import column_key
from cirqll_client.kinds import Kind
from cirqll_client.learned_columns import LearnedColumns
from cirqll_client.naming import custom_namer
from cirqll_client.store import Store

if TYPE_CHECKING:
    from cirqll_client.learned_columns import Columns

USABLE = re.compile(r"cf_[a-z0-9_]{1,60}")
DOCUMENTED = {"id", "name", "updated_at"}

names = st.one_of(
    st.sampled_from(
        ["Kleur", "kleur", "KLEUR!", "", "?", "漢字", "name", "x" * 80, "x" * 81, "cf_kleur"]
    ),
    st.text(max_size=8),
)
states = st.dictionaries(st.integers(1, 6), names, max_size=6)


@given(st.lists(states, min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_names_are_usable_distinct_and_the_same_for_ever(history: list[dict[int, str]]) -> None:
    with closing(Store("sqlite://")) as store:
        learned = LearnedColumns(store, account="a")
        before: Columns = {}

        for state in history:
            called = {column_key(number): name for number, name in state.items()}
            name_of = custom_namer(DOCUMENTED, called)
            columns = learned.add("customers", dict.fromkeys(called, Kind.STRING), name_of=name_of)

            assert columns.keys() >= called.keys() | before.keys()
            assert {key: columns[key] for key in before} == before
            assert all(USABLE.fullmatch(one.name) for one in columns.values())
            assert len({one.name.lower() for one in columns.values()}) == len(columns)
            before = columns


@pytest.mark.parametrize(
    ("called", "column"),
    [
        ("Aantal medewerkers", "cf_aantal_medewerkers"),
        ("Jaaromzet (x € 1.000)", "cf_jaaromzet_x_1_000"),
        ("Größe", "cf_grosse"),
        ("name", "cf_name"),
        ("", "cf_field_values_3"),
        ("漢字", "cf_field_values_3"),
    ],
)
def test_a_name_is_readable(called: str, column: str) -> None:
    key = column_key(3)

    assert custom_namer(DOCUMENTED, {key: called})(key, {}) == column
