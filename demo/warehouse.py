"""The questions that the demo asks the PostgreSQL where the rows arrived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    import psycopg

SCHEMA = "cirqll"

_CUSTOMERS = """
    with
    people as (
        select
            customer_id,
            count(*) as contacts,
            min(concat_ws(' ', first_name, last_name)) as one_contact
        from cirqll.contacts group by customer_id
    ),
    agreements as (
        select customer_id, count(*) as contracts from cirqll.contracts group by customer_id
    ),
    opportunities as (
        select customer_id, count(*) as chances, sum(price) as worth
        from cirqll.chances group by customer_id
    )
    select
        customers.name as customer, contacts, one_contact as "one of them",
        contracts, chances, worth
    from cirqll.customers
    join people on people.customer_id = customers.id
    join agreements on agreements.customer_id = customers.id
    join opportunities on opportunities.customer_id = customers.id
    order by worth desc nulls last, customers.id
    limit 6
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """The names of the columns, and the rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @classmethod
    def of(cls, cursor: psycopg.Cursor) -> Answer:
        """Take all that a query found."""
        columns = tuple(column.name for column in cursor.description or ())
        return cls(columns, tuple(cursor.fetchall()))


@dataclass(frozen=True, slots=True)
class Warehouse:
    """The tables that target-postgres wrote."""

    connection: psycopg.Connection

    def row_count(self, table: str) -> int:
        """Count the rows of the table; none when there is no such table."""
        if not self._exists(table):
            return 0
        return int(self._value("select count(*) from {}", table))

    def ids_of_last_run(self, table: str, *, after: int) -> set[int]:
        """Find the rows that loads which began after this moment brought."""
        if not self._exists(table):
            return set()
        query = sql.SQL("select id from {} where _sdc_sync_started_at > %s")
        return {row[0] for row in self.connection.execute(query.format(_name(table)), [after])}

    def last_load(self) -> int:
        """Tell when the newest load began, as the loader notes it (milliseconds)."""
        return max((self._last_load(table) for table in self.tables()), default=0)

    def tables(self) -> list[str]:
        """List the tables there are."""
        query = "select tablename from pg_tables where schemaname = %s order by tablename"
        return [row[0] for row in self.connection.execute(query, [SCHEMA])]

    def value(self, table: str, row_id: int, column: str) -> object:
        """Look up one field of one row."""
        query = sql.SQL("select {} from {} where id = %s")
        row = self.connection.execute(
            query.format(sql.Identifier(column), _name(table)), [row_id]
        ).fetchone()
        return row[0] if row else None

    def customers(self) -> Answer:
        """Join the customers with the most valuable chances with what belongs to them."""
        return Answer.of(self.connection.execute(_CUSTOMERS))

    def customer(self, row_id: int) -> Answer:
        """Look up one customer, and whether it is marked as deleted."""
        query = "select id, name, updated_at, _sdc_deleted_at from cirqll.customers where id = %s"
        return Answer.of(self.connection.execute(query, [row_id]))

    def _last_load(self, table: str) -> int:
        return int(self._value("select coalesce(max(_sdc_sync_started_at), 0) from {}", table))

    def _exists(self, table: str) -> bool:
        return table in self.tables()

    def _value(self, query: str, table: str) -> Any:  # noqa: ANN401 - what the query asks
        row = self.connection.execute(sql.SQL(query).format(_name(table))).fetchone()
        return row[0] if row else None


def _name(table: str) -> sql.Identifier:
    return sql.Identifier(SCHEMA, table)
