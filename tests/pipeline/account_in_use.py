"""People at work in an account, who create, change, archive, delete and restore whatever they like.

Where much is gone at once, the tap marks nothing. So they leave most of what was loaded, whatever a
loader forgets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from tests.pipeline.comparison import NESTED, TABLES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from random import Random

    from cirqll_sandbox import Sandbox

MOST_GONE = 0.15
"""The share of a table that may be gone."""
LEAST_ROWS = 30
"""A table has so many to begin with."""
_PARENTS = {name: parent for _, name, parent in NESTED}
_CHILDREN = {parent: name for _, name, parent in NESTED}
_NO_RESOURCE = "company"
_Choice = TypeVar("_Choice")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Absence:
    """When a row was not there; one without an end goes on."""

    begin: datetime
    end: datetime | None = None

    def is_in(self, begin: datetime, end: datetime) -> bool:
        """Tell whether the row was not there at some moment between these."""
        return self.begin <= end and (self.end is None or self.end >= begin)


@dataclass
class AccountInUse:
    """An account, what happens to it, and when each row was not there (by the real clock)."""

    sandbox: Sandbox
    dice: Random
    names: Collection[str] = tuple(TABLES.values())
    """Whose rows are touched."""
    restores_untouched: bool = True
    done: dict[str, int] = field(default_factory=dict)
    """How often each thing was done."""
    _loaded: Mapping[str, Collection[int]] = field(default_factory=dict)
    _absences: dict[tuple[str, int], list[Absence]] = field(default_factory=dict)
    _changed: dict[tuple[str, int], datetime] = field(default_factory=dict)
    _read_at: datetime = field(default_factory=_now)
    _parents: dict[tuple[str, int], int] = field(default_factory=dict)
    """The records of rows that lay within one when they were deleted."""

    def __post_init__(self) -> None:
        for name in self.names:
            while len(self.ids(name)) < LEAST_ROWS:
                self._create(name)
        self.note_loaded({name: self.ids(name) for name in self.names}, read_at=_now())

    def note_loaded(self, loaded: Mapping[str, Collection[int]], *, read_at: datetime) -> None:
        """Note the rows of the warehouse, and when the last whole run began."""
        self._loaded, self._read_at = loaded, read_at

    def do_something(self) -> None:
        """Do something to some row, if that is possible."""
        deeds = {
            self._create: 3, self._edit: 4, self._archive: 1, self._delete: 4, self._restore: 3,
        }  # fmt: skip
        with self.sandbox.lock:
            (deed,) = self.dice.choices([*deeds], [*deeds.values()])
            if deed(self._any(self.names)):
                verb = deed.__name__.removeprefix("_")
                self.done[verb] = self.done.get(verb, 0) + 1

    def was_gone(self, name: str, row_id: int, *, begin: datetime, end: datetime) -> bool:
        """Tell whether a row was not there at some moment; within a record it goes with that."""
        own = self._absences.get((name, row_id), [])
        parent = self._parent_id(name, row_id) or self._parents.get((name, row_id))
        above = [] if parent is None else self._absences.get((_PARENTS[name], parent), [])
        return any(one.is_in(begin, end) for one in (*own, *above))

    def ids(self, name: str) -> set[int]:
        """The rows that are there."""
        rows, parent = self.sandbox.rows(name), _PARENTS.get(name)
        if parent is None:
            return set(rows.ids)
        parents = set(self.sandbox.rows(parent).ids)
        return {row["id"] for row in rows.all() if row[f"{parent}_id"] in parents}

    def _create(self, name: str) -> bool:
        rows, parent = self.sandbox.rows(name), _PARENTS.get(name)
        given = {"name": f"Nieuw {len(rows)}"} if "name" in rows.columns else {}
        if parent is not None:
            row = rows.insert(**given, **{f"{parent}_id": self._any(self.sandbox.rows(parent).ids)})
        elif name == "field":
            # A column of a resource would outlive its field.
            row = rows.insert(**given, type="text", model=_NO_RESOURCE)
        else:
            row = rows.insert(**given)
        return self._note_changed(name, row["id"])

    def _edit(self, name: str) -> bool:
        return self._note_changed(name, *self.sandbox.edit_rows(name))

    def _archive(self, name: str) -> bool:
        rows = self.sandbox.rows(name)
        if "archived_at" not in rows.columns or not rows.ids:
            return False
        row = rows.update(self._any(rows.ids), archived_at="2026-11-22 10:00:00")
        return self._note_changed(name, row["id"])

    def _delete(self, name: str) -> bool:
        ids = self.sandbox.rows(name).ids
        row_id = self._any(ids) if ids else 0
        if not row_id or not self._may_go(name, row_id):
            return False
        parent = self._parent_id(name, row_id)
        if parent is not None:
            self._parents[name, row_id] = parent
        self._absences.setdefault((name, row_id), []).append(Absence(_now()))
        self.sandbox.delete(name, row_id)
        return True

    def _restore(self, _name: str) -> bool:
        gone = [key for key, absences in self._absences.items() if not absences[-1].end]
        if not gone:
            return False
        name, row_id = self._any(gone)
        absences = self._absences[name, row_id]
        touches = self._must_touch(name, row_id) or self.dice.random() < 0.5
        self.sandbox.restore(name, row_id, touches=touches)
        absences[-1] = Absence(absences[-1].begin, _now())
        return not touches or self._note_changed(name, row_id)

    def _must_touch(self, name: str, row_id: int) -> bool:
        """A change that nobody read before the row was deleted would come back with an old time."""
        is_read = self._changed.get((name, row_id), self._read_at) <= self._read_at
        return not (self.restores_untouched and is_read and row_id in self._loaded.get(name, ()))

    def _note_changed(self, name: str, *ids: int) -> bool:
        self._changed |= {(name, row_id): _now() for row_id in ids}
        return bool(ids)

    def _may_go(self, name: str, row_id: int) -> bool:
        """The signed-in user stays, and so do the definitions of columns."""
        if (name, row_id) == ("user", 1) or (name == "field" and row_id in self._columns()):
            return False
        child = _CHILDREN.get(name)
        within = self.sandbox.rows(child).referring(f"{name}_id", row_id) if child else []
        going = {row["id"] for row in within}
        return self._leaves_most(name, {row_id}) and (
            child is None or self._leaves_most(child, going)
        )

    def _leaves_most(self, name: str, going: set[int]) -> bool:
        loaded = set(self._loaded.get(name, ()))
        gone = (loaded - self.ids(name)) | (going & loaded)
        return len(gone) <= MOST_GONE * len(loaded)

    def _columns(self) -> set[int]:
        return {
            row["id"] for row in self.sandbox.rows("field").all() if row["model"] != _NO_RESOURCE
        }

    def _parent_id(self, name: str, row_id: int) -> int | None:
        row = self.sandbox.rows(name).get(row_id) if name in _PARENTS else None
        return None if row is None else int(row[f"{_PARENTS[name]}_id"])

    def _any(self, choices: Iterable[_Choice]) -> _Choice:
        return self.dice.choice([*choices])
