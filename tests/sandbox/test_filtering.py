"""The filter language is read as cirqll-api.md describes it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_sandbox import Behaviour
from cirqll_sandbox.filtering import OPERATORS, Condition, Filter, Junction, parse_filter
from cirqll_sandbox.refusals import Refusal

DEFAULT = Behaviour()


def printed(tree: Filter, behaviour: Behaviour = DEFAULT) -> str:
    """The tree in the filter language, every junction in parentheses."""
    if isinstance(tree, Junction):
        return "(" + f",{tree.kind},".join(printed(part, behaviour) for part in tree.parts) + ")"
    prefix = "not:" if tree.negated else ""
    value = ";".join(quoted(value, behaviour) for value in tree.values)
    return f"{'.'.join(tree.path)}:{prefix}{tree.operator}:{value}"


def quoted(value: str, behaviour: Behaviour) -> str:
    """The value in quotes, with the escape in force."""
    match behaviour.quote_escape:
        case "backslash":
            value = value.replace("\\", "\\\\").replace('"', '\\"')
        case "doubled":
            value = value.replace('"', '""')
    return f'"{value}"'


def filters(values: st.SearchStrategy[str]) -> st.SearchStrategy[Filter]:
    """Any tree that the language can say."""
    name = st.sampled_from(["id", "name", "user", "field_values", "x_1", "and", "or", "not"])
    path = st.lists(name, min_size=1, max_size=3).map(tuple)
    one = st.builds(
        Condition, path, st.sampled_from(sorted(OPERATORS - {"in"})),
        values.map(lambda value: (value,)), st.booleans(),
    )  # fmt: skip
    some = st.lists(values, min_size=1, max_size=4).map(tuple)
    many = st.builds(Condition, path, st.just("in"), some, st.booleans())
    return st.recursive(
        one | many,
        lambda parts: st.builds(
            Junction,
            st.sampled_from(["and", "or"]),
            st.lists(parts, min_size=2, max_size=4).map(tuple),
        ),
        max_leaves=8,
    )


@given(filters(st.text().map(lambda text: text.replace('"', "").replace(";", ""))))
def test_a_filter_that_is_printed_and_read_is_the_same(tree: Filter) -> None:
    assert parse_filter(printed(tree), DEFAULT) == tree


@pytest.mark.parametrize("escape", ["backslash", "doubled"])
@given(tree=filters(st.text()))
def test_with_an_escape_any_value_survives(tree: Filter, escape: Any) -> None:
    behaviour = replace(DEFAULT, quote_escape=escape, semicolon_in_quotes="belongs")
    assert parse_filter(printed(tree, behaviour), behaviour) == tree


@given(st.text(alphabet='abc:,();". andortein', max_size=40))
def test_any_text_is_read_or_refused_with_400(text: str) -> None:
    try:
        parse_filter(text, DEFAULT)
    except Refusal as refusal:
        assert refusal.status == 400  # noqa: PT017 - reading it is right, too


def test_the_documented_example_is_read() -> None:
    tree = parse_filter("field:eq:value,and,(field2:gt:5,OR,field3:lt:10)", DEFAULT)

    assert tree == Junction("and", (
        Condition(("field",), "eq", ("value",)),
        Junction("or", (
            Condition(("field2",), "gt", ("5",)), Condition(("field3",), "lt", ("10",)),
        )),
    ))  # fmt: skip


def test_and_binds_tighter_than_or() -> None:
    bare = parse_filter("a:eq:1,or,b:eq:2,and,c:eq:3", DEFAULT)
    assert bare == parse_filter("a:eq:1,or,(b:eq:2,and,c:eq:3)", DEFAULT)


def test_in_separates_values_by_semicolons_in_and_out_of_quotes() -> None:
    bare = parse_filter("customer_id:in:28;29;30", DEFAULT)
    assert bare == Condition(("customer_id",), "in", ("28", "29", "30"))
    assert parse_filter('name:in:"a b;c"', DEFAULT) == parse_filter('name:in:"a b";"c"', DEFAULT)


@pytest.mark.parametrize(
    "text",
    [
        "", "name", "name:eq", "name:ne:x", "name:not:not:eq:x", "name:between:1;2", "(a:eq:1",
        "a:eq:1)", "a:eq:1,xor,b:eq:2", "a:eq:1,and", "a:eq:1 ,and,b:eq:2", 'a:eq:"x', 'a:eq:"x"y',
        "updated_at:gt:2025-01-01 00:00:00", "a:eq:x y", "a:eq:1,,and,b:eq:2", ".a:eq:1", "a.:eq:1",
    ],
)  # fmt: skip
def test_what_is_not_in_the_language_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_filter(text, DEFAULT)
    assert caught.value.status == 400


def test_bare_values_may_hold_colons_and_spaces_where_that_is_accepted() -> None:
    lenient = replace(DEFAULT, bare_special_characters="accept")
    read = parse_filter("a:gt:2025-01-01 00:00:00,and,b:eq:1", lenient)
    assert read == parse_filter('a:gt:"2025-01-01 00:00:00",and,b:eq:1', DEFAULT)


def test_literal_quotes_belong_to_the_value() -> None:
    literal = replace(DEFAULT, quotes="literal")
    assert parse_filter('(a:gt:"2025-01-01 00:00:00",or,b:eq:1)', literal) == Junction(
        "or",
        (Condition(("a",), "gt", ('"2025-01-01 00:00:00"',)), Condition(("b",), "eq", ("1",))),
    )
