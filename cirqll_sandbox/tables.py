"""The rows the sandbox holds: plain dictionaries with sorted indexes beside them."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Any

from cirqll_sandbox.exact_json import copied, dumps
from cirqll_sandbox.resources import RESOURCES
from cirqll_sandbox.values import sort_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from threading import RLock

    from cirqll_sandbox.resources import Relation, Resource
    from cirqll_sandbox.values import SortKey

    Row = dict[str, Any]
    IndexKey = tuple[SortKey, int]

_SHOWN_IN_VALUES = frozenset({"field", "field_option", "field_value"})


class Database:
    """All tables; one lock guards them, and `version` moves with every change of any row."""

    def __init__(self, *, lock: RLock, now: Callable[[], str]) -> None:
        self.lock = lock
        self.now = now
        self.version = 0
        self.texts_of_values: dict[object, str] = {}
        """The custom values of records as JSON, until one of them changes."""
        self.tables = {name: Table(resource, self) for name, resource in RESOURCES.items()}

    def changed(self, table: Table) -> None:
        """Note that a row of this table changes."""
        self.version += 1
        if table.resource.name in _SHOWN_IN_VALUES:
            self.texts_of_values.clear()

    def clear(self) -> None:
        """Leave every table empty, with ids that begin at 1 again."""
        with self.lock:
            for table in self.tables.values():
                table.reset()

    def related(self, row: Row, relation: Relation) -> list[Row]:
        """The rows a relation leads to, by id; none where a reference is null or dangling."""
        table = self.tables[relation.table]
        if not relation.many:
            found = table.find(row.get(relation.column))
            return [] if found is None else [found]
        rows = table.referring(relation.column, row["id"])
        if relation.owner_type is None:
            return rows
        return [item for item in rows if item.get("owner_type") == relation.owner_type]


class Table:
    """The rows of one resource, by id, and sorted by `updated_at` then id."""

    def __init__(self, resource: Resource, database: Database) -> None:
        self.resource = resource
        self._database = database
        self._lock = database.lock
        self.reset()

    def reset(self) -> None:
        """Forget all rows, all undocumented columns and the ids given so far."""
        columns = (field.name for field in self.resource.fields if not field.write_only)
        self.columns: dict[str, None] = dict.fromkeys(columns)
        """Every field that some row has or had, in order of appearance."""
        self.by_updated_at: list[IndexKey] = []
        self.ids: list[int] = []
        self._rows: dict[int, Row] = {}
        self._texts: dict[int, str] = {}
        self._referring: dict[str, dict[Any, set[int]]] = {}
        self._deleted: dict[int, Row] = {}
        self._next_id = 1
        self._database.changed(self)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    # What tests use: everything that goes in or comes out is a copy.

    def insert(self, **fields: Any) -> Row:
        """Add a row. What is not given becomes null, the next id, or now."""
        with self._lock:
            row = self._completed(fields)
            self._add(row)
            return copied(row)  # type: ignore[no-any-return]

    def insert_many(self, rows: Iterable[Row]) -> list[int]:
        """Add many rows at once, fast; their ids."""
        with self._lock:
            completed: list[Row] = []
            try:
                for fields in rows:
                    completed.append(row := self._completed(fields))
                    self._rows[row["id"]] = row
            except ValueError:
                for row in completed:
                    del self._rows[row["id"]]
                raise
            self.by_updated_at.extend(map(_index_key, completed))
            self.by_updated_at.sort()
            self.ids.extend(row["id"] for row in completed)
            self.ids.sort()
            for row in completed:
                self._refer(row)
            self._database.changed(self)
            return [row["id"] for row in completed]

    def update(self, id: int, /, **fields: Any) -> Row:  # noqa: A002 - the vendor's word
        """Change a row; `updated_at` becomes now unless it is given. `KeyError` when it is gone."""
        with self._lock:
            row = self._rows[id]
            new = {**row, "updated_at": self._database.now(), **copied(fields)}
            new["id"] = id
            self._remove(row)
            self.columns.update(dict.fromkeys(new))
            self._add(new)
            return copied(new)  # type: ignore[no-any-return]

    def replace(self, row: Row, /) -> None:
        """Put a row in the place of the one with its id; `updated_at` becomes now unless given."""
        with self._lock:
            before = self._rows[row["id"]]
            new = {"updated_at": self._database.now(), **copied(row)}
            self._remove(before)
            self.columns.update(dict.fromkeys(new))
            self._add(new)

    def delete(self, id: int, /) -> None:  # noqa: A002
        """Take a row away; references to it stay. `KeyError` when it is gone."""
        self.delete_many([id])

    def delete_many(self, ids: Iterable[int], /) -> None:
        """Take rows away, all or, with a `KeyError` for one that is gone, none."""
        with self._lock:
            going = {id_: self._one_of(self._rows, id_) for id_ in ids}
            for row in going.values():
                self._remove(row)
            self._deleted.update(going)

    def restore(self, *ids: int, touches: bool = True) -> None:
        """Put back rows that were taken away, all or, with a `KeyError` for one that was not, none.

        `updated_at` becomes now, unless nothing is to be touched. `ValueError` when somebody took
        the id meanwhile.
        """
        with self._lock:
            coming = {id_: self._one_of(self._deleted, id_, "deleted ") for id_ in ids}
            for id_ in coming:
                self._refuse_taken(id_)
            change = {"updated_at": self._database.now()} if touches else {}
            for id_, row in coming.items():
                del self._deleted[id_]
                self._add({**row, **change})

    def get(self, id: int, /) -> Row | None:  # noqa: A002
        """A copy of the row with exactly the values that were put in."""
        with self._lock:
            return copied(self._rows.get(id))  # type: ignore[no-any-return]

    def all(self) -> list[Row]:
        """Copies of all rows, by id."""
        with self._lock:
            return [copied(self._rows[id_]) for id_ in self.ids]

    def clear(self) -> None:
        """Take all rows away; ids go on where they were."""
        self.delete_many(list(self.ids))

    @property
    def next_id(self) -> int:
        """The id of the row that is inserted next."""
        return self._next_id

    # What the sandbox itself uses: the rows as they lie here, under the lock.

    def find(self, id: Any, /) -> Row | None:  # noqa: A002
        """The row itself."""
        return self._rows.get(id) if isinstance(id, int) else None

    def text(self, id: int, /) -> str:  # noqa: A002
        """The row as JSON."""
        text = self._texts.get(id)
        if text is None:
            text = self._texts[id] = dumps(self._rows[id])
        return text

    def referring(self, column: str, value: Any) -> list[Row]:
        """The rows whose column holds this id, or any text that compares as equal, by id."""
        if column not in self._referring:
            index: dict[Any, set[int]] = {}
            for row in self._rows.values():
                index.setdefault(_hashable(row.get(column)), set()).add(row["id"])
            self._referring[column] = index
        found = self._referring[column].get(_hashable(value), ())
        return [self._rows[id_] for id_ in sorted(found)]

    def _completed(self, fields: Row) -> Row:
        columns = (field for field in self.resource.fields if not field.write_only)
        row: Row = {field.name: field.default for field in columns}
        row.update(copied(fields))
        if row["id"] is None:
            row["id"] = self._next_id
        self._refuse_taken(row["id"])
        self._next_id = max(self._next_id, int(row["id"]) + 1)
        self._stamp(row, fields)
        self.columns.update(dict.fromkeys(row))
        return row

    def _one_of(self, rows: dict[int, Row], id_: int, which: str = "") -> Row:
        if id_ not in rows:
            message = f"{which}{self.resource.name} {id_}"
            raise KeyError(message)
        return rows[id_]

    def _refuse_taken(self, id_: int) -> None:
        if id_ in self._rows:
            message = f"There is a {self.resource.name} {id_} already."
            raise ValueError(message)

    def _stamp(self, row: Row, given: Row) -> None:
        if "updated_at" not in given:
            row["updated_at"] = self._database.now()
        if "created_at" not in given:
            row["created_at"] = row["updated_at"]

    def _add(self, row: Row) -> None:
        self._rows[row["id"]] = row
        insort(self.by_updated_at, _index_key(row))
        insort(self.ids, row["id"])
        self._refer(row)
        self._database.changed(self)

    def _refer(self, row: Row) -> None:
        for column, index in self._referring.items():
            index.setdefault(_hashable(row.get(column)), set()).add(row["id"])

    def _remove(self, row: Row) -> None:
        id_ = row["id"]
        del self.by_updated_at[bisect_left(self.by_updated_at, _index_key(row))]
        del self.ids[bisect_left(self.ids, id_)]
        for column, index in self._referring.items():
            index[_hashable(row.get(column))].discard(id_)
        del self._rows[id_]
        self._texts.pop(id_, None)
        self._database.changed(self)


def _index_key(row: Row) -> IndexKey:
    return sort_key(row["updated_at"]), row["id"]


def _hashable(value: Any) -> Any:
    return sort_key(value) if isinstance(value, (str, list, dict)) else value
