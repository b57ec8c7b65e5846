"""The parts that write, joined: the real ones, or those that pretend."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cirqll_client.ledger import Ledger
from target_cirqll.batch import Batches
from target_cirqll.creating import Creating
from target_cirqll.deletions import DeletionGuard
from target_cirqll.lookups import Lookups
from target_cirqll.newest import Newest
from target_cirqll.parents import Parents
from target_cirqll.permissions import Permissions
from target_cirqll.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.connection import Connection
    from target_cirqll.policy import Policy


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run works with."""

    batches: Batches
    parents: Parents
    guard: DeletionGuard
    live: Lookups
    ledger: Ledger
    _opened: ExitStack

    def close(self) -> None:
        """Give back what was opened."""
        self._opened.close()


def parts_of(  # noqa: PLR0913 - what goes into them
    connection: Connection,
    policy: Policy,
    *,
    request_timeout: float,
    is_dry: bool,
    is_stopping: Callable[[], bool],
    on_wait: Callable[[float], None],
    pause: Callable[[float], object] = time.sleep,
) -> Parts:
    """Join the parts; in a dry run one takes the place of all that touches something."""
    ledger = Ledger(connection.store, account=connection.account)
    live = Lookups(connection.client, timestamps=connection.timestamps)
    creating = Creating(
        connection.client,
        ledger=ledger,
        newest=Newest(connection.client),
        longest_request_seconds=request_timeout,
        is_stopping=is_stopping,
        on_wait=on_wait,
        sleep=pause,
    )
    permissions = Permissions(
        connection.store, account=connection.account, scopes=connection.scopes
    )
    writer = Writer(connection.client, creating=creating, ledger=ledger, permissions=permissions)
    opened = ExitStack()
    pretence = None
    if is_dry:
        from target_cirqll.pretence import Pretence  # noqa: PLC0415 - for dry runs only

        pretence = Pretence(live, ledger, timestamps=connection.timestamps)
        opened.callback(pretence.close)
        # One after the other, so that a person reads it in the order of the rows.
        policy = replace(policy, concurrency=1)
    guard = DeletionGuard(pretence or live, share=policy.max_deletions, is_dry=is_dry)
    batches = Batches(
        policy=policy,
        live=pretence or live,
        ledger=pretence or ledger,
        doing=pretence or writer,
        guard=guard,
        timestamps=connection.timestamps,
        is_stopping=is_stopping,
    )
    parents = Parents(
        live=pretence or live,
        ledger=pretence or ledger,
        timestamps=connection.timestamps,
        source=policy.source,
    )
    return Parts(batches, parents, guard, live, ledger, opened)
