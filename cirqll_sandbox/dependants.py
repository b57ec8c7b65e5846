"""What becomes of the records that point to one that is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cirqll_sandbox.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.tables import Database, Row, Table


def delete(row: Row, table: Table, database: Database, behaviour: Behaviour) -> None:
    """Delete the row, and do to those that point to it as the behaviour says.

    A `Refusal` where a foreign key would not let it go.
    """
    pointers = list(_pointers(row["id"], table, database))
    if pointers and behaviour.on_delete_of_parent == "refuse":
        raise _refusal(table.resource.name, behaviour)
    table.delete(row["id"])
    if behaviour.on_delete_of_parent == "null":
        for other, column, pointing in pointers:
            # A database that does this by itself knows nothing of `updated_at`.
            other.update(pointing["id"], updated_at=pointing["updated_at"], **{column: None})


def _pointers(id_: int, table: Table, database: Database) -> Iterator[tuple[Table, str, Row]]:
    column = f"{table.resource.name}_id"
    for other in database.tables.values():
        field = other.resource.by_name.get(column)
        if field is not None and field.kind == "reference":
            for row in other.referring(column, id_):
                yield other, column, row


def _refusal(resource: str, behaviour: Behaviour) -> Refusal:
    status = behaviour.delete_refusal_status
    told = "Server Error" if status == 500 else f"The {resource} is still in use."  # noqa: PLR2004 - nobody caught it
    return Refusal(status, told)
