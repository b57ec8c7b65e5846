"""Custom fields of an account, of which other threads may hear at any time."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from cirqll_client.connection import connect
from cirqll_client.custom_fields import column_key
from cirqll_client.field_definitions import SECONDS_BETWEEN_LOOKS, FieldDefinitions
from cirqll_client.kinds import Kind
from cirqll_client.resources import RESOURCES
from cirqll_client.settings import ConnectionSettings
from tap_cirqll.custom_source import AccountCustomFields
from tests.client.fake_time import FakeTime

if TYPE_CHECKING:
    from tests.tap.conftest import Source

CUSTOMER = next(one for one in RESOURCES if one.name == "customer")


def test_a_field_that_is_gone_by_another_look_still_gets_its_column(source: Source) -> None:
    time, fields = FakeTime(), source.sandbox.custom_fields
    gone = fields.add("Kleur", owner="customer")
    settings = ConnectionSettings(**source.settings, store_url="sqlite://")
    with closing(connect(settings)) as connection:
        definitions = FieldDefinitions(connection.client, clock=time)
        shared = replace(connection, definitions=definitions)
        logger = logging.getLogger(__name__)
        account = AccountCustomFields(shared, CUSTOMER, other_columns=(), logger=logger)
        names = {number: one.name for number, one in account.definitions({gone}).items()}

        fields.delete(gone)
        time.sleep(SECONDS_BETWEEN_LOOKS)
        assert gone not in definitions.including({999})
        columns = account.learn({gone: Kind.STRING}, names=names)

    assert columns[column_key(gone)].name == "cf_kleur"
