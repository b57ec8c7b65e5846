"""Facts about pages: the envelope, the order, the filter, and what is brought along."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cirqll_client.resources import RESOURCES
from tests.contract.fact import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.recordings import Exchange

COUNTS = ("limit", "total", "offset")
DEFAULT_LIMIT = 100
RELATION_LIMIT = 50
HEAVIEST = 16
_POINTS_OF_MANY = 3
_HAVE_FIELD_VALUES = frozenset(
    ["customer", "contact", "appointment", "task", "chance", "assignment", "contract"]
)
_SIMPLE = re.compile(r"(\w+):(eq|in|gt|gte|lt|lte):([^,()]+)")
_TIMES = frozenset({"created_at", "updated_at"})
_MANY = {one.name: one.to_many for one in RESOURCES}


def _envelope(one: Exchange) -> Iterator[str]:
    if not one.is_page:
        return
    if not isinstance(one.said, dict) or not isinstance(one.said.get("data"), list):
        yield "there is no list in data"
        return
    if strange := sorted(one.said.keys() - {"data", *COUNTS}):
        yield f"there is more than data, limit, total, offset: {', '.join(strange)}"
    yield from (f"{name} is no number" for name in COUNTS if type(one.said.get(name)) is not int)


def _limit(one: Exchange) -> Iterator[str]:
    asked, told = int(one.query.get("limit", DEFAULT_LIMIT)), _count(one, "limit")
    if told is None:
        return
    if asked <= DEFAULT_LIMIT and told != asked:
        yield f"a limit of {asked} was asked for, and {told} is told"
    if len(one.rows) > told:
        yield f"there are {len(one.rows)} rows, more than the limit that is told, {told}"


def _offset(one: Exchange) -> Iterator[str]:
    asked, told = int(one.query.get("offset", 0)), _count(one, "offset")
    if told not in {None, asked}:
        yield f"an offset of {asked} was asked for, and {told} is told"


def _total(one: Exchange) -> Iterator[str]:
    total, offset = _count(one, "total"), _count(one, "offset")
    if total is None or offset is None:
        return
    if one.rows and total < offset + len(one.rows):
        yield "total is less than the rows up to the end of the page"
    if not one.rows and total > offset:
        yield "total tells of rows behind the offset, and none came"


def _order(one: Exchange) -> Iterator[str]:
    names = [name.partition(":") for name in one.listed("order_by")]
    if not names or not {name for name, _, _ in names} <= {"id", *_TIMES}:
        return
    for before, after in pairwise(one.rows):
        for name, _, direction in names:
            here, there = _sortable(before.get(name)), _sortable(after.get(name))
            if here == there:
                continue
            if (here > there) != (direction == "desc"):
                yield f"the rows are not in the order of {name}"
            break


def _sortable(value: object) -> tuple[int, str]:
    """Order ids as numbers and times as texts; null comes first, as in MySQL."""
    return (value, "") if isinstance(value, int) else (0, str(value or ""))


def _filter_by_id(one: Exchange) -> Iterator[str]:
    yield from _filtered(one, {"id"})


def _filter_by_time(one: Exchange) -> Iterator[str]:
    yield from _filtered(one, _TIMES)


def _filtered(one: Exchange, fields: frozenset[str] | set[str]) -> Iterator[str]:
    condition = _SIMPLE.fullmatch(one.query.get("filter", ""))
    if (
        not condition
        or condition[1] not in fields
        or ('"' not in condition[3] and ":" in condition[3])
    ):
        return
    name, operator, text = condition.groups()
    values = [value.strip('"') for value in text.split(";")]
    for row in one.rows:
        if name in row and not _holds(row[name], operator, values):
            yield f"a row came for which {name}:{operator} does not hold"


def _holds(value: object, operator: str, wanted: list[str]) -> bool:
    here = _sortable(value)
    there = [_sortable(int(one) if isinstance(value, int) else one) for one in wanted]
    holds = {
        "eq": here == there[0],
        "in": here in there,
        "gt": here > there[0],
        "gte": here >= there[0],
        "lt": here < there[0],
        "lte": here <= there[0],
    }
    return holds[operator]


def _show(one: Exchange) -> Iterator[str]:
    wanted = {part for name in one.listed("show") for part in _shown(name)}
    brought = {name.partition(".")[0] for name in one.listed("with")}
    brought |= {f"{name}_count" for name in one.listed("count")}
    for row in one.rows if wanted else ():
        if "id" not in row:
            yield "show left the id out"
        if strange := sorted(row.keys() - wanted - brought - {"id"}):
            yield f"fields came that show does not name: {', '.join(strange)}"


def _shown(name: str) -> set[str]:
    relation, dot, _ = name.partition(".")
    return {relation, f"{relation}_id"} if dot else {name}


def _one_brought(one: Exchange) -> Iterator[str]:
    for name, value in _brought(one, is_many=False):
        if value is not None and not isinstance(value, dict):
            yield f"the relation {name} is no object"


def _many_brought(one: Exchange) -> Iterator[str]:
    for name, value in _brought(one, is_many=True):
        if name == "field_values":
            continue
        if not _is_relation_page(value):
            yield f"the relation {name} is no page with data, limit, total, offset"
        elif len(value["data"]) > RELATION_LIMIT:
            yield f"more than {RELATION_LIMIT} records of the relation {name} came along"


def _brought(one: Exchange, *, is_many: bool) -> Iterator[tuple[str, Any]]:
    names = [name for name in one.listed("with") if "." not in name]
    many = _MANY[one.resource.name] if one.resource else ()
    for row in one.records:
        for name in names:
            if (name in many) == is_many:
                yield name, row.get(name, "missing")


def _is_relation_page(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("data"), list)
        and all(type(value.get(name)) is int for name in COUNTS)
    )


def _field_values(one: Exchange) -> Iterator[str]:
    for name, value in _brought(one, is_many=True):
        if name != "field_values":
            continue
        rows = value["data"] if _is_relation_page(value) else None
        if rows is None:
            yield f"field_values are no page but {_shape(value)}"
        elif not all(isinstance(row, dict) and row.keys() >= {"field_id", "value"} for row in rows):
            yield "a value is no object with field_id and value"


def _shape(value: object) -> str:
    shapes: dict[type, str] = {dict: "a map", list: "a list", str: "missing"}
    return shapes.get(type(value), "something else")


def _field_values_offered(one: Exchange) -> Iterator[str]:
    asked = "field_values" in one.listed("with")
    if asked and one.resource and one.resource.name in _HAVE_FIELD_VALUES and one.status == 400:
        yield f"{one.resource.name} has no field_values"


def _count_of_relation(one: Exchange) -> Iterator[str]:
    for name in one.listed("count"):
        if any(type(row.get(f"{name}_count")) is not int for row in one.rows):
            yield f"{name}_count is no number"


def _weight_told(one: Exchange) -> Iterator[str]:
    if one.is_page and one.listed("with") and not _weight(one).isdecimal():
        yield "X-Eager-Loading-Weight is no number, or missing"


def _weight_of_relations(one: Exchange) -> Iterator[str]:
    names = one.listed("with")
    if not one.is_page or not names or any("." in name for name in names):
        return
    many = _MANY[one.resource.name] if one.resource else ()
    heavy = sum(name in many and name != "field_values" for name in names)
    weight = heavy * _POINTS_OF_MANY + len(names) - heavy
    if _weight(one).isdecimal() and int(_weight(one)) != weight:
        yield f"the relations weigh {_weight(one)}, not {weight}"


def _weight(one: Exchange) -> str:
    return one.headers.get("x-eager-loading-weight", "")


def _count(one: Exchange, name: str) -> int | None:
    value = one.said.get(name) if one.is_page and isinstance(one.said, dict) else None
    return value if type(value) is int else None


PAGE_FACTS = (
    Fact("envelope", "doc", "An Index has data, limit, total, offset, and nothing else", _envelope),
    Fact("limit", "doc", "The limit is as asked, 100 if not, and no page is longer", _limit),
    Fact("offset", "doc", "The offset is as asked, 0 if not", _offset),
    Fact("total", "likely", "total is the number of all records that match", _total),
    Fact("order", "doc", "Rows come in the order of order_by, ties resolved in turn", _order),
    Fact("filter", "doc", "Only rows come for which the filter holds", _filter_by_id),
    Fact("time filter", "likely", "updated_at can be filtered on", _filter_by_time),
    Fact("show", "doc", "show brings the fields it names and id, no others", _show),
    Fact("to-one", "doc", "A to-one relation comes as an object in its place", _one_brought),
    Fact("to-many", "doc", "A to-many relation comes as a page of at most 50", _many_brought),
    Fact("field values", "guess", "field_values are a page of field_id and value", _field_values),
    Fact("field values offered", "doc", "Seven resources have field_values", _field_values_offered),
    Fact("count", "doc", "count adds <relation>_count, a number", _count_of_relation),
    Fact("weight told", "doc", "X-Eager-Loading-Weight tells the weight", _weight_told),
    Fact("weight", "likely", "To-many weigh 3, others and field_values 1", _weight_of_relations),
)
