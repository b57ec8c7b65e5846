"""The ids that one stream has handed out to its pipeline, kept in the store or in the state.

In the store, the bookmark has the name of the roll, and the number of the last entry in it; else it
has the ids themselves::

    {"delivered_ids": {"roll": "5c1f0a7b9d3e2468", "until": 17, "ids": null, …}}
    {"delivered_ids": {"ids": "AQAAAAAAAAAAAAA…", "doubtful": …, "unlisted": …, "roll": null, …}}

What a state without store cannot tell: rows that a loader wrote after the last state it kept, and
that were deleted before the next run.
"""

from __future__ import annotations

import base64
from datetime import datetime
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
_NOTHING = dict.fromkeys(("roll", "until", "ids", "doubtful", "unlisted", "since"))
"""Null, not absent: a runner that merges states keeps what is absent in the new one."""


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
        since: datetime | None = None,
    ) -> None:
        """Take what the bookmark knows. Raises ``SettingInvalid`` where that cannot be read.

        ``is_first``: nothing was handed out yet. ``since``: no rows that changed before are, now.
        """
        self._bookmark = bookmark
        self._stream = stream
        self._rolls = rolls
        self._is_in_state = is_in_state
        self._warn = warn
        self._name: str | None = None
        known = bookmark.get(DELIVERED)
        found = self._found(known)
        self.roll = found or Roll(since=since.isoformat() if since else None)
        self.is_known = found is not None or (is_first and known is None)
        """The roll has all that was handed out; else earlier runs kept none."""
        if known is not None and found is None:
            warn(
                f"The ids of the {stream} that you have are lost with the store, so what was "
                "deleted since the last run is not found; `cirqll verify` finds it. From now on "
                "they are kept anew."
            )
        if self.roll.is_newer:
            warn(
                f"The state of {stream} is older than what the store knows of it: rows that were "
                "told to be deleted since are not told again. If tables were put back from a "
                "backup, `cirqll verify` finds what remains in them."
            )
        if self.is_known:
            self._place()

    @property
    def since(self) -> datetime | None:
        """No rows that changed before were ever handed out, whatever is wanted now."""
        return datetime.fromisoformat(self.roll.since) if self.roll.since else None

    def add(self, ids: BitMap64) -> None:
        """Note rows that are handed out before the state that is written next."""
        news = ids - self.roll.ids
        if not news:
            return
        self.roll.add(news)
        if self.is_known:
            self._enter(added=news)

    def tell(self, ids: BitMap64) -> None:
        """Note rows that are told to be deleted before the state that is written next."""
        self.roll.take_away(ids)
        self._enter(gone=ids)

    def begin_with(self, ids: BitMap64) -> None:
        """Take these for all that was handed out."""
        self.is_known = True
        self.roll.add(ids)
        self._place()

    def note(self, *, unlisted: BitMap64, scopes: str | None) -> None:
        """Keep what a comparison found."""
        # What is told is gone from a state at once, and from a store once a state came back.
        self.roll.unlisted = unlisted if self._name else unlisted & self.roll.known
        self.roll.scopes = scopes
        if self._name:
            self._rolls.note(self._name, unlisted=unlisted, scopes=scopes)
        else:
            self._place()

    def _found(self, known: Any) -> Roll | None:  # noqa: ANN401 - what a state holds
        if known is None:
            return None
        try:
            if known.get("roll") is not None:
                name = str(known["roll"])
                roll = self._rolls.roll(name, until=int(known["until"]))
                self._name = name if roll else None
                return roll
            return Roll(
                _bitmap(known["ids"]),
                _bitmap(known["doubtful"]),
                _bitmap(known["unlisted"]),
                since=known.get("since"),
            )
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            msg = (
                f"The state of the stream {self._stream} cannot be read: its {DELIVERED} are not "
                "what this tap wrote. Run again with a state that is, or without one to read the "
                "stream from the beginning."
            )
            raise SettingInvalid(msg) from error

    def _place(self) -> None:
        """Put the roll to where it is to be kept, unless it is there."""
        if self._is_in_state and self._fits_the_state():
            self._name = None
        elif self._name is None:
            self._name = self._rolls.begin(self._stream, self.roll)
            self._bookmark[DELIVERED] = _NOTHING | {"roll": self._name, "until": 0}

    def _enter(self, *, added: BitMap64 | None = None, gone: BitMap64 | None = None) -> None:
        if self._is_in_state and self._fits_the_state():
            return
        if self._name is None:
            self._place()
            return
        number = self._rolls.enter(self._name, added=added, gone=gone)
        self._bookmark[DELIVERED] = _NOTHING | {"roll": self._name, "until": number}

    def _fits_the_state(self) -> bool:
        """Put the roll into the state, if it is not too large."""
        roll = self.roll
        written = {
            "ids": _text(roll.ids),
            "doubtful": _text(roll.doubtful),
            "unlisted": _text(roll.unlisted),
        }
        if sum(map(len, written.values())) <= MOST_BYTES_IN_STATE:
            self._bookmark[DELIVERED] = _NOTHING | written | {"since": roll.since}
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
        bookmark[DELIVERED] = None


def _text(ids: BitMap64) -> str:
    ids.run_optimize()
    return base64.b64encode(ids.serialize()).decode()


def _bitmap(text: Any) -> BitMap64:  # noqa: ANN401 - what a state holds
    return BitMap64.deserialize(base64.b64decode(text, validate=True))
