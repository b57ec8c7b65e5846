"""The sandbox's clock can be stopped, set and moved, and tells the time of any zone."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cirqll_sandbox import Clock, Sandbox

AUTUMN = datetime(2024, 10, 27, 0, 30, tzinfo=UTC)


def test_the_hour_that_autumn_repeats_is_written_twice() -> None:
    clock = Clock.stopped_at(AUTUMN)
    sandbox = Sandbox(size=0, clock=clock)
    sandbox.behaviour = replace(sandbox.behaviour, timezone="Europe/Amsterdam")
    stamps = []
    for _ in range(3):
        stamps.append(sandbox.rows("user").insert()["updated_at"])
        clock.move(3600)
    assert stamps == ["2024-10-27 02:30:00", "2024-10-27 02:30:00", "2024-10-27 03:30:00"]


def test_a_clock_runs_until_it_is_stopped() -> None:
    clock = Clock(AUTUMN)
    time.sleep(0.002)
    assert clock.now() > AUTUMN
    clock.stop()
    assert clock.now() == clock.now()


def test_a_moment_without_a_zone_is_utc() -> None:
    clock = Clock.stopped_at(AUTUMN)
    clock.set(datetime(2025, 1, 1))  # noqa: DTZ001 - that is the point
    assert clock.now() == datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("given", [{}, {"updated_at": "2020-02-02 02:02:02"}])
def test_a_change_touches_updated_at_unless_it_is_given(given: dict[str, str]) -> None:
    sandbox = Sandbox(size=0, clock=Clock.stopped_at(AUTUMN))
    sandbox.rows("user").insert(name="a", updated_at="2019-01-01 00:00:00")
    changed = sandbox.rows("user").update(1, name="b", **given)
    assert changed["updated_at"] == given.get("updated_at", "2024-10-27 00:30:00")
