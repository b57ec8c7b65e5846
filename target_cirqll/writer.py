"""The writes of a run: each action done, each refusal of the API told from the end of the run."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from cirqll_client.errors import NotFound, RequestRefused, ScopeMissing
from target_cirqll.actions import Action, Create, Deed, Delete, Nothing, Update
from target_cirqll.rows import Reject, RowRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cirqll_client.client import CirqllClient
    from cirqll_client.ledger import Entry, Ledger
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record
    from target_cirqll.comparison import Comparison
    from target_cirqll.creating import Cleared, Creating
    from target_cirqll.groups import Group


class Doing(Protocol):
    """Does actions, or pretends to."""

    def do(
        self, action: Action, group: Group, comparison: Comparison, *, seen: Entry | None = None
    ) -> Deed:
        """Do it. Raises ``RowRefused``, ``InDoubt``, and any ``CirqllError`` that ends the run."""
        ...

    def cleared(self, creates: list[Create], comparison: Comparison) -> Cleared:
        """Find out what became of creates that are in doubt."""
        ...


class Writer:
    """Writes through the API. Threads may share it."""

    def __init__(self, client: CirqllClient, *, creating: Creating, ledger: Ledger) -> None:
        """Write through this client; what was written is noted in the ledger."""
        self._client = client
        self._creating = creating
        self._ledger = ledger
        self._allowed: set[tuple[str, str]] = set()
        self._turn = threading.Lock()

    def do(
        self, action: Action, group: Group, comparison: Comparison, *, seen: Entry | None = None
    ) -> Deed:
        """Do it; ``seen`` is the entry of a create that certainly did not happen."""
        resource = comparison.resource
        try:
            deed = self._done(action, group, comparison, seen)
        except RequestRefused as error:
            reject = Reject(
                "refused", error.reason or error.sentence, next(iter(error.fields), None)
            )
        except NotFound as error:
            if isinstance(action, Create):
                raise
            reject = Reject("refused", error.sentence)
        except ScopeMissing as error:
            reject = self._forbidden(error, action, resource)
        else:
            self._note_allowed(action, resource)
            return deed
        raise RowRefused(reject)

    def cleared(self, creates: list[Create], comparison: Comparison) -> Cleared:
        """Find out what became of creates that are in doubt."""
        return self._creating.cleared(creates, comparison)

    def _done(
        self, action: Action, group: Group, comparison: Comparison, seen: Entry | None
    ) -> Deed:
        match action:
            case Create():
                answer = self._creating.create(action, comparison, seen=seen)
                self._note(comparison, {**group.row.fields, **action.body}, answer)
                return "created"
            case Update():
                answer = self._client.update(comparison.resource, action.record_id, action.changes)
                self._note(comparison, action.changes, {**answer, "id": action.record_id})
                return action.deed
            case Delete():
                with suppress(NotFound):
                    self._client.delete(comparison.resource, action.record_id)
                self._ledger.forget_record(comparison.resource, action.record_id)
                return "deleted"
            case Nothing():
                return self._nothing(action, group, comparison)

    def _nothing(self, action: Nothing, group: Group, comparison: Comparison) -> Deed:
        """Keep what was found out about earlier writes."""
        if action.learned and group.live is not None:
            record_id = int(group.live["id"])
            before = self._ledger.written(comparison.resource, [record_id])[record_id]
            learned = replace(before, came={**before.came, **action.learned})
            self._ledger.note_written(comparison.resource, record_id, learned)
        return action.deed

    def _note(self, comparison: Comparison, body: Mapping[str, object], answer: Record) -> None:
        written = comparison.written(body, answer)
        self._ledger.note_written(comparison.resource, int(answer["id"]), written)

    def _forbidden(self, error: ScopeMissing, action: Action, resource: Resource) -> Reject:
        """Tell a record that may not be written from a missing scope, which ends the run.

        A guess: what was allowed for another record of the resource is not for want of a scope.
        """
        with self._turn:
            is_allowed = (resource.name, type(action).__name__) in self._allowed
        if not is_allowed:
            raise error
        return Reject("refused", error.reason or error.sentence)

    def _note_allowed(self, action: Action, resource: Resource) -> None:
        with self._turn:
            self._allowed.add((resource.name, type(action).__name__))
