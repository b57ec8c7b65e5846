"""Where a reading begins that several streams share, and what each of them remembers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cirqll_client.errors import SettingInvalid
from cirqll_client.reading import Batch, Beginning, Stand
from tap_cirqll.bookmarks import beginning, earliest, of_parent, remember

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
STAND = Stand("changes", 7, "2026-01-02T00:00:00+00:00", time="2026-01-01 00:00:00")


def read(bookmark: Any) -> Beginning:
    return beginning(
        bookmark, stream="field_values", start_date=None, lookback_seconds=0, parent="customers"
    )


def test_the_one_that_has_least_decides() -> None:
    assert earliest([Beginning(LATE), Beginning(EARLY)]).bookmark == EARLY
    assert earliest([Beginning(LATE), Beginning()]).bookmark is None
    assert earliest([Beginning(LATE, not_before=EARLY), Beginning(LATE)]).not_before is None


def test_a_stand_holds_only_if_it_is_that_of_all() -> None:
    own, other = Beginning(stand=STAND), Beginning(stand=replace(STAND, last_id=8))

    assert earliest([own, own]).stand == STAND
    for first, second in ((own, other), (own, Beginning()), (Beginning(), own)):
        assert earliest([first, second]).stand is None


def test_a_bookmark_never_goes_back() -> None:
    bookmark: dict[str, Any] = {}

    for time in (LATE, EARLY):
        remember(bookmark, Batch([], time, None, 0), replication_key="updated_at")

    assert bookmark["replication_key_value"] == "2026-02-01T00:00:00Z"


def test_each_parent_has_a_bookmark_of_its_own() -> None:
    state: dict[str, Any] = {}

    remember(of_parent(state, "customers"), Batch([], LATE, STAND, 0), replication_key="at")

    assert read(state) == Beginning(LATE, stand=STAND)
    assert read({"parents": {"contacts": state["parents"]["customers"]}}) == Beginning()


@pytest.mark.parametrize("broken", [{"parents": 3}, {"parents": {"customers": [1]}}])
def test_a_broken_state_is_told(broken: Any) -> None:
    with pytest.raises(SettingInvalid, match="The state of the stream field_values cannot be read"):
        read(broken)
