"""What is to be done about a record, decided from its row, its live state and the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_cirqll import custom_fields
from target_cirqll.actions import Action, Create, Delete, Nothing, Update
from target_cirqll.comparison import BOOKMARK, CUSTOM
from target_cirqll.fitting import check_limits, missing_for_create
from target_cirqll.rows import Reject, RowRefused
from target_cirqll.values import digest

if TYPE_CHECKING:
    from cirqll_client.ledger import Written
    from cirqll_client.responses import Record
    from cirqll_client.timestamps import Timestamps
    from target_cirqll.comparison import Comparison
    from target_cirqll.groups import Group
    from target_cirqll.policy import Policy
    from target_cirqll.rows import Row

_ARCHIVED = "archived_at"


class Decisions:
    """Decides about the records of one resource."""

    def __init__(self, policy: Policy, comparison: Comparison, timestamps: Timestamps) -> None:
        """Decide by these settings."""
        self._policy = policy
        self._comparison = comparison
        self._timestamps = timestamps
        self._resource = comparison.resource

    def decide(self, group: Group, written: Written) -> Action:
        """Give what is to be done. Raises ``RowRefused``."""
        row = group.row
        if row.deleted_at:
            return self._of_deleted(group, row, written)
        if group.live is None:
            return self._of_new(group, row)
        return self._of_known(row, group.live, written)

    def _of_deleted(self, group: Group, row: Row, written: Written) -> Action:
        live = group.live
        if live is None:
            return Nothing("unchanged")
        if self._policy.on_delete == "ignore":
            return Nothing("left", "deleted at the source, and on_delete is ignore")
        if group.is_shared:
            return Nothing("left", "deleted at the source, but another row is the same record")
        action = self._taken_away(row, live)
        if isinstance(action, Nothing):
            return action
        return self._yielding(row, live, written) or action

    def _taken_away(self, row: Row, live: Record) -> Action:
        record_id = int(live["id"])
        if self._policy.on_delete == "delete":
            self._check_may("delete")
            return Delete(self._resource, record_id)
        if _ARCHIVED not in self._resource.schema["properties"]:
            reason = f"{self._resource.stream} cannot be archived, as on_delete says"
            raise RowRefused(Reject("invalid", reason, _ARCHIVED))
        if self._comparison.text(_ARCHIVED, live.get(_ARCHIVED)) is not None:
            return Nothing("unchanged")
        self._check_may("update")
        change = {_ARCHIVED: row.deleted_at}
        return Update(self._resource, record_id, change, {_ARCHIVED: None}, deed="archived")

    def _of_new(self, group: Group, row: Row) -> Action:
        if row.id is not None:
            reason = f"there is no {self._resource.name} with the id {row.id} in Cirqll"
            raise RowRefused(Reject("invalid", reason, "id"))
        if self._policy.write_mode == "update":
            return Nothing("left", "not in Cirqll, and write_mode is update")
        self._check_may("create")
        missing = missing_for_create(self._resource, row.fields)
        if missing:
            reason = f"a new {self._resource.name} needs a {missing}"
            raise RowRefused(Reject("invalid", reason, missing))
        body: dict[str, Any] = {k: v for k, v in row.fields.items() if v is not None}
        check_limits(self._resource, body)
        if row.custom_fields:
            body[CUSTOM] = custom_fields.written(row.custom_fields)
        return Create(self._resource, body, group.identities)

    def _of_known(self, row: Row, live: Record, written: Written) -> Action:
        difference = self._comparison.difference(row, live, written)
        if self._was_archived_by_us(row, live, written):
            difference.changes[_ARCHIVED], difference.before[_ARCHIVED] = None, live[_ARCHIVED]
        if not difference.changes:
            return Nothing("unchanged", learned=difference.learned)
        if self._policy.write_mode == "create":
            return Nothing("left", "in Cirqll already, and write_mode is create")
        self._check_may("update")
        check_limits(self._resource, difference.changes)
        update = Update(self._resource, int(live["id"]), difference.changes, difference.before)
        return self._yielding(row, live, written) or update

    def _was_archived_by_us(self, row: Row, live: Record, written: Written) -> bool:
        """Tell whether an earlier deletion archived the record, whose row lives again."""
        if self._policy.on_delete != "archive" or _ARCHIVED in row.fields:
            return False
        text = self._comparison.text(_ARCHIVED, live.get(_ARCHIVED)) if _ARCHIVED in live else None
        return text is not None and written.sent.get(_ARCHIVED) == digest(text)

    def _yielding(self, row: Row, live: Record, written: Written) -> Nothing | None:
        """Leave a record to who changed it since, if the settings say so. Raises ``RowRefused``."""
        if self._policy.conflict == "warehouse_wins" or not self._is_newer(row, live, written):
            return None
        if self._policy.conflict == "crm_wins":
            return Nothing("left", "changed in Cirqll since, and conflict is crm_wins")
        reason = f"the {self._resource.name} {live['id']} was changed in Cirqll since"
        raise RowRefused(Reject("conflict", reason, BOOKMARK))

    def _is_newer(self, row: Row, live: Record, written: Written) -> bool:
        """Tell whether somebody else changed the record since the row was made from it."""
        text = live.get(BOOKMARK)
        if row.based_on is None or not isinstance(text, str):
            return False
        try:
            is_later = self._timestamps.instant(text) > row.based_on
        except ValueError:
            return False
        return is_later and not self._comparison.is_own_write(live, written)

    def _check_may(self, action: str) -> None:
        if action not in self._resource.actions:
            reason = f"the API cannot {action} {self._resource.stream}"
            raise RowRefused(Reject("invalid", reason))
