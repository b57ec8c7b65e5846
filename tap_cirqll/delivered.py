"""The ids that one stream has handed out to its pipeline, kept in the store or in the state.

In the store, the bookmark has the name of the roll, and the mark of the last run that told of
deletions; else it has the ids themselves::

    {"delivered_ids": {"roll": "5c1f0a7b9d3e2468", "told": "0f1e2d3c4b5a6978"}}
    {"delivered_ids": {"ids": "AQAAAAAAAAAAAAA…", "unlisted": "AAAAAAAAAAA="}}
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap64

from cirqll_client.delivered_ids import Roll
from cirqll_client.errors import SettingInvalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.delivered_ids import DeliveredIds

DELIVERED = "delivered_ids"
MOST_BYTES_IN_STATE = 64 * 1024
"""Of one stream: the ids of a million rows without gaps take 400, scattered ones 600,000."""


class Delivered:
    """What one stream has handed out. Used by the thread that writes messages."""

    def __init__(  # noqa: PLR0913 - of what, where it is kept, and whom to tell
        self,
        bookmark: dict[str, Any],
        *,
        stream: str,
        rolls: DeliveredIds,
        is_in_state: bool,
        is_first: bool,
        warn: Callable[[str], None],
    ) -> None:
        """Take what the bookmark knows. Raises ``SettingInvalid`` where that cannot be read.

        ``is_first``: nothing was handed out yet.
        """
        self._bookmark = bookmark
        self._stream = stream
        self._rolls = rolls
        self._is_in_state = is_in_state
        self._warn = warn
        self._name: str | None = None
        found = self._found(bookmark.get(DELIVERED))
        self.roll = found or Roll()
        self.is_known = found is not None or is_first
        """The roll has all that was handed out; else earlier runs kept none."""
        if self.is_known and not (self._name and not is_in_state):
            self._keep()

    def add(self, ids: BitMap64) -> None:
        """Note rows that are handed out with the state that is written next."""
        news = ids - self.roll.living
        if not news:
            return
        self.roll.add(news)
        if self.is_known:
            self._keep_page(news)

    def tell(self, ids: BitMap64) -> None:
        """Note rows that were told to be deleted, with the state that is written next."""
        mark = self.roll.tell(ids)
        self._keep()
        if self._name:
            self._bookmark[DELIVERED] = {"roll": self._name, "told": mark}

    def end(self, *, unlisted: BitMap64 | None = None, scopes: str | None = None) -> None:
        """Keep all of it, now that the stream was read to its end, or compared."""
        if unlisted is not None:
            self.roll.unlisted, self.roll.scopes = unlisted, scopes
        self.is_known = True
        self._keep()

    def _found(self, known: Any) -> Roll | None:  # noqa: ANN401 - what a state holds
        if known is None:
            return None
        try:
            if "roll" in known:
                roll = self._rolls.roll(str(known["roll"]), mark=known.get("told"))
                self._name = str(known["roll"]) if roll else None
                return roll
            return Roll(_bitmap(known["ids"]), _bitmap(known["unlisted"]))
        except (LookupError, TypeError, ValueError) as error:
            msg = (
                f"The state of the stream {self._stream} cannot be read: its {DELIVERED} are not "
                "what this tap wrote. Run again with a state that is, or without one to read the "
                "stream from the beginning."
            )
            raise SettingInvalid(msg) from error

    def _keep_page(self, news: BitMap64) -> None:
        if self._name:
            self._rolls.add(self._name, news)
        else:
            self._keep()

    def _keep(self) -> None:
        """Write the whole roll to where it is kept."""
        if self._is_in_state and self._fits_the_state():
            self._name = None
            return
        if self._name is None:
            self._name = self._rolls.begin(self._stream)
            self._bookmark[DELIVERED] = {"roll": self._name, "told": None}
        self._rolls.save(self._name, self.roll)

    def _fits_the_state(self) -> bool:
        """Put the roll into the state, if it is not too large. What was told is gone from it."""
        written = {"ids": _text(self.roll.living), "unlisted": _text(self.roll.unlisted)}
        if sum(map(len, written.values())) <= MOST_BYTES_IN_STATE:
            self._bookmark[DELIVERED] = written
            return True
        self._is_in_state = False
        self._warn(
            f"The ids of {self._stream} take more than {MOST_BYTES_IN_STATE // 1024} KiB, which is "
            "too much for the state: they are kept in the store, which must not be lost then."
        )
        return False


def forget(bookmark: dict[str, Any]) -> None:
    """Write down that nobody keeps the ids of what is handed out from now on."""
    if bookmark.get(DELIVERED) is not None:
        bookmark[DELIVERED] = None  # null: a runner that merges states keeps what is absent


def _text(ids: BitMap64) -> str:
    ids.run_optimize()
    return base64.b64encode(ids.serialize()).decode()


def _bitmap(text: Any) -> BitMap64:  # noqa: ANN401 - what a state holds
    return BitMap64.deserialize(base64.b64decode(text, validate=True))
