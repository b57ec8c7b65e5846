"""What the API can do: read, create, change, delete on a resource, or tell who is signed in."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from cirqll_client import findings, responses
from cirqll_client.errors import NotFound, RequestRefused
from cirqll_client.findings import Findings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cirqll_client.query import IndexQuery
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Page, Record, RowsReader
    from cirqll_client.session import ApiSession
    from cirqll_client.store import Store
    from cirqll_client.transport import Answer

SAFE_PAGE_SIZE = 100
"""The documented default. A guess: no server refuses it."""
_MAY_BE_PAGE_SIZE = frozenset({400, 422})
"""A guess: what a page that is too large is refused with."""

Read = TypeVar("Read")

logger = logging.getLogger(__name__)


class CirqllClient:
    """Questions and changes to one account. Threads may share it."""

    def __init__(self, session: ApiSession, *, store: Store, account: str, page_size: int) -> None:
        """Ask through this session; what is learned about the account is kept in the store."""
        self._session = session
        self.findings = Findings(store, account)
        self._page_size = self._allowed_page_size(page_size)
        self.page_size_in_force = self._page_size
        """Rows in a page, by the last answer to a question for the largest one."""
        self._quoting = self.findings.quoting
        self.asks_for_rest = True
        """What does not come along with a record is asked for, a request each."""
        self.is_total_proven = self.findings.is_total_proven
        """An answer told of more rows than it held, so ``total`` counts what matches [likely]. A
        guess: what it means for one resource it means for all."""

    def index(
        self, resource: Resource, query: IndexQuery, *, read_rows: RowsReader | None = None
    ) -> Page:
        """Ask an Index.

        Rows are dictionaries unless ``read_rows`` makes something else of them.
        Without a limit in the query the largest page is asked for; a server that caps it says so
        in its answer, one that refuses it is asked for the documented default from then on.
        Raises any ``CirqllError``.
        """
        read = read_rows or _plain(resource)
        if query.limit is not None:
            return self._index(resource, query, read)
        asked = self._page_size
        try:
            return self._largest_page(resource, replace(query, limit=asked), read)
        except RequestRefused as error:
            if asked <= SAFE_PAGE_SIZE or error.status not in _MAY_BE_PAGE_SIZE:
                raise
        page = self._largest_page(resource, replace(query, limit=SAFE_PAGE_SIZE), read)
        self._remember_refusal(asked)
        return page

    def _largest_page(self, resource: Resource, query: IndexQuery, read: RowsReader) -> Page:
        page = self._index(resource, query, read)
        self.page_size_in_force = max(1, page.limit or self._page_size)
        return page

    def show(
        self, resource: Resource, key: int, *, may_fail: Callable[[], bool] = lambda: False
    ) -> Record:
        """Ask for one record by its id.

        Raises ``NotFound`` and any other ``CirqllError``, ``RequestFails`` as ``ApiSession.get``.
        """
        return self._session.get(f"{resource.path}/{key}", _record, may_fail=may_fail)

    def create(
        self, resource: Resource, body: Mapping[str, Any], *, on_sending: Callable[[], None]
    ) -> Record:
        """Create a record and give it as Cirqll has it now; its ``id`` is an integer.

        Sent under the conditions of ``ApiSession.send_once``, which has the errors as well.
        Raises ``ValueError`` for what the resource does not offer or JSON cannot say.
        """
        _must_offer(resource, "create")
        text = responses.encoded(dict(body))
        return self._session.send_once(resource.path, _created, body=text, on_sending=on_sending)

    def update(
        self,
        resource: Resource,
        key: int,
        changes: Mapping[str, Any],
        *,
        may_fail: Callable[[], bool] = lambda: False,
    ) -> Record:
        """Change these fields of a record and give it as Cirqll has it now; empty if it says none.

        Raises ``NotFound``, any other ``CirqllError`` but ``OutcomeUnknown`` (``RequestFails`` only
        where ``may_fail`` says so, as in ``ApiSession.send``), and ``ValueError`` as ``create``.
        """
        _must_offer(resource, "update")
        text = responses.encoded(dict(changes))
        path = f"{resource.path}/{key}"
        return self._session.send("PATCH", path, _changed, body=text, may_fail=may_fail)

    def delete(
        self, resource: Resource, key: int, *, may_fail: Callable[[], bool] = lambda: False
    ) -> None:
        """Delete a record.

        Raises ``NotFound`` where it is gone, be it by an earlier try of this very call, and errors
        as ``update`` does.
        """
        _must_offer(resource, "delete")
        self._session.send("DELETE", f"{resource.path}/{key}", _nothing, may_fail=may_fail)

    def me(self) -> Record:
        """Ask who the token belongs to; the path has two spellings in the documentation."""
        try:
            return self._session.get("/auth/me", _record)
        except NotFound:
            return self._session.get("/user/me", _record)

    def ask(
        self,
        path: str,
        read: Callable[[Answer], Read],
        *,
        parameters: Mapping[str, str] | None = None,
    ) -> Read:
        """Ask anything, for those who look at the form of an answer; nothing is learned from it.

        ``read`` and errors are as in ``ApiSession.get``, and no error has the API's own words.
        """
        return self._session.get(path, read, parameters=parameters, is_private=True)

    def _index(self, resource: Resource, query: IndexQuery, read_rows: RowsReader) -> Page:
        def read(answer: Answer) -> Page:
            return responses.page(answer.body, headers=answer.headers, read_rows=read_rows)

        page = self._answer_to_query(resource, query, read)
        if page.total is not None and page.total > len(page) > 0 and not self.is_total_proven:
            self.is_total_proven = True
            self.findings.learn(findings.TOTAL_IS_PROVEN, value=True)
        if page.limit is not None and query.limit is not None:
            # No page holds more than was asked for, whatever the server says.
            return replace(page, limit=min(page.limit, query.limit))
        return page

    def _answer_to_query(
        self, resource: Resource, query: IndexQuery, read: Callable[[Answer], Page]
    ) -> Page:
        """Ask as it was found to be understood; a refusal may show that this is so no more."""
        asked_by = query.filter.fields if query.filter else set()
        ask = partial(
            self._session.get,
            resource.path,
            read,
            is_private=not asked_by <= {"id", resource.bookmark_field},
        )
        usual, found = query.parameters(), query.parameters(quoting=self._quoting)
        try:
            return ask(parameters=found)
        except RequestRefused:
            if found == usual:
                raise
        page = ask(parameters=usual)
        self._forget_quoting()
        return page

    def doubt(self, resource: Resource) -> None:
        """Forget what was found of the questions about a resource: its answers contradict it."""
        was_found = self.findings.honesty(resource.name).filter == "honoured"
        self.findings.forget_honesty(resource.name)
        if was_found and self._quoting != "quoted":
            self._forget_quoting()

    def _forget_quoting(self) -> None:
        self._quoting = "quoted"
        self.findings.forget(findings.QUOTING)
        logger.warning(
            "Cirqll does not seem to take times without quotes any more, as `cirqll doctor` had "
            "found; they are written with quotes from now on. Nothing is lost; run it again."
        )

    def _allowed_page_size(self, wanted: int) -> int:
        maximum, refused = self.findings.page_maximum, self.findings.page_size_refused
        if refused is not None and wanted >= refused:
            wanted = min(wanted, SAFE_PAGE_SIZE)
        return wanted if maximum is None else min(wanted, maximum)

    def _remember_refusal(self, refused: int) -> None:
        self._page_size = SAFE_PAGE_SIZE
        self.findings.learn(findings.PAGE_SIZE_REFUSED, refused)
        logger.info(
            "Cirqll refuses pages of %d records; pages of %d from now on.",
            refused,
            SAFE_PAGE_SIZE,
        )


def _plain(resource: Resource) -> RowsReader:
    return partial(
        responses.plain_rows,
        bookmark_field=resource.bookmark_field,
        key_without_id=resource.key_without_id,
    )


def _record(answer: Answer) -> Record:
    return responses.record(answer.body)


def _changed(answer: Answer) -> Record:
    """Take an empty success for one: the change was made, and nothing is said of the record."""
    return {} if responses.is_empty(answer.body) else responses.record(answer.body)


def _created(answer: Answer) -> Record:
    return responses.new_record(answer.body)


def _nothing(answer: Answer) -> None:
    """Take any success of the API's; what its body says, if anything, is not known."""
    if responses.is_web_page(answer.body):
        msg = "it is a web page"
        raise responses.Unreadable(msg)


def _must_offer(resource: Resource, action: str) -> None:
    if action not in resource.actions:
        msg = f"the resource {resource.name} has no {action}"
        raise ValueError(msg)
