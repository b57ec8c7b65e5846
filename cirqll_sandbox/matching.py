"""Deciding whether a row fits a filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cirqll_sandbox.field_names import is_named
from cirqll_sandbox.filtering import Condition
from cirqll_sandbox.reach import within_reach
from cirqll_sandbox.refusals import bad_request
from cirqll_sandbox.values import as_date_time, collation, comparison, membership, search

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.filtering import Filter
    from cirqll_sandbox.resources import Relation, Resource
    from cirqll_sandbox.tables import Database, Row, Table

    Test = Callable[[Row], bool | None]
    ValueTest = Callable[[Any], bool | None]

_TEXTS = frozenset({"text", "long_text", "email"})


def compiled(tree: Filter, table: Table, database: Database, behaviour: Behaviour) -> Test:
    """A test of one row: true, false, or `None` where null makes it unknown.

    A relation that leads to many rows fits when any of them does. A `Refusal` (400) is raised for
    an unknown field unless the behaviour ignores it.
    """
    if isinstance(tree, Condition):
        return _condition(tree, table, database, behaviour)
    tests = [compiled(part, table, database, behaviour) for part in tree.parts]
    if tree.kind == "and":
        return lambda row: all(test(row) for test in tests)
    return lambda row: any(test(row) for test in tests)


def _condition(
    condition: Condition, table: Table, database: Database, behaviour: Behaviour
) -> Test:
    *names, field = condition.path
    relations: list[Relation] = []
    for name in names:
        relation = table.resource.relations.get(name)
        if relation is None:
            return _unknown(condition, behaviour)
        relations.append(relation)
        table = database.tables[relation.table]
    locked = is_named(field, table.resource.name, behaviour.unfilterable_fields)
    if locked or field not in table.columns:
        return _unknown(condition, behaviour)
    test = _value_test(condition, _values(condition, table.resource), behaviour)
    if condition.negated:
        test = _negated(test)
    return _across(relations, lambda row: test(row.get(field)), database, behaviour)


def _across(
    relations: list[Relation], test: Test, database: Database, behaviour: Behaviour
) -> Test:
    for relation in reversed(relations):
        test = _related(relation, test, database, behaviour)
    return test


def _related(relation: Relation, test: Test, database: Database, behaviour: Behaviour) -> Test:
    def fits(row: Row) -> bool:
        rows = within_reach(database.related(row, relation), relation.table, behaviour)
        return any(map(test, rows))

    return fits


def _unknown(condition: Condition, behaviour: Behaviour) -> Test:
    if behaviour.unknown_filter_field == "ignore":
        return lambda _: True
    message = f"The field {'.'.join(condition.path)} cannot be filtered on."
    raise bad_request(message)


def _values(condition: Condition, resource: Resource) -> list[str]:
    """What to compare with: a date is one only beside a column that is no text."""
    field = resource.by_name.get(condition.path[-1])
    if field is not None and field.kind in _TEXTS:
        return list(condition.values)
    return [as_date_time(value) for value in condition.values]


def _value_test(condition: Condition, values: list[str], behaviour: Behaviour) -> ValueTest:
    if condition.operator == "in":
        return membership(values, collation(behaviour))
    if condition.operator in {"eq", "gt", "lt", "gte", "lte"}:
        return comparison(condition.operator, values[0], collation(behaviour))
    return search(condition.operator, condition.values[0], behaviour)


def _negated(test: ValueTest) -> ValueTest:
    def negation(value: Any) -> bool | None:
        fits = test(value)
        return None if fits is None else not fits

    return negation
