"""How texts compare: as MySQL's usual collation does, or exactly."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_sandbox.values import collated

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox
    from tests.sandbox.conftest import Client

ALIKE = [
    ("Bakkerij", "bAKKERIJ"), ("Café", "cafe"), ("Cafe\u0301", "Café"), ("Straße", "STRASSE"),
    ("a", "a  "), ("a  ", "a"), ("Ĳssel", "ijssel"), ("Bakker 🥖", "bakker 🍕"), ("", "  "),
]  # fmt: skip
UNLIKE = [
    ("a", " a"), ("a b", "ab"), ("a-b", "ab"), ("a", "a🥖"), ("1", "1.0"), ("a", "a\t"),
    ("2025-01-01", "2025-01-01 00:00:00"),
]  # fmt: skip


@pytest.fixture(params=["eq", "in"])
def operator(request: pytest.FixtureRequest) -> str:
    """Both look for equal texts."""
    name: str = request.param
    return name


@pytest.mark.parametrize(("stored", "sought"), ALIKE)
def test_texts_that_differ_in_case_accents_and_last_blanks_are_equal(
    sandbox: Sandbox, api: Client, operator: str, stored: str, sought: str
) -> None:
    sandbox.rows("customer").insert_many([{"name": stored}, {"name": "other"}])
    assert api.ids("/api/customer", filter=f'name:{operator}:"{sought}"') == [1]
    assert api.ids("/api/customer", filter=f'name:not:{operator}:"{sought}"') == [2]


@pytest.mark.parametrize(("stored", "sought"), UNLIKE)
def test_other_texts_are_not(
    sandbox: Sandbox, api: Client, operator: str, stored: str, sought: str
) -> None:
    sandbox.rows("customer").insert(name=stored)
    assert api.ids("/api/customer", filter=f'name:{operator}:"{sought}"') == []
    assert api.ids("/api/customer", filter=f'name:{operator}:"{stored}"') == [1]


@pytest.mark.parametrize(("stored", "sought"), ALIKE)
def test_texts_may_be_compared_exactly(
    sandbox: Sandbox, api: Client, operator: str, stored: str, sought: str
) -> None:
    sandbox.behaviour = replace(sandbox.behaviour, text_comparison="exact")
    sandbox.rows("customer").insert(name=stored)
    assert api.ids("/api/customer", filter=f'name:{operator}:"{sought}"') == []
    assert api.ids("/api/customer", filter=f'name:{operator}:"{stored}"') == [1]


def test_the_order_follows_the_comparison(sandbox: Sandbox, api: Client) -> None:
    sandbox.rows("customer").insert_many(
        [{"name": name} for name in ("Zoë", "zoe ", "éclair", "F")]
    )
    assert api.ids("/api/customer", order_by="name") == [3, 4, 1, 2]
    assert api.ids("/api/customer", filter="name:lt:f") == [3]
    sandbox.behaviour = replace(sandbox.behaviour, text_comparison="exact")
    assert api.ids("/api/customer", order_by="name") == [4, 1, 2, 3]


@pytest.mark.parametrize("comparison", ["mysql", "exact"])
def test_a_search_never_regards_case_and_always_blanks(
    sandbox: Sandbox, api: Client, comparison: Any
) -> None:
    sandbox.behaviour = replace(sandbox.behaviour, text_comparison=comparison)
    sandbox.rows("customer").insert(name="De Korenaar")
    for sought in ('contains:"KOREN"', 'starts_with:"dE "', 'like:"e k"'):
        assert api.ids("/api/customer", filter=f"name:{sought}") == [1]
    assert api.ids("/api/customer", filter='name:ends_with:"naar "') == []


@given(st.text(max_size=20))
def test_a_collated_text_has_no_case_and_no_blanks_at_its_end(text: str) -> None:
    assert collated(text) == collated(text + "  ") == collated(collated(text))
    assert collated(text.upper()).rstrip() == collated(text.upper().lower()).rstrip()
