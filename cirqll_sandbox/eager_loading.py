"""What an answer holds of each row: `show`, `with` and `count`, with the cost of relations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cirqll_sandbox import field_values
from cirqll_sandbox.exact_json import dumps
from cirqll_sandbox.field_names import is_named
from cirqll_sandbox.field_values import FieldValues
from cirqll_sandbox.reach import within_reach
from cirqll_sandbox.refusals import bad_request
from cirqll_sandbox.resources import BELOW_ANYTHING, RESOURCES
from cirqll_sandbox.views import View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.parameters import Parameters
    from cirqll_sandbox.resources import Relation
    from cirqll_sandbox.tables import Database, Row, Table

WEIGHT_HEADER = "X-Eager-Loading-Weight"


class Presenter:
    """Reads the view from the parameters and turns rows into JSON by it."""

    def __init__(
        self, parameters: Parameters, table: Table, database: Database, behaviour: Behaviour,
        *, single: bool = False,
    ) -> None:  # fmt: skip
        self._table = table
        self._database = database
        self._behaviour = behaviour
        self._values = FieldValues(database, behaviour, all_at_once=single)
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
        name = self._table.resource.name
        if self._behaviour.hidden_fields or name == field_values.TABLE:
            return dumps(self._present(row, name, self.view))
        if self.view.whole:
            return self._table.text(row["id"])
        if self.view.whole_with_values and field_values.RELATION not in row:
            values = self._values.text(row, name)
            return f'{self._table.text(row["id"])[:-1]},"{field_values.RELATION}":{values}}}'
        return dumps(self._present(row, name, self.view))

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
        chain = self._known_chain(path, self._behaviour.unknown_with_relation)
        if chain is None:
            return
        self._refuse_some(chain)
        view = self.view
        for depth, name in enumerate(path):
            view = view.relations.setdefault(name, View())
            yield path[: depth + 1]
        view.fields = None

    def _refuse_some(self, chain: list[Relation]) -> None:
        owners = [self._table.resource.name, *(relation.table for relation in chain)]
        for owner, relation in zip(owners, chain, strict=False):
            if is_named(relation.name, owner, self._behaviour.refused_relations):
                message = f"The relation {relation.name} of {owner} cannot be loaded."
                raise bad_request(message)

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
        kept = self._kept(row, resource)
        fields, hidden = view.fields, self._behaviour.hidden_fields
        shown = {k: v for k, v in kept.items() if fields is None or k in fields}
        if hidden:
            shown = {k: v for k, v in shown.items() if not is_named(k, resource, hidden)}
        relations = RESOURCES[resource].relations
        for name, inner in view.relations.items():
            shown[name] = self._related(row, relations[name], inner)
        for relation in view.counts:
            shown[f"{relation.name}_count"] = len(self._related_rows(row, relation))
        return shown

    def _kept(self, row: Row, resource: str) -> Row:
        """All that is ever shown of a row, before the view chooses from it."""
        if resource != field_values.TABLE:
            return row
        alone = self._table.resource.name == field_values.TABLE
        return self._values.alone(row) if alone else self._values.within(row)

    def _related(self, row: Row, relation: Relation, view: View) -> Any:
        rows = self._related_rows(row, relation)
        if not relation.many:
            return self._present(rows[0], relation.table, view) if rows else None
        custom = relation.name == field_values.RELATION
        limit = self._values.limit(len(rows)) if custom else self._behaviour.relation_page
        data = [self._present(item, relation.table, view) for item in rows[:limit]]
        if custom:
            return self._values.shaped(data, total=len(rows))
        return {"data": data, "limit": limit, "total": len(rows), "offset": 0}

    def _related_rows(self, row: Row, relation: Relation) -> list[Row]:
        rows = self._database.related(row, relation)
        return within_reach(rows, relation.table, self._behaviour)
