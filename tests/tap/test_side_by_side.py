"""Sources side by side: all that they give comes, in order, and no further ahead than wanted."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_cirqll.side_by_side import Ended, Given, SideBySide

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG_ENOUGH_SECONDS = 5.0


def wait_until(condition: threading.Event) -> None:
    assert condition.wait(LONG_ENOUGH_SECONDS)


def threads() -> set[threading.Thread]:
    return {one for one in threading.enumerate() if one.name.startswith("reader-")}


def wait_for_threads() -> None:
    """Wait until no reader is left."""
    deadline = time.monotonic() + LONG_ENOUGH_SECONDS
    while threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not threads()


@settings(deadline=None, max_examples=50)
@given(counts=st.lists(st.integers(0, 4), max_size=6), at_once=st.integers(1, 8))
def test_everything_comes_once_and_in_the_order_of_its_source(
    counts: list[int], at_once: int
) -> None:
    sources = list(enumerate(counts))
    came: dict[int, list[int]] = defaultdict(list)
    ended = []

    for event in SideBySide(sources, lambda source: iter(range(source[1])), at_once=at_once):
        if isinstance(event, Given):
            came[event.source[0]].append(event.item)
        else:
            ended.append(event.source[0])

    assert sorted(ended) == [number for number, _ in sources]
    assert all(came[number] == list(range(count)) for number, count in sources)


def test_an_error_of_one_source_is_handed_out_and_the_others_go_on() -> None:
    def items(source: str) -> Iterator[int]:
        yield 1
        if source == "bad":
            msg = "broken"
            raise ValueError(msg)

    events = list(SideBySide(["bad", "good"], items, at_once=2))

    errors = {event.source: event.error for event in events if isinstance(event, Ended)}
    assert isinstance(errors["bad"], ValueError)
    assert errors["good"] is None
    assert sum(isinstance(event, Given) for event in events) == 2


def test_no_more_sources_are_read_at_once_than_wanted() -> None:
    lock, running, most = threading.Lock(), set(), []

    def items(source: int) -> Iterator[int]:
        with lock:
            running.add(source)
            most.append(len(running))
        time.sleep(0.01)
        yield source
        with lock:
            running.remove(source)

    assert len(list(SideBySide(list(range(8)), items, at_once=3))) == 16
    assert max(most) <= 3


def test_several_sources_are_read_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=LONG_ENOUGH_SECONDS)

    def items(_: int) -> Iterator[int]:
        both.wait()
        yield 1

    events = list(SideBySide([1, 2], items, at_once=2))

    assert all(event.error is None for event in events if isinstance(event, Ended))


def test_the_next_item_is_made_while_this_one_is_used_and_no_more() -> None:
    made, second = [], threading.Event()

    def items(_: int) -> Iterator[int]:
        for number in range(10):
            made.append(number)
            if number == 1:
                second.set()
            yield number

    events = iter(SideBySide([1], items, at_once=1))
    next(events)
    wait_until(second)
    time.sleep(0.05)

    assert len(made) <= 3  # the one in use, the one that waits, the one being made
    list(events)


def test_leaving_it_stops_all_sources() -> None:
    def endless(_: int) -> Iterator[int]:
        while True:
            yield 1

    events = iter(SideBySide([1, 2, 3], endless, at_once=2))
    next(events)

    events.close()  # type: ignore[attr-defined] # it is a generator

    wait_for_threads()


def test_told_to_stop_it_hands_out_nothing_more() -> None:
    stopping = threading.Event()

    def endless(_: int) -> Iterator[int]:
        while True:
            yield 1

    side_by_side = SideBySide([1, 2], endless, at_once=2, is_stopping=stopping.is_set)
    came = 0
    for _ in side_by_side:
        came += 1
        if came == 5:
            stopping.set()

    assert came == 5
    wait_for_threads()


def test_told_to_stop_it_does_not_wait_for_a_source_that_gives_nothing() -> None:
    hanging, released, stopping = threading.Event(), threading.Event(), threading.Event()

    def hanging_items(_: int) -> Iterator[int]:
        hanging.set()
        released.wait()
        yield 1

    threading.Timer(0.05, stopping.set).start()
    events = list(SideBySide([1], hanging_items, at_once=1, is_stopping=stopping.is_set))

    assert events == []
    assert hanging.is_set()
    released.set()
    wait_for_threads()


@pytest.mark.parametrize("at_once", [1, 4])
def test_without_sources_it_ends_at_once(at_once: int) -> None:
    assert list(SideBySide([], iter, at_once=at_once)) == []
