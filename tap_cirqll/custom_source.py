"""The custom fields of an account for one stream: definitions, columns in the store, the rest."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cirqll_client.custom_fields import column_key, id_in_key
from cirqll_client.learned_columns import LearnedColumns
from cirqll_client.naming import custom_namer
from cirqll_client.relations import MOST_ALONG
from cirqll_client.resources import FIELD_VALUES
from cirqll_client.whole_relations import WholeRelation
from tap_cirqll.custom_columns import with_custom

if TYPE_CHECKING:
    import logging
    from collections.abc import Collection, Mapping

    from cirqll_client.connection import Connection
    from cirqll_client.field_definitions import FieldDefinition
    from cirqll_client.kinds import Kind
    from cirqll_client.learned_columns import Columns
    from cirqll_client.resources import Resource
    from tap_cirqll.shape import Shape


class AccountCustomFields:
    """Asks the account and its store. Used by one thread at a time."""

    def __init__(
        self,
        connection: Connection,
        resource: Resource,
        *,
        other_columns: Collection[str],
        logger: logging.Logger,
    ) -> None:
        """Prepare; nothing is asked yet. ``other_columns`` have names that are taken."""
        self._definitions = connection.definitions
        self._learned = LearnedColumns(connection.store, account=connection.account)
        self._whole = WholeRelation(connection.client, resource, FIELD_VALUES)
        self._resource = resource
        self._other_columns = other_columns
        self._logger = logger
        self._asks_for_rest = connection.client.asks_for_rest
        self._has_warned = False

    def definitions(self, fields: Collection[int]) -> Mapping[int, FieldDefinition]:
        """Give all definitions, after another look for these fields if need be."""
        return self._definitions.including(fields)

    def learn(self, kinds: Mapping[int, Kind], *, names: Mapping[int, str]) -> Columns:
        """Give columns to fields, for good, and tell which are new; give what columns there are.

        Names are told by who has the definitions: another thread may look anew at any time, and a
        field be gone by then.
        """
        stream = self._resource.stream
        called = {column_key(number): names[number] for number in kinds}
        before = self._learned.of(stream)
        columns = self._learned.add(
            stream,
            {column_key(number): kind for number, kind in kinds.items()},
            name_of=custom_namer(self._other_columns, called),
        )
        news = [columns[key] for key in called if key in columns and key not in before]
        if news:
            self._logger.info(
                "%s: custom fields with a column from now on: %s.",
                stream,
                ", ".join(
                    f"{called[one.field]!r} in {one.name} ({one.kind.value})" for one in news
                ),
            )
        return columns

    def whole(self, record_id: int, *, at_least: int) -> Any:  # noqa: ANN401 - JSON
        """Give all values of a record; ``None`` if they cannot be had. A request for a record."""
        return self._whole.of(record_id, at_least=at_least)

    def incomplete(self) -> None:
        """Warn, once, that a record has more values than could be had."""
        if not self._has_warned and self._asks_for_rest:
            self._has_warned = True
            self._logger.warning(
                "%s: a record has more than %d custom fields, and Cirqll gave no more than came "
                "along with it, so the others are missing; there may be more such records. Report "
                "it: where the others can be read is not documented.",
                self._resource.stream,
                MOST_ALONG,
            )

    def begun(self, shape: Shape) -> Shape:
        """Give the shape with the columns that are known before any record came.

        They are those of the catalog, which the store hears of, those of the store, and those of
        the definitions.
        """
        custom = shape.custom
        if custom is None or custom.is_array:
            return shape
        names = {column_key(number): one.name for number, one in custom.columns.items()}
        kinds = {one.field: one.kind for one in custom.columns.values()}
        stored = self._learned.add(
            self._resource.stream, kinds, name_of=lambda key, _columns: names[key]
        )
        definitions = self._definitions.known()
        called = {number: one.name for number, one in definitions.items()}
        if custom.takes_new:
            taken = shape.names_in_use | {name.lower() for name in self._other_columns}
            shape = shape.with_columns(
                one
                for key, one in stored.items()
                if id_in_key(key) and not shape.knows(key) and one.name.lower() not in taken
            )
            wanted = {
                number: one.kind
                for number, one in sorted(definitions.items())
                if one.kind and one.is_of(self._resource) and not shape.knows(column_key(number))
            }
            shape = with_custom(shape, wanted, partial(self.learn, names=called))
        return shape.with_called(called)
