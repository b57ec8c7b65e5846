"""The comparison that the other tests rest on notices every kind of damage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.comparison import assert_equal
from tests.pipeline.odd_rows import insert_odd_rows

if TYPE_CHECKING:
    from tests.pipeline.conftest import Database, RunningSandbox
    from tests.pipeline.pipes import Pipe

DAMAGES = (
    "delete from users where id = 1",
    "insert into users (id) values (999)",
    "update notes set _sdc_deleted_at = now() where id = 1",
    "update customers set name = name || ' ' where id = 1",
    "update chances set price = price + 0.00000001 where id = 1",
    "update contracts set created_at = created_at + interval '1 second' where id = 1",
    "update contacts set customer_id = null where id = 1",
    "update fields set required = not required where id = 1",
    "update customers set description = null where description = ''",
    "update users set is_vip = not is_vip where id = 1",
    "update users set lead_score = lead_score + 0.01 where id = 1",
    "update users set labels = labels || '1' where id = 1",
    "update users set preferences = preferences - 'language' where id = 1",
    "update users set _undocumented = '{\"is_vip\": false}' where id = 1",
    "update contracts set _nonconforming = null",
    "update customers set cf_aantal_medewerkers = cf_aantal_medewerkers + 1 where id = 1",
    "update customers set cf_klant_sinds = cf_klant_sinds + 1 where id = 1",
    "update contacts set cf_hobby_s = cf_hobby_s || '1'",
    "update chances set cf_soort = cf_soort_b0649401, cf_soort_b0649401 = cf_soort",
    "alter table customers drop column cf_webshop",
    "alter table customers add column cf_website text",
    "alter table tasks alter column cf_geschatte_uren type text",
    "delete from role_permissions where id = 1",
    "update template_items set template_id = template_id + 1 where id = 1",
    "update field_options set field_updated_at = null where id = 1",
    "update field_options set name = name || ' ' where id = 1",
    "update companies set subscription = subscription - 'seats'",
)


def test_each_damage_is_noticed(pipe: Pipe, source: RunningSandbox, database: Database) -> None:
    insert_odd_rows(source.sandbox)
    assert pipe.run().succeeded
    assert_equal(database.connection, source.sandbox)

    database.connection.execute("set search_path = cirqll")
    for damage in DAMAGES:
        with database.connection.transaction(force_rollback=True):
            assert database.connection.execute(damage).rowcount, damage
            with pytest.raises(AssertionError, match=r"other (rows|columns)|\d"):
                assert_equal(database.connection, source.sandbox)
