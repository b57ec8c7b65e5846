"""Questions to an Index: what is written is what was meant, and parses back to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.query import (
    Condition,
    Group,
    IndexQuery,
    Inexpressible,
    Operator,
    Order,
    all_of,
    any_of,
)

OPERATORS: tuple[Operator, ...] = get_args(Operator)
_TOKEN = re.compile(r'"(?P<quoted>[^"]*)"|(?P<sign>[:,;()])|(?P<bare>[^:,;()\s"]+)')


@dataclass
class Parser:
    """Reads a filter as the API's description tells it, from left to right."""

    text: str
    at: int = 0

    def whole(self) -> Any:
        """The whole text: nested lists of conditions and words."""
        members = self.members()
        assert self.at == len(self.text), f"{self.text[self.at :]!r} is left over"
        return members[0] if len(members) == 1 else members

    def members(self) -> list[Any]:
        """Members and the words between them."""
        found = [self.member()]
        while self.next_is(","):
            self.take(",")
            found.append(self.take())
            assert found[-1] in {"and", "or"}
            self.take(",")
            found.append(self.member())
        return found

    def member(self) -> Any:
        """A condition, or members in parentheses."""
        if not self.next_is("("):
            return self.condition()
        self.take("(")
        members = self.members()
        self.take(")")
        return members

    def condition(self) -> tuple[str, str, Any]:
        """Field, operator and value."""
        name, operator = self.take(), self.after_colon()
        if operator == "not":
            operator = f"not:{self.after_colon()}"
        values = [self.after_colon()]
        while self.next_is(";"):
            self.take(";")
            values.append(self.take())
        return name, operator, values if operator.endswith("in") else values[0]

    def after_colon(self) -> str:
        self.take(":")
        return self.take()

    def next_is(self, sign: str) -> bool:
        return self.text.startswith(sign, self.at)

    def take(self, sign: str | None = None) -> str:
        """The next word or value, or this sign."""
        token = _TOKEN.match(self.text, self.at)
        assert token, f"{self.text[self.at :]!r} cannot be read"
        assert token["sign"] == sign
        self.at = token.end()
        return token["quoted"] if token["bare"] is None else token["bare"]


def meant(member: Condition | Group) -> Any:
    """What a parser should find."""
    if isinstance(member, Group):
        found: list[Any] = []
        for one in member.members:
            found += [member.word, meant(one)]
        return found[1:]
    values = member.value if isinstance(member.value, tuple) else (member.value,)
    written = [str(value) for value in values]
    is_list = member.operator.endswith("in")
    return member.field, member.operator, written if is_list else written[0]


fields = st.from_regex(r"[a-z_]{1,8}(\.[a-z_]{1,8})?", fullmatch=True)
texts = st.text(st.characters(exclude_characters='"', exclude_categories=["Cs"]))
values = texts | st.sampled_from(["and", "or", ",and,", "(a:eq:1)", "not", "2025-01-01 00:00:00"])
plain = st.builds(
    Condition,
    field=fields,
    operator=st.sampled_from([name for name in OPERATORS if not name.endswith("in")]),
    value=values | st.integers(),
)
lists = st.builds(
    Condition,
    field=fields,
    operator=st.sampled_from(["in", "not:in"]),
    value=st.lists(
        st.integers() | values.filter(lambda text: text and ";" not in text), min_size=1
    ).map(tuple),
)
conditions = plain | lists
filters = st.recursive(
    conditions,
    lambda members: st.builds(
        Group, st.sampled_from(["and", "or"]), st.lists(members, min_size=1, max_size=4).map(tuple)
    ),
    max_leaves=12,
)


@given(filter_=filters)
def test_a_filter_parses_back_to_itself(filter_: Condition | Group) -> None:
    found = Parser(str(filter_)).whole()

    expected = meant(filter_)
    while isinstance(expected, list) and len(expected) == 1:
        expected = expected[0]
    assert unwrapped(found) == unwrapped(expected)


def unwrapped(found: Any) -> Any:
    """Take away parentheses around one member alone."""
    if not isinstance(found, list):
        return found
    members = [one if one in ("and", "or") else unwrapped(one) for one in found]
    return members[0] if len(members) == 1 else members


@pytest.mark.parametrize(
    ("condition", "written"),
    [
        (Condition("status", "not:eq", "active"), "status:not:eq:active"),
        (Condition("customer_id", "in", (28, 29, 30)), "customer_id:in:28;29;30"),
        (Condition("company.name", "eq", "Example Company"), 'company.name:eq:"Example Company"'),
        (Condition("updated_at", "gte", "2025-01-01 00:00:00"),
         'updated_at:gte:"2025-01-01 00:00:00"'),
        (Condition("name", "eq", ""), 'name:eq:""'),
        (Condition("name", "in", ("a b", "c")), 'name:in:"a b";c'),
    ],
)  # fmt: skip
def test_a_condition_is_written_as_documented(condition: Condition, written: str) -> None:
    assert str(condition) == written


def test_groups_are_written_as_documented() -> None:
    either = any_of(Condition("field2", "gt", 5), Condition("field3", "lt", 10))

    written = str(all_of(Condition("field", "eq", "value"), either))

    assert written == "(field:eq:value,and,(field2:gt:5,or,field3:lt:10))"


@given(before=st.text(), after=st.text(), operator=st.sampled_from(OPERATORS))
def test_a_double_quote_cannot_be_expressed(before: str, after: str, operator: Operator) -> None:
    with pytest.raises(Inexpressible, match="a value with a double quote cannot be written"):
        str(Condition("name", operator, f'{before}"{after}'))


@pytest.mark.parametrize("value", ["a;b", ";", ""])
def test_what_would_be_another_list_cannot_be_expressed(value: str) -> None:
    with pytest.raises(Inexpressible, match="a semicolon, or an empty one, cannot be written in"):
        str(Condition("name", "in", ("c", value)))


def test_a_list_of_nothing_cannot_be_expressed() -> None:
    with pytest.raises(Inexpressible, match="a list without values cannot be written in a filter"):
        str(Condition("name", "in", ()))


def test_what_cannot_be_expressed_deep_inside_is_told_too() -> None:
    query = IndexQuery(filter=all_of(any_of(Condition("name", "eq", '17"'))))

    with pytest.raises(Inexpressible):
        query.parameters()


def test_a_question_with_nothing_but_defaults_has_no_parameters() -> None:
    assert IndexQuery().parameters() == {}


def test_every_parameter_is_written_as_documented() -> None:
    query = IndexQuery(
        limit=50,
        offset=100,
        order_by=(Order("updated_at", descending=True), Order("id")),
        filter=Condition("id", "gt", 7),
        show=("name", "company.name"),
        relations=("contacts", "customer.user"),
        count=("contacts", "tasks"),
    )

    assert query.parameters() == {
        "limit": "50",
        "offset": "100",
        "order_by": "updated_at:desc,id",
        "filter": "id:gt:7",
        "show": "name,company.name",
        "with": "contacts,customer.user",
        "count": "contacts,tasks",
    }


@given(
    limit=st.none() | st.integers(1, 1000),
    offset=st.integers(0, 1000),
    show=st.lists(fields, max_size=3).map(tuple),
)
def test_only_what_differs_from_the_defaults_is_asked_for(
    limit: int | None, offset: int, show: tuple[str, ...]
) -> None:
    written = IndexQuery(limit=limit, offset=offset, show=show).parameters()

    expected = {"limit": limit, "offset": offset, "show": ",".join(show)}
    assert written == {name: str(value) for name, value in expected.items() if value}
