"""The writes of a run: each action done, each refusal of the API told from the end of the run."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from cirqll_client.errors import (
    AnswerUnexpected,
    NotFound,
    RequestFails,
    RequestRefused,
    ScopeMissing,
)
from target_cirqll.actions import Action, Create, Deed, Delete, Nothing, Update
from target_cirqll.creating import fails_every_time
from target_cirqll.putting_off import PutOff, PuttingOff
from target_cirqll.rows import Reject, RowRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cirqll_client.client import CirqllClient
    from cirqll_client.ledger import Entry, Ledger
    from cirqll_client.responses import Record
    from target_cirqll.comparison import Comparison
    from target_cirqll.creating import Cleared, Creating
    from target_cirqll.groups import Group
    from target_cirqll.permissions import Permissions
    from target_cirqll.putting_off import Key

_ACTIONS = {Create: "create", Update: "update", Delete: "delete"}
"""As the names of scopes have them [doc]."""
_TIMES_TO_FAIL = 2


class Doing(Protocol):
    """Does actions, or pretends to."""

    def do(
        self, action: Action, group: Group, comparison: Comparison, *, seen: Entry | None = None
    ) -> Deed:
        """Do it.

        Raises ``RowRefused``, ``InDoubt``, ``PutOff`` where it is to be done again after the
        others, and any ``CirqllError`` that ends the run.
        """
        ...

    def cleared(self, creates: list[Create], comparison: Comparison) -> Cleared:
        """Find out what became of creates that are in doubt."""
        ...


class Writer:
    """Writes through the API. Threads may share it."""

    def __init__(
        self,
        client: CirqllClient,
        *,
        creating: Creating,
        ledger: Ledger,
        permissions: Permissions,
    ) -> None:
        """Write through this client; what was written is noted in the ledger."""
        self._client = client
        self._creating = creating
        self._ledger = ledger
        self._permissions = permissions
        self._putting_off = PuttingOff()

    def do(
        self, action: Action, group: Group, comparison: Comparison, *, seen: Entry | None = None
    ) -> Deed:
        """Do it; ``seen`` is the entry of a create that certainly did not happen."""
        if isinstance(action, Nothing):
            return self._nothing(action, group, comparison)
        key = _key(action)
        try:
            self._check_is_alive(action, key)
            deed = self._done(action, group, comparison, seen)
        except RequestRefused as error:
            reject = Reject("refused", _words(error), next(iter(error.fields), None))
        except RequestFails as error:
            reject = self._failing(error, action, key)
        except NotFound as error:
            if isinstance(action, Create):
                raise
            reject = Reject("refused", error.sentence)
        except ScopeMissing as error:
            reject = self._forbidden(error, action, key)
        else:
            self._putting_off.settled(key)
            self._permissions.note(action.resource, _ACTIONS[type(action)])
            return deed
        self._putting_off.settled(key)
        raise RowRefused(reject)

    def cleared(self, creates: list[Create], comparison: Comparison) -> Cleared:
        """Find out what became of creates that are in doubt."""
        return self._creating.cleared(creates, comparison)

    def _done(
        self,
        action: Create | Update | Delete,
        group: Group,
        comparison: Comparison,
        seen: Entry | None,
    ) -> Deed:
        key = _key(action)
        match action:
            case Create():
                answer = self._creating.create(action, comparison, seen=seen)
                self._note(comparison, {**group.row.fields, **action.body}, answer)
                return "created"
            case Update():
                answer = self._client.update(
                    action.resource,
                    action.record_id,
                    action.changes,
                    may_fail=lambda: self._putting_off.may_fail(key),
                )
                if answer:
                    self._note(comparison, action.changes, {**answer, "id": action.record_id})
                return action.deed
            case Delete():
                with suppress(NotFound):
                    self._client.delete(
                        action.resource,
                        action.record_id,
                        may_fail=lambda: self._putting_off.may_fail(key),
                    )
                self._ledger.forget_record(comparison.resource, action.record_id)
                return "deleted"

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

    def _check_is_alive(self, action: Create | Update | Delete, key: Key) -> None:
        """Wait for the API before it is asked a second time for what it failed on."""
        if isinstance(action, Create) or not self._putting_off.times_failed(key):
            return
        if "show" in action.resource.actions:
            with suppress(AnswerUnexpected, NotFound, RequestRefused, ScopeMissing):
                self._client.show(action.resource, action.record_id)

    def _failing(self, error: RequestFails, action: Create | Update | Delete, key: Key) -> Reject:
        """Give the reject of a record that the API fails on. Raises ``PutOff`` the first time."""
        if self._putting_off.times_failed(key) < _TIMES_TO_FAIL:
            raise PutOff
        return fails_every_time(action.resource, error.reason)

    def _forbidden(self, error: ScopeMissing, action: Create | Update | Delete, key: Key) -> Reject:
        """Tell a record that may not be written from a missing scope, which ends the run.

        Raises ``PutOff`` for the first few of which it is not known.
        """
        resource, name = action.resource, _ACTIONS[type(action)]
        if not self._permissions.has(resource, name):
            is_new = self._putting_off.is_forbidden_anew(key)
            if is_new or not self._permissions.had(resource, name):
                raise error
        said = f': "{error.reason}"' if error.reason else ""
        return Reject(
            "refused",
            f"Cirqll forbids to {name} this {resource.name} (403{said}), though it allows others. "
            "Let the user of the token have it in Cirqll, or leave the row out",
        )


def _key(action: Create | Update | Delete) -> Key:
    of = action.identities[0] if isinstance(action, Create) else action.record_id
    return (action.resource.name, _ACTIONS[type(action)], of)


def _words(error: RequestRefused) -> str:
    """Give the words on the fields, which the API's message only repeats."""
    told = {field: words for field, words in error.fields.items() if words}
    if len(told) == 1:
        return next(iter(told.values()))
    return " ".join(f"{field}: {words}" for field, words in told.items()) or (
        error.reason or error.sentence
    )
