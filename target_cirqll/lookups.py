"""Which live records a batch of rows means: by id, or by the values of a field."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from cirqll_client.errors import AnswerUnexpected, NotFound, RequestRefused
from cirqll_client.query import Condition, IndexQuery
from cirqll_client.walks import NotHonoured
from target_cirqll.asking import Asking, row_id, rows_by_id
from target_cirqll.controls import Controls
from target_cirqll.matching import Matching
from target_cirqll.records import Matches, NotFindable
from target_cirqll.shortening import Shortening

if TYPE_CHECKING:
    from collections.abc import Collection

    from cirqll_client.client import CirqllClient
    from cirqll_client.query import Value
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Page, Record
    from cirqll_client.timestamps import Timestamps
    from target_cirqll.questions import Question
    from target_cirqll.shortening import Ask

logger = logging.getLogger(__name__)


class Lookups:
    """Looks up records of one account, with as few requests as it takes to be sure."""

    def __init__(self, client: CirqllClient, *, timestamps: Timestamps) -> None:
        """Ask through this client, and read times as this API writes them."""
        self._client = client
        self._timestamps = timestamps
        self._asking = Asking(client)
        self._controls = Controls(self._asking)
        self._shortening = Shortening()
        self._unfilterable: set[str] = set()

    @property
    def page_size(self) -> int:
        """Give the page size in force, as far as it is known: the best size of a batch."""
        return self._asking.page_size

    def by_id(
        self,
        resource: Resource,
        ids: Collection[int],
        *,
        fields: Collection[str],
        relations: tuple[str, ...] = (),
    ) -> dict[int, Record]:
        """Give those of these records that the Index lists, with these fields.

        Where it does not filter by id, they are asked for one by one, without relations. Raises
        any ``CirqllError``.
        """
        missing = set(ids)
        found: dict[int, Record] = {}
        query = _query(fields, relations)
        try:
            if resource.name not in self._unfilterable:
                ask = self._asks_by_id(resource, query)
                parts = self._shortening.answers(
                    resource, "id", missing, query=query, most=self.page_size, ask=ask
                )
                for _, records in parts:
                    found |= records
                return found
        except (NotHonoured, RequestRefused):
            self._unfilterable.add(resource.name)
            logger.warning(
                "Cirqll does not find %s by several ids at once. They are asked for one by one, "
                "which takes a request each.",
                resource.stream,
            )
        return found | self._one_by_one(resource, missing - found.keys())

    def by_field(
        self,
        resource: Resource,
        field: str,
        values: Collection[Value],
        *,
        fields: Collection[str],
        relations: tuple[str, ...] = (),
    ) -> Matches:
        """Give all live records that have one of these values in this field.

        Values are equal if their canonical texts are, whatever their case. Raises
        ``NotFindable`` for a field that the API does not filter by as it is asked to, and any
        other ``CirqllError``.
        """
        matching = Matching(resource, field, self._timestamps)
        inexpressible = {one: "it is empty" for one in values if not matching.says_something(one)}
        asked = [one for one in values if one not in inexpressible]
        query = _query({*fields, field}, relations)
        found: dict[Value, list[Record]] = {}
        try:
            for question, records in self._shortening.answers(
                resource,
                field,
                asked,
                query=query,
                most=self.page_size,
                ask=self._asks_by_field(resource, query, matching),
                inexpressible=inexpressible,
            ):
                matches = matching.by_value(records.values(), question.values)
                self._controls.check(resource, field, matches)
                found |= matches
        except (NotHonoured, RequestRefused):
            raise NotFindable(_not_for_matching(resource, field)) from None
        return Matches(found, inexpressible)

    def exists(self, resource: Resource, record_id: int) -> Record | None:
        """Give one record by Show, also one that the Index hides; ``None`` if it is not there.

        Raises any other ``CirqllError``.
        """
        if "show" not in resource.actions:
            return self.by_id(resource, [record_id], fields=()).get(record_id)
        try:
            record = self._client.show(resource, record_id)
        except NotFound:
            return None
        if row_id(record.get("id")) != record_id:
            msg = (
                f"Cirqll answered another record than {resource.name} {record_id}, which was asked "
                "for, so nothing was written. Report this with the version of this program."
            )
            raise AnswerUnexpected(msg)
        return {**record, "id": record_id}

    def total(self, resource: Resource) -> int | None:
        """Count the records of a resource; ``None`` where the API does not tell, or not rightly.

        A ``total`` that only repeats the number of rows in the page is noticed.
        """
        page = self._client.index(resource, IndexQuery(limit=1))
        if page.total is None or page.total > 1:
            return page.total
        two = self._client.index(resource, IndexQuery(limit=2))
        return len(two) if len(two) == page.total else None

    def _asks_by_id(self, resource: Resource, query: IndexQuery) -> Ask:
        def ask(question: Question) -> dict[int, Record]:
            """Ask until nothing is missing, or an answer brings none of what is missing."""
            missing = {int(one) for one in question.values}
            found: dict[int, Record] = {}
            while missing:
                listed = Condition("id", "in", tuple(sorted(missing)))
                page = self._asking.page(resource, replace(query, filter=listed))
                rows = rows_by_id(resource, page)
                if rows.keys() - missing:
                    raise NotHonoured
                missing -= rows.keys()
                found |= rows
                if not rows or self._asking.is_complete(page):
                    break
            return found

        return ask

    def _asks_by_field(self, resource: Resource, query: IndexQuery, matching: Matching) -> Ask:
        def ask(question: Question) -> dict[int, Record]:
            def check(page: Page) -> None:
                if not matching.all_asked_for(page.rows.rows, question.values):
                    raise NotHonoured

            def has_all(page: Page) -> bool:
                return all(matching.by_value(page.rows.rows, question.values).values())

            asked = replace(query, filter=question.condition)
            return self._asking.rows(resource, asked, check=check, has_all=has_all)

        return ask

    def _one_by_one(self, resource: Resource, ids: Collection[int]) -> dict[int, Record]:
        if "show" not in resource.actions:
            return {one: row for one, row in self._all(resource).items() if one in ids}
        records = {one: self.exists(resource, one) for one in sorted(ids)}
        return {one: record for one, record in records.items() if record is not None}

    def _all(self, resource: Resource) -> dict[int, Record]:
        """Give all records of a resource that has no Show: few, and in one page."""
        page = self._asking.page(resource, IndexQuery())
        if not page.is_whole and (page.total is None or page.total > len(page)):
            msg = (
                f"Cirqll neither finds {resource.stream} by id nor lists them on one page, so they "
                "cannot be written. Leave the stream out, and report this with the version of this "
                "program."
            )
            raise AnswerUnexpected(msg)
        return rows_by_id(resource, page)


def _query(fields: Collection[str], relations: tuple[str, ...]) -> IndexQuery:
    # Whether a relation comes along where only some fields are shown is unknown.
    shown = () if relations else ("id", *sorted({*fields} - {"id"}))
    return IndexQuery(show=shown, relations=relations)


def _not_for_matching(resource: Resource, field: str) -> str:
    return (
        f"Cirqll does not find {resource.stream} by {field} as it is asked to, so {field} cannot "
        "be used in match_on. Nothing was written for these rows. Name another field for "
        f"{resource.name} in the setting match_on, or give the rows their id."
    )
