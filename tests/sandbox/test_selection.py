"""Which rows an Index gives: filter results, order and paging, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cirqll_sandbox import Behaviour, Sandbox
from cirqll_sandbox.filtering import Condition, Junction
from cirqll_sandbox.matching import compiled
from cirqll_sandbox.spans import id_span, updated_at_span

if TYPE_CHECKING:
    from cirqll_sandbox.filtering import Filter
    from tests.sandbox.conftest import Client

MOMENTS = ["2024-05-18 13:38:35", "2024-05-18 13:38:36", "2025-01-01 00:00:00"]
ROWS = st.lists(
    st.fixed_dictionaries({
        "name": st.sampled_from(["Ada", "ada", "b, (c): d", "", None, "😀", "10"]),
        "price": st.sampled_from([None, 0, 5, 10.5, Decimal("0.1"), "text", True]),
        "updated_at": st.sampled_from([*MOMENTS, None, "0000-00-00 00:00:00", 7]),
    }),
    max_size=12,
)  # fmt: skip
OPERATORS = ["eq", "gt", "lt", "gte", "lte", "contains", "like", "starts_with", "ends_with"]
VALUES = st.sampled_from(["ada", "A", "b, (c): d", "", "5", "10.5", "true", "1", *MOMENTS])
OVER_HTTP = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def trees(
    fields: list[str], operators: list[str], values: st.SearchStrategy[str]
) -> st.SearchStrategy[Filter]:
    """Any filter over these fields."""
    conditions = st.builds(
        Condition, st.sampled_from(fields).map(lambda field: (field,)), st.sampled_from(operators),
        values.map(lambda value: (value,)), st.booleans(),
    )  # fmt: skip
    return st.recursive(
        conditions,
        lambda parts: st.builds(
            Junction,
            st.sampled_from(["and", "or"]),
            st.lists(parts, min_size=2, max_size=3).map(tuple),
        ),
        max_leaves=6,
    )


def printed(tree: Filter) -> str:
    """The tree in the filter language."""
    if isinstance(tree, Junction):
        return "(" + f",{tree.kind},".join(map(printed, tree.parts)) + ")"
    prefix = "not:" if tree.negated else ""
    return f'{tree.path[0]}:{prefix}{tree.operator}:"{tree.values[0]}"'


def fits(value: Any, operator: str, sought: str) -> bool | None:
    """What cirqll-api.md says, in the most naive way; `None` is SQL's unknown."""
    if value is None:
        return None
    if operator in {"contains", "like", "starts_with", "ends_with"}:
        text = str(int(value)) if isinstance(value, bool) else str(value)
        text, sought = text.casefold(), sought.casefold()
        if operator == "starts_with":
            return text.startswith(sought)
        return text.endswith(sought) if operator == "ends_with" else sought in text
    left, right = comparable(value, sought)
    if right is None:
        return None
    answers: dict[str, bool] = {
        "eq": left == right, "gt": left > right, "lt": left < right,
        "gte": left >= right, "lte": left <= right,
    }  # fmt: skip
    return answers[operator]


def comparable(value: Any, sought: str) -> tuple[Any, Any]:
    """Both sides as numbers or as texts."""
    if isinstance(value, str):
        return value.casefold(), sought.casefold()
    if isinstance(value, bool):
        return int(value), {"true": 1, "1": 1}.get(sought)
    return (value, Decimal(sought)) if sought in {"5", "10.5", "1"} else (value, None)


def fits_tree(row: dict[str, Any], tree: Filter) -> bool | None:
    """Junctions, in the most naive way."""
    if isinstance(tree, Junction):
        return (all if tree.kind == "and" else any)(fits_tree(row, part) for part in tree.parts)
    fit = fits(row[tree.path[0]], tree.operator, tree.values[0])
    return None if fit is None else fit is not tree.negated


@OVER_HTTP
@given(rows=ROWS, tree=trees(["name", "price", "updated_at"], OPERATORS, VALUES))
def test_a_filter_gives_what_a_naive_look_at_each_row_gives(
    sandbox: Sandbox, api: Client, rows: list[dict[str, Any]], tree: Filter
) -> None:
    table = sandbox.rows("chance")
    table.reset()
    table.insert_many(rows)
    expected = [row["id"] for row in table.all() if fits_tree(row, tree)]
    assert api.ids("/api/chance", filter=printed(tree)) == expected


@given(
    rows=ROWS,
    tree=trees(
        ["id", "updated_at"],
        ["eq", "gt", "lt", "gte", "lte"],
        st.sampled_from([*MOMENTS, "4", "9"]),
    ),
)
def test_a_piece_of_an_index_holds_exactly_the_rows_that_fit(
    rows: list[dict[str, Any]], tree: Filter
) -> None:
    sandbox = Sandbox(size=0)
    table = sandbox.rows("chance")
    table.insert_many(rows)
    test = compiled(tree, table, sandbox.database, Behaviour())
    fitting = {row["id"] for row in table.all() if test(row)}

    by_id, by_moment = id_span(tree, table.ids), updated_at_span(tree, table.by_updated_at)

    if by_id:
        assert set(table.ids[slice(*by_id)]) == fitting
    if by_moment:
        assert {key[1] for key in table.by_updated_at[slice(*by_moment)]} == fitting


@OVER_HTTP
@given(
    rows=ROWS, key=st.tuples(st.sampled_from(MOMENTS), st.integers(0, 40)),
    order=st.sampled_from(["updated_at,id", "updated_at:asc,id:asc", "id", "updated_at:desc,id"]),
)  # fmt: skip
def test_a_moving_key_finds_what_lies_behind_it_and_counts_it(
    sandbox: Sandbox, api: Client, rows: list[dict[str, Any]], key: tuple[str, int],
    order: str,
) -> None:  # fmt: skip
    table = sandbox.rows("chance")
    table.reset()
    table.insert_many([{**row, "id": 3 * n + 1} for n, row in enumerate(rows)])
    texts = [row for row in table.all() if isinstance(row["updated_at"], str)]
    behind = {r["id"] for r in texts if (r["updated_at"], r["id"]) > key}

    moment, after = key
    behind_key = f'(updated_at:gt:"{moment}",or,(updated_at:eq:"{moment}",and,id:gt:{after}))'
    answer = api.get("/api/chance", filter=behind_key, order_by=order, limit=3).json()

    assert answer["total"] == len(behind)
    assert len(answer["data"]) == min(3, len(behind))
    assert {row["id"] for row in answer["data"]} <= behind


@OVER_HTTP
@given(
    rows=ROWS, limit=st.integers(1, 4),
    order=st.sampled_from(["id", "updated_at", "updated_at,id", "name,price:desc", "price", ""]),
)  # fmt: skip
def test_paging_by_offset_over_any_order_gives_each_row_once(
    sandbox: Sandbox, api: Client, rows: list[dict[str, Any]], limit: int, order: str
) -> None:
    table = sandbox.rows("chance")
    table.reset()
    ids = table.insert_many(rows)

    pages = [
        api.ids("/api/chance", limit=limit, offset=offset, order_by=order)
        for offset in range(0, len(ids) + 1, limit)
    ]

    assert sorted(id_ for page in pages for id_ in page) == ids


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ("id:gt:2", [3, 4]),
        ("id:gte:2,and,id:lt:4", [2, 3]),
        ("id:in:1;3;9", [1, 3]),
        ("id:not:in:1;3;9", [2, 4]),
        ("(id:eq:1,or,id:eq:4)", [1, 4]),
        ("(id:lt:2,OR,id:gt:3),And,name:eq:d", [4]),
        ("user.name:eq:Sjoerd", [1, 2]),
        ('contacts.first_name:starts_with:"A"', [2]),
        ("contacts.user.name:eq:Sjoerd", [2]),
        ("user.name:not:eq:Sjoerd", [3]),
        ("name:eq:B", [2]),
    ],
)
def test_conditions_are_joined_and_reach_over_relations(
    sandbox: Sandbox, api: Client, conditions: str, expected: list[int]
) -> None:
    sandbox.rows("user").insert_many([{"name": "Sjoerd"}, {"name": "Pien"}])
    sandbox.rows("customer").insert_many(
        [
            {"name": name, "user_id": user}
            for name, user in zip("abcd", (1, 1, 2, None), strict=True)
        ]
    )
    sandbox.rows("contact").insert(first_name="Anouk", customer_id=2, user_id=1)

    assert api.ids("/api/customer", filter=conditions) == expected


def test_an_unknown_field_is_refused_or_ignored(sandbox: Sandbox, api: Client) -> None:
    sandbox.rows("customer").insert(name="a")
    assert api.get("/api/customer", filter="nonsense:eq:1").status_code == 400
    assert api.get("/api/customer", filter="user.nonsense:eq:1").status_code == 400
    assert api.get("/api/customer", filter="nonsense.name:eq:1").status_code == 400

    sandbox.behaviour = replace(sandbox.behaviour, unknown_filter_field="ignore")
    assert api.ids("/api/customer", filter="nonsense:eq:1") == [1]


def test_a_field_may_be_one_that_cannot_be_filtered_or_ordered_on(
    sandbox: Sandbox, api: Client
) -> None:
    sandbox.rows("customer").insert_many([{}, {}])
    unusable = ("updated_at",)
    sandbox.behaviour = replace(
        sandbox.behaviour, unfilterable_fields=unusable, unorderable_fields=unusable
    )
    assert api.get("/api/customer", filter='updated_at:gt:"2020-01-01"').status_code == 400
    assert api.get("/api/customer", order_by="updated_at,id").status_code == 400
    assert api.ids("/api/customer", filter="id:gt:1", order_by="id") == [2]


@pytest.mark.parametrize(
    ("values", "expected"),
    [("5", [1]), ("5.0;nonsense", [1]), ("TEXT", [2]), ("true", [3]), ("0", [4]), ("false", [4])],
)
def test_in_compares_numbers_texts_and_truth(
    sandbox: Sandbox, api: Client, values: str, expected: list[int]
) -> None:
    odd = (5, "text", True, False, [5], None)
    sandbox.rows("customer").insert_many({"odd": value} for value in odd)
    assert api.ids("/api/customer", filter=f"odd:in:{values}") == expected


def test_a_date_without_a_time_means_midnight(sandbox: Sandbox, api: Client) -> None:
    sandbox.rows("customer").insert(updated_at="2025-01-01 00:00:00")
    for text in ("2025-01-01", '"2025-01-01 00:00:00"', '"2025-01-01T00:00:00"'):
        assert api.ids("/api/customer", filter=f"updated_at:eq:{text}") == [1]


def test_an_undocumented_field_can_be_filtered_and_ordered_on(
    sandbox: Sandbox, api: Client
) -> None:
    sandbox.rows("customer").insert_many([{"score": 3}, {"score": 10}, {}])
    assert api.ids("/api/customer", filter="score:gt:2", order_by="score:desc") == [2, 1]


def test_several_fields_of_an_order_resolve_ties_in_turn(sandbox: Sandbox, api: Client) -> None:
    rows = [
        {"name": "b", "import_id": 1},
        {"name": "a", "import_id": 1},
        {"name": "a", "import_id": 2},
    ]
    sandbox.rows("customer").insert_many(rows)
    assert api.ids("/api/customer", order_by="name,import_id:desc") == [3, 2, 1]
    assert api.ids("/api/customer", **{"order_by[]": ["name:asc", "import_id:desc"]}) == [3, 2, 1]


@pytest.mark.parametrize("order", ["nonsense", "name:up", "name:", "user.name"])
def test_a_bad_order_is_refused(api: Client, order: str) -> None:
    assert api.get("/api/customer", order_by=order).status_code == 400


def test_ties_may_come_in_any_order(sandbox: Sandbox, api: Client) -> None:
    sandbox.rows("customer").insert_many([{"name": "same"}] * 50)
    sandbox.behaviour = replace(sandbox.behaviour, ties="shuffled")
    assert len({tuple(api.ids("/api/customer", order_by="name")) for _ in range(3)}) > 1
    assert api.ids("/api/customer", order_by="name,id") == list(range(1, 51))
