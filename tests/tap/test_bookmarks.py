"""Bookmarks in the state: what is written is read again, and nothing else is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.errors import SettingInvalid
from cirqll_client.reading import Batch, Stand
from tap_cirqll.bookmarks import beginning, check, moment, remember, stamp, written

UNTIL = "2026-01-02T03:04:05+00:00"
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
stands = st.builds(
    Stand,
    st.just("changes"),
    st.integers(0, 2**32),
    moments.map(datetime.isoformat),
    time=st.text(),
) | st.builds(
    Stand,
    st.just("id"),
    st.integers(0, 2**32),
    moments.map(datetime.isoformat),
    newest=st.none() | st.text(),
)


def begin(bookmark: dict[str, Any], **settings: Any) -> Any:
    """Begin as the stream of customers does."""
    given_settings = {"start_date": None, "lookback_seconds": 60, **settings}
    return beginning(bookmark, stream="customers", **given_settings)


@given(bookmark=st.none() | moments, stand=st.none() | stands)
def test_what_was_remembered_is_where_the_next_run_begins(
    bookmark: datetime | None, stand: Stand | None
) -> None:
    state: dict[str, Any] = {}

    remember(state, Batch([], bookmark, stand, None), replication_key="updated_at")
    begun = begin(json.loads(json.dumps(state)))

    assert begun.stand == stand
    assert begun.bookmark == (bookmark and bookmark.replace(microsecond=0))


def test_a_reading_that_came_to_its_end_leaves_nothing_unfinished() -> None:
    state: dict[str, Any] = {}
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    remember(state, Batch([], None, Stand("id", 7, UNTIL), 9), replication_key="updated_at")
    remember(state, Batch([], now, None, 0), replication_key="updated_at")

    assert state == {
        "replication_key": "updated_at",
        "replication_key_value": "2026-01-02T03:04:05Z",
        # Absent, it would stay in a state that a runner merges.
        "unfinished": None,
    }


def test_a_full_table_has_no_bookmark_but_a_place_to_go_on_from() -> None:
    state: dict[str, Any] = {}

    remember(state, Batch([], None, Stand("id", 7, UNTIL), 9), replication_key=None)

    unfinished = {"way": "id", "last_id": 7, "until": UNTIL, "time": None, "newest": None}
    assert state == {"unfinished": unfinished}


@given(moments, st.integers(-14, 14))
def test_a_bookmark_has_a_fixed_width_and_sorts_as_it_passes(time: datetime, hours: int) -> None:
    later = time + timedelta(seconds=1)
    elsewhere = time.astimezone(timezone(timedelta(hours=hours))) if 2 < time.year < 9998 else time

    assert len(written(time)) == len("2026-01-02T03:04:05Z")
    assert written(time).endswith("Z")
    assert written(time) == written(elsewhere)
    assert written(time) < written(later)
    assert moment(written(time)) <= time


@pytest.mark.parametrize(
    "broken",
    [
        {"replication_key_value": "yesterday"},
        {"replication_key_value": 20260102},
        {"replication_key_value": ["2026-01-02"]},
        {"replication_key_value": "0001-01-01T00:00:00+14:00"},
        {"unfinished": "half"},
        {"unfinished": []},
        {"unfinished": {}},
        {"unfinished": {"way": "id", "last_id": 1}},
        {"unfinished": {"way": "id", "last_id": 1, "until": "never"}},
        {"unfinished": {"way": "id", "last_id": 1, "until": "2026-01-02T03:04:05"}},
        {"unfinished": {"way": "id", "last_id": 1, "until": 5}},
        {"unfinished": {"way": "id", "last_id": "1", "until": UNTIL}},
        {"unfinished": {"way": "id", "last_id": True, "until": UNTIL}},
        {"unfinished": {"way": "id", "last_id": -1, "until": UNTIL}},
        {"unfinished": {"way": "id", "last_id": 1, "until": UNTIL, "newest": 5}},
        {"unfinished": {"way": "changes", "last_id": 1, "until": UNTIL}},
        {"unfinished": {"way": "changes", "last_id": 1, "until": UNTIL, "time": 5}},
        {"unfinished": {"way": "whole", "last_id": 1, "until": UNTIL}},
        {"unfinished": {"way": [], "last_id": 1, "until": UNTIL}},
        {"unfinished": {"way": "id", "last_id": 1, "until": UNTIL, "else": 1}},
    ],
)
def test_a_broken_bookmark_is_one_sentence_with_the_remedy(broken: dict[str, Any]) -> None:
    with pytest.raises(SettingInvalid) as error:
        begin(broken)

    assert str(error.value) == (
        "The state of the stream customers cannot be read: it is not what this tap wrote. Run "
        "again with a state that is, or without one to read the stream from the beginning."
    )


@pytest.mark.parametrize("broken", [[], "state", {"bookmarks": []}, {"bookmarks": {"users": 1}}])
def test_what_is_no_state_is_one_sentence_with_the_remedy(broken: Any) -> None:
    with pytest.raises(SettingInvalid, match=r"The state is not a Singer state: it must be"):
        check(broken)


@pytest.mark.parametrize("state", [{}, {"bookmarks": {}}, {"bookmarks": {"users": {}}}])
def test_a_state_without_bookmarks_is_one(state: dict[str, Any]) -> None:
    check(state)


@pytest.mark.parametrize("start", ["soon", "2026-13-01", "0001-01-01T00:00:00+14:00"])
def test_a_start_date_that_is_none_is_one_sentence(start: str) -> None:
    with pytest.raises(SettingInvalid, match="The setting start_date is not a date"):
        begin({}, start_date=start)


@pytest.mark.parametrize(
    ("bookmark", "start", "lookback", "since"),
    [
        (None, None, 60, None),
        ("2026-01-02T03:04:05Z", None, 60, "2026-01-02T03:03:05Z"),
        (None, "2026-01-01", 60, "2026-01-01T00:00:00Z"),
        ("2026-01-02T03:04:05Z", "2026-01-01", 60, "2026-01-02T03:03:05Z"),
        ("2026-01-02T03:04:05Z", "2026-06-01", 60, "2026-06-01T00:00:00Z"),
        ("2026-01-02T03:04:05Z", "2026-01-01", 1e30, "2026-01-01T00:00:00Z"),
        ("2026-01-02T03:04:05Z", None, 1e30, None),
    ],
)
def test_a_run_begins_at_the_bookmark_less_the_lookback_or_at_the_start_date(
    bookmark: str | None, start: str | None, lookback: float, since: str | None
) -> None:
    state = {} if bookmark is None else {"replication_key_value": bookmark}

    begun = begin(state, start_date=start, lookback_seconds=lookback)

    assert (begun.since and written(begun.since)) == since


OWNER = {"account": "acme", "api_url": "https://api.example"}


@pytest.mark.parametrize("state", [{}, {"bookmarks": {}}, {"bookmarks": {}, "account": OWNER}])
def test_a_state_says_whose_rows_were_read(state: dict[str, Any]) -> None:
    stamp(state, account="acme", api_url="https://api.example")
    assert state["account"] == OWNER


@pytest.mark.parametrize("other", [{"account": "acne"}, {"api_url": "http://127.0.0.1:1"}])
def test_the_state_of_another_account_is_refused(other: dict[str, str]) -> None:
    state = {"account": {**OWNER, **other}}
    with pytest.raises(SettingInvalid) as caught:
        stamp(state, account="acme", api_url="https://api.example")
    assert caught.value.sentence.startswith("The state is of the account ac")
    assert "`meltano run --state-id-suffix acme …`" in caught.value.sentence
    assert state == {"account": {**OWNER, **other}}
