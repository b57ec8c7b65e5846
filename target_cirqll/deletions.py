"""The guard of deletions: no run takes away more than a set share of a resource's records."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cirqll_client.errors import CirqllError
from target_cirqll.actions import Action, Delete, Update

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cirqll_client.resources import Resource
    from target_cirqll.records import LiveRecords


class TooManyDeletions(CirqllError):
    """The run would delete or archive more than ``max_deletions`` allows."""


class DeletionGuard:
    """Counts what a run deletes or archives, before it does."""

    def __init__(self, live: LiveRecords, *, share: float, is_dry: bool = False) -> None:
        """Allow so much of what is there when the first deletion comes; 1 allows everything.

        A dry run goes on, and is told at its end.
        """
        self._live = live
        self._share = share
        self._is_dry = is_dry
        self._totals: dict[Resource, int | None] = {}
        self._counts: Counter[Resource] = Counter()

    def check(self, resource: Resource, actions: Iterable[Action]) -> None:
        """Count the deletions of a batch, before any is done. Raises ``TooManyDeletions``."""
        number = sum(map(_is_deletion, actions))
        if not number or self._share >= 1:
            return
        if resource not in self._totals:
            self._totals[resource] = self._live.total(resource)
        self._counts[resource] += number
        sentence = self._sentence(resource)
        if sentence and not self._is_dry:
            raise TooManyDeletions(sentence)

    def sentences(self) -> list[str]:
        """Say of each resource that a run which is not dry would stop before so many deletions."""
        return [sentence for one in self._counts if (sentence := self._sentence(one))]

    def check_all(self) -> None:
        """Raise ``TooManyDeletions`` if there were too many of any resource."""
        for sentence in self.sentences():
            raise TooManyDeletions(sentence)

    def _sentence(self, resource: Resource) -> str:
        total, number = self._totals[resource], self._counts[resource]
        if total is None:
            return _uncounted(resource)
        if number <= self._share * total:
            return ""
        stops = "a run without dry_run stops" if self._is_dry else "it stopped"
        return (
            f"The run would delete or archive {number:,} of {total:,} {resource.stream}, more than "
            f"max_deletions allows ({self._share:.1%}), so {stops} before. If that is meant, "
            "raise max_deletions (1 allows all) and run again."
        )


def _is_deletion(action: Action) -> bool:
    return isinstance(action, Delete) or (isinstance(action, Update) and action.deed == "archived")


def _uncounted(resource: Resource) -> str:
    return (
        f"Cirqll does not tell how many {resource.stream} there are, so max_deletions cannot be "
        "kept, and nothing was deleted. Set max_deletions to 1 to delete without this guard."
    )
