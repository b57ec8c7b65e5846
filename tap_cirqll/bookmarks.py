"""Bookmarks in the Singer state: what a reading may begin with, and what it leaves behind.

A bookmark looks as the SDK's do; ``unfinished`` is there while a stream is being read, so that an
interrupted run goes on from its last page::

    {"bookmarks": {"customers": {
        "replication_key": "updated_at",
        "replication_key_value": "2026-01-02T03:04:05Z",
        "unfinished": {"way": "changes", "time": "2026-01-02 03:04:05", "last_id": 7, "until": ...}
    }}, "account": {"account": "default", "api_url": "https://api.cirqll.nl"}}

A stream whose rows lie within the records of others has such a bookmark for each of these, under
``parents``: up to there it has what came with them. It stands behind the parent's own where the
parent was read without it.

``account`` says whose rows were read: with the bookmarks of another one, rows would be missed.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cirqll_client.errors import SettingInvalid
from cirqll_client.reading import Batch, Beginning, Stand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UNFINISHED = "unfinished"
ACCOUNT = "account"
PARENTS = "parents"
_UNTIMED = "has_untimed"
_KEY = "replication_key"
_VALUE = "replication_key_value"
_OF_STAND = [each.name for each in fields(Stand)]
_LONGEST_LOOKBACK_SECONDS = 1e11
"""Longer than there is time."""


def beginning(
    bookmark: Mapping[str, Any],
    *,
    stream: str,
    start_date: str | None,
    lookback_seconds: float,
    parent: str | None = None,
) -> Beginning:
    """Read where to begin, for what comes with a parent if there is one.

    Raises ``SettingInvalid`` for a state or a start date that is broken.
    """
    try:
        if parent is not None:
            bookmark = (bookmark.get(PARENTS) or {}).get(parent) or {}
        value = bookmark.get(_VALUE)
        return Beginning(
            bookmark=None if value is None else moment(value),
            not_before=None if start_date is None else _start(start_date),
            lookback=timedelta(seconds=min(lookback_seconds, _LONGEST_LOOKBACK_SECONDS)),
            stand=_stand(bookmark.get(UNFINISHED)),
            has_untimed=bookmark.get(_UNTIMED) is True,
        )
    except (AttributeError, OverflowError, TypeError, ValueError) as error:
        msg = (
            f"The state of the stream {stream} cannot be read: it is not what this tap wrote. Run "
            "again with a state that is, or without one to read the stream from the beginning."
        )
        raise SettingInvalid(msg) from error


def earliest(beginnings: Sequence[Beginning]) -> Beginning:
    """Give where to begin so that none of those who are read for together misses anything.

    An interrupted reading is gone on with only if it was one of all of them.
    """
    first = beginnings[0]
    bookmarks = [one.bookmark for one in beginnings]
    starts = [one.not_before for one in beginnings]
    return replace(
        first,
        bookmark=None if None in bookmarks else min(filter(None, bookmarks)),
        not_before=None if None in starts else min(filter(None, starts)),
        stand=first.stand if all(one.stand == first.stand for one in beginnings) else None,
        has_untimed=any(one.has_untimed for one in beginnings),
    )


def of_parent(bookmark: dict[str, Any], parent: str) -> dict[str, Any]:
    """Give the bookmark of what comes with a parent, to write in."""
    of: dict[str, Any] = bookmark.setdefault(PARENTS, {}).setdefault(parent, {})
    return of


def has_any_of(bookmark: Mapping[str, Any], parent: str) -> bool:
    """Tell whether anything that came with a parent was delivered, be it only a first page."""
    return parent in (bookmark.get(PARENTS) or {})


def begin_anew(bookmark: dict[str, Any]) -> None:
    """Write down that everything is to be read again."""
    bookmark[_VALUE] = None
    forget_stand(bookmark)


def forget_stand(bookmark: dict[str, Any]) -> None:
    """Write down that what was read since the bookmark is not all there."""
    if UNFINISHED in bookmark:
        bookmark[UNFINISHED] = None


def remember(bookmark: dict[str, Any], batch: Batch, *, replication_key: str | None) -> None:
    """Write down that a batch was delivered. A bookmark never goes back.

    It would where a reading began earlier than this bookmark, for others.
    """
    if batch.bookmark is not None and replication_key is not None:
        known = moment(bookmark[_VALUE]) if bookmark.get(_VALUE) else batch.bookmark
        bookmark[_KEY] = replication_key
        bookmark[_VALUE] = written(max(known, batch.bookmark))
    # Null, not absent: a runner that merges states keeps what is absent in the new one.
    if batch.stand is not None:
        bookmark[UNFINISHED] = {name: getattr(batch.stand, name) for name in _OF_STAND}
    else:
        forget_stand(bookmark)
    if batch.has_untimed:
        bookmark[_UNTIMED] = True
    elif batch.stand is None and _UNTIMED in bookmark:
        bookmark[_UNTIMED] = False


def check(state: Any) -> None:  # noqa: ANN401 - whatever the file holds
    """Raise ``SettingInvalid`` for a state that has not even the outer form of one.

    A whole STATE message in place of its value would be taken for a state of nothing.
    """
    if state == {}:
        return
    bookmarks = state.get("bookmarks") if isinstance(state, dict) else None
    if not isinstance(bookmarks, dict) or not all(isinstance(b, dict) for b in bookmarks.values()):
        msg = (
            'The state is not a Singer state: it must be an object like {"bookmarks": {"customers":'
            " {...}}}. Run again with the last STATE that came out, or without one."
        )
        raise SettingInvalid(msg)


def stamp(state: Any, *, account: str, api_url: str) -> None:  # noqa: ANN401 - the SDK's
    """Say in the state whose rows are read. Raises ``SettingInvalid`` if it says otherwise.

    A state that does not say it was written before it did.
    """
    owner = {"account": account, "api_url": api_url}
    before = state.get(ACCOUNT)
    if isinstance(before, dict) and before != owner:
        msg = (
            f"The state is of the account {before.get('account')} at {before.get('api_url')}, and "
            f"this run reads the account {account} at {api_url}: rows would be missed. Give each "
            f"account a state of its own (`meltano run --state-id-suffix {account} …`) and tables "
            "of its own; or run without the state to read everything."
        )
        raise SettingInvalid(msg)
    state[ACCOUNT] = owner


def moment(text: str) -> datetime:
    """Read a time; one without an offset is UTC. Raises ``ValueError``."""
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)


def written(time: datetime) -> str:
    """Write a time in UTC with ``Z``; whole seconds have a fixed width, as bookmarks must."""
    return time.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat() + "Z"


def _start(start_date: str) -> datetime:
    try:
        return moment(start_date)
    except (OverflowError, ValueError) as error:
        msg = "The setting start_date is not a date; write it like 2026-01-31 or 2026-01-31T00:00Z."
        raise SettingInvalid(msg) from error


def _stand(written_stand: Mapping[str, Any] | None) -> Stand | None:
    """Read a stand. Raises ``TypeError`` and ``ValueError`` for what this tap did not write."""
    if written_stand is None:
        return None
    stand = Stand(**written_stand)
    place = {"changes": stand.time, "id": stand.newest or ""}.get(stand.way)
    is_place = isinstance(place, str) and isinstance(stand.newest or "", str)
    is_row = type(stand.last_id) is int and stand.last_id >= 0
    if not (is_place and is_row and datetime.fromisoformat(stand.until).tzinfo):
        raise ValueError
    return stand
