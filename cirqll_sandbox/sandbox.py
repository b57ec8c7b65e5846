"""The sandbox as one object: its data, its behaviour, and the server that shows them."""

from __future__ import annotations

import logging
import random
import time
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

from cirqll_sandbox.api import Api
from cirqll_sandbox.behaviour import Behaviour
from cirqll_sandbox.clock import Clock, stamp
from cirqll_sandbox.company import Company
from cirqll_sandbox.edits import edited, undocumented
from cirqll_sandbox.faults import Faults
from cirqll_sandbox.rate_limit import RateLimit
from cirqll_sandbox.request_log import RequestLog
from cirqll_sandbox.resources import ENDPOINTS, RESOURCES
from cirqll_sandbox.tables import Database
from cirqll_sandbox.tokens import ACCESS_TOKEN, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cirqll_sandbox.request_log import RequestRecord
    from cirqll_sandbox.tables import Table

_LOGGER = logging.getLogger(__name__)


class Sandbox:
    """A local Cirqll. It may be changed from any thread while it runs."""

    access_token = ACCESS_TOKEN

    def __init__(  # noqa: PLR0913 - each is optional
        self,
        *,
        seed: int = 1,
        size: float = 1,
        behaviour: Behaviour | None = None,
        clock: Clock | None = None,
        scopes: Iterable[str] | None = None,
        undocumented_fields: bool = False,
    ) -> None:
        self.lock = RLock()
        self.clock = clock or Clock()
        self.behaviour = behaviour or Behaviour()
        self.tokens = Tokens(scopes)
        self.rate_limit = RateLimit()
        self.log = RequestLog()
        self.faults = Faults(seed)
        self.database = Database(lock=self.lock, now=self._now)
        self.api = Api(self.database, self.tokens)
        self._seed, self._size = seed, size
        self._undocumented_fields = undocumented_fields
        self._first_behaviour = self.behaviour
        self._errors: list[Exception] = []
        self._hooks: list[Callable[[RequestRecord], object]] = []
        self.reset()

    # Data

    def rows(self, table: str) -> Table:
        """The table of a resource, or of what belongs to one; `KeyError` if there is none."""
        return self.database.tables[table]

    def row_counts(self) -> dict[str, int]:
        """How many rows each of the sixteen resources holds."""
        return {name: len(self.rows(name)) for name in ENDPOINTS}

    def edit_rows(self, resource: str, rows: int = 1) -> list[int]:
        """Somebody changes this many rows, chosen at random; their ids."""
        with self.lock:
            return edited(self.rows(resource), rows, self._random)

    def add_undocumented_fields(self) -> None:
        """Every row of the sixteen resources gets fields that nobody documented, and is touched."""
        with self.lock:
            for name in ENDPOINTS:
                for row in self.rows(name).all():
                    self.rows(name).update(row["id"], **undocumented(row["id"]))

    def reset(self) -> None:
        """The data, behaviour, faults and record of the start; tokens and clock stay."""
        with self.lock:
            self.behaviour = self._first_behaviour
            self._random = random.Random(self._seed)
            self._lived_at = time.monotonic()
            self._edits_due = 0.0
            self._hooks.clear()
            self.faults.clear()
            self.log.forget()
            self.rate_limit.reset()
            self.database.clear()
            if self._size:
                company = Company(
                    self.database, seed=self._seed, size=self._size,
                    timezone=self.behaviour.timezone,
                )  # fmt: skip
                company.move_in(undocumented_fields=self._undocumented_fields)

    # Requests

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """The API requests so far, in order of arrival."""
        return self.log.all()

    def forget_requests(self) -> None:
        """Start the record anew."""
        self.log.forget()

    def most_in_any_window(self, seconds: float = 60) -> int:
        """The largest number of API requests, refused ones included, in any window."""
        return self.log.most_in_any_window(seconds)

    def foreign_requests(self, requests: int) -> None:
        """Other programs eat from the budget now."""
        with self.lock:
            self.rate_limit.eat(requests, self.behaviour)

    def before_request(self, callback: Callable[[RequestRecord], object]) -> Callable[[], None]:
        """Call this with every API request before it is answered; the result ends that."""
        self._hooks.append(callback)
        return lambda: self._hooks.remove(callback)

    # Serving

    @contextmanager
    def running(self, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
        """Serve in a thread while the context lasts; the URL is given.

        A mistake of the sandbox or of a `before_request` callback is raised at the end.
        """
        from cirqll_sandbox.app import build_app  # noqa: PLC0415 - uvicorn only when it serves
        from cirqll_sandbox.server import in_thread, listen  # noqa: PLC0415

        with in_thread(build_app(self), listen(host, port)) as url:
            yield url
        if self._errors:
            raise self._errors.pop(0)

    def failed(self, error: Exception) -> None:
        """Make known that a request could not be answered by the sandbox's own fault."""
        _LOGGER.error("The sandbox could not answer a request.", exc_info=error)
        self._errors.append(error)

    def announce(self, record: RequestRecord) -> None:
        """Call the hooks."""
        for hook in tuple(self._hooks):
            hook(record)

    def live(self, path: str, behaviour: Behaviour, *, edits: int) -> None:
        """Let the company's people do their work before a request is answered."""
        resource = path.split("/")[2] if path.count("/") > 1 else ""
        if resource in RESOURCES:
            self.edit_rows(resource, edits + behaviour.edits_per_request)
        now = time.monotonic()
        self._edits_due += (now - self._lived_at) * behaviour.edits_per_second
        self._lived_at = now
        due, self._edits_due = divmod(self._edits_due, 1)
        filled = {name: number for name, number in self.row_counts().items() if number}
        if filled and due:
            for name in self._random.choices([*filled], [*filled.values()], k=int(due)):
                self.edit_rows(name)

    def _now(self) -> str:
        return stamp(self.clock.now(), self.behaviour.timezone)
