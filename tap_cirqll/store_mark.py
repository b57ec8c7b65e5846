"""Whether the store is the one that earlier runs learned their columns in: the state tells.

Types of undocumented fields are told by values, so a store that was lost may learn other types than
the warehouse has columns of, and a loader stops at that.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging

    from cirqll_client.connection import Connection

STORE = "store"
"""By this key the state names the store."""
_MARK = "mark_of_the_store"
_ANOTHER = (
    "The state goes on from earlier runs, but the store is another one than theirs (it was lost, "
    "or store_url names another place). So the types of undocumented and custom fields are told "
    "anew, and may be others than those of your tables: then the loader stops. Restore the store; "
    "or give the catalog of an earlier run, which has the types; or load into new tables, without "
    "the state."
)


def check_store(state: Any, connection: Connection, *, logger: logging.Logger) -> None:  # noqa: ANN401 - the SDK's
    """Warn if earlier runs had another store, and write down which one it is now."""
    mark = connection.store.learned(connection.account, _MARK)
    if mark is None:
        mark = secrets.token_hex(8)
        connection.store.learn(connection.account, _MARK, mark)
    if state.get(STORE) not in {None, mark}:
        logger.warning(_ANOTHER)
    state[STORE] = mark
