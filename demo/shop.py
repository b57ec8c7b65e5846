"""A shop that keeps its clients and offers in PostgreSQL, as many a company does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo.warehouse import Answer

if TYPE_CHECKING:
    import psycopg

CLIENTS_KNOWN, CLIENTS_MOVED, CLIENTS_NEW = 6, 2, 4
OFFERS = 5
BROKEN_OFFER = "O-2007"
KEYS_BY_WHICH_CLIENTS_ARE_KNOWN = '{"customers": ["import_id"]}'

_TABLES = """
    create schema shop;
    create table shop.clients (
        number text primary key, crm_number bigint, name text, email text
    );
    create table shop.offers (
        number text primary key, client text references shop.clients,
        title text, amount numeric(14, 2), likelihood integer
    );
    insert into shop.clients
        select 'C-' || 1000 + row_number() over (order by id), import_id, name, email
        from cirqll.customers
        where import_id is not null and email is not null order by id limit 6;
    update shop.clients set email = 'nieuw.' || email where number in ('C-1002', 'C-1005');
    insert into shop.clients values
        ('C-1007', null, 'Bakkerij Het Krentenbrood', 'bestel@krentenbrood.example'),
        ('C-1008', null, 'Fietsenmaker Van Vliet', 'werkplaats@vanvliet.example'),
        ('C-1009', null, 'Bloemen van Bo', 'bo@bloemen.example'),
        ('C-1010', null, 'Café De Hoek 🍺', 'hallo@dehoek.example');
    insert into shop.offers values
        ('O-2001', 'C-1001', 'Onderhoud 2027', 1249.95, 80),
        ('O-2002', 'C-1007', 'Oven', 18750.00, 50),
        ('O-2003', 'C-1008', 'Werkbank', 0.10, 25),
        ('O-2004', 'C-1009', 'Koelcel', 7320.05, 90),
        ('O-2005', 'C-1010', 'Terras', 123456789.01, 10);
"""
_VIEWS = """
    create schema to_cirqll;
    create view to_cirqll.customers as
        select number as source_key, crm_number as import_id, name, email from shop.clients;
    create view to_cirqll.chances as
        select
            number as source_key, client as customer__source_key,
            title as name, amount as price, likelihood as percentage
        from shop.offers;
"""
_BREAK = """
    insert into shop.offers values
        ('O-2006', 'C-1002', 'Verlichting', 980.00, 60),
        ('O-2007', 'C-1003', 'Zonwering', 2310.50, 150);
"""
_REPAIR = "update shop.offers set likelihood = 15 where number = 'O-2007'"
_DIFFERENCES = """
    with
    of_shop as (
        select offers.title, amount, likelihood, clients.name, clients.email
        from shop.offers join shop.clients on clients.number = offers.client
    ),
    of_cirqll as (
        select chances.name, price, percentage, customers.name, customers.email
        from cirqll.chances join cirqll.customers on customers.id = chances.customer_id
    ),
    lost_offers as (select * from of_shop except select * from of_cirqll),
    lost_clients as (
        select name, email from shop.clients except select name, email from cirqll.customers
    )
    select (select count(*) from lost_offers) + (select count(*) from lost_clients)
"""
_BACK = """
    select
        offers.number as offer, offers.amount as "in the shop",
        chances.id as "id in Cirqll", chances.price as "back from Cirqll",
        customers.name as customer
    from shop.offers
    join cirqll.chances on chances.name = offers.title
    join cirqll.customers on customers.id = chances.customer_id
    join shop.clients on clients.number = offers.client and clients.name = customers.name
    order by offers.number
"""


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop's tables, and the views that say what of them is to be in Cirqll."""

    connection: psycopg.Connection

    def open(self) -> None:
        """Make the tables; some clients are customers that Cirqll has already."""
        self.connection.execute(_TABLES)
        self.connection.execute(_VIEWS)

    def break_a_row(self) -> None:
        """Add two offers; one of them is more than certain."""
        self.connection.execute(_BREAK)

    def repair_it(self) -> None:
        """Correct the slip where it was made."""
        self.connection.execute(_REPAIR)

    def differences(self) -> int:
        """Count what of the shop did not come back out of Cirqll as it is here."""
        row = self.connection.execute(_DIFFERENCES).fetchone()
        return int(row[0]) if row else 0

    def rows(self) -> int:
        """Count clients and offers."""
        query = "select (select count(*) from shop.clients) + (select count(*) from shop.offers)"
        row = self.connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    def offers_and_chances(self) -> Answer:
        """Join each offer with the chance that Cirqll made of it."""
        return Answer.of(self.connection.execute(_BACK))
