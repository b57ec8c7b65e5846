"""Index: which rows a request asks for, and the envelope around them."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from cirqll_sandbox import field_values
from cirqll_sandbox.answers import Answer
from cirqll_sandbox.eager_loading import WEIGHT_HEADER, Presenter
from cirqll_sandbox.filtering import Condition, parse_filter
from cirqll_sandbox.matching import compiled
from cirqll_sandbox.ordering import ordered, parse_order
from cirqll_sandbox.reach import within_reach
from cirqll_sandbox.refusals import bad_request, invalid
from cirqll_sandbox.spans import id_span, updated_at_span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.filtering import Filter
    from cirqll_sandbox.ordering import Order
    from cirqll_sandbox.parameters import Parameters
    from cirqll_sandbox.spans import Span
    from cirqll_sandbox.tables import Database, IndexKey, Row, Table

_BY_ID: tuple[Order, ...] = ((), (("id", False),))
_BY_UPDATED_AT: tuple[Order, ...] = ((("updated_at", False), ("id", False)),)
_REMEMBERED = 8


class Listing:
    """Answers an Index; it remembers the last few selections until a row changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._selections: OrderedDict[object, tuple[list[int], int]] = OrderedDict()

    def answer(self, table: Table, parameters: Parameters, behaviour: Behaviour) -> Answer:
        """The page, with the weight of its relations in a header."""
        limit = asked_limit(parameters, behaviour)
        status = behaviour.page_refusal_status
        offset = parameters.whole("offset", least=0, status=status) or 0
        order = _order(parameters, table, behaviour)
        tree = _filter(parameters, table, behaviour)
        presenter = Presenter(parameters, table, self._database, behaviour)
        in_force = limit if behaviour.page_maximum_mode == "obey" else min(
            limit, behaviour.page_maximum
        )  # fmt: skip
        ids, total = self._page(table, tree, order, behaviour, offset, in_force)
        skipped = _chosen(behaviour.skipped_rows, table)
        texts = [
            presenter.text(row) for id_ in ids if id_ not in skipped and (row := table.find(id_))
        ]
        echoed = limit if behaviour.page_maximum_mode == "cap_silently" else in_force
        body = _envelope(texts, echoed, total, offset, behaviour)
        headers = {WEIGHT_HEADER: str(presenter.weight)}
        return Answer(200, body, headers, resource=table.resource.name, records=texts)

    def _page(  # noqa: PLR0913, PLR0917 - the parts of one question
        self, table: Table, tree: Filter | None, order: Order, behaviour: Behaviour,
        offset: int, limit: int,
    ) -> tuple[Sequence[int], int]:  # fmt: skip
        """The ids of one page, and how many rows match in all."""
        piece = self._piece(table, tree, order, behaviour)
        if piece is None:
            ids, total = self._selection(table, tree, order, behaviour)
            return ids[offset : offset + limit], total
        index, (start, stop) = piece
        first = min(start + offset, stop)
        page = index[first : min(first + limit, stop)]
        return [key if isinstance(key, int) else key[1] for key in page], stop - start

    @staticmethod
    def _piece(
        table: Table, tree: Filter | None, order: Order, behaviour: Behaviour
    ) -> tuple[Sequence[int] | Sequence[IndexKey], Span] | None:
        """The piece of an index that holds just these rows in just this order, if there is one."""
        if tree is not None and behaviour.unfilterable_fields:
            return None
        if _hides_archived(table, tree, behaviour) or _departs_from_indexes(table, behaviour):
            return None
        if order in _BY_ID and (order or behaviour.ties == "by_id"):
            span = (0, len(table)) if tree is None else id_span(tree, table.ids)
            return None if span is None else (table.ids, span)
        if order in _BY_UPDATED_AT:
            keys = table.by_updated_at
            span = (0, len(table)) if tree is None else updated_at_span(tree, keys)
            return None if span is None else (keys, span)
        return None

    def _selection(
        self, table: Table, tree: Filter | None, order: Order, behaviour: Behaviour
    ) -> tuple[list[int], int]:
        """The ids of all rows that match, found by looking at each, and their number."""
        key = (self._database.version, table.resource.name, tree, order, behaviour)
        if key in self._selections and behaviour.ties == "by_id":
            return self._selections[key]
        rows = _listed(table, tree, behaviour)
        if tree is not None:
            test = compiled(tree, table, self._database, behaviour)
            rows = [row for row in rows if test(row)]
        ids = [row["id"] for row in ordered(rows, order, behaviour)]
        repeated = _chosen(behaviour.repeated_rows, table)
        given = [id_ for id_ in ids for _ in range(1 + (id_ in repeated))] if repeated else ids
        self._selections[key] = given, len(ids)
        if len(self._selections) > _REMEMBERED:
            self._selections.popitem(last=False)
        return given, len(ids)


def _listed(table: Table, tree: Filter | None, behaviour: Behaviour) -> list[Row]:
    """The rows that an Index may give, whatever its filter says."""
    unlisted = _chosen(behaviour.unlisted_rows, table)
    rows = [row for row in table if row["id"] not in unlisted]
    if _hides_archived(table, tree, behaviour):
        rows = [row for row in rows if row.get("archived_at") is None]
    return within_reach(rows, table.resource.name, behaviour)


def _departs_from_indexes(table: Table, behaviour: Behaviour) -> bool:
    name = table.resource.name
    options = (behaviour.unlisted_rows, behaviour.repeated_rows, behaviour.reach)
    return any(name in option for option in options)


def _chosen(rows: Mapping[str, tuple[int, ...]], table: Table) -> frozenset[int]:
    return frozenset(rows.get(table.resource.name, ()))


def _hides_archived(table: Table, tree: Filter | None, behaviour: Behaviour) -> bool:
    hides = behaviour.archived_in_index == "hidden" and "archived_at" in table.columns
    return hides and not (tree and _speaks_of_archived(tree))


def _speaks_of_archived(tree: Filter) -> bool:
    if isinstance(tree, Condition):
        return tree.path == ("archived_at",)
    return any(map(_speaks_of_archived, tree.parts))


def asked_limit(parameters: Parameters, behaviour: Behaviour) -> int:
    """The limit of the request; a `Refusal` where the behaviour refuses one so large."""
    status = behaviour.page_refusal_status
    limit = parameters.whole("limit", least=1, status=status) or behaviour.default_limit
    if behaviour.page_maximum_mode == "refuse" and limit > behaviour.page_maximum:
        message = f"The limit must not be greater than {behaviour.page_maximum}."
        raise invalid({"limit": [message]}, status=status)
    return limit


def _order(parameters: Parameters, table: Table, behaviour: Behaviour) -> Order:
    texts = parameters.many("order_by")
    if behaviour.order_mode == "ignore":
        return ()
    if behaviour.order_mode == "refuse" and texts:
        message = "The parameter order_by is not supported."
        raise bad_request(message)
    return parse_order(texts, table, behaviour)


def _filter(parameters: Parameters, table: Table, behaviour: Behaviour) -> Filter | None:
    text = parameters.one("filter")
    if text is None or behaviour.filter_mode == "ignore":
        return None
    if behaviour.filter_mode == "refuse":
        message = "The parameter filter is not supported."
        raise bad_request(message)
    tree = parse_filter(text, behaviour)
    return field_values.by_owner(tree) if table.resource.name == field_values.TABLE else tree


def _envelope(texts: list[str], limit: int, total: int, offset: int, behaviour: Behaviour) -> str:
    counted = max(0, total + behaviour.total_off_by)
    told_limit = {"true": f',"limit":{limit}', "wrong": f',"limit":{limit + 7}', "missing": ""}
    told_total = {"true": f',"total":{counted}', "lying": f',"total":{len(texts)}', "missing": ""}
    tail = told_limit[behaviour.limit_echo] + told_total[behaviour.total_echo]
    return f'{{"data":[{",".join(texts)}]{tail},"offset":{offset}}}'
