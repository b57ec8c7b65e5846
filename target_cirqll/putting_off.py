"""Which failures are put off, because what becomes of other records tells what they mean.

A 403 may be about a record or about a scope, and a 500 about a record or about the whole server. So
the record is tried once more when the others have had their turn.
"""

from __future__ import annotations

import threading
from typing import TypeAlias

MOST_PUT_OFF = 3
"""So many may fail before one succeeds; then it is no record that is to blame."""

Key: TypeAlias = tuple[str, str, int | str]
"""Resource, action, and the record or the identity of a new one."""


class PutOff(Exception):
    """It failed, and is to be tried once more after the others."""


class PuttingOff:
    """Keeps what was put off. Threads may share it."""

    def __init__(self) -> None:
        """Begin without any."""
        self._failed: dict[Key, int] = {}
        self._failed_in_a_row = 0
        self._forbidden: set[Key] = set()
        self._turn = threading.Lock()

    def may_fail(self, key: Key) -> bool:
        """Count a record on which the API fails; ``False`` if it seems to fail on all of them."""
        with self._turn:
            times = self._failed.get(key, 0)
            if not times:
                if self._failed_in_a_row >= MOST_PUT_OFF:
                    return False
                self._failed_in_a_row += 1
            self._failed[key] = times + 1
            return True

    def times_failed(self, key: Key) -> int:
        """Give how often the API was found to fail on a record."""
        with self._turn:
            return self._failed.get(key, 0)

    def is_forbidden_anew(self, key: Key) -> bool:
        """Count a record that is forbidden; ``False`` for one that was put off before.

        Raises ``PutOff`` for the first few that no other has spoken for.
        """
        with self._turn:
            if key in self._forbidden:
                self._forbidden.remove(key)
                return False
            if sum(one[:2] == key[:2] for one in self._forbidden) < MOST_PUT_OFF:
                self._forbidden.add(key)
                raise PutOff
            return True

    def settled(self, key: Key) -> None:
        """Forget a record, which succeeded, or was refused while the API was there."""
        with self._turn:
            self._failed.pop(key, None)
            self._forbidden.discard(key)
            self._failed_in_a_row = 0
