"""The company's people at work: they change rows while others read them."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from cirqll_sandbox.edits import edited
from cirqll_sandbox.resources import ENDPOINTS, RESOURCES

if TYPE_CHECKING:
    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.tables import Database


class Colleagues:
    """Change rows at random, the same ones for the same seed."""

    def __init__(self, database: Database, *, seed: int) -> None:
        self._database = database
        self._random = random.Random(seed)
        self._lived_at = time.monotonic()
        self._edits_due = 0.0

    def edit(self, resource: str, rows: int) -> list[int]:
        """Change this many rows; their ids."""
        return edited(self._database.tables[resource], rows, self._random)

    def live(self, path: str, behaviour: Behaviour, *, edits: int) -> None:
        """Do what was to be done until now, before a request for this path is answered."""
        resource = path.split("/")[2] if path.count("/") > 1 else ""
        if resource in RESOURCES:
            self.edit(resource, edits + behaviour.edits_per_request)
        now = time.monotonic()
        self._edits_due += (now - self._lived_at) * behaviour.edits_per_second
        self._lived_at = now
        due, self._edits_due = divmod(self._edits_due, 1)
        counts = {name: len(self._database.tables[name]) for name in ENDPOINTS}
        filled = {name: number for name, number in counts.items() if number}
        if filled and due:
            for name in self._random.choices([*filled], [*filled.values()], k=int(due)):
                self.edit(name, 1)
