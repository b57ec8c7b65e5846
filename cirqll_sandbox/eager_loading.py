"""What an answer holds of each row: `show`, `with` and `count`, with the cost of relations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cirqll_sandbox.exact_json import dumps
from cirqll_sandbox.field_names import is_named
from cirqll_sandbox.refusals import bad_request
from cirqll_sandbox.resources import BELOW_ANYTHING, RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.parameters import Parameters
    from cirqll_sandbox.resources import Relation
    from cirqll_sandbox.tables import Database, Row, Table

WEIGHT_HEADER = "X-Eager-Loading-Weight"
_SHOWN = {"field_value": ("id", "field_id", "value")}
"""All that is ever shown of rows that belong to others."""


@dataclass(slots=True)
class View:
    """What to give of the rows of one table."""

    fields: set[str] | None = None
    """`None` means every field."""
    relations: dict[str, View] = field(default_factory=dict)
    counts: tuple[Relation, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether a row is given as it lies in its table."""
        return self.fields is None and not self.relations and not self.counts

    def chosen(self, name: str) -> None:
        """Give this field, and from now on only chosen ones."""
        self.fields = {"id", *(self.fields or ()), name}


class Presenter:
    """Reads the view from the parameters and turns rows into JSON by it."""

    def __init__(
        self, parameters: Parameters, table: Table, database: Database, behaviour: Behaviour
    ) -> None:
        self._table = table
        self._database = database
        self._behaviour = behaviour
        self.view = View()
        shown = self._add_shown(parameters.many("show"))
        loaded = self._add_loaded(parameters.many("with"))
        self.view.counts = tuple(map(self._counted, parameters.many("count")))
        paths = loaded | (shown if behaviour.show_counts_as_with else set())
        self.weight = self._weight(paths)
        self.resources = {self._chain(path)[-1].table for path in shown | loaded}
        """The resources that the relations lead to."""

    def text(self, row: Row) -> str:
        """The row as JSON."""
        if self.view.whole and not self._behaviour.hidden_fields:
            return self._table.text(row["id"])
        return dumps(self._present(row, self._table.resource.name, self.view))

    def _add_shown(self, names: list[str]) -> set[tuple[str, ...]]:
        mode = self._behaviour.show_mode
        if mode == "ignore":
            return set()
        if mode == "refuse" and names:
            message = "The parameter show is not supported."
            raise bad_request(message)
        return {path for name in names for path in self._show(*name.split("."))}

    def _show(self, *path: str) -> Iterator[tuple[str, ...]]:
        """Choose a field, and load the relations on the way to it."""
        *relations, name = path
        chain = self._known_chain(relations, self._behaviour.unknown_show_field)
        if chain is None:
            return
        table = self._database.tables[chain[-1].table] if chain else self._table
        if name not in table.columns:
            self._refuse_unknown(".".join(path), self._behaviour.unknown_show_field)
            return
        view = self.view
        for depth, relation in enumerate(chain):
            view.chosen("id" if relation.many else relation.column)
            view = view.relations.setdefault(relation.name, View(fields={"id"}))
            yield tuple(relations[: depth + 1])
        if view.fields is not None or view is self.view:
            view.chosen(name)

    def _add_loaded(self, names: list[str]) -> set[tuple[str, ...]]:
        return {path for name in names for path in self._load(*name.split("."))}

    def _load(self, *path: str) -> Iterator[tuple[str, ...]]:
        if self._known_chain(path, self._behaviour.unknown_with_relation) is None:
            return
        view = self.view
        for depth, name in enumerate(path):
            view = view.relations.setdefault(name, View())
            yield path[: depth + 1]
        view.fields = None

    def _counted(self, name: str) -> Relation:
        relation = self._table.resource.relations.get(name)
        if relation is None or not relation.many:
            message = f"The relation {name} cannot be counted."
            raise bad_request(message)
        return relation

    def _known_chain(self, path: Iterable[str], strictness: str) -> list[Relation] | None:
        names = list(path)
        try:
            return self._chain(names)
        except KeyError:
            self._refuse_unknown(".".join(names), strictness)
            return None

    def _chain(self, path: Iterable[str]) -> list[Relation]:
        resource, chain = self._table.resource, []
        for name in path:
            chain.append(resource.relations[name])
            resource = RESOURCES[chain[-1].table]
        return chain

    @staticmethod
    def _refuse_unknown(name: str, strictness: str) -> None:
        if strictness == "refuse":
            message = f"The field or relation {name} does not exist."
            raise bad_request(message)

    def _weight(self, paths: set[tuple[str, ...]]) -> int:
        """Depth times points over all relations; a `Refusal` when it is too much."""
        for path in paths:
            if len(path) > 1 and self._chain(path)[-1].many and path[-1] not in BELOW_ANYTHING:
                message = f"The relation {'.'.join(path)} cannot be loaded below another."
                raise bad_request(message)
        weight = sum(len(path) * self._chain(path)[-1].points for path in paths)
        if weight > self._behaviour.eager_loading_maximum:
            message = (
                f"The relations weigh {weight}, more than {self._behaviour.eager_loading_maximum}."
            )
            raise bad_request(message)
        return weight

    def _present(self, row: Row, resource: str, view: View) -> dict[str, Any]:
        kept = _SHOWN.get(resource, row)
        fields, hidden = view.fields, self._behaviour.hidden_fields
        shown = {k: row[k] for k in kept if k in row and (fields is None or k in fields)}
        if hidden:
            shown = {k: v for k, v in shown.items() if not is_named(k, resource, hidden)}
        relations = RESOURCES[resource].relations
        for name, inner in view.relations.items():
            shown[name] = self._related(row, relations[name], inner)
        for relation in view.counts:
            shown[f"{relation.name}_count"] = len(self._database.related(row, relation))
        return shown

    def _related(self, row: Row, relation: Relation, view: View) -> Any:
        rows = self._database.related(row, relation)
        if not relation.many:
            return self._present(rows[0], relation.table, view) if rows else None
        limit = self._behaviour.relation_page
        data = [self._present(item, relation.table, view) for item in rows[:limit]]
        if relation.name == "field_values" and self._behaviour.field_values_shape != "page":
            return self._bare_values(data)
        return {"data": data, "limit": limit, "total": len(rows), "offset": 0}

    def _bare_values(self, values: list[dict[str, Any]]) -> Any:
        if self._behaviour.field_values_shape == "list":
            return values
        return {str(value["field_id"]): value["value"] for value in values}
